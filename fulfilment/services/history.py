"""Examinations and defects that another system recorded, taken over as they stand there."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from fulfilment import events
from fulfilment.models import (
    Acceptance,
    AcceptanceLine,
    AgreedCriterion,
    Defect,
    Finding,
    Rectification,
)
from fulfilment.models.criteria import Stage
from ordermgmt.accounts.services import require
from ordermgmt.activity.services import record
from ordermgmt.documents.services import store_file
from ordermgmt.lib.money import ZERO
from orders.models import Order
from orders.services import import_result, locked

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


@dataclass(frozen=True)
class PastRound:
    """One examination of everything that an order delivered: a value where one was measured, else whether it passed."""

    key: str
    on: dt.date
    evidence: str
    signed_by: str
    examiner: str
    passed: bool
    value: Decimal | None = None


@dataclass(frozen=True)
class PastDefect:
    """One defect of the source. Corrected without a day: nobody knows when."""

    key: str
    on: dt.date
    text: str
    corrected: bool = False
    corrected_on: dt.date | None = None


def past_criterion(order: Order, title: str, *, unit: str, minimum: Decimal | None) -> AgreedCriterion:
    """What the rounds of the source measured, agreed on the order; the same title is the same criterion."""
    found = AgreedCriterion.objects.filter(order=order, order_line=None, stage=Stage.ACCEPTANCE, title=title).first()
    if found is not None:
        return found
    criterion = AgreedCriterion(order=order, title=title, unit=unit, minimum=minimum)
    criterion.full_clean(exclude=["order", "agreed_by"])
    criterion.save()
    return criterion


@transaction.atomic
def import_rounds(
    order: Order, rounds: Sequence[PastRound], *, criterion: AgreedCriterion | None, actor: "User"
) -> int:
    """Keeps the rounds of an imported order that are not known yet, in the order of their days; gives how many.

    What the last one came to is what becomes of the order: accepted, or everything to be put right. Raises
    ValidationError for an order of our own.
    """
    require(actor, "documents.import_data")
    order = locked(order)
    if order.origin != Order.Origin.IMPORTED:
        raise ValidationError(_("Examinations come from a file only for an order that came from a file."))
    known = set(Acceptance.objects.filter(order=order).values_list("key", flat=True))
    new = sorted((one for one in rounds if one.key not in known), key=lambda one: one.on)
    if not new:
        return 0
    lines = _keep_rounds(order, new, first=len(known) + 1, criterion=criterion, actor=actor)
    last = new[-1]
    record(events.ROUNDS_IMPORTED, order, actor=actor, count=len(new), last=str(last.on))
    if order.state == Order.State.SHIPPED:
        import_result(order, passed=last.passed, actor=actor)
        if not last.passed:
            _to_put_right(order, [one for one in lines if one.acceptance.key == last.key])
    return len(new)


def _keep_rounds(
    order: Order, new: Sequence[PastRound], *, first: int, criterion: AgreedCriterion | None, actor: "User"
) -> list[AcceptanceLine]:
    """The rounds with a line for each of the order's, whole: all passed or all failed."""
    told = "\n".join(f"{one.on} {one.evidence}" for one in new)
    paper = None
    if any(one.examiner == Acceptance.Examiner.THIRD for one in new):
        name = f"{order.number}.txt"
        paper = store_file(told.encode(), name=name, kind="evidence", actor=actor, content_type="text/plain")
    made = Acceptance.objects.bulk_create(
        Acceptance(
            order=order, round=first + place, on=one.on, examiner=one.examiner, signed_by=one.signed_by,
            evidence=one.evidence[:500], evidence_file=paper, key=one.key, recorded_by=actor,
        )
        for place, one in enumerate(new)
    )  # fmt: skip
    if criterion is not None:
        Finding.objects.bulk_create(
            Finding(acceptance=kept, criterion=criterion, value=one.value, passed=one.passed)
            for kept, one in zip(made, new, strict=True)
        )
    return AcceptanceLine.objects.bulk_create(
        AcceptanceLine(
            acceptance=kept, order_line=line, accepted=line.quantity if one.passed else ZERO,
            rejected=ZERO if one.passed else line.quantity, reason="" if one.passed else one.evidence[:300],
        )
        for kept, one in zip(made, new, strict=True)
        for line in order.order_lines
    )  # fmt: skip


def _to_put_right(order: Order, lines: Sequence[AcceptanceLine]) -> None:
    Rectification.objects.bulk_create(
        Rectification(
            order=order, order_line_id=line.order_line_id, found_in=line, quantity=line.rejected, reason=line.reason
        )
        for line in lines
    )


@transaction.atomic
def import_defects(order: Order, defects: Sequence[PastDefect], *, actor: "User") -> tuple[int, list[PastDefect]]:
    """Keeps the defects of an imported order that are not known yet, each with the round of its day where there is one.

    Gives how many are new, and those of whose day no round is known. Raises ValidationError.
    """
    require(actor, "documents.import_data")
    order = locked(order)
    if order.origin != Order.Origin.IMPORTED:
        raise ValidationError(_("Defects come from a file only for an order that came from a file."))
    known = set(Defect.objects.filter(order=order).values_list("source_key", flat=True))
    new = [one for one in defects if one.key not in known]
    line = order.order_lines[0]
    rounds = (
        AcceptanceLine.objects.filter(order_line=line).select_related("acceptance").order_by("acceptance__on", "pk")
    )
    by_day = {one.acceptance.on: one for one in reversed(rounds)}
    homeless = [one for one in new if one.on not in by_day]
    rows = [
        Defect(
            order=order, order_line=line, found_in=by_day.get(one.on), found_on=one.on, text=one.text,
            corrected=one.corrected, corrected_on=one.corrected_on, source_key=one.key, recorded_by=actor,
        )
        for one in new
    ]  # fmt: skip
    for row in rows:
        row.clean_fields(exclude=["order", "order_line", "found_in", "recorded_by"])
    Defect.objects.bulk_create(rows)
    if rows:
        still = sum(1 for one in rows if not one.corrected)
        record(events.DEFECTS_IMPORTED, order, actor=actor, count=len(rows), open=still)
    return len(rows), homeless
