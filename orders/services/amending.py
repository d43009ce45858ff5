"""`amend_order`: an agreed change of a placed order, computed by one function for the what-if and for the deed."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils.translation import gettext as _

from customers.services import move_balance
from inventory.services import InsufficientStock, ReservationRequest, release, reserve
from ordermgmt.company.services import tax_rates
from ordermgmt.lib.fsm import Blocker, TransitionRefused
from ordermgmt.lib.money import ZERO
from ordermgmt.lib.rows import write_columns
from orders import events
from orders.models import Order, OrderAmendment, OrderLine

from .base import keep_version, locked, refuse, save_noted
from .entering import build_lines, describe_order
from .placing import HOLDER
from .totals import apply_totals

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

#: Fields of a line and of the header that an amendment may set.
AMENDED_LINE = ("description", "quantity", "unit_price", "discount_percent", "specification", "promised_date")
AMENDED_HEADER = ("promised_date", "requested_date", "delivery_address", "billing_address")
_COLUMNS = [*AMENDED_LINE, "qty_cancelled", "net", "tax_rate"]


@dataclass(frozen=True)
class Amendment:
    """What becomes of an order: new values of lines by their key, keys of lines that go, rows that come, header."""

    edits: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    removed: frozenset[int] = frozenset()
    added: Sequence[Mapping[str, Any]] = ()
    header: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Amended:
    """An order and its lines after an amendment, none of it saved; `fresh` are the lines that come."""

    order: Order
    lines: list[OrderLine]
    fresh: list[OrderLine]


def amended(order: Order, amendment: Amendment) -> Amended:
    """The order as it would be. Reads and writes nothing but what `order` already holds, so a what-if leaves no trace.

    Lines that stay keep the tax rate they were agreed at; new ones take that of the order date. A line that goes stays
    as cancelled.
    """
    after = copy.copy(order)
    after.__dict__.pop("order_lines", None)
    for name, value in amendment.header.items():
        if name not in AMENDED_HEADER:
            raise TypeError(f"not a field that is amended: {name}")
        setattr(after, name, value)
    lines = [_edited(line, amendment) for line in order.order_lines]
    fresh = build_lines(after, amendment.added)
    start = max((line.position for line in lines), default=0)
    rates = tax_rates(order.tax_profile, order.order_date) if fresh else {}
    for place, line in enumerate(fresh, start=start + 1):
        line.position = place
        line.tax_rate = rates.get(line.tax_category, line.tax_rate)
    every = lines + fresh
    apply_totals(after, every, rates={})
    return Amended(after, every, fresh)


def _edited(line: OrderLine, amendment: Amendment) -> OrderLine:
    new = copy.copy(line)
    for name, value in amendment.edits.get(line.pk, {}).items():
        if name not in AMENDED_LINE:
            raise TypeError(f"not a field that is amended: {name}")
        # What was cancelled before stays on the line beside what is ordered now.
        setattr(new, name, value + line.qty_cancelled if name == "quantity" else value)
    if line.pk in amendment.removed:
        new.qty_cancelled = new.quantity
    return new


@transaction.atomic
def amend_order(
    order: Order, amendment: Amendment, *, source: str, source_id: int, version: int, actor: "User"
) -> Order:
    """Writes an agreed change on the order's row, its lines, its reservations and the customer's balance, as one version.

    `source` and `source_id` name what was agreed (a change request); without its approval the database lets no line of
    a placed order be rewritten. Raises StaleVersion for another version, TransitionRefused for an order that can't be
    changed any more or stock that is not there.
    """
    order = locked(order, version=version)
    if order.state in (Order.State.DRAFT, Order.State.SETTLED, Order.State.CANCELLED):
        raise refuse(_("An order in this state is not changed by a change request."), order.get_absolute_url())
    before_total = order.gross_total
    result = amended(order, amendment)
    # From here until the order's row carries the new version, the database lets its lines be rewritten.
    OrderAmendment.objects.create(
        order=order, version=order.version + 1, source=source, source_id=source_id, actor=actor,
        last_position=max((line.position for line in order.order_lines), default=0),
    )  # fmt: skip
    kept = [line for line in result.lines if line.pk is not None]
    changed = [new for old, new in zip(order.order_lines, kept, strict=True) if old.content() != new.content()]
    grown, shrunk = _reservations(order.order_lines, kept)
    release(HOLDER, [line.pk for line in shrunk], actor=actor)
    for line in shrunk:
        line.qty_reserved = ZERO
    write_columns(shrunk, ["qty_reserved"])
    _rewrite(order.order_lines, changed)
    OrderLine.objects.bulk_create(result.fresh)
    stocked = [line for line in result.fresh if line.is_stocked and line.product_id]
    _reserve(order, [*grown, *shrunk, *stocked], actor=actor)
    for name in amendment.header:
        setattr(order, name, getattr(result.order, name))
    for name in ("net_total", "tax_total", "rounding", "gross_total", "cost_total"):
        setattr(order, name, getattr(result.order, name))
    order.order_lines = result.lines
    describe_order(order, [line for line in result.lines if line.due > 0])
    order = save_noted(order, events.ORDER_AMENDED, actor=actor, number=order.number, source_id=source_id)
    keep_version(order, actor=actor)
    move_balance(order.customer, order.currency, ordered=order.gross_total - before_total)
    return order


def _rewrite(before: Sequence[OrderLine], changed: Sequence[OrderLine]) -> None:
    """Writes the columns that differ anywhere, and only those: each costs as much as the whole statement."""
    old = {line.pk: line for line in before}
    columns = [name for name in _COLUMNS if any(getattr(old[new.pk], name) != getattr(new, name) for new in changed)]
    if columns:
        write_columns(changed, columns)


def _reservations(before: Sequence[OrderLine], after: Sequence[OrderLine]) -> tuple[list[OrderLine], list[OrderLine]]:
    """The stock lines that need more than they hold, and those that hold too much."""
    grown: list[OrderLine] = []
    shrunk: list[OrderLine] = []
    for old, new in zip(before, after, strict=True):
        if not new.is_stocked or not new.product_id or old.due == new.due:
            continue
        (shrunk if new.qty_to_ship < new.qty_reserved else grown).append(new)
    return grown, shrunk


def _reserve(order: Order, lines: Sequence[OrderLine], *, actor: "User") -> None:
    """Reserves what the lines still have to ship beyond what they hold, all or nothing."""
    wanted = [(line, line.qty_to_ship - line.qty_reserved) for line in lines]
    requests = [
        ReservationRequest(product=line.product, quantity=more, holder_kind=HOLDER, holder_id=line.pk)
        for line, more in wanted
        if line.product is not None and more > 0
    ]
    try:
        reserve(requests, actor=actor)
    except InsufficientStock as error:
        raise TransitionRefused(
            [Blocker(sentence, order.get_absolute_url()) for sentence in error.sentences()]
        ) from error
    for line, more in wanted:
        line.qty_reserved += max(more, Decimal(0))
    write_columns([line for line, _more in wanted], ["qty_reserved"])
