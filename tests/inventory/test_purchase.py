"""Ordering from suppliers: draft, order, confirmed dates, receipts in parts, refusals, returns, giving up, cancelling."""

import datetime as dt
import re
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, transaction
from django.utils.formats import date_format

from inventory.models import PurchaseLine, PurchaseOrder, Receipt, StockItem
from inventory.services import (
    Came,
    add_purchase_line,
    cancel_purchase,
    close_purchase,
    confirm_purchase,
    draft_purchase,
    incoming_quantities,
    order_purchase,
    purchase_needs,
    remove_purchase_line,
    return_purchase,
    supplier_record,
)
from ordermgmt.company.services import business_today
from ordermgmt.lib.fsm import TransitionRefused
from ordermgmt.lib.invariants import violations
from tests.factories.inventory import make_product, person
from tests.factories.purchases import drafted, offers, ordered, received, supplier

pytestmark = pytest.mark.django_db
D = Decimal


def fresh(order):
    return PurchaseOrder.objects.get(pk=order.pk)


def on_hand(line):
    return StockItem.objects.get(product=line.product).on_hand


class TestDraft:
    def test_priced_by_the_suppliers_list(self):
        who, product = supplier(), make_product()
        offers(who, product, 9)
        offers(who, product, 7, minimum=100)
        order = draft_purchase(
            who, lines=[{"product": product, "quantity": D(n)} for n in (99, 100)], actor=person("pm")
        )
        assert [line.unit_price for line in order.lines.all()] == [9, 7]
        assert order.total == 99 * 9 + 700
        assert (order.currency, order.warehouse.is_default, order.state) == (who.currency, True, "draft")

    def test_bad_input(self):
        order, product = drafted(1), make_product()
        for line, match in (
            ({"product": product, "quantity": D(1)}, "no price"),
            ({"product": product, "quantity": D(0), "unit_price": D(1)}, "above zero"),
            ({"product": product, "quantity": D("1.5"), "unit_price": D(1)}, "whole units"),
            ({"product": product, "quantity": D(1), "unit_price": D(1), "needed_by": dt.date(2001, 1, 1)}, "over"),
        ):
            with pytest.raises(ValidationError, match=match):
                add_purchase_line(order, actor=person("pm"), **line)
        with pytest.raises(ValidationError, match="any more"):
            draft_purchase(supplier(is_active=False), actor=person("pm"))
        for key in ("sales", "warehouse", "finance", "admin"):
            with pytest.raises(PermissionDenied):
                add_purchase_line(order, product=product, quantity=D(1), unit_price=D(1), actor=person(key))

    def test_lines_stay_once_the_supplier_has_it(self):
        order = ordered(10)
        line = order.lines.get()
        with pytest.raises(TransitionRefused, match="lines stay"):
            remove_purchase_line(line, actor=person("pm"))
        with pytest.raises(TransitionRefused):
            order_purchase(order, actor=person("pm"))
        empty = draft_purchase(supplier(), actor=person("pm"))
        with pytest.raises(TransitionRefused, match="no line"):
            order_purchase(empty, actor=person("pm"))
        for deed in (
            lambda: PurchaseLine.objects.filter(pk=line.pk).update(quantity=99),
            lambda: PurchaseLine.objects.filter(pk=line.pk).update(unit_price=1),
            lambda: PurchaseLine.objects.filter(pk=line.pk).update(received=11),
            lambda: PurchaseLine.objects.filter(pk=line.pk).delete(),
            lambda: PurchaseOrder.objects.filter(pk=order.pk).update(state="draft"),
        ):
            with pytest.raises(DatabaseError), transaction.atomic():
                deed()


class TestReceive:
    def test_in_parts_with_a_refusal(self):
        order = ordered(10, 4)
        first, second = order.lines.all()
        received(order, Came(D(6), D(2), "rusty"))
        assert (fresh(order).state, on_hand(first)) == ("ordered", 6)
        first.refresh_from_db()
        assert (first.open, first.rejected, first.received_on) == (4, 2, None)
        assert incoming_quantities([first.product_id])[first.product_id].quantity == 4
        received(order, Came(D(4)), Came(D(4)))
        assert fresh(order).state == "received"
        assert [on_hand(one) for one in (first, second)] == [10, 4]
        assert incoming_quantities([first.product_id]) == {}
        assert [str(one) for one in violations(["S1", "S2", "S3", "S9", "A3", "A2"])] == []

    def test_the_same_key_twice_is_one_receipt(self):
        order = ordered(10)
        assert received(order, Came(D(3)), key="k") == received(order, Came(D(3)), key="k")
        assert Receipt.objects.count() == 1
        assert on_hand(order.lines.get()) == 3

    def test_bad_input_writes_nothing(self):
        order = ordered(10)
        tomorrow = business_today() + dt.timedelta(days=1)
        for came, given, match in (
            (Came(D("10.5")), {}, "whole units"),
            (Came(D(11)), {}, "At most 10"),
            (Came(D(1), D(1)), {}, "Say why"),
            (Came(), {}, "Say what came"),
            (Came(D(1)), {"received_on": tomorrow}, "ahead"),
            (Came(D(1)), {"received_on": dt.date(2001, 1, 1)}, "before the order"),
        ):
            with pytest.raises(ValidationError, match=match):
                received(order, came, **given)
        assert not Receipt.objects.exists()
        assert not StockItem.objects.filter(product=order.lines.get().product).exists()
        with pytest.raises(TransitionRefused, match="awaited"):
            received(drafted(1), Came(D(1)))

    def test_over_delivery_within_the_tolerance(self):
        order = ordered(10, tolerance=D(10))
        with pytest.raises(ValidationError, match="At most 11"):
            received(order, Came(D(12)))
        received(order, Came(D(11)))
        assert (fresh(order).state, on_hand(order.lines.get())) == ("received", 11)

    def test_receipts_are_append_only(self):
        receipt = received(ordered(10), Came(D(1)))
        for deed in (
            lambda: Receipt.objects.filter(pk=receipt.pk).update(delivery_note="x"),
            lambda: receipt.lines.all()._raw_delete("default"),
        ):
            with pytest.raises(DatabaseError), transaction.atomic():
                deed()


class TestReturn:
    def test_goes_back_and_is_awaited_again_or_given_up(self):
        order = ordered(10)
        line = order.lines.get()
        received(order, Came(D(10)))
        given = {"reason": "cracked", "actor": person("warehouse")}
        return_purchase(fresh(order), quantities={line.pk: D(3)}, key="a", **given)
        return_purchase(fresh(order), quantities={line.pk: D(3)}, key="a", **given)
        line.refresh_from_db()
        assert (fresh(order).state, on_hand(line), line.open, line.returned) == ("ordered", 7, 3, 3)
        return_purchase(fresh(order), quantities={line.pk: D(2)}, key="b", awaited=False, **given)
        line.refresh_from_db()
        assert (on_hand(line), line.open, line.given_up) == (5, 3, 2)
        with pytest.raises(ValidationError, match="were received"):
            return_purchase(fresh(order), quantities={line.pk: D(6)}, key="c", **given)
        assert [str(one) for one in violations(["S1", "S2", "S3", "S9", "A3"])] == []

    def test_not_what_is_promised_to_orders(self):
        from tests.factories.orders import line as row
        from tests.factories.orders import placed

        order = ordered(10)
        line = order.lines.get()
        received(order, Came(D(10)))
        placed(row(line.product.sku, 8))
        with pytest.raises(ValidationError, match="2 of"):
            return_purchase(fresh(order), quantities={line.pk: D(3)}, key="a", reason="x", actor=person("warehouse"))
        assert on_hand(line) == 10


class TestEnd:
    def test_the_rest_is_given_up(self):
        order = ordered(10)
        with pytest.raises(TransitionRefused, match="cancel"):
            close_purchase(order, reason="late", actor=person("pm"))
        received(order, Came(D(4)))
        with pytest.raises(TransitionRefused, match="came already"):
            cancel_purchase(fresh(order), reason="late", actor=person("pm"))
        assert close_purchase(fresh(order), reason="late", actor=person("pm")).state == "received"
        assert order.lines.get().given_up == 6

    def test_cancelled_while_nothing_came(self):
        order = ordered(10)
        assert cancel_purchase(order, reason="no", actor=person("pm")).state == "cancelled"
        with pytest.raises(TransitionRefused):
            cancel_purchase(order, reason="no", actor=person("pm"))
        with pytest.raises(TransitionRefused):
            received(order, Came(D(1)))


class TestPromise:
    def test_confirmed_dates_make_the_record(self):
        who, today = supplier(), business_today()
        days = (today - dt.timedelta(days=3), today, today + dt.timedelta(days=2))
        for day in days:
            order = ordered(10, who=who)
            PurchaseOrder.objects.filter(pk=order.pk).update(ordered_on=today - dt.timedelta(days=9))
            line = order.lines.get()
            confirm_purchase(fresh(order), dates={line.pk: day}, reference="AB-1", actor=person("pm"))
            if day == today:
                received(fresh(order), Came(D(9), D(1), "dented"))
            received(fresh(order), Came(D(1) if day == today else D(10)))
        found = supplier_record(who.pk)
        assert (found.lines, found.late, found.on_time, found.early) == (3, 1, 1, 1)
        assert (found.late_days, found.worst, found.mean_delay, found.on_time_rate) == (3, 3, D(3), D("66.67"))
        assert found.reject_rate == D("3.23")  # 1 of 31
        assert fresh(order).reference == "AB-1"

    def test_refused(self):
        order = ordered(10)
        line = order.lines.get()
        with pytest.raises(ValidationError, match="before the order"):
            confirm_purchase(order, dates={line.pk: dt.date(2001, 1, 1)}, actor=person("pm"))
        with pytest.raises(ValidationError, match="number of their confirmation"):
            confirm_purchase(order, dates={line.pk: None}, actor=person("pm"))
        with pytest.raises(TransitionRefused):
            confirm_purchase(drafted(1), dates={}, actor=person("pm"))
        with pytest.raises(PermissionDenied):
            confirm_purchase(order, dates={}, actor=person("warehouse"))


def test_needs_are_drafted_by_supplier():
    cheap, dear = supplier(), supplier()
    one, two, three = make_product(), make_product(), make_product()
    offers(cheap, one, 5)
    offers(dear, one, 6)
    offers(dear, two, 4, minimum=50)
    orders, missing = purchase_needs({one.pk: D(7), two.pk: D(3), three.pk: D(1)}, actor=person("pm"))
    assert missing == [three]
    assert [(order.supplier, [(row.product, row.quantity) for row in order.lines.all()]) for order in orders] == [
        (cheap, [(one, 7)]), (dear, [(two, 50)])
    ]  # fmt: skip


class TestPages:
    def test_a_form_sent_twice_is_one_order_and_one_line(self, client_of, pm):
        who, product, client = supplier(), make_product(), client_of(pm)
        head = {"supplier": who.pk, "tolerance": "0"}
        head["key"] = client.get("/inventory/purchases/new/").context["form"]["key"].value()
        places = {client.post("/inventory/purchases/new/", head)["Location"] for _time in range(2)}
        url = PurchaseOrder.objects.get().get_absolute_url()
        assert places == {url}
        row = {"product": product.pk, "quantity": "2", "unit_price": "9"}
        row["key"] = client.get(url).context["form"]["key"].value()
        assert 'name="key" value="' in client.get(url).content.decode()
        for _time in range(2):
            assert client.post(f"{url}lines/add/", row).status_code == 302
        assert PurchaseOrder.objects.get().lines.get().quantity == 2

    def test_from_draft_to_receipt(self, client_of, pm, warehouse):
        who, product = supplier(), make_product()
        offers(who, product, 9)
        client = client_of(pm)
        assert client.get(f"/inventory/purchases/new/?supplier={who.number}").status_code == 200
        assert client.post("/inventory/purchases/new/", {"supplier": ""}).status_code == 422
        answer = client.post("/inventory/purchases/new/", {"supplier": who.pk, "tolerance": "0", "key": "a"})
        assert answer.status_code == 302, answer.context["form"].errors
        order = PurchaseOrder.objects.get()
        url = order.get_absolute_url()
        assert (
            client.post(f"{url}lines/add/", {"product": product.pk, "quantity": "1.5", "key": "b"}).status_code == 422
        )
        assert client.post(f"{url}lines/add/", {"product": product.pk, "quantity": "20", "key": "c"}).status_code == 302
        assert client.post(f"{url}lines/add/", {"product": product.pk, "quantity": "5", "key": "d"}).status_code == 302
        extra = order.lines.last()
        assert client.post(f"{url}lines/{extra.pk}/remove/").status_code == 302
        assert client.get(f"{url}do/order/").status_code == 200
        assert client.post(f"{url}do/order/").status_code == 302
        line = order.lines.get()
        PurchaseLine.objects.filter(pk=line.pk).update(needed_by=business_today())
        page = client.get(f"{url}do/confirm/").content.decode()
        assert f'name="date_{line.pk}" value=""' in page, "our wish is not their word"
        assert f"needed by {date_format(business_today(), 'SHORT_DATE_FORMAT')}" in page
        day = str(business_today())
        assert client.post(f"{url}do/confirm/", {f"date_{line.pk}": day, "reference": "X"}).status_code == 302
        assert client.post(f"{url}do/receive/").status_code == 403
        store = client_of(warehouse)
        assert store.get(f"{url}do/receive/").status_code == 200
        assert store.post(f"{url}do/receive/", {f"accepted_{line.pk}": "21", "key": "a"}).status_code == 422
        assert store.post(f"{url}do/receive/", {f"accepted_{line.pk}": "20", "key": "a"}).status_code == 302
        page = store.get(url).content.decode()
        assert "180.00" not in page  # the warehouse sees no price
        assert "180.00" in client.get(url).content.decode()
        assert order.number in store.get("/inventory/purchases/?q=steel").content.decode()
        assert "Promised against actual" in client.get(who.get_absolute_url()).content.decode()
        assert store.get(f"{url}do/return/").status_code == 200
        assert (
            store.post(
                f"{url}do/return/", {f"quantity_{line.pk}": "1", "reason": "bent", "awaited": "on", "key": "b"}
            ).status_code
            == 302
        )
        assert fresh(order).state == "ordered"

    def test_from_the_shortage_list(self, client_of, pm, warehouse):
        product = make_product(reorder_point=5)
        client = client_of(pm)
        assert client_of(warehouse).post("/inventory/shortages/order/").status_code == 403
        assert client.post("/inventory/shortages/order/").url == "/inventory/shortages/"
        offers(supplier(), product, 9)
        assert client.get("/inventory/shortages/").status_code == 200
        assert client.post("/inventory/shortages/order/").url == "/inventory/purchases/?state=draft"
        order = PurchaseOrder.objects.get()
        assert order.lines.get().quantity >= 5
        order_purchase(order, actor=pm)
        assert "On its way" in client.get(product.get_absolute_url()).content.decode()
        client.post("/inventory/shortages/order/")
        assert PurchaseOrder.objects.count() == 1

    def test_late_ones_are_listed(self, client_of, pm):
        order = ordered(10)
        long_ago = business_today() - dt.timedelta(days=9)
        PurchaseOrder.objects.filter(pk=order.pk).update(ordered_on=long_ago)
        confirm_purchase(fresh(order), dates={order.lines.get().pk: long_ago}, actor=pm)
        client = client_of(pm)
        page = client.get("/inventory/purchases/?late=yes").content.decode()
        assert order.number in page
        assert re.search(r'<td class="[^"]*num[^"]*"[^>]*>\s*9\s*</td>', page), "nine days late up to today"
        assert order.number in client.get("/").content.decode()
