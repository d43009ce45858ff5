"""The late supplier screen: whom a late delivery hits, who else could deliver, one step to do something about it."""

import datetime as dt
from decimal import Decimal
from threading import Barrier, Thread

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, connections
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.formats import date_format

from fulfilment.models import CapacityBooking, MaterialNeed, MaterialSupply, Milestone
from fulfilment.services import (
    add_milestone,
    book_capacity,
    change_supplier,
    hits_of,
    late_deliveries,
    late_lines,
    plan_needs,
    purchase_needs_of,
    reasons,
    replan_late,
    with_reasons,
)
from inventory.models import Product, PurchaseLine, PurchaseOrder, SupplierPrice
from inventory.services import Came, confirm_purchase, draft_purchase, order_purchase, receive_purchase
from ordermgmt.activity.models import Event, Notification
from ordermgmt.activity.services import work_off
from ordermgmt.company.services import business_today
from ordermgmt.lib.fsm import TransitionRefused
from ordermgmt.lib.invariants import violations
from orders.models import Order
from tests.factories import capacity as make
from tests.factories.boms import conveyor
from tests.factories.inventory import person
from tests.factories.orders import line, started
from tests.factories.purchases import offers, supplier

from .test_materials import wanted

pytestmark = pytest.mark.django_db
D = Decimal


def later(days):
    return business_today() + dt.timedelta(days=days)


def planned(**header):
    """A conveyor with steel needed in 10 days, welding until 16, delivery on 20, promised for 25; nothing hangs on tests."""
    order = started(line("B-CONV", 1, supply="make"), promised_date=header.pop("promised_date", later(25)), **header)
    pm = person("pm")
    steel = add_milestone(order, code="M1", name="Steel", kind=Milestone.Kind.MATERIAL, forecast=later(10), actor=pm)
    weld = add_milestone(order, code="M2", name="Weld", start=later(10), forecast=later(16), before=[steel], actor=pm)
    paint = add_milestone(order, code="M3", name="Paint", start=later(17), forecast=later(18), before=[weld], actor=pm)
    add_milestone(
        order,
        code="M4",
        name="Delivery",
        kind=Milestone.Kind.DELIVERY,
        forecast=later(20),
        before=[paint, weld],
        actor=pm,
    )
    add_milestone(order, code="M5", name="Manual", start=later(3), forecast=later(12), actor=pm)
    plan_needs(order)
    return order


def bought(order, who, promised):
    """Steel for the order, ordered and promised."""
    purchase = purchase_needs_of(wanted(order, who, "B-STEEL"), order=order, actor=person("pm"))[0]
    order_purchase(purchase, actor=person("pm"))
    confirm(purchase, promised)
    return PurchaseLine.objects.select_related("order__supplier", "product__unit").get(order=purchase)


def confirm(purchase, day):
    rows = PurchaseLine.objects.filter(order=purchase)
    confirm_purchase(PurchaseOrder.objects.get(pk=purchase.pk), dates={row.pk: day for row in rows}, actor=person("pm"))
    work_off()


@pytest.fixture
def market():
    """Slow Steel, who is bought from, Fast Steel, who is dearer, and Idle Steel, who never delivers in time."""
    goods = conveyor()
    slow, fast, idle = supplier("Slow Steel"), supplier("Fast Steel"), supplier("Idle Steel")
    offers(slow, goods["steel"], 4, lead_days=9)
    offers(fast, goods["steel"], 5, lead_days=8)
    offers(idle, goods["steel"], 3, lead_days=30)
    return {"slow": slow, "fast": fast, "idle": idle} | goods


def codes(order):
    rows = Milestone.objects.filter(order=order)
    return {one.code: (one.forecast - business_today()).days for one in rows if one.forecast}


class TestWhom:
    def test_orders_and_milestones_by_days(self, market):
        order = planned()
        row = bought(order, market["slow"], later(10))
        assert list(late_lines(business_today())) == []
        confirm(row.order, later(19))
        late = late_deliveries(late_lines(business_today()), person("pm"))
        assert [(one.line.pk, one.overdue, one.postponed, one.expected) for one in late] == [(row.pk, 0, 9, later(19))]
        hit = late[0].hits[0]
        assert (hit.order, hit.seen, hit.days, hit.needed_by) == (order, True, 9, later(10))
        # Welding begins when the steel is there, paint had a day's air, delivery waits for paint.
        assert {step.milestone.code: step.days for step in hit.steps} == {"M1": 9, "M2": 9, "M3": 8, "M4": 6}
        assert (hit.ends, hit.beyond) == (later(26), 1)
        assert [(one.supplier.name, one.late) for one in late[0].offers] == [("Fast Steel", 0), ("Idle Steel", 20)]

    def test_overdue_counts_from_today(self, market):
        order = planned()
        row = bought(order, market["slow"], later(5))
        PurchaseOrder.objects.update(ordered_on=later(-20))
        PurchaseLine.objects.filter(pk=row.pk).update(promised_on=later(-3), first_promised_on=later(-3))
        Milestone.objects.filter(code="M1").update(forecast=later(-1))
        plan_needs(order)
        one = late_deliveries(late_lines(business_today()), person("pm"))[0]
        assert (one.overdue, one.hits[0].days) == (3, 1)

    def test_an_order_without_a_plan(self, market):
        order = started(line("B-CONV", 1, supply="make"), promised_date=later(20))
        plan_needs(order)
        bought(order, market["slow"], later(24))
        hit = late_deliveries(late_lines(business_today()), person("pm"))[0].hits[0]
        assert (hit.days, hit.ends, hit.beyond, list(hit.steps)) == (4, later(24), 4, [])

    def test_what_is_not_seen_is_not_named(self, market, client_of):
        order = planned()
        bought(order, market["slow"], later(19))
        page = client_of(person("sales2")).get("/fulfilment/late/").content.decode()
        assert order.number not in page
        assert "An order of somebody else" in page
        assert client_of(person("admin")).get("/fulfilment/late/").status_code == 403

    def test_queries_do_not_grow(self, market, client_of, django_assert_max_num_queries, monkeypatch):
        client = client_of(person("pm"))
        bought(planned(), market["slow"], later(19))
        client.get("/fulfilment/late/")
        with django_assert_max_num_queries(200) as few:
            assert client.get("/fulfilment/late/").status_code == 200
        for place in range(5):
            bought(planned(promised_date=later(22 + place)), market["slow"], later(19))
        with django_assert_max_num_queries(200) as many:
            page = client.get("/fulfilment/late/").content.decode()
        assert page.count("Who else could deliver</h3>") == 6
        assert "The 50 that were promised" not in page
        monkeypatch.setattr("fulfilment.views.late.MOST", 5)
        assert "The 5 that were promised" in client.get("/fulfilment/late/").content.decode()
        assert len(many) <= len(few)

    def test_people_are_told_when_it_is_put_off(self, market):
        order = planned()
        row = bought(order, market["slow"], later(9))
        assert not Event.objects.filter(type="fulfilment.material_late").exists()
        confirm(row.order, later(19))
        event = Event.objects.get(type="fulfilment.material_late")
        assert (event.root_id, event.data["days"]) == (order.pk, 9)
        told = set(Notification.objects.filter(event=event).values_list("user__email", flat=True))
        assert order.owner.email in told
        confirm(row.order, later(19))
        assert Event.objects.filter(type="fulfilment.material_late").count() == 1


class TestNotConfirmed:
    """Until the supplier names a day, the order day and their lead time say when it should come."""

    def unconfirmed(self, market, who="idle"):
        order = planned()
        purchase = purchase_needs_of(wanted(order, market[who], "B-STEEL"), order=order, actor=person("pm"))[0]
        return order, purchase

    def test_late_wherever_it_is_listed(self, market, client_of):
        order, purchase = self.unconfirmed(market)
        order_purchase(purchase, actor=person("pm"))
        work_off()
        row = PurchaseLine.objects.get(order=purchase)
        assert (row.needed_by, row.expected_on, row.confirmed_on) == (later(10), later(30), None)
        assert MaterialNeed.objects.get(product=market["steel"]).expected_on == later(30)
        late = late_deliveries(late_lines(business_today()), person("pm"))
        assert [(one.line, one.expected, one.hits[0].days) for one in late] == [(row, later(30), 20)]
        told = " ".join(reasons(with_reasons(Order.objects.filter(pk=order.pk)).get()))
        assert f"B-STEEL of {purchase.number} comes on" in told
        client = client_of(person("pm"))
        page = client.get(f"/fulfilment/late/?order={order.number}").content.decode()
        assert purchase.number in page
        assert "not confirmed" in page
        assert "promised for" not in page
        assert order.number in client.get("/fulfilment/materials/?cover=late").content.decode()
        box = client.get(order.get_absolute_url()).content.decode()
        assert f"/fulfilment/late/?order={order.number}" in box
        assert "not confirmed" in box

    def test_a_draft_is_expected_as_if_it_was_placed_today(self, market, client_of):
        order, purchase = self.unconfirmed(market)
        assert purchase.lines.get().expected_on == later(30)
        assert MaterialNeed.objects.too_late(business_today()).filter(order=order).exists()
        box = client_of(person("pm")).get(order.get_absolute_url()).content.decode()
        assert f"/fulfilment/late/?order={order.number}" not in box, "no supplier is late with what was not sent"

    def test_the_days_that_are_past_are_still_too_late(self, market):
        order, purchase = self.unconfirmed(market, "fast")
        Milestone.objects.filter(code="M1").update(forecast=later(-1))
        plan_needs(order)
        order_purchase(purchase, actor=person("pm"))
        late = late_deliveries(late_lines(business_today()), person("pm"))
        assert [(one.expected, one.hits[0].days) for one in late] == [(later(8), 9)]

    def test_without_a_lead_time_it_is_expected_when_needed(self, market):
        SupplierPrice.objects.update(lead_days=0)
        _order, purchase = self.unconfirmed(market)
        order_purchase(purchase, actor=person("pm"))
        assert purchase.lines.get().expected_on == later(10)
        assert list(late_lines(business_today())) == []

    def test_the_warehouse_sees_that_nobody_confirmed_it(self, market, client_of):
        SupplierPrice.objects.update(lead_days=2)
        _order, purchase = self.unconfirmed(market)
        order_purchase(purchase, actor=person("pm"))
        page = client_of(person("warehouse")).get("/").content.decode()
        assert purchase.number in page
        assert "not confirmed" in page

    def test_the_same_day_confirmed_is_told(self, market):
        _order, purchase = self.unconfirmed(market)
        order_purchase(purchase, actor=person("pm"))
        confirm(purchase, later(30))
        assert Event.objects.filter(type="fulfilment.material_late").count() == 1
        assert purchase.lines.get().confirmed_on == later(30)


class TestAnotherSupplier:
    def test_the_rest_is_ordered_elsewhere(self, market):
        order = planned()
        row = bought(order, market["slow"], later(19))
        new = change_supplier(row, supplier=market["fast"], reason="late", actor=person("pm"))
        assert PurchaseOrder.objects.get(pk=row.order_id).state == "cancelled", "nothing of it came"
        assert (new.order.supplier, new.order.state, new.open, new.needed_by) == (
            market["fast"], "ordered", D("7.04"), later(10),
        )  # fmt: skip
        assert MaterialSupply.objects.get().line == new
        need = MaterialNeed.objects.get(product=market["steel"])
        assert (need.on_order, need.missing, need.expected_on) == (D("7.04"), 0, later(8)), "as Fast Steel can deliver"
        event = Event.objects.get(type="fulfilment.supplier_changed")
        assert (event.root_id, event.data["old"], event.data["supplier"]) == (order.pk, "Slow Steel", "Fast Steel")
        work_off()
        assert Notification.objects.filter(event=event, user=order.owner).exists()
        assert [str(one) for one in violations(["S9", "S11", "A3"])] == []

    def test_what_came_stays(self, market):
        order = planned()
        row = bought(order, market["slow"], later(19))
        receive_purchase(row.order, came={row.pk: Came(D(3))}, key="k", actor=person("warehouse"))
        work_off()
        new = change_supplier(row, supplier=market["fast"], reason="late", actor=person("pm"))
        assert (new.quantity, PurchaseOrder.objects.get(pk=row.order_id).state) == (D("4.04"), "received")
        need = MaterialNeed.objects.get(product=market["steel"])
        assert (need.from_stock, need.on_order, need.missing) == (3, D("4.04"), 0)
        assert [str(one) for one in violations(["S9", "S11", "A3"])] == []

    def test_other_lines_go_on(self, market):
        rows = [{"product": market[name], "quantity": D(5), "unit_price": D(1)} for name in ("steel", "round")]
        purchase = order_purchase(draft_purchase(market["slow"], lines=rows, actor=person("pm")), actor=person("pm"))
        first, other = purchase.lines.all()
        change_supplier(first, supplier=market["fast"], reason="late", actor=person("pm"))
        purchase = PurchaseOrder.objects.get(pk=purchase.pk)
        assert (purchase.state, purchase.lines.get(pk=first.pk).given_up) == ("ordered", 5)
        assert purchase.lines.get(pk=other.pk).open == 5
        with pytest.raises(TransitionRefused, match="Nothing of this line"):
            change_supplier(first, supplier=market["fast"], reason="again", actor=person("pm"))

    def test_still_too_late_and_planned_anew(self, market):
        order = planned()
        row = bought(order, market["slow"], later(60))
        new = change_supplier(row, supplier=market["idle"], reason="late", replan=True, actor=person("pm"))
        assert new.needed_by == PurchaseLine.objects.get(pk=new.pk).needed_by == later(30), "as those it is ordered for"
        assert codes(order) == {"M1": 30, "M2": 36, "M3": 37, "M4": 37, "M5": 12}
        assert MaterialNeed.objects.get(product=market["steel"]).needed_by == later(30)
        assert list(late_lines(business_today())) == []
        assert Event.objects.get(type="fulfilment.order_replanned").data["days"] == 12

    def test_planned_anew_the_hours_for_no_milestone_follow(self, market):
        order, centre = planned(), make.centre(weekdays=7)
        book = {"work_centre": centre, "hours": D(16), "actor": person("pm")}
        book_capacity(order, first=later(11), last=later(12), **book)
        row = bought(order, market["slow"], later(60))
        change_supplier(row, supplier=market["idle"], reason="late", replan=True, actor=person("pm"))
        days = CapacityBooking.objects.filter(order=order).values_list("day", "minutes")
        assert set(days) == {(later(31), 480), (later(32), 480)}
        assert list(violations(["K1"])) == []

    def test_without_a_milestone_of_material_they_follow_what_begins_first(self, market):
        order, centre = started(line("B-CONV", 1, supply="make"), promised_date=later(60)), make.centre(weekdays=7)
        add_milestone(order, code="M1", name="Weld", start=later(10), forecast=later(16), actor=person("pm"))
        plan_needs(order)
        book_capacity(order, work_centre=centre, hours=D(16), first=later(11), last=later(12), actor=person("pm"))
        row = bought(order, market["slow"], later(10))
        replan_late(row, day=later(25), reason="late", actor=person("pm"))
        start = (Milestone.objects.get(order=order).start - later(0)).days
        days = CapacityBooking.objects.filter(order=order).values_list("day", flat=True)
        assert [(day - later(start)).days for day in days] == [1, 2]
        assert start >= 25

    def test_the_day_it_is_needed_stays(self, market, client_of):
        order = planned()
        row = bought(order, market["slow"], later(60))
        new = change_supplier(row, supplier=market["idle"], reason="late", actor=person("pm"))
        assert (new.needed_by, new.promised_on, new.first_promised_on) == (later(10), later(30), None)
        assert list(late_lines(business_today())) == [new], "20 days too late, and seen to be"
        page = client_of(person("pm")).get(new.order.get_absolute_url()).content.decode()
        assert "not confirmed" in page
        confirm(new.order, later(30))
        new.refresh_from_db()
        assert (new.promised_on, new.first_promised_on) == (later(30), later(30))

    def test_bad_input(self, market):
        row = bought(planned(), market["slow"], later(19))
        with pytest.raises(ValidationError, match="no price"):
            change_supplier(row, supplier=supplier(), reason="late", actor=person("pm"))
        with pytest.raises(ValidationError, match="does not deliver"):
            change_supplier(row, supplier=market["slow"], reason="late", actor=person("pm"))
        for key in ("sales", "warehouse"):
            with pytest.raises(PermissionDenied):
                change_supplier(row, supplier=market["fast"], reason="late", actor=person(key))
        assert PurchaseOrder.objects.count() == 1


class TestPlanning:
    def test_anew(self, market, client_of):
        order = planned()
        row = bought(order, market["slow"], later(19))
        baseline = dict(Milestone.objects.values_list("code", "baseline"))
        client = client_of(person("pm"))
        page = client.get(f"/fulfilment/late/?order={order.number}").content.decode()
        for text in ("M2 Weld", "9 days too late", ": Fast Steel</span>", "Propose the new date to the customer"):
            assert text in page, text
        url = f"/fulfilment/late/{row.pk}/do/replan/"
        assert client.post(url, {"day": later(-1), "reason": "x"}).status_code == 422
        assert client.post(url, {"day": later(9), "reason": "x"}).status_code == 422
        assert client.post(url, {"day": later(19), "reason": "Slow Steel is late"}).status_code == 302
        assert codes(order) == {"M1": 19, "M2": 25, "M3": 26, "M4": 26, "M5": 12}
        assert dict(Milestone.objects.values_list("code", "baseline")) == baseline
        assert hits_of([row], person("pm"), business_today()) == {}
        work_off()
        assert Notification.objects.filter(event__type="fulfilment.order_replanned", user=order.owner).exists()
        assert [str(one) for one in violations(["A3", "S11"])] == []

    def test_an_assembly_has_to_be_made_of_it_first(self, market):
        Product.objects.filter(pk=market["frame"].pk).update(lead_days=4)  # steel becomes a frame in four days
        order = planned()
        assert MaterialNeed.objects.get(product=market["steel"]).needed_by == later(6)
        row = bought(order, market["slow"], later(9))  # before the plan's day, too late for the frame
        replan_late(row, day=later(9), reason="late", actor=person("pm"))
        assert codes(order) == {"M1": 13, "M2": 19, "M3": 20, "M4": 20, "M5": 12}
        assert MaterialNeed.objects.get(product=market["steel"]).needed_by == later(9)
        assert list(late_lines(business_today())) == []

    def test_what_moves_is_said_before_it_is_saved(self, market, client_of):
        order = planned()
        row = bought(order, market["slow"], later(19))
        client, url = client_of(person("pm")), f"/fulfilment/late/{row.pk}/do/replan/"
        page = client.get(url).content.decode()
        moved = [
            f"M1 Steel: {date_format(later(10), 'SHORT_DATE_FORMAT')} →",
            f"{date_format(later(19), 'SHORT_DATE_FORMAT')}</strong>",
        ]
        assert all(text in page for text in [order.number, *moved])
        assert f"Plan the orders anew: {row.order.number} · 1 " in page
        data = {"day": later(22), "reason": "late", "shown": later(19)}
        answer = client.post(url, data)
        page = answer.content.decode()
        assert answer.status_code == 422
        assert "confirm again" in page
        assert f"{date_format(later(22), 'SHORT_DATE_FORMAT')}</strong>" in page
        assert f'name="shown" value="{later(22)}"' in page
        assert codes(order)["M1"] == 10
        assert client.post(url, data | {"shown": later(22)}).status_code == 302
        assert codes(order)["M1"] == 22

    def test_where_nothing_can_move_it_is_said(self, market, client_of):
        order = planned()
        row = bought(order, market["slow"], later(19))
        Milestone.objects.filter(order=order, code__in=["M1"]).update(actual=business_today())
        Milestone.objects.filter(order=order).update(start=None)
        client, url = client_of(person("pm")), f"/fulfilment/late/{row.pk}/do/replan/"
        assert "Nothing moves" in client.get(url).content.decode()
        answer = client.post(url, {"day": later(19), "reason": "late"})
        assert answer.status_code == 422
        assert "Nothing moves" in answer.content.decode()
        assert not Event.objects.filter(type="fulfilment.order_replanned").exists()

    def test_nothing_comes_at_the_end_of_the_calendar(self, market, client_of):
        row = bought(planned(), market["slow"], later(20))
        far = {"day": "9999-12-31", "reason": "they do not say"}
        for sent in (far, far | {"shown": "9999-12-31"}):
            page = client_of(person("pm")).post(f"/fulfilment/late/{row.pk}/do/replan/", sent)
            assert (page.status_code, list(page.context["form"].errors)) == (422, ["day"])
        promise = f"/inventory/purchases/{row.order.number}/do/confirm/"
        page = client_of(person("pm")).post(promise, {f"date_{row.pk}": "9999-12-31"})
        assert (page.status_code, list(page.context["form"].errors)) == (422, [f"date_{row.pk}"])
        assert client_of(person("pm")).get("/fulfilment/late/").status_code == 200

    def test_who_may(self, market, client_of):
        row = bought(planned(), market["slow"], later(19))
        with pytest.raises(PermissionDenied):
            replan_late(row, day=later(19), reason="x", actor=person("sales"))
        for name in ("replace", "replan"):
            assert client_of(person("sales")).get(f"/fulfilment/late/{row.pk}/do/{name}/").status_code == 403
        pm = client_of(person("pm"))
        url = f"/fulfilment/late/{row.pk}/do/replace/?supplier={market['idle'].pk}"
        page = pm.get(url).content.decode()
        assert f'value="{market["idle"].pk}" selected' in page
        data = {"supplier": market["fast"].pk, "reason": "late", "replan": "on"}
        answer = pm.post(f"/fulfilment/late/{row.pk}/do/replace/", data)
        assert answer.status_code == 302
        assert answer["Location"] == PurchaseOrder.objects.get(supplier=market["fast"]).get_absolute_url()
        assert Order.objects.get().changed_at <= timezone.now()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_people_choose_at_once(monkeypatch):
    goods = conveyor()
    slow, rivals = supplier("Slow Steel"), [supplier("One"), supplier("Two")]
    for place, who in enumerate([slow, *rivals]):
        offers(who, goods["steel"], 4 + place, lead_days=5)

    def both():
        row = bought(planned(), slow, later(19))
        barrier, found = Barrier(2), [""] * 2

        def choose(place):
            try:
                barrier.wait()
                change_supplier(row, supplier=rivals[place], reason="late", actor=person("pm"))
                found[place] = "ordered"
            except (TransitionRefused, ValidationError):
                found[place] = "refused"
            except (DatabaseError, ValueError) as error:
                found[place] = type(error).__name__
            finally:
                connections.close_all()

        threads = [Thread(target=choose, args=(place,)) for place in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sorted(found)

    assert [both() for _round in range(5)] == [["ordered", "refused"]] * 5
    assert [str(one) for one in violations(["S9", "S11", "A3"])] == []
    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **_options: self)
    assert any(both() != ["ordered", "refused"] for _round in range(12)), "without the locks nothing collided"
