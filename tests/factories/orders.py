"""Orders of the tests, carried to a state by the real services."""

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from customers.models import Customer
from inventory.models import Product
from ordermgmt.accounts.models import User
from ordermgmt.company.services import business_today
from orders import services
from orders.models import Order


def person(key: str) -> User:
    """Somebody of the cast, fresh."""
    return User.objects.get(email=f"{key}@example.com")


def customer_a() -> Customer:
    """甲, of sales."""
    return Customer.objects.get(name="甲方机械有限公司")


def customer_b() -> Customer:
    """乙, of sales2."""
    return Customer.objects.get(name="乙方贸易有限公司")


def line(sku: str = "SKU-1", quantity: Any = 1, **fields: Any) -> dict[str, Any]:
    """A line of a product, with a price of its own so that the order's currency does not matter."""
    product = Product.objects.select_related("unit").get(sku=sku)
    row: dict[str, Any] = {"product": product, "quantity": Decimal(quantity), "unit_price": product.list_price}
    return row | fields


def draft(
    *lines: Mapping[str, Any], actor: User | None = None, customer: Customer | None = None, **header: Any
) -> Order:
    """A draft of sales for customer 甲; one piece of SKU-1 unless lines are given."""
    chosen: Sequence[Mapping[str, Any]] = lines or [line()]
    header.setdefault("promised_date", business_today() + dt.timedelta(days=14))
    order = services.create_order(
        customer=customer or customer_a(), actor=actor or person("sales"), lines=chosen, **header
    )
    return Order.objects.get(pk=order.pk)


def made(*lines: Mapping[str, Any], **header: Any) -> Order:
    """A draft whose line is made to order, so that it does not run through by itself."""
    return draft(*(lines or [line(supply="make")]), **header)


def placed(*lines: Mapping[str, Any], **header: Any) -> Order:
    """A placed order, made to order unless lines are given."""
    order = made(*lines, **header)
    services.place_order(order, actor=order.owner or person("sales"))
    return Order.objects.get(pk=order.pk)


def started(*lines: Mapping[str, Any], **header: Any) -> Order:
    """In production under Paula."""
    order = placed(*lines, **header)
    if order.state == Order.State.PLACED:
        services.assign_order(order, project_manager=person("pm"), actor=person("manager"))
        services.start_order(order, actor=person("pm"))
    return Order.objects.get(pk=order.pk)


def shipped(*lines: Mapping[str, Any], **header: Any) -> Order:
    """Everything shipped, as fulfilment reports it; completion reported by the warehouse."""
    order = started(*lines, **header)
    services.note_shipped(order, {one.pk: one.qty_to_ship for one in order.order_lines}, actor=person("warehouse"))
    services.finish_order(Order.objects.get(pk=order.pk), actor=person("warehouse"))
    return Order.objects.get(pk=order.pk)


def accepted(*lines: Mapping[str, Any], **header: Any) -> Order:
    """Accepted by the customer, as Paula recorded it."""
    order = shipped(*lines, **header)
    results = {one.pk: (one.qty_to_accept, Decimal(0)) for one in order.order_lines}
    services.note_accepted(order, results, actor=person("pm"))
    services.accept_order(Order.objects.get(pk=order.pk), evidence="signed note", actor=person("pm"))
    return Order.objects.get(pk=order.pk)


def settled(*lines: Mapping[str, Any], **header: Any) -> Order:
    """Invoiced, confirmed, paid and settled, by the facts that billing hands down."""
    order, finance = accepted(*lines, **header), person("finance")
    services.note_invoiced(
        order, amount=order.gross_total, invoiced={one.pk: one.quantity for one in order.order_lines}, actor=finance
    )
    services.note_paid(order, amount=order.gross_total, actor=finance)
    services.note_final(order, final_amount=order.gross_total, actor=finance)
    services.settle_order(Order.objects.get(pk=order.pk), statement="test", actor=finance)
    return Order.objects.get(pk=order.pk)


def rectified(*lines: Mapping[str, Any], **header: Any) -> Order:
    """One piece was rejected: the order is in rectification."""
    order = shipped(*lines, **header)
    first = order.order_lines[0]
    services.note_accepted(order, {first.pk: (Decimal(0), first.qty_to_accept)}, actor=person("pm"))
    services.reject_order(Order.objects.get(pk=order.pk), actor=person("pm"))
    return Order.objects.get(pk=order.pk)


def cancelled(*lines: Mapping[str, Any], **header: Any) -> Order:
    """A placed order that was cancelled."""
    order = placed(*lines, **header)
    services.cancel_order(order, reason="changed their mind", actor=person("sales_manager"))
    return Order.objects.get(pk=order.pk)


#: How to make an order of each state.
BY_STATE = {
    "draft": made, "placed": placed, "in_production": started, "shipped": shipped, "rectification": rectified,
    "accepted": accepted, "settled": settled, "cancelled": cancelled,
}  # fmt: skip
