"""Orders of the past: they arrive in their state through an event of their own."""

import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from customers.models import Customer
from customers.services import move_balance
from ordermgmt.activity.services import record
from ordermgmt.company.services import default_seller
from ordermgmt.lib.money import exponent
from orders import events
from orders.models import Order, OrderLine, OrderStep

from .base import keep_version, locked, step
from .entering import HEADER, build_lines, describe_order, next_number, places_of
from .facts import note_accepted
from .totals import apply_totals, check_size

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

_DELIVERED = {Order.State.SHIPPED, Order.State.ACCEPTED, Order.State.SETTLED, Order.State.RECTIFICATION}
_TAKEN = {Order.State.ACCEPTED, Order.State.SETTLED}


def check_currency(code: str) -> None:
    """Raises ValidationError for what is no currency of ISO 4217."""
    try:
        exponent(code)
    except ValueError as error:
        raise ValidationError({"currency": _("Not a currency: %(code)s.") % {"code": code[:40]}}) from error


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
    arrived_on: dt.date | None = None,
    **header: Any,
) -> Order:
    """An order as another system left it, in `state`, with its counters set as that state means.

    Nothing is reserved and no invoice is made: amounts owed arrive as opening documents. `tax_rates` (percent per
    category) overrides the profile's: past prices often carry no tax. `on_hold` is a reason, `at` when it came into its
    state (default: now), `arrived_on` when the customer had all of it. A line may bring its `unit_cost`. A state that needs
    paid invoices (settled) is reached by billing afterwards, so it arrives as accepted unless nothing is owed. Raises
    ValidationError for what is no currency, and for more than an amount can hold.
    """
    seller = default_seller()
    order = Order(
        customer=customer, customer_name=customer.name, seller=seller, tax_profile=seller.tax_profile,
        origin=Order.Origin.IMPORTED, source_key=source_key, state=state, on_hold=bool(on_hold), hold_reason=on_hold,
        arrived_on=arrived_on if state in _DELIVERED else None,
        currency=header.pop("currency", None) or customer.currency, language=customer.language,
        payment_days=customer.payment_days, team=customer.team, channel=header.pop("channel", "") or customer.channel,
        region=header.pop("region", "") or places_of(customer)["region"],
        **{name: value for name, value in header.items() if name in HEADER and value is not None},
    )  # fmt: skip
    check_currency(order.currency)
    if order.owner:
        order.team = order.owner.team or order.team
    rows = list(lines)
    built = build_lines(order, rows)
    for line, row in zip(built, rows, strict=True):
        if row.get("unit_cost") is not None:
            line.unit_cost = row["unit_cost"]
    apply_totals(order, built, rates=tax_rates)
    check_size(order, built)
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


@transaction.atomic
def import_result(order: Order, *, passed: bool, actor: "User") -> Order:
    """What the last examination of an imported order that waits for acceptance came to: all of it passed, or none.

    It sets nothing going: no certificate, no survey, as for everything that arrives from another system.
    """
    waiting = {line.pk: line.qty_to_accept for line in locked(order).order_lines}
    results = {pk: (left, Decimal(0)) if passed else (Decimal(0), left) for pk, left in waiting.items()}
    order = note_accepted(order, results, actor=actor)
    name = "accept" if passed else "reject"
    target = Order.State.ACCEPTED if passed else Order.State.RECTIFICATION
    # The right to import stands for the right to accept; that every line is judged holds by the results above.
    return step(order, name, events.ORDER_IMPORTED, actor=actor, check=False, state=target, source_key=order.source_key)
