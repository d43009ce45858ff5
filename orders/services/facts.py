"""Facts that the floors above hand down. Nobody above writes an order's fields itself.

Each verb locks the order's row, moves counters or amounts by a delta and raises the version. The database refuses a
counter that leaves its bounds (`IntegrityError`); callers check before and explain.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext_noop

from customers.services import move_balance
from ordermgmt.activity.events import EventType
from ordermgmt.activity.services import record, snapshot
from ordermgmt.lib.rows import write_columns
from orders import events
from orders.models import Order, OrderLine

from .base import locked, save_noted

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

Quantities = Mapping[int, Decimal]
#: What was counted where an order's open, pending and unread change requests changed in number.
REQUESTS_COUNTED = gettext_noop("the change requests")


def _move_lines(
    order: Order, quantities: Mapping[int, object], move: Callable[[OrderLine], None], *fields: str
) -> None:
    lines = [line for line in order.order_lines if line.pk in quantities]
    if len(lines) != len(quantities):
        raise ValueError(f"a line does not belong to order {order.number}")
    for line in lines:
        move(line)
    write_columns(lines, list(fields))


def _noted(order: Order, what: str, *, actor: "User", event: EventType = events.FACTS_NOTED, **data: object) -> Order:
    return save_noted(order, event, actor=actor, what=what, **{name: str(value) for name, value in data.items()})


@transaction.atomic
def note_produced(order: Order, quantities: Quantities, *, actor: "User") -> Order:
    """So much more of each line (by id, in its unit; less where a report is taken back) was made."""
    order = locked(order)

    def move(line: OrderLine) -> None:
        line.qty_produced += quantities[line.pk]

    _move_lines(order, quantities, move, "qty_produced")
    return _noted(order, gettext_noop("a report of production"), actor=actor, produced=dict(quantities))


@transaction.atomic
def note_shipped(order: Order, quantities: Quantities, *, actor: "User") -> Order:
    """So much of each line (by id, in its unit) was shipped or performed; stock lines lose their reservation."""
    order = locked(order)

    def move(line: OrderLine) -> None:
        line.qty_shipped += quantities[line.pk]
        if line.is_stocked:
            line.qty_reserved -= min(quantities[line.pk], line.qty_reserved)

    _move_lines(order, quantities, move, "qty_shipped", "qty_reserved")
    return _noted(order, gettext_noop("a shipment"), actor=actor, shipped=dict(quantities))


@transaction.atomic
def note_accepted(order: Order, results: Mapping[int, tuple[Decimal, Decimal]], *, actor: "User") -> Order:
    """So much of each line was (accepted, rejected) in this round."""
    order = locked(order)

    def move(line: OrderLine) -> None:
        accepted, rejected = results[line.pk]
        line.qty_accepted += accepted
        line.qty_rejected += rejected

    _move_lines(order, results, move, "qty_accepted", "qty_rejected")
    return _noted(order, gettext_noop("an acceptance round"), actor=actor, results=dict(results))


@transaction.atomic
def note_rectified(order: Order, quantities: Quantities, *, actor: "User") -> Order:
    """So much of each line that was rejected is put right and can be accepted in the next round."""
    order = locked(order)

    def move(line: OrderLine) -> None:
        line.qty_rejected -= quantities[line.pk]

    _move_lines(order, quantities, move, "qty_rejected")
    return _noted(order, gettext_noop("a rectification"), actor=actor, rectified=dict(quantities))


@transaction.atomic
def note_returned(order: Order, quantities: Quantities, *, open_returns: int, actor: "User") -> Order:
    """So much of each line came back (less where it was sent again); so many returns wait for what follows."""
    order = locked(order)
    order.open_returns = open_returns

    def move(line: OrderLine) -> None:
        line.qty_returned += quantities[line.pk]

    _move_lines(order, quantities, move, "qty_returned")
    return _noted(order, gettext_noop("a return"), actor=actor, returned=dict(quantities), open_returns=open_returns)


@transaction.atomic
def note_invoiced(
    order: Order,
    *,
    amount: Decimal,
    actor: "User",
    invoiced: Quantities | None = None,
    credited: Quantities | None = None,
) -> Order:
    """An issued document moved the invoiced gross by `amount` (negative for a credit) and the lines' counters."""
    order = locked(order)
    up, down = invoiced or {}, credited or {}

    def move(line: OrderLine) -> None:
        line.qty_invoiced += up.get(line.pk, Decimal(0))
        line.qty_credited += down.get(line.pk, Decimal(0))

    _move_lines(order, {**up, **down}, move, "qty_invoiced", "qty_credited")
    order.invoiced_total += amount
    move_balance(order.customer, order.currency, invoiced=amount)
    return _noted(order, gettext_noop("an invoice"), actor=actor, invoiced_total=order.invoiced_total)


@transaction.atomic
def note_paid(order: Order, *, amount: Decimal, actor: "User") -> Order:
    """Payments allocated to the order's documents moved by `amount` (negative when undone)."""
    order = locked(order)
    order.paid_total += amount
    if order.state == Order.State.SETTLED and order.final_amount is not None:
        order.retained_total -= amount  # nothing else is open on a settled order
    move_balance(order.customer, order.currency, paid=amount)
    return _noted(order, gettext_noop("a payment"), actor=actor, paid_total=order.paid_total)


@transaction.atomic
def note_plan(
    order: Order, *, planned_amount: Decimal | None, deposit_due: Decimal = Decimal(0), actor: "User"
) -> Order:
    """The instalment plan adds up to `planned_amount` (None: no plan) and asks for `deposit_due` before the start."""
    order = locked(order)
    order.planned_amount, order.deposit_due = planned_amount, deposit_due
    return _noted(
        order, gettext_noop("the payment plan"), actor=actor, event=events.COUNTS_NOTED,
        planned_amount=planned_amount, deposit_due=deposit_due,
    )  # fmt: skip


@transaction.atomic
def note_charges(order: Order, *, charges_total: Decimal, actor: "User") -> Order:
    """Charges less deductions that were agreed beside the order's lines come to so much, tax included."""
    order = locked(order)
    order.charges_total = charges_total
    return _noted(order, gettext_noop("charges and deductions"), actor=actor, charges_total=charges_total)


@transaction.atomic
def note_final(order: Order, *, final_amount: Decimal | None, actor: "User") -> Order:
    """A second person of finance froze what the order comes to in the end; None takes that back."""
    order = locked(order)
    order.final_amount = final_amount
    return _noted(order, gettext_noop("the final amount"), actor=actor, final_amount=final_amount)


@transaction.atomic
def note_drafts(order: Order, *, draft_invoices: int, actor: "User") -> Order:
    """So many invoices of the order are in draft."""
    order = locked(order)
    order.draft_invoices = draft_invoices
    what = gettext_noop("the draft invoices")
    return _noted(order, what, actor=actor, event=events.COUNTS_NOTED, draft_invoices=draft_invoices)


@transaction.atomic
def note_changes(
    order: Order,
    *,
    open_changes: int | None = None,
    pending_changes: int | None = None,
    unread_changes: int | None = None,
    actor: "User",
) -> Order:
    """So many change requests are open, so many approved and waiting to be applied, so many applied that the warehouse
    does not know of; None leaves a number as it is.

    The version stays: a request changes nothing of the order yet, and what it is bound to is the version it read.
    """
    order = locked(order)
    before = order.as_locked
    given = {"open_changes": open_changes, "pending_changes": pending_changes, "unread_changes": unread_changes}
    for name, value in given.items():
        if value is not None:
            setattr(order, name, value)
    order.save(update_fields=[*given, "changed_at"])
    after = snapshot(order)
    record(events.COUNTS_NOTED, order, actor=actor, before=before, after=after, what=REQUESTS_COUNTED)
    return order
