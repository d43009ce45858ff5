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
from ordermgmt.lib.instalments import PlanRefused, Term, amounts
from ordermgmt.lib.money import total

from .allocating import lock_instalments
from .base import refuse, require, root_of
from .planning import PlanRow

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


def movable(invoice: Invoice) -> list[Instalment]:
    """Instalments of an issued document on which nothing is laid; what is kept back is released apart."""
    rows = invoice.instalments.exclude(kind=Instalment.Kind.RETENTION).order_by("due_date", "pk")
    return [one for one in rows if not one.is_touched]


@transaction.atomic
def reschedule_invoice(
    invoice: Invoice, *, rows: Sequence[PlanRow], reason: str, version: int, actor: "User"
) -> Reschedule:
    """Agrees new amounts and days for what nothing is laid on yet; the old ones are kept as a version.

    `version` is the number of versions the person saw. Raises ValidationError where the sum differs or the days are not
    in order, TransitionRefused for a draft, where nothing can be moved, and where somebody was faster.
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
    Instalment.objects.filter(pk__in=[one.pk for one in old]).delete()
    made = Instalment.objects.bulk_create(
        Instalment(
            invoice=invoice, customer=invoice.customer, currency=invoice.currency, seq=place, label=row.label,
            amount=share, due_date=row.due_date,
        )
        for place, (row, share) in enumerate(zip(rows, shares, strict=True), start=1)
    )  # fmt: skip
    kept = Reschedule.objects.create(
        invoice=invoice, number=number + 1, before=before, after=_content(made), reason=reason, by=actor
    )
    record(
        events.RESCHEDULED, kept, root=root_of(invoice), actor=actor, before={"instalments": before},
        after={"instalments": kept.after}, number=invoice.number, count=len(made), reason=reason,
    )  # fmt: skip
    return kept


def _shares(old: Sequence[Instalment], rows: Sequence[PlanRow], invoice: Invoice) -> list[Decimal]:
    whole = total(one.amount for one in old)
    days = [row.due_date for row in rows]
    if not rows or days != sorted(days):
        raise ValidationError(_("The due dates must follow each other."))
    terms = [Term("balance") if row.value is None else Term("fixed", row.value) for row in rows]
    try:
        return amounts(whole, terms, invoice.currency)
    except PlanRefused as error:
        raise ValidationError(
            _("The instalments must each be above zero and add up to %(total)s %(currency)s exactly.")
            % {"total": invoice.money(whole), "currency": invoice.currency}
        ) from error


def _content(rows: Sequence[Instalment]) -> list[dict[str, str]]:
    return [{"label": one.label, "amount": str(one.amount), "due_date": one.due_date.isoformat()} for one in rows]


@transaction.atomic
def release_retention(instalment: Instalment, *, actor: "User", on: dt.date | None = None) -> Instalment:
    """Makes what was kept back due on a day, today by default. Raises TransitionRefused a second time and once paid."""
    require(actor, "billing.release_retention")
    row = lock_instalments([instalment.pk])[instalment.pk]
    invoice = row.invoice
    if invoice is None or invoice.is_draft or row.kind != Instalment.Kind.RETENTION or row.is_touched:
        raise refuse(_("This is no retention that could be released."))
    day = on or business_today()
    if invoice.issue_date and day < invoice.issue_date:
        raise ValidationError({"on": _("A retention is not released before its invoice.")})
    before = snapshot(row, "kind", "due_date")
    row.kind, row.due_date = Instalment.Kind.NORMAL, day
    row.save(update_fields=["kind", "due_date"])
    record(
        events.RETENTION_RELEASED, row, root=root_of(invoice), actor=actor, before=before,
        after=snapshot(row, "kind", "due_date"), number=invoice.number, amount=invoice.money(row.amount),
        currency=row.currency, date=day.isoformat(),
    )  # fmt: skip
    return row
