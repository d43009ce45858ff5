"""`place_order`: guards, reservations, the kept version."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client

from customers.models import Customer, CustomerBalance
from inventory.models import Reservation, StockItem
from ordermgmt.activity.models import Event
from ordermgmt.company.services import business_today
from ordermgmt.lib.fsm import TransitionRefused
from orders import services
from orders.models import Order, OrderVersion
from tests.factories import orders as make

pytestmark = pytest.mark.django_db
ClientOf = Callable[[Any], Client]


def stock(sku: str = "SKU-1") -> StockItem:
    return StockItem.objects.get(product__sku=sku)


def post(client: Client, order: Order, name: str = "place", **data: Any) -> int:
    version = Order.objects.values_list("version", flat=True).get(pk=order.pk)
    return client.post(f"/orders/{order.number}/do/{name}/", {"version": version, **data}).status_code


def test_works_and_reserves(client_of: ClientOf, sales: Any) -> None:
    order = make.draft(make.line(quantity=4), make.line("SVC-1", quantity=2))
    assert post(client_of(sales), order) == 302
    order = Order.objects.get(pk=order.pk)
    assert order.state == "placed"
    assert [line.qty_reserved for line in order.order_lines] == [4, 0]
    assert stock().reserved == 4
    assert OrderVersion.objects.get(order=order).version == order.version
    assert Event.objects.filter(type="orders.placed", root_id=order.pk).count() == 1
    balance = CustomerBalance.objects.get(customer=order.customer, currency=order.currency)
    assert balance.ordered == order.gross_total


def test_get_shows_consequences_and_changes_nothing(client_of: ClientOf, sales: Any) -> None:
    order = make.draft()
    answer = client_of(sales).get(f"/orders/{order.number}/do/place/")
    assert answer.status_code == 200
    assert "reserves stock for 1 line" in answer.content.decode()
    assert Order.objects.get(pk=order.pk).state == "draft"


def test_colleague_of_another_team(client_of: ClientOf, sales2: Any) -> None:
    assert post(client_of(sales2), make.draft()) == 404


def test_no_right(client_of: ClientOf, manager: Any) -> None:
    order = make.draft()
    assert post(client_of(manager), order) == 403
    with pytest.raises(PermissionDenied):
        services.place_order(order, actor=manager)


def test_second_time_is_refused(client_of: ClientOf, sales: Any) -> None:
    order, client = make.draft(make.line(quantity=3), make.line("SVC-1")), client_of(sales)
    assert post(client, order) == 302
    assert post(client, order) == 409
    assert stock().reserved == 3


def test_stock_only_goes_on_by_itself(sales: Any) -> None:
    order = services.place_order(make.draft(), actor=sales)
    assert order.state == "in_production"
    assert order.state_label == "In fulfilment"
    assert list(order.steps.values_list("source", "target")) == [("draft", "placed"), ("placed", "in_production")]


def test_p02_two_lines_of_one_product_are_refused_as_one(sales: Any) -> None:
    order = make.draft(make.line(quantity=6), make.line(quantity=6))
    with pytest.raises(TransitionRefused, match="SKU-1: 12 wanted, 10 free"):
        services.place_order(order, actor=sales)
    assert stock().reserved == 0
    assert not Reservation.objects.exists()
    assert Order.objects.get(pk=order.pk).state == "draft"


def test_p03_cancelling_releases_once(sales: Any, sales_manager: Any) -> None:
    order = services.place_order(make.draft(make.line(quantity=4), make.line("SVC-1")), actor=sales)
    services.cancel_order(order, reason="no budget", actor=sales_manager)
    item = stock()
    assert item.reserved == 0
    assert item.movements.filter(kind="release").count() == 1
    with pytest.raises(TransitionRefused):
        services.cancel_order(order, reason="again", actor=sales_manager)
    assert item.movements.filter(kind="release").count() == 1
    balance = CustomerBalance.objects.get(customer=order.customer, currency=order.currency)
    assert balance.ordered == 0


@pytest.mark.parametrize(
    ("header", "lines", "sentence"),
    [
        ({"acceptance_criteria": ""}, [{}], "acceptance criteria are missing"),
        ({"promised_date": None}, [{"supply": "make"}], "give it a promised date"),
        ({"requested_date": dt.date(2001, 1, 1)}, [{}], "lies before the order date"),
        ({}, [], "has no line"),
    ],
)
def test_guards_say_why(sales: Any, header: dict[str, Any], lines: list[dict[str, Any]], sentence: str) -> None:
    order = services.create_order(
        customer=make.customer_a(), actor=sales, lines=[make.line(**fields) for fields in lines], **header
    )
    if header.get("acceptance_criteria") == "":
        services.edit_order(order, version=order.version, header=header, lines=None, actor=sales)
    with pytest.raises(TransitionRefused, match=sentence) as refused:
        services.place_order(order, actor=sales)
    assert refused.value.blockers[0].link


def test_inactive_customer(sales: Any) -> None:
    order = make.draft()
    Customer.objects.filter(pk=order.customer_id).update(is_active=False)
    with pytest.raises(TransitionRefused, match="is inactive"):
        services.place_order(order, actor=sales)


def test_instalments_must_add_up(sales: Any) -> None:
    order = services.note_plan(make.made(), planned_amount=Decimal("1.00"), actor=sales)
    with pytest.raises(TransitionRefused, match=r"instalments add up to 1\.00"):
        services.place_order(order, actor=sales)


def test_stale_version(sales: Any) -> None:
    order = make.made()
    services.edit_order(order, version=order.version, header={"note": "new"}, lines=None, actor=sales)
    with pytest.raises(services.StaleVersion):
        services.place_order(order, actor=sales, version=order.version)


# approvals


def test_credit_limit_needs_an_approval_of_exactly_this_content(sales: Any, finance: Any, manager: Any) -> None:
    Customer.objects.filter(pk=make.customer_a().pk).update(credit_limit=Decimal(50))
    order = make.made()
    with pytest.raises(TransitionRefused, match="exceeds the customer's credit limit"):
        services.place_order(order, actor=sales)
    services.ask_approval(order, reason="good customer", actor=sales)
    services.decide_approval(order, grant=True, actor=finance)
    changed = services.edit_order(order, version=order.version, header={"terms": "x"}, lines=None, actor=sales)
    with pytest.raises(TransitionRefused, match="exceeds"):
        services.place_order(changed, actor=sales)
    services.ask_approval(changed, reason="again", actor=sales)
    services.decide_approval(changed, grant=True, actor=manager)
    assert services.place_order(changed, actor=sales).state == "placed"


def test_p18_nobody_grants_what_they_asked(sales: Any) -> None:
    from ordermgmt.accounts.models import RoleAssignment

    order = make.made(make.line(supply="make", discount_percent=Decimal(40)))
    services.ask_approval(order, reason="please", actor=sales)
    RoleAssignment.objects.create(user=sales, role="manager")
    sales.forget_roles()
    with pytest.raises(TransitionRefused, match="Whoever asked"):
        services.decide_approval(order, grant=True, actor=sales)
    assert order.missing_approvals() == ["discount"]


def test_a_lowered_price_counts_as_discount(sales: Any) -> None:
    order = make.made(make.line(supply="make", unit_price=Decimal(50)))
    assert order.needed_approvals() == ["discount"]
    assert make.made(make.line(supply="make", unit_price=Decimal(90))).needed_approvals() == []


def test_refused_approval_stays_refused(sales: Any, manager: Any) -> None:
    order = make.made(make.line(supply="make", discount_percent=Decimal(40)))
    services.ask_approval(order, reason="please", actor=sales)
    services.decide_approval(order, grant=False, actor=manager, note="too much")
    with pytest.raises(TransitionRefused):
        services.place_order(order, actor=sales)
    with pytest.raises(TransitionRefused, match="Nothing waits"):
        services.decide_approval(order, grant=True, actor=manager)


def test_bulk_reports_each_row(client_of: ClientOf, sales: Any) -> None:
    """P14: each row says how it went, and the reason names what is wrong."""
    good, bad = make.made(), make.draft(make.line(quantity=99))
    data = {"action": "place", "selected": [good.pk, bad.pk], "confirmed": "1"}
    body = client_of(sales).post("/orders/", data).content.decode()
    assert "99 wanted, 10 free" in body
    assert Order.objects.get(pk=good.pk).state == "placed"
    assert Order.objects.get(pk=bad.pk).state == "draft"


def test_p13_illegal_step_by_address(client_of: ClientOf, finance: Any, sales_manager: Any) -> None:
    order = make.placed()
    assert post(client_of(finance), order, "settle") == 409
    shipped = make.shipped()
    assert post(client_of(sales_manager), shipped, "cancel", reason="x") == 409
    assert Order.objects.get(pk=order.pk).state == "placed"
    assert Order.objects.get(pk=shipped.pk).state == "shipped"
    assert client_of(finance).post(f"/orders/{order.number}/do/nonsense/").status_code == 404


def test_promise_of_today_is_no_mistake(sales: Any) -> None:
    order = make.made(promised_date=business_today())
    assert services.place_order(order, actor=sales).state == "placed"
