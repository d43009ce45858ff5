"""What is owed is moved in time: `reschedule_invoice` with every version kept, and `release_retention`."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from billing import events
from billing.models import Instalment, Invoice, Reschedule
from ordermgmt.activity.services import record, snapshot
from ordermgmt.company.services import business_today
from ordermgmt.lib.instalments import PlanRefused, Term, amounts, equal_amounts
from ordermgmt.lib.money import ZERO, total
from orders.models import Order

from .allocating import lock_instalments
from .base import money, refuse, require, root_of
from .planning import PlanRow, plan_refused
from .terms import keep_terms

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


_MOVED = ("seq", "label", "amount", "due_date")


def movable(invoice: Invoice) -> list[Instalment]:
    """Instalments of an issued document on which nothing is laid; what is kept back is released apart."""
    rows = invoice.instalments.exclude(kind=Instalment.Kind.RETENTION).order_by("due_date", "pk")
    return [one for one in rows if not one.is_touched]


@transaction.atomic
def reschedule_invoice(
    invoice: Invoice, *, rows: Sequence[PlanRow], reason: str, version: int, actor: "User"
) -> Reschedule:
    """Agrees new amounts and days for what nothing is laid on yet; the old ones are kept as a version, with their keys.

    `version` is the number of versions the person saw. Raises ValidationError where the sum differs, the days are not
    in order or lie before the document, TransitionRefused for a draft, where nothing can be moved, and where somebody was faster.
    """
    require(actor, "billing.reschedule")
    lock_instalments(invoice.instalments.values_list("pk", flat=True))
    invoice = Invoice.objects.locked(invoice.pk)
    old = movable(invoice)
    if invoice.is_draft or invoice.is_credit or not old:
        raise refuse(_("Nothing of this document can be moved: it is a draft, or something is laid on all of it."))
    number = invoice.reschedules.count()
    if number != version:
        raise refuse(_("Somebody agreed other instalments meanwhile. Look at them first."), invoice.get_absolute_url())
    shares = _shares(old, rows, invoice)
    before = _content(old)
    made = _rewrite(old, rows, shares, actor)
    kept = Reschedule.objects.create(
        invoice=invoice, number=number + 1, before=before, after=_content(made), reason=reason, by=actor
    )
    record(
        events.RESCHEDULED, kept, root=root_of(invoice), actor=actor, before={"instalments": before},
        after={"instalments": kept.after}, number=invoice.number, count=len(made), reason=reason,
    )  # fmt: skip
    return kept


def _rewrite(
    old: list[Instalment], rows: Sequence[PlanRow], shares: Sequence[Decimal], actor: "User"
) -> list[Instalment]:
    """The instalments as they are agreed now, in the rows that were there: what a reminder, a claim or a payment taken
    back names stays, and where fewer are agreed than are named one of them stands in several rows of one day.
    """
    named = _named(old)
    spare = [one.pk for one in old if one.pk not in named]
    gone = set(spare[len(spare) - min(len(spare), max(0, len(old) - len(rows))) :])
    today = keep_terms(old)
    kept = [one for one in old if one.pk not in gone]
    Instalment.objects.filter(pk__in=gone).delete()
    pieces = _pieces(rows, shares, len(kept), old[0])
    made = []
    for place, (row, amount) in enumerate(pieces, start=1):
        one = kept[place - 1] if place <= len(kept) else _another(old[-1])
        before = snapshot(one, *_MOVED)
        one.seq, one.label, one.amount, one.due_date = place, row.label, amount, row.due_date
        one.agreed_on = today
        one.save()
        if place <= len(kept):
            record(
                events.INSTALMENT_MOVED, one, actor=actor, before=before, after=snapshot(one, *_MOVED), label=str(one),
                amount=money(one.amount, one.currency), currency=one.currency, date=one.due_date.isoformat(),
            )  # fmt: skip
        made.append(one)
    return made


def _another(like: Instalment) -> Instalment:
    return Instalment(plan=like.plan, invoice=like.invoice, customer=like.customer, currency=like.currency)


def _named(rows: Sequence[Instalment]) -> set[int]:
    """Those that other rows point to."""
    keys = [one.pk for one in rows]
    found: set[int] = set()
    for relation in Instalment._meta.related_objects:
        name = relation.field.name
        pointing = relation.related_model._base_manager.filter(**{f"{name}__in": keys})
        found.update(pointing.values_list(name, flat=True))
    return found


def _pieces(
    rows: Sequence[PlanRow], shares: Sequence[Decimal], least: int, like: Instalment
) -> list[tuple[PlanRow, Decimal]]:
    """Each share, in so many parts that there are at least `least`; the greatest are parted first."""
    parts = [1] * len(shares)
    while sum(parts) < least:
        greatest = max(range(len(shares)), key=lambda place: shares[place] / (parts[place] + 1))
        parts[greatest] += 1
    step = like.invoice.cash_step if like.invoice is not None else ZERO
    return [
        (row, amount)
        for row, share, count in zip(rows, shares, parts, strict=True)
        for amount in equal_amounts(share, count, like.currency, step)
    ]


def _shares(old: Sequence[Instalment], rows: Sequence[PlanRow], invoice: Invoice) -> list[Decimal]:
    whole = total(one.amount for one in old)
    days = [row.due_date for row in rows]
    if not rows or days != sorted(days):
        raise ValidationError(_("The due dates must follow each other."))
    if invoice.issue_date and days[0] < invoice.issue_date:
        raise ValidationError(_("An instalment is not due before its invoice."))
    terms = [Term("balance") if row.value is None else Term("fixed", row.value) for row in rows]
    try:
        return amounts(whole, terms, invoice.currency, invoice.cash_step)
    except PlanRefused as error:
        raise plan_refused(invoice.money(whole), invoice.currency, invoice.cash_step) from error


def _content(rows: Sequence[Instalment]) -> list[dict[str, str | int]]:
    return [
        {
            "instalment": one.pk, "label": one.label, "amount": f"{one.amount:.4f}",
            "due_date": one.due_date.isoformat(),
        }
        for one in rows
    ]  # fmt: skip


@transaction.atomic
def release_retention(instalment: Instalment, *, actor: "User", on: dt.date | None = None) -> Instalment:
    """Makes what was kept back due on a day, today by default. Raises TransitionRefused a second time and once paid.

    Of a settled order it stays a retention, because that alone is open there: its day comes forward.
    """
    require(actor, "billing.release_retention")
    row = lock_instalments([instalment.pk], retained=True)[instalment.pk]
    invoice, day = row.invoice, on or business_today()
    order = invoice.order if invoice is not None else None
    apart = order is not None and order.state == Order.State.SETTLED
    fixed = row.is_touched or (apart and row.due_date <= day)
    if invoice is None or invoice.is_draft or row.kind != Instalment.Kind.RETENTION or fixed:
        raise refuse(_("This is no retention that could be released."))
    if invoice.issue_date and day < invoice.issue_date:
        raise ValidationError({"on": _("A retention is not released before its invoice.")})
    before = snapshot(row, "kind", "due_date")
    row.agreed_on = keep_terms([row])
    row.kind, row.due_date = row.kind if apart else Instalment.Kind.NORMAL, day
    row.save(update_fields=["kind", "due_date", "agreed_on"])
    record(
        events.RETENTION_RELEASED, row, root=root_of(invoice), actor=actor, before=before,
        after=snapshot(row, "kind", "due_date"), number=invoice.number, amount=invoice.money(row.amount),
        currency=row.currency, date=day.isoformat(),
    )  # fmt: skip
    return row
