"""Corners of receiving: what is refused whole, sent back, or came above what was ordered."""

import datetime as dt
from decimal import Decimal
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError

from inventory.models import PurchaseOrder
from inventory.services import (
    Came,
    PastLine,
    close_purchase,
    confirm_purchase,
    import_purchase,
    return_purchase,
    supplier_record,
)
from ordermgmt.company.services import business_today, default_seller, edit_company
from ordermgmt.lib.invariants import violations
from tests.factories.inventory import make_product, person
from tests.factories.purchases import drafted, offers, ordered, received, supplier

pytestmark = pytest.mark.django_db


def test_an_order_refused_whole_can_be_given_up():
    order = ordered(10)
    received(order, Came(rejected=Decimal(10), reason="rust"))
    order = close_purchase(order, reason="no more", actor=person("pm"))
    assert (order.state, order.lines.get().given_up) == ("received", 10)
    assert list(violations(["S9"])) == []


def give_back(order, n, awaited):
    line = order.lines.get()
    return return_purchase(
        order,
        quantities={line.pk: Decimal(n)},
        reason="too many",
        awaited=awaited,
        key=uuid4().hex,
        actor=person("warehouse"),
    )


def test_surplus_goes_back_awaited():
    order = ordered(10, tolerance=Decimal(10))
    received(order, Came(Decimal(11)))
    give_back(order, 1, True)
    order = PurchaseOrder.objects.get(pk=order.pk)
    assert (order.state, order.lines.get().open) == ("received", 0)
    assert list(violations(["S9"])) == []


def test_the_companys_tolerance_is_what_a_new_order_begins_with(client_of, admin, pm):
    edit_company(default_seller(), receipt_tolerance=Decimal(5), actor=admin)
    assert 'name="tolerance" value="5' in client_of(pm).get("/inventory/purchases/new/").content.decode()
    order = ordered(100)
    assert order.tolerance == 5
    received(order, Came(Decimal(105)))
    with pytest.raises(ValidationError):
        received(ordered(100), Came(Decimal(106)))
    strict = ordered(100, tolerance=Decimal(0))
    with pytest.raises(ValidationError):
        received(strict, Came(Decimal(101)))
    with pytest.raises(ValidationError):
        edit_company(default_seller(), receipt_tolerance=Decimal(101), actor=admin)


def test_all_of_an_over_delivery_goes_back():
    order = ordered(10, tolerance=Decimal(10))
    received(order, Came(Decimal(11)))
    give_back(order, 11, False)
    assert list(violations(["S9"])) == []


def test_goes_back_for_good_while_rest_open():
    order = ordered(10)
    received(order, Came(Decimal(6)))
    give_back(order, 6, False)
    received(order, Came(Decimal(4)))
    order = PurchaseOrder.objects.get(pk=order.pk)
    assert order.state == "received"
    assert list(violations(["S9"])) == []


def test_a_later_promise_does_not_mend_the_record():
    order = ordered(10)
    today = business_today()
    PurchaseOrder.objects.filter(pk=order.pk).update(ordered_on=today - dt.timedelta(days=20))
    line = order.lines.get()
    for days in (10, 0):
        day = today - dt.timedelta(days=days)
        confirm_purchase(PurchaseOrder.objects.get(pk=order.pk), dates={line.pk: day}, actor=person("pm"))
    received(PurchaseOrder.objects.get(pk=order.pk), Came(Decimal(10)))
    line.refresh_from_db()
    assert (line.promised_on, line.days_late) == (today, 10)


def test_judged_by_the_latest_receipt_and_when_the_rest_is_given_up():
    order = ordered(10)
    today = business_today()
    PurchaseOrder.objects.filter(pk=order.pk).update(ordered_on=today - dt.timedelta(days=20))
    line = order.lines.get()
    fresh = PurchaseOrder.objects.get(pk=order.pk)
    confirm_purchase(fresh, dates={line.pk: today - dt.timedelta(days=9)}, actor=person("pm"))
    received(fresh, Came(Decimal(4)), received_on=today - dt.timedelta(days=2))
    received(fresh, Came(Decimal(3)), received_on=today - dt.timedelta(days=5))
    close_purchase(fresh, reason="no more", actor=person("pm"))
    line.refresh_from_db()
    assert (line.received_on, line.days_late) == (today - dt.timedelta(days=2), 7)


def test_a_key_belongs_to_its_order():
    one, two = ordered(5), ordered(5)
    received(one, Came(Decimal(5)), key="same")
    with pytest.raises(ValidationError, match="used"):
        received(two, Came(Decimal(5)), key="same")


def test_what_is_drafted_is_not_ordered_again(client_of, pm):
    offers(supplier(), make_product(reorder_point=5), 9)
    for _press in range(2):
        client_of(pm).post("/inventory/shortages/order/")
    assert PurchaseOrder.objects.count() == 1


def test_no_more_is_refused_than_can_have_come():
    order = ordered(5)
    for came in (
        Came(Decimal(0), Decimal(99_999_999), "slip"),
        Came(Decimal(3), Decimal(3), "dented"),  # more than was on its way, taken and refused together
        Came(Decimal(-1)),
    ):
        with pytest.raises(ValidationError):
            received(order, came)
    assert not order.receipts.exists()


def test_what_never_came_is_late_until_it_is_given_up():
    order = ordered(5, 5)
    today = business_today()
    PurchaseOrder.objects.filter(pk=order.pk).update(ordered_on=today - dt.timedelta(days=30))
    fresh = PurchaseOrder.objects.get(pk=order.pk)
    first, second = order.lines.all()
    days = {first.pk: today, second.pk: today - dt.timedelta(days=20)}
    confirm_purchase(fresh, dates=days, actor=person("pm"))
    received(fresh, Came(Decimal(5)))
    close_purchase(fresh, reason="never came", actor=person("pm"))
    found = supplier_record(order.supplier_id)
    assert (found.lines, found.late, found.worst, found.on_time_rate) == (2, 1, 20, 50)


def test_lines_of_others_and_of_what_is_ordered(client_of, warehouse, pm):
    draft, sent = drafted(1), ordered(1)
    assert client_of(warehouse).post(f"{draft.get_absolute_url()}lines/add/").status_code == 403
    assert client_of(pm).post(f"{sent.get_absolute_url()}lines/add/").status_code == 302


def test_what_is_wrong_is_counted_once(client_of, pm):
    order = ordered(10)
    page = client_of(pm).post(f"{order.get_absolute_url()}do/confirm/", {f"date_{order.lines.get().pk}": "soon"})
    assert page.content.decode().count("One field needs your attention") == 1


def test_nothing_of_the_past_was_promised_for_the_end_of_the_calendar():
    day = dt.date(9999, 12, 31)
    past = PastLine("1", "Steel", Decimal(1), Decimal(1), Decimal(1), day, None)
    with pytest.raises(ValidationError, match="too far ahead"):
        import_purchase(supplier(), key="k", number="4711", currency="EUR", lines=[past], actor=person("pm"))
    assert not PurchaseOrder.objects.exists()


def test_no_purchase_is_dearer_than_an_amount_can_be(client_of, pm):
    draft, product = drafted(1), make_product()
    for price, quantity, status in (
        ("999999999", "9999999", 422),
        ("999999999", "900000", 302),
        ("999999999", "900000", 422),
    ):
        row = {"product": product.pk, "quantity": quantity, "unit_price": price, "key": uuid4().hex}
        page = client_of(pm).post(f"{draft.get_absolute_url()}lines/add/", row)
        assert page.status_code == status
        if status == 422:
            assert page.context["form"].errors["quantity"] == ["This quantity is too large."]
    assert draft.lines.count() == 2
