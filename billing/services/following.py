"""What billing does when an order was changed: drafts are composed anew, what is not invoiced is planned anew."""

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import transaction

from billing import events
from billing.models import Instalment, InstalmentPlan, Invoice
from ordermgmt.activity.services import record
from ordermgmt.lib.money import ZERO, total
from orders.models import Order

from .base import content_of, lock_orders, root_of
from .ceiling import fits
from .composing import Composition, compose_standard, order_lines_of
from .drafting import bills_lines, compose_progress, count_drafts, free_instalments, kind_of, quantities_of, write
from .planning import PlanRow, equal_rows, left_to_plan, replace_plan

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


@transaction.atomic
def follow_amendment(order: Order, *, parts: tuple[int, dt.date] | None = None, actor: "User") -> None:
    """Brings drafts and instalments of an order in line with its new lines and total; issued documents stay.

    `parts` (number, first day) asks for a new plan of equal monthly instalments; else the last open instalment takes
    the difference, and those before it as far as need be.
    """
    order = lock_orders([order.pk])[order.pk]
    drafts = list(
        Invoice.objects.drafts().filter(order=order).select_for_update(no_key=True, of=("self",)).order_by("pk")
    )
    ahead = [one for one in drafts if one.kind == Invoice.Kind.DEPOSIT]
    room = {one.pk for one in fits(order, ahead)}
    for draft in drafts:
        if draft.bills_order_lines:
            _recompose(draft, order, actor)
        elif draft.kind == Invoice.Kind.DEPOSIT and draft.pk not in room:
            _drop(draft, content_of(draft), actor)
    if drafts:
        count_drafts(order, actor)
    _replan(order, parts, actor)


def _recompose(draft: Invoice, order: Order, actor: "User") -> None:
    before = content_of(draft)
    composition = _composition(draft, order)
    draft.version += 1
    if composition is None or not bills_lines(composition):
        _drop(draft, before, actor)
        return
    draft.kind = kind_of(order, composition, draft.progress_percent)
    write(draft, composition)
    record(events.DRAFT_EDITED, draft, root=root_of(draft), actor=actor, before=before, after=content_of(draft))


def _drop(draft: Invoice, before: dict[str, object], actor: "User") -> None:
    """Nothing of the order is left for it; its instalment is planned again."""
    free_instalments(draft)
    record(
        events.DRAFT_DELETED, draft, root=root_of(draft), actor=actor, before=before, amount=draft.money(draft.due),
        currency=draft.currency,
    )  # fmt: skip
    draft.delete()


def _composition(draft: Invoice, order: Order) -> Composition | None:
    """A draft that billed all that was left does so again; any other keeps its quantities as far as they are left."""
    if draft.progress_percent is not None:
        return compose_progress(order, draft.progress_percent)
    held = quantities_of(draft)
    lines = order_lines_of(order)
    if draft.completes:
        chosen = {line.pk: line.qty_to_invoice for line in lines if line.qty_to_invoice > 0}
    else:
        chosen = {line.pk: min(held.get(line.pk, ZERO), line.qty_to_invoice) for line in lines}
    return compose_standard(order, {pk: quantity for pk, quantity in chosen.items() if quantity > 0})


def _replan(order: Order, parts: tuple[int, dt.date] | None, actor: "User") -> None:
    plan = InstalmentPlan.objects.filter(order=order, is_active=True).first()
    if plan is None and parts is None:
        return
    left = left_to_plan(order)
    if parts is not None:
        replace_plan(order, rows=equal_rows(order, *parts) if left > 0 else [], actor=actor)
        return
    waiting = list(Instalment.objects.filter(plan=plan, invoice=None).order_by("due_date", "seq", "pk"))
    if total(one.amount for one in waiting) != left or plan is None or plan.total != order.gross_total:
        replace_plan(order, rows=_shifted(waiting, left), actor=actor)


def _shifted(waiting: list[Instalment], left: Decimal) -> list[PlanRow]:
    """The same instalments over what is left now; the last one takes the rest, and one that would be nothing goes."""
    rows: list[PlanRow] = []
    for one in waiting:
        if left <= 0:
            break
        share = min(one.amount, left)
        rows.append(
            PlanRow(
                share, one.due_date, one.label, deposit=one.kind == Instalment.Kind.DEPOSIT, trigger=one.trigger,
                milestone=one.milestone,
            )
        )  # fmt: skip
        left -= share
    if left > 0 and rows:
        last = rows[-1]
        rows[-1] = PlanRow(
            (last.value or ZERO) + left, last.due_date, last.label, last.deposit, last.trigger, last.milestone
        )
    return rows
