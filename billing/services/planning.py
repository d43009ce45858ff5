"""`plan_instalments`: what of an order is to be paid when."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from billing import events
from billing.models import Instalment, InstalmentPlan
from fulfilment.models import Milestone
from ordermgmt.activity.services import record
from ordermgmt.lib.instalments import PlanRefused, Term, amounts, equal_amounts, monthly_dates
from ordermgmt.lib.money import HUNDRED, ZERO, quantise, total
from orders.models import Order
from orders.services import note_plan

from .base import lock_orders, refuse, require
from .charge_lines import billed_gross
from .defects import defects_end

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


@dataclass(frozen=True)
class PlanRow:
    """One wished instalment: `value` is a percentage or an amount by the plan's method, None takes the rest.

    It is to be invoiced on its date, or when its `trigger` comes; then `due_date` is only what is expected. What waits for
    the end of the defects period is dated by the order's clause, and kept back on an invoice that comes before.
    """

    value: Decimal | None
    due_date: dt.date
    label: str = ""
    deposit: bool = False
    trigger: str = Instalment.Trigger.DATE
    milestone: Milestone | None = None


def equal_rows(order: Order, parts: int, first: dt.date) -> list[PlanRow]:
    """`parts` equal monthly instalments over what is not fixed yet. Raises ValidationError where one would be nothing, or
    due on a day that no calendar has.
    """
    try:
        shares = equal_amounts(left_to_plan(order), parts, order.currency, order.cash_step)
    except PlanRefused as error:
        raise ValidationError(_("The amount is too small for so many instalments.")) from error
    try:
        days = monthly_dates(first, parts)
    except ValueError as error:
        raise ValidationError(_("The last of so many instalments would be due after the year 9999.")) from error
    return [PlanRow(share, day) for share, day in zip(shares, days, strict=True)]


def fixed_instalments(order: Order) -> list[Instalment]:
    """Instalments on invoices of the order, drafts too: a new plan does not touch them."""
    return list(Instalment.objects.filter(invoice__order=order).order_by("due_date", "pk"))


def left_to_plan(order: Order) -> Decimal:
    """The order's total less what is on invoices already; charges and deductions on them are in no plan."""
    gross: Decimal = order.gross_total + billed_gross(order)
    return gross - total(one.amount - one.credited for one in fixed_instalments(order))


def unplanned(order: Order) -> Decimal:
    """What is neither invoiced nor in the plan in force, such as after a credit note; nothing without a plan."""
    plan = InstalmentPlan.objects.filter(order=order, is_active=True).first()
    if plan is None:
        return ZERO
    waiting = Instalment.objects.filter(plan=plan, invoice=None).values_list("amount", flat=True)
    return max(left_to_plan(order) - total(waiting), ZERO)


@transaction.atomic
def plan_instalments(
    order: Order,
    *,
    rows: Sequence[PlanRow],
    actor: "User",
    method: str = InstalmentPlan.Method.FIXED,
    seen: int | None = None,
) -> InstalmentPlan | None:
    """Replaces the plan of what is not invoiced yet; the old plan is kept, and no rows take the plan away.

    The sum is exact and every instalment above zero, or ValidationError says why not (M5). `seen` is the key of the plan
    that the person saw, 0 for none. Raises TransitionRefused for a closed order and where another plan is in force by
    now, PermissionDenied without the right.
    """
    require(actor, "billing.plan_instalments")
    order = lock_orders([order.pk])[order.pk]
    if seen is not None and seen != plan_key(order):
        raise refuse(
            _("Somebody saved another plan meanwhile. Look at it first."),
            f"/billing/orders/{order.number}/plan/", _("Open the instalment plan"),
        )  # fmt: skip
    return replace_plan(order, rows=rows, actor=actor, method=method)


def plan_key(order: Order) -> int:
    """The key of the plan in force, 0 without one."""
    return InstalmentPlan.objects.filter(order=order, is_active=True).values_list("pk", flat=True).first() or 0


@transaction.atomic
def replace_plan(
    order: Order, *, rows: Sequence[PlanRow], actor: "User", method: str = InstalmentPlan.Method.FIXED
) -> InstalmentPlan | None:
    """As `plan_instalments`, for a verb that asked for its own right: an approved change of the order."""
    order = lock_orders([order.pk])[order.pk]
    if order.state in (Order.State.SETTLED, Order.State.CANCELLED):
        raise refuse(_("The account of this order is closed."), order.get_absolute_url(), _("Open the order"))
    fixed = fixed_instalments(order)
    shares = _shares(order, rows, method) if rows else []
    old = InstalmentPlan.objects.filter(order=order, is_active=True).first()
    if old is not None:
        Instalment.objects.filter(plan=old, invoice=None).delete()
        old.is_active = False
        old.save(update_fields=["is_active"])
    if not rows:
        note_plan(order, planned_amount=None, actor=actor)
        if old is not None:
            record(events.PLAN_REMOVED, old, root=order, actor=actor, before={"content": old.content})
        return None
    plan = InstalmentPlan.objects.create(
        order=order, method=method, total=order.gross_total, content=_content(rows, shares), created_by=actor
    )
    start = len(fixed)
    waits = [place for place, row in enumerate(rows, start=1) if row.trigger == Instalment.Trigger.DEFECTS]
    ends = dict.fromkeys(waits, defects_end(order)) if waits else {}
    Instalment.objects.bulk_create(
        Instalment(
            plan=plan, customer=order.customer, currency=order.currency, seq=start + place, label=row.label,
            kind=Instalment.Kind.DEPOSIT if row.deposit else Instalment.Kind.NORMAL, amount=share,
            due_date=ends.get(place, row.due_date), trigger=row.trigger, milestone=row.milestone,
        )
        for place, (row, share) in enumerate(zip(rows, shares, strict=True), start=1)
    )  # fmt: skip
    _hand_down(order, fixed, rows, shares, actor)
    record(
        events.PLAN_MADE, plan, root=order, actor=actor, before={"content": old.content} if old else None,
        after={"content": plan.content}, count=len(rows), amount=order.money(total(shares)), currency=order.currency,
    )  # fmt: skip
    return plan


def _shares(order: Order, rows: Sequence[PlanRow], method: str) -> list[Decimal]:
    if any(row.milestone is not None and row.milestone.order_id != order.pk for row in rows):
        raise ValidationError(_("A milestone of this plan belongs to another order."))
    days = [row.due_date for row in rows if row.trigger == Instalment.Trigger.DATE]
    if days != sorted(days):
        raise ValidationError(_("The due dates must follow each other."))
    kind = "percent" if method == InstalmentPlan.Method.PERCENT else "fixed"
    terms = [
        Term("balance") if row.value is None else Term("percent" if kind == "percent" else "fixed", row.value)
        for row in rows
    ]
    left = left_to_plan(order)
    if kind == "percent" and total(row.value or ZERO for row in rows) == HUNDRED:
        # Rounded percentages of the whole: the last one takes the rest.
        terms[-1] = Term("balance")
    try:
        return amounts(left, terms, order.currency, order.cash_step)
    except PlanRefused as error:
        raise plan_refused(order.money(left), order.currency, order.cash_step) from error


def plan_refused(total_amount: str, currency: str, cash_step: Decimal) -> ValidationError:
    """The sentence for amounts that make no plan."""
    words = {"total": total_amount, "currency": currency}
    text = _("The instalments must each be above zero and add up to %(total)s %(currency)s exactly.") % words
    if cash_step:
        words = {"currency": currency, "step": f"{quantise(cash_step, currency):f}"}
        text += " " + _("Amounts in %(currency)s are multiples of %(step)s.") % words
    return ValidationError(text)


def _content(rows: Sequence[PlanRow], shares: Sequence[Decimal]) -> list[dict[str, str]]:
    return [
        {
            "label": row.label,
            "amount": str(share),
            "due_date": row.due_date.isoformat(),
            "deposit": str(row.deposit),
            "trigger": str(row.trigger),
            "milestone": str(row.milestone or ""),
        }
        for row, share in zip(rows, shares, strict=True)
    ]


def _hand_down(
    order: Order, fixed: Sequence[Instalment], rows: Sequence[PlanRow], shares: Sequence[Decimal], actor: "User"
) -> None:
    deposit = total(share for row, share in zip(rows, shares, strict=True) if row.deposit)
    deposit += total(one.amount for one in fixed if one.kind == Instalment.Kind.DEPOSIT)
    planned = total(shares) + total(one.amount - one.credited for one in fixed)
    note_plan(order, planned_amount=planned, deposit_due=deposit, actor=actor)
