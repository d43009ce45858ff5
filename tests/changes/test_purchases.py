"""Material needs and bookings follow an applied change at once; purchases that it touched wait for somebody's decision."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from changes.models import PurchaseDecision
from changes.services import Op, apply_change, impact_of, keep_purchase, remind_changes, take_off_purchase
from fulfilment.models import CapacityBooking, MaterialNeed
from fulfilment.services import Wanted, book_capacity, plan_needs, purchase_needs_of
from inventory.models import Product
from inventory.services import confirm_purchase, order_purchase
from ordermgmt.activity.models import Event
from ordermgmt.activity.services import work_off
from ordermgmt.company.services import business_today
from ordermgmt.lib.fsm import TransitionRefused
from ordermgmt.lib.invariants import violations
from orders.models import Order
from tests.factories import capacity
from tests.factories.boms import conveyor
from tests.factories.changes import applied, approved, fresh, more
from tests.factories.inventory import make_product
from tests.factories.orders import line, person, placed, started
from tests.factories.purchases import offers, supplier

pytestmark = pytest.mark.django_db
pm = "pm"
D = Decimal


def now(order):
    return Order.objects.get(pk=order.pk)


def need(sku):
    return MaterialNeed.objects.select_related("product").get(product__sku=sku)


@pytest.fixture
def order():
    """Three conveyors, and the six motors that they take are ordered for them."""
    goods, who = conveyor(), supplier("Motor Works")
    offers(who, goods["motor"], 5)
    found = started(line("B-CONV", 3, supply="make"))
    plan_needs(found)
    (purchase,) = purchase_needs_of([Wanted(goods["motor"], who, D(6), D(6))], order=found, actor=person(pm))
    order_purchase(purchase, actor=person(pm))
    work_off()
    return now(found)


def open_decision():
    return PurchaseDecision.objects.open().get()


class TestFollowing:
    def test_needs_follow_in_the_same_transaction(self, order):
        applied(order, more(order, 1))
        assert (need("B-MOTOR").required, need("B-MOTOR").on_order) == (2, 2)
        applied(now(order), more(order, 5))
        motor = need("B-MOTOR")
        assert (motor.required, motor.on_order, motor.missing) == (10, 6, 4)
        assert [str(one) for one in violations(["C", "S"])] == []

    def test_refused_at_the_end_nothing_moved(self, order, monkeypatch):
        change = approved(order, more(order, 1))
        monkeypatch.setattr("changes.services.applying.ask_to_acknowledge", _broken)
        with pytest.raises(RuntimeError):
            apply_change(change, actor=person(pm))
        assert need("B-MOTOR").required == 6
        assert not PurchaseDecision.objects.exists()

    def test_less_asks_for_a_decision(self, order):
        change = applied(order, more(order, 1))
        one = open_decision()
        assert (one.change, one.sku, one.supplier, one.less, one.respecified) == (
            change, "B-MOTOR", "Motor Works", 4, False,
        )  # fmt: skip
        assert "4 pc less are needed" in one.why or "4" in one.why

    def test_more_asks_for_none(self, order):
        applied(order, more(order, 5))
        assert not PurchaseDecision.objects.exists()

    def test_sooner_than_it_comes(self, order):
        row = need("B-MOTOR").supplies.get().line
        confirm_purchase(row.order, dates={row.pk: order.promised_date}, actor=person(pm))
        day = order.promised_date - dt.timedelta(days=5)
        applied(now(order), Op("promised_date", after=str(day)))
        one = open_decision()
        assert (one.less, one.needed_by) == (0, need("B-MOTOR").needed_by)
        assert one.needed_by <= day

    def test_the_end_of_the_order(self, order):
        change = applied(order, Op("terminate", after={}))
        assert not MaterialNeed.objects.filter(order=order).exists()
        assert (open_decision().change, open_decision().less) == (change, 6)

    def test_work_that_is_not_needed_is_given_back(self):
        centre, order = capacity.centre(), started(line(quantity=16, supply="make"))
        capacity.routing(centre, unit="1")
        first = capacity.monday()
        book_capacity(order, work_centre=centre, hours=D(16), first=first, actor=person(pm))
        applied(now(order), more(order, 5))
        left = CapacityBooking.objects.filter(order=order)
        assert [(one.day, one.minutes) for one in left] == [(first, 300)]
        assert centre.days.get(day=first).booked == 300
        applied(now(order), Op("terminate", after={}))
        assert not CapacityBooking.objects.filter(order=order).exists()
        assert [str(one) for one in violations(["S"])] == []

    def test_what_was_booked_on_purpose_stays(self):
        centre, order = capacity.centre(), started(line(quantity=2, supply="make"))
        capacity.routing(centre, unit="1")
        book_capacity(order, work_centre=centre, hours=D(8), first=capacity.monday(), actor=person(pm))
        applied(now(order), Op("price", order.order_lines[0].pk, "1"))
        assert sum(one.minutes for one in CapacityBooking.objects.filter(order=order)) == 480
        applied(now(order), more(order, 1))
        assert sum(one.minutes for one in CapacityBooking.objects.filter(order=order)) == 420


def _broken(*_args, **_named):
    raise RuntimeError


class TestImpact:
    def test_material_purchases_and_work(self, order):
        found = impact_of(order, [more(order, 1)])
        assert {one.sku: one.more for one in found.material}["B-MOTOR"] == -4
        assert [(one.line.product.sku, one.counted) for one in found.purchases] == [("B-MOTOR", 6)]
        grown = impact_of(order, [more(order, 4)])
        assert "B-MOTOR" in [one.sku for one in grown.short]
        assert PurchaseDecision.objects.count() == 0

    def test_days_by_material_and_work_centre(self):
        conveyor()
        order = started(line("B-CONV", 1, supply="make"), promised_date=business_today() + dt.timedelta(days=30))
        unknown = impact_of(order, [more(order, 3)])
        assert unknown.days == 0
        assert "no lead time known" in " ".join(unknown.reasons)
        Product.objects.filter(sku__startswith="B-").exclude(sku="B-CONV").update(lead_days=5)
        Product.objects.filter(sku="B-MOTOR").update(lead_days=90)
        found = impact_of(order, [more(order, 3)])
        assert found.days >= 60
        assert "B-MOTOR takes 90 days" in " ".join(found.reasons)
        capacity.routing(capacity.centre(), "B-CONV", unit="40")
        later = impact_of(order, [more(order, 3)])
        assert later.days > found.days
        assert "Centre WELD" in " ".join(later.reasons)

    def test_work_spent(self):
        centre, order = capacity.centre(), started(line(quantity=2, supply="make"))
        book_capacity(order, work_centre=centre, hours=D(8), first=capacity.monday(), actor=person(pm))
        past = business_today() - dt.timedelta(days=3)
        CapacityBooking.objects.filter(order=order).update(day=past)
        assert impact_of(order, [more(order, 1)]).worked_hours == 8


class TestDeciding:
    def test_taken_off_once(self, order):
        applied(order, more(order, 1))
        one = open_decision()
        with pytest.raises(ValidationError, match="At most 4"):
            take_off_purchase(one, quantity=D(5), note="x", actor=person(pm))
        with pytest.raises(ValidationError, match="Between 0"):
            take_off_purchase(one, quantity=D(0), note="x", actor=person(pm))
        done = take_off_purchase(one, quantity=D(4), note="They agree.", actor=person(pm))
        row = done.line
        row.refresh_from_db()
        assert (row.open, row.given_up, done.choice, done.reduced) == (2, 4, "reduced", 4)
        with pytest.raises(TransitionRefused, match="decided already"):
            take_off_purchase(one, quantity=D(1), note="x", actor=person(pm))
        with pytest.raises(TransitionRefused, match="decided already"):
            keep_purchase(one, note="x", actor=person(pm))
        assert Event.objects.filter(type="inventory.purchase_reduced").count() == 1
        for values in ({"note": "other"}, {"choice": "kept"}, {"less": 1}):
            with pytest.raises(DatabaseError), transaction.atomic():
                PurchaseDecision.objects.filter(pk=one.pk).update(**values)
        with pytest.raises(DatabaseError), transaction.atomic():
            PurchaseDecision.objects.filter(pk=one.pk)._raw_delete("default")

    def test_all_of_it_ends_the_purchase(self, order):
        applied(order, Op("terminate", after={}))
        done = take_off_purchase(open_decision(), quantity=D(6), note="They agree.", actor=person(pm))
        assert done.line.order.__class__.objects.get(pk=done.line.order_id).state == "cancelled"

    def test_a_draft_loses_the_line(self):
        goods, who = conveyor(), supplier()
        offers(who, goods["motor"], 5)
        offers(who, goods["bolt"], 1)
        order = started(line("B-CONV", 3, supply="make"))
        plan_needs(order)
        rows = [Wanted(goods["motor"], who, D(6), D(6)), Wanted(goods["bolt"], who, D(74), D(74))]
        (purchase,) = purchase_needs_of(rows, order=order, actor=person(pm))
        applied(now(order), Op("terminate", after={}))
        motor = PurchaseDecision.objects.get(sku="B-MOTOR")
        done = take_off_purchase(motor, quantity=D(6), note="Not asked for yet.", actor=person(pm))
        assert done.line is None
        assert [one.product.sku for one in purchase.lines.all()] == ["B-BOLT"]
        bolt = PurchaseDecision.objects.get(sku="B-BOLT")
        take_off_purchase(bolt, quantity=D(70), note="Not asked for yet.", actor=person(pm))
        assert purchase.lines.get().quantity == 4
        purchase.refresh_from_db()
        assert purchase.total == 4

    def test_what_others_count_on_stays(self, order):
        other = started(line("B-CONV", 1, supply="make"))
        applied(order, more(order, 1))
        plan_needs(other)
        with pytest.raises(ValidationError, match="At most 2"):
            take_off_purchase(open_decision(), quantity=D(4), note="x", actor=person(pm))

    def test_who_may_and_the_pages(self, order, client_of, warehouse, sales, manager):
        change = applied(order, more(order, 1))
        one = open_decision()
        url = f"/changes/purchases/{one.pk}/do/keep/"
        with pytest.raises(PermissionDenied):
            keep_purchase(one, note="x", actor=person("warehouse"))
        client = client_of(person(pm))
        for page in (change.get_absolute_url(), "/", "/changes/purchases/", one.purchase_url):
            assert "4" in client.get(page).content.decode(), page
            assert one.number in client.get(page).content.decode(), page
        assert "do/keep/" in client.get(change.get_absolute_url()).content.decode()
        assert "do/keep/" not in client_of(sales).get(change.get_absolute_url()).content.decode()
        assert client_of(warehouse).post(url, {"note": "x"}).status_code == 403
        assert client.get(url).status_code == 200
        assert client.get(f"/changes/purchases/{one.pk}/do/take-off/").status_code == 200
        assert client.post(url, {"note": ""}).status_code == 422
        assert client.post(url, {"note": "For the stock."}).status_code == 302
        assert client.post(url, {"note": "For the stock."}).status_code == 409
        assert client.post("/changes/purchases/999999/do/keep/", {"note": "x"}).status_code == 404
        assert "For the stock." in client.get("/changes/purchases/?status=decided&q=motor").content.decode()
        assert not PurchaseDecision.objects.open().exists()

    def test_reminded_once_a_day(self, order):
        change = applied(order, more(order, 1))
        late = fresh(change).applied_at - dt.timedelta(hours=30)
        with connection.cursor() as cursor:
            cursor.execute("UPDATE changes_changerequest SET applied_at = %s WHERE id = %s", [late, change.pk])
        remind_changes()
        remind_changes()
        assert Event.objects.filter(type="changes.purchase_undecided").count() == 1

    def test_queries_do_not_grow(self, client_of):
        goods, who = conveyor(), supplier()
        parts = [goods[name] for name in ("motor", "bolt", "steel", "round")]
        for one in parts:
            offers(who, one, 1)
        counts = []
        for rows in (parts[:1], parts):
            order = started(line("B-CONV", 3, supply="make"))
            plan_needs(order)
            missing = {one.product_id: one.missing for one in MaterialNeed.objects.filter(order=order)}
            wanted = [Wanted(one, who, missing[one.pk], missing[one.pk]) for one in rows]
            purchase_needs_of(wanted, order=order, actor=person(pm))
            change = applied(now(order), more(order, 1))
            client = client_of(person(pm))
            client.get(change.get_absolute_url())
            with CaptureQueriesContext(connection) as asked:
                client.get(change.get_absolute_url())
            counts.append(len(asked))
        assert PurchaseDecision.objects.count() == 5
        assert counts[0] == counts[1]


def test_a_specification_that_changed_touches_what_is_bought():
    product = make_product("B-BUY", is_stocked=False)
    who = supplier()
    offers(who, product, 3)
    order = placed(line("B-BUY", 4, supply="buy"))
    plan_needs(order)
    purchase_needs_of([Wanted(product, who, D(4), D(4))], order=order, actor=person(pm))
    applied(now(order), Op("description", order.order_lines[0].pk, "Another one"))
    assert open_decision().respecified
