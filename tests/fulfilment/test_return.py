"""Goods that come back, goods that replace rejected ones, and acceptance on a manager's word (TRK-8, ACC-3)."""

import datetime as dt
from decimal import Decimal
from threading import Barrier, Thread
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connections, transaction
from django.utils import timezone, translation

from fulfilment.models import Acceptance, GoodsReturn, GoodsReturnLine, Rectification, Replacement, Shipment
from fulfilment.services import (
    LineResult,
    ReturnedPart,
    complete_rectification,
    record_acceptance,
    return_goods,
    start_rectification,
    waive_acceptance,
)
from inventory.models import StockItem, StockMovement
from ordermgmt.activity.models import Event
from ordermgmt.lib.fsm import TransitionRefused
from ordermgmt.lib.invariants import violations
from orders.services import hold_order, note_changes, resume_order
from tests.factories.fulfilment import examine, fresh, ship
from tests.factories.orders import customer_b, line, person, placed, started

pytestmark = pytest.mark.django_db
SOON = timezone.localdate() + dt.timedelta(days=5)


def stock(sku="SKU-1"):
    return StockItem.objects.filter(product__sku=sku).values_list("on_hand", "reserved").get()


def sent(*lines, **header):
    order = started(*(lines or [line(quantity=4)]), **header)
    ship(order)
    return fresh(order)


def back(order, key="", actor="warehouse", place=0, **quantities):
    pk = order.order_lines[place].pk
    parts = [ReturnedPart(pk, kind, Decimal(quantity)) for kind, quantity in quantities.items()]
    return return_goods(order, parts=parts, reason="too many", key=key or uuid4().hex, actor=person(actor))


def answer(remedy, owner="warehouse", actor="pm"):
    """Says what follows for the last return."""
    task = Rectification.objects.filter(return_line__isnull=False).latest("pk")
    return start_rectification(task, remedy=remedy, owner=person(owner), due=SOON, actor=person(actor))


class TestReturn:
    def test_only_what_is_fit_for_sale_goes_back_to_stock(self):
        order = sent()
        kept = back(order, restock=1, repair=1, scrap=1)
        first = fresh(order).order_lines[0]
        assert stock() == (7, 0)
        assert (first.qty_returned, first.qty_to_accept) == (3, 1)
        assert kept.number.startswith("RT-")
        assert StockMovement.objects.filter(kind="return").count() == 1
        assert Event.objects.filter(type="fulfilment.returned").count() == 1
        assert not list(violations("ST"))

    def test_the_event_keeps_codes_and_speaks_each_readers_language(self):
        with translation.override("zh-hans"):
            back(sent(), restock=1, scrap=2)
        told = Event.objects.get(type="fulfilment.returned")
        assert [one["disposition"] for one in told.data["lines"]] == ["restock", "scrap"]
        with translation.override("en"):
            assert "line 1 × 1 (Back to stock), 1 × 2 (Scrap)" in told.message
        with translation.override("zh-hans"):
            assert "报废" in told.message
        told.data["lines"] = "1 × 2 (Scrap)"
        assert "1 × 2 (Scrap)" in told.message, "the events of before are still read"

    def test_the_rest_is_accepted_and_the_order_with_it(self):
        order = sent()
        back(order, restock=3)
        answer("credit")
        examine(order)
        order = fresh(order)
        assert (order.state, order.order_lines[0].qty_accepted) == ("accepted", 1)
        assert not list(violations("ST"))

    def test_the_same_form_twice_is_one_return(self):
        order = sent()
        assert back(order, key="k", restock=2) == back(order, key="k", restock=2)
        assert stock() == (8, 0)
        assert GoodsReturn.objects.count() == 1

    @pytest.mark.parametrize("on", [dt.date(1, 1, 1), timezone.localdate() - dt.timedelta(days=400)])
    def test_nothing_came_back_before_it_was_ordered(self, on):
        order = sent()
        part = ReturnedPart(order.order_lines[0].pk, "scrap", Decimal(1))
        with pytest.raises(ValidationError) as refused:
            return_goods(order, parts=[part], reason="dented", on=on, key="k", actor=person("warehouse"))
        assert list(refused.value.error_dict) == ["on"]
        assert not GoodsReturn.objects.exists()

    def test_nothing_came_back_before_it_left(self):
        order = sent(order_date=timezone.localdate() - dt.timedelta(days=30))
        part = ReturnedPart(order.order_lines[0].pk, "scrap", Decimal(1))
        with pytest.raises(ValidationError, match="shipped or delivered on"):
            return_goods(order, parts=[part], reason="dented", on=timezone.localdate() - dt.timedelta(days=1), key="k",
                         actor=person("warehouse"))  # fmt: skip

    def test_wrong_quantities_are_refused_at_their_field(self):
        order = sent(line(quantity=4), line("SKU-2", "2.5", supply="make"))
        pk = order.order_lines[0].pk
        for quantities, name in (
            ({"restock": 5}, "restock"), ({"restock": -1}, "restock"), ({"scrap": "0.5"}, "scrap"),
            ({"restock": 3, "scrap": 2}, "scrap"),
        ):  # fmt: skip
            with pytest.raises(ValidationError) as refused:
                back(order, **quantities)
            assert list(refused.value.error_dict) == [f"{name}_{pk}"]
        for parts in ([], [ReturnedPart(999999, "scrap", Decimal(1))]):
            with pytest.raises(ValidationError):
                return_goods(order, parts=parts, reason="x", key=uuid4().hex, actor=person("warehouse"))
        tomorrow = timezone.localdate() + dt.timedelta(days=1)
        with pytest.raises(ValidationError) as refused:
            return_goods(
                order, parts=[ReturnedPart(pk, "scrap", Decimal(1))], reason=" ", on=tomorrow, key="x",
                actor=person("warehouse"),
            )  # fmt: skip
        assert set(refused.value.error_dict) == {"reason", "on"}
        assert not GoodsReturn.objects.exists()
        assert stock() == (6, 0)

    def test_not_what_was_accepted_or_rejected(self):
        order = sent()
        first = order.order_lines[0]
        record_acceptance(
            order, results=[LineResult(first.pk, Decimal(1), Decimal(1), "bent")], signed_by="W", evidence="note",
            key="a", actor=person("pm"),
        )  # fmt: skip
        with pytest.raises(ValidationError):
            back(fresh(order), restock=3)
        back(fresh(order), restock=2)
        assert not list(violations("ST"))

    def test_only_while_goods_are_with_the_customer(self):
        with pytest.raises(TransitionRefused):
            back(placed(), scrap=1)
        order = sent()
        examine(order)
        with pytest.raises(TransitionRefused, match="accepted"):
            back(order, scrap=1)

    def test_nobody_without_the_right(self):
        order = sent()
        for actor in ("sales", "finance", "manager"):
            with pytest.raises(PermissionDenied):
                back(order, actor=actor, restock=1)

    def test_what_came_back_is_never_rewritten(self):
        kept = back(sent(), scrap=1)
        for rows in (GoodsReturn.objects.filter(pk=kept.pk), GoodsReturnLine.objects.filter(goods_return=kept)):
            with pytest.raises(IntegrityError), transaction.atomic():
                rows.delete()
        with pytest.raises(IntegrityError), transaction.atomic():
            GoodsReturnLine.objects.update(quantity=2)


class TestReplace:
    def task(self, *lines, quantity=1, remedy="replace"):
        order = sent(*lines)
        examine(order, quantity)
        task = Rectification.objects.get()
        return start_rectification(task, remedy=remedy, owner=person("warehouse"), due=SOON, actor=person("pm"))

    def test_new_goods_leave_the_stock_with_a_note_of_their_own(self, pm):
        task = self.task()
        complete_rectification(task, result="new ones sent", faulty="scrap", actor=pm)
        order = fresh(task.order)
        assert stock() == (5, 0)
        first = order.order_lines[0]
        assert (order.state, first.qty_shipped, first.qty_returned, first.qty_to_accept) == ("shipped", 4, 0, 1)
        assert Shipment.objects.count() == 2
        assert Replacement.objects.get().shipment.lines.get().quantity == 1
        assert task.goods_return.lines.get().disposition == "scrap"
        assert not list(violations("ST"))
        examine(order, actor="manager")
        assert fresh(order).state == "accepted"

    def test_faulty_goods_may_stay_or_go_back_to_stock(self, pm):
        complete_rectification(self.task(quantity=2), result="sent", faulty="restock", actor=pm)
        assert stock() == (6, 0)
        assert not list(violations("ST"))

    def test_too_little_stock_writes_nothing(self, pm):
        task = self.task(line(quantity=6), quantity=5)
        with pytest.raises(ValidationError):
            complete_rectification(task, result="sent", actor=pm)
        task = Rectification.objects.get()
        assert (task.state, stock(), Shipment.objects.count()) == ("in_work", (4, 0), 1)

    def test_nothing_leaves_while_the_order_is_on_hold(self, client_of, pm):
        task = self.task()
        order = hold_order(fresh(task.order), reason="customer went silent", actor=pm)
        self.stays(task, "on hold: customer went silent", client_of(pm))
        resume_order(fresh(order), actor=pm)
        complete_rectification(task, result="sent", actor=pm)
        assert stock() == (5, 0)

    def test_nothing_leaves_before_a_change_is_known(self, client_of, pm):
        task = self.task()
        note_changes(fresh(task.order), unread_changes=1, actor=pm)
        self.stays(task, "acknowledges the change", client_of(pm))

    def stays(self, task, why, client):
        page = client.get(f"/fulfilment/rectifications/{task.pk}/do/complete/").content.decode()
        assert why in page
        with pytest.raises(TransitionRefused, match=why):
            complete_rectification(task, result="sent", actor=person("pm"))
        task = Rectification.objects.get()
        assert (task.state, stock(), Shipment.objects.count()) == ("in_work", (6, 0), 1)

    def test_what_is_mended_on_the_spot_is_reported_during_a_hold_too(self, pm):
        task = self.task(remedy="repair")
        hold_order(fresh(task.order), reason="customer went silent", actor=pm)
        complete_rectification(task, result="polished", actor=pm)
        assert Rectification.objects.get().state == "done"

    def test_a_forms_key_is_not_the_replacements(self, pm):
        task = self.task()
        back(sent(), key=f"rectification:{task.pk}", scrap=1)
        complete_rectification(task, result="sent", faulty="scrap", actor=pm)
        assert GoodsReturn.objects.count() == 2

    def test_other_remedies_move_no_stock(self, pm):
        complete_rectification(self.task(remedy="repair"), result="polished", actor=pm)
        assert stock() == (6, 0)
        assert not Replacement.objects.exists()

    def test_a_wrong_way_is_refused(self, pm):
        with pytest.raises(ValidationError):
            complete_rectification(self.task(), result="sent", faulty="burn", actor=pm)
        assert not Replacement.objects.exists()


class TestWaive:
    def test_takes_what_waits_as_accepted(self, manager):
        order = sent()
        kept = waive_acceptance(order, reason="repeat customer", actor=manager)
        with pytest.raises(TransitionRefused):
            waive_acceptance(order, reason="repeat customer", actor=manager)
        order = fresh(order)
        assert (order.state, order.order_lines[0].qty_accepted) == ("accepted", 4)
        assert "repeat customer" in kept.evidence
        assert not list(violations("ST"))

    def test_closes_an_order_of_which_everything_came_back(self, manager):
        order = sent()
        back(order, restock=4)
        with pytest.raises(TransitionRefused, match="1 return waits"):
            waive_acceptance(fresh(order), reason="all returned", actor=manager)
        answer("credit")
        assert fresh(order).state == "shipped", "nothing was examined: nobody has said yes"
        waive_acceptance(order, reason="all returned", actor=manager)
        assert fresh(order).state == "accepted"
        assert not list(violations("ST"))

    def test_refusals(self, manager):
        order = sent()
        for actor in ("pm", "sales", "warehouse", "finance"):
            with pytest.raises(PermissionDenied):
                waive_acceptance(order, reason="x", actor=person(actor))
        with pytest.raises(ValidationError):
            waive_acceptance(order, reason=" ", actor=manager)
        with pytest.raises(TransitionRefused):
            waive_acceptance(placed(), reason="x", actor=manager)
        assert not Acceptance.objects.exists()


class TestPages:
    def test_return_by_form(self, client_of, warehouse, sales):
        order, client = sent(), client_of(warehouse)
        pk, address = order.order_lines[0].pk, f"/orders/{order.number}/do/return_goods/"
        page = client.get(address)
        assert page.status_code == 200
        assert "of 4 with the customer" in page.content.decode()
        assert not GoodsReturn.objects.exists()
        data = {f"restock_{pk}": "1", f"scrap_{pk}": "9", "reason": "<b>bent</b>", "on": str(timezone.localdate())}
        data |= {"key": "form-1", "version": str(order.version)}
        refused = client.post(address, data)
        assert refused.status_code == 422
        assert "&lt;b&gt;bent" in refused.content.decode()
        for _time in range(2):
            assert client.post(address, data | {f"scrap_{pk}": "2"}).status_code == 302
        assert GoodsReturn.objects.count() == 1
        number = GoodsReturn.objects.get().number
        for place in (order.get_absolute_url(), "/fulfilment/returns/", f"/fulfilment/returns/?q={number}"):
            text = client.get(place).content.decode()
            assert number in text
            assert "<b>bent" not in text
        assert client_of(sales).post(address, data).status_code == 403

    def test_p20_foreign_returns_are_not_seen(self, client_of, sales, sales2):
        kept = back(sent(customer=customer_b(), actor=sales2), scrap=1)
        assert kept.number not in client_of(sales).get("/fulfilment/returns/").content.decode()
        assert kept.number in client_of(sales2).get("/fulfilment/returns/").content.decode()
        address = f"/orders/{kept.order.number}/do/return_goods/"
        assert client_of(sales).post(address, {}).status_code == 404

    def test_queries_of_the_list_do_not_grow(self, client_of, manager, django_assert_max_num_queries):
        order, client = sent(line("SKU-2", 40, supply="make")), client_of(manager)
        client.get("/fulfilment/returns/")
        for _time in range(12):
            back(order, scrap=1)
        with django_assert_max_num_queries(25):
            assert client.get("/fulfilment/returns/").status_code == 200

    def test_waive_by_form(self, client_of, manager, pm):
        order = sent()
        address = f"/orders/{order.number}/do/waive_acceptance/"
        assert client_of(pm).get(address).status_code == 403
        client = client_of(manager)
        assert "Counts as accepted" in client.get(address).content.decode()
        data = {"reason": "agreed by phone", "version": str(order.version)}
        assert client.post(address, data).status_code == 302
        assert fresh(order).state == "accepted"

    def test_complete_asks_for_the_rejected_goods_only_where_they_are_replaced(self, client_of, pm):
        order = sent()
        examine(order, 1)
        task = Rectification.objects.get()
        for remedy, asked in (("repair", False), ("replace", True)):
            start_rectification(task, remedy=remedy, owner=pm, due=SOON, actor=pm)
            page = client_of(pm).get(f"/fulfilment/rectifications/{task.pk}/do/complete/").content.decode()
            assert ('name="faulty"' in page) is asked


def _race(order, monkeypatch, *, locked):
    """Accepts and takes back the same last pieces at once; returns who was let through."""
    if not locked:
        for module in ("accepting", "returning"):
            monkeypatch.setattr(f"fulfilment.services.{module}.locked", lambda one: type(one).objects.get(pk=one.pk))
    pk, barrier, done = order.order_lines[0].pk, Barrier(2), []

    def accept():
        record_acceptance(
            order, results=[LineResult(pk, Decimal(4))], signed_by="W", evidence="n", key=uuid4().hex,
            actor=person("pm"),
        )  # fmt: skip

    def run(name, deed):
        try:
            barrier.wait()
            deed()
            done.append(name)
        except (ValidationError, TransitionRefused, IntegrityError):
            pass
        finally:
            connections.close_all()

    pairs = [("accept", accept), ("return", lambda: back(order, restock=4))]
    threads = [Thread(target=run, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return done


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_what_is_accepted_does_not_come_back_at_once(monkeypatch):
    for _round in range(2):
        assert len(_race(sent(), monkeypatch, locked=True)) == 1
    assert not list(violations("ST"))


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_without_the_lock_both_go_through(monkeypatch):
    from inventory.services import receive_stock
    from tests.factories.inventory import main_warehouse

    both = 0
    for _round in range(6):
        product = line()["product"]
        receive_stock(product, main_warehouse(), Decimal(9), key=uuid4().hex, actor=person("warehouse"))
        both += len(_race(sent(), monkeypatch, locked=False)) == 2
    assert both
