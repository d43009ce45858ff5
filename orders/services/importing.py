"""Orders of the past: they arrive in their state through an event of their own."""

import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone

from customers.models import Customer
from customers.services import move_balance
from ordermgmt.activity.services import record
from ordermgmt.company.services import default_seller
from orders import events
from orders.models import Order, OrderLine, OrderStep

from .base import keep_version
from .entering import HEADER, build_lines, describe_order, next_number
from .totals import apply_totals

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

_DELIVERED = {Order.State.SHIPPED, Order.State.ACCEPTED, Order.State.SETTLED, Order.State.RECTIFICATION}
_TAKEN = {Order.State.ACCEPTED, Order.State.SETTLED}


@transaction.atomic
def import_order(
    *,
    customer: Customer,
    state: str,
    lines: Iterable[Mapping[str, Any]],
    actor: "User",
    source_key: str,
    number: str = "",
    tax_rates: dict[str, Decimal] | None = None,
    on_hold: str = "",
    at: dt.datetime | None = None,
    **header: Any,
) -> Order:
    """An order as another system left it, in `state`, with its counters set as that state means.

    Nothing is reserved and no invoice is made: amounts owed arrive as opening documents. `tax_rates` (percent per
    category) overrides the profile's: past prices often carry no tax. `on_hold` is a reason, `at` when it came into its
    state (default: now). A line may bring its `unit_cost`. A state that needs paid
    invoices (settled) is reached by billing afterwards, so it arrives as accepted unless nothing is owed.
    """
    seller = default_seller()
    order = Order(
        customer=customer, customer_name=customer.name, seller=seller, tax_profile=seller.tax_profile,
        origin=Order.Origin.IMPORTED, source_key=source_key, state=state, on_hold=bool(on_hold), hold_reason=on_hold,
        currency=header.pop("currency", None) or customer.currency, language=customer.language,
        payment_days=customer.payment_days, team=customer.team,
        **{name: value for name, value in header.items() if name in HEADER and value is not None},
    )  # fmt: skip
    if order.owner:
        order.team = order.owner.team or order.team
    rows = list(lines)
    built = build_lines(order, rows)
    for line, row in zip(built, rows, strict=True):
        if row.get("unit_cost") is not None:
            line.unit_cost = row["unit_cost"]
    apply_totals(order, built, rates=tax_rates)
    for line in built:
        if state in _DELIVERED:
            line.qty_shipped = line.quantity
        if state in _TAKEN:
            line.qty_accepted = line.quantity
    order.number = number or next_number(order.order_date or dt.date.min)
    describe_order(order, built)
    order.save()
    OrderLine.objects.bulk_create(built)
    OrderStep.objects.create(order=order, source="", target=state, at=at or timezone.now(), actor=actor)
    order.order_lines = built
    keep_version(order, actor=actor)
    if state not in (Order.State.DRAFT, Order.State.CANCELLED):
        move_balance(customer, order.currency, ordered=order.gross_total)
    record(events.ORDER_IMPORTED, order, actor=actor, state=state, source_key=source_key)
    return order
