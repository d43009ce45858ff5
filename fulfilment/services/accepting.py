"""Acceptance per line: what passed, what did not and why."""

import datetime as dt
from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max, prefetch_related_objects
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from fulfilment import events
from fulfilment.models import Acceptance, AcceptanceLine, AcceptancePhoto, Finding, Rectification
from inventory.services import fits_unit, plain
from ordermgmt.accounts.roles import PERMISSIONS
from ordermgmt.accounts.services import require, users_with_role
from ordermgmt.activity.events import EventType
from ordermgmt.activity.services import record
from ordermgmt.company.services import business_today
from ordermgmt.lib.fsm import Blocker, TransitionRefused, blockers
from ordermgmt.lib.money import ZERO
from orders.models import Order, OrderLine
from orders.services import accept_order, locked, note_accepted, reject_order

from .criteria import Found, check_findings, keep_findings
from .dating import wrong_day
from .results import LineResult
from .uploading import keep_pictures, keep_upload

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile

    from ordermgmt.accounts.models import User


def blocked(order: Order, actor: "User") -> list[Blocker]:
    """Why this person can't record an acceptance of this order now; empty when they can."""
    if order.state != Order.State.SHIPPED:
        return [Blocker(_("Only a shipped order is accepted; this one is: %(state)s.") % {"state": order.state_label})]
    if order.completed_by_id == actor.pk:
        return [Blocker(_("You reported completion, so a colleague records the acceptance.") + _who_else(order, actor))]
    return []


def _who_else(order: Order, actor: "User") -> str:
    """Some of those who may record it and see the order, as a sentence that follows; empty when there is nobody."""
    others = users_with_role(*PERMISSIONS["fulfilment.accept_order"]).exclude(pk=actor.pk).order_by("name")[:20]
    names = (one.name for one in others if Order.objects.visible_to(one).filter(pk=order.pk).exists())
    if found := ", ".join(islice(names, 3)):
        return " " + _("Ask %(names)s.") % {"names": found}
    return ""


@transaction.atomic
def record_acceptance(
    order: Order,
    *,
    results: Sequence[LineResult],
    signed_by: str,
    evidence: str,
    evidence_file: "UploadedFile[Any] | None" = None,
    examiner: str = Acceptance.Examiner.CUSTOMER,
    findings: Sequence[Found] = (),
    photos: "Sequence[UploadedFile[Any]]" = (),
    on: dt.date | None = None,
    key: str,
    actor: "User",
) -> Acceptance:
    """Records one examination. Everything passed: the order is accepted. Something rejected: it goes to rectification.

    The same `key` twice is one record. Raises PermissionDenied, TransitionRefused (state, own completion),
    ValidationError at "accepted_<line id>", "rejected_<line id>", "reason_<line id>", "criterion_<id>",
    "evidence_file" (a third party's report is needed), "photos".
    """
    require(actor, "fulfilment.accept_order")
    order, key = locked(order), f"form:{order.pk}:{key}"  # a waiver and silence name theirs themselves
    known = Acceptance.objects.filter(key=key, order=order).first()
    if known is not None:
        return known
    if found := blocked(order, actor):
        raise TransitionRefused(found)
    given = [result for result in results if result.accepted or result.rejected]
    _check(order, given)
    _check_day(order, given, on)
    if examiner == Acceptance.Examiner.THIRD and evidence_file is None:
        raise ValidationError({"evidence_file": _("Add the report of the third party.")})
    judged = _judged(order, given, findings)
    pictures = keep_pictures(photos, kind="evidence", field="photos", actor=actor)
    paper = keep_upload(evidence_file, kind="evidence", field="evidence_file", actor=actor) if evidence_file else None
    acceptance = Acceptance.objects.create(
        order=order, round=order.acceptance_round + 1, on=on or business_today(), examiner=examiner,
        signed_by=signed_by, evidence=evidence, evidence_file=paper, key=key, recorded_by=actor,
    )  # fmt: skip
    _keep_lines(acceptance, given)
    keep_findings(acceptance, judged)
    AcceptancePhoto.objects.bulk_create(AcceptancePhoto(acceptance=acceptance, file=one) for one in pictures)
    order = note_accepted(order, {one.line_id: (one.accepted, one.rejected) for one in given}, actor=actor)
    _tell(acceptance, order, given, actor=actor)
    if any(one.rejected for one in given):
        reject_order(order, actor=actor)
    elif not blockers(order.accept):
        accept_order(order, evidence=f"{signed_by}: {evidence}", actor=actor)
    return acceptance


def _check_day(order: Order, given: Sequence[LineResult], on: dt.date | None) -> None:
    """Nothing is examined in days to come, before it was delivered, or before the round that came before."""
    if on is None:
        return
    lines = [result.line_id for result in given]
    if sentence := wrong_day(order, on, lines):
        raise ValidationError({"on": sentence})
    rounds = AcceptanceLine.objects.filter(order_line__in=lines, acceptance__round__lte=order.acceptance_round)
    last = rounds.aggregate(last=Max("acceptance__on"))["last"]
    if last and on < last:
        day = date_format(last, "SHORT_DATE_FORMAT")
        raise ValidationError(
            {"on": _("The round before was on %(day)s: this one can't lie before it.") % {"day": day}}
        )


@transaction.atomic
def waive_acceptance(order: Order, *, reason: str, actor: "User") -> Acceptance:
    """Takes everything that still waits as accepted without an examination, on a manager's word.

    It also closes an order of which everything that waited came back. Raises PermissionDenied,
    TransitionRefused (state: the second time too; own completion), ValidationError at "reason".
    """
    require(actor, "fulfilment.waive_acceptance")
    order = locked(order)
    if found := blocked(order, actor):
        raise TransitionRefused(found)
    if not reason.strip():
        raise ValidationError({"reason": _("Say why no examination is needed.")})
    evidence = _("Waived: %(reason)s") % {"reason": reason.strip()}
    return accept_rest(
        order, events.WAIVED, evidence=evidence, signed_by=actor.name, key=f"waived:{order.pk}:{order.version}",
        actor=actor, reason=reason.strip(), round=order.acceptance_round + 1,
    )  # fmt: skip


def accept_rest(
    order: Order, event: EventType, *, evidence: str, signed_by: str, key: str, actor: "User", **data: Any
) -> Acceptance:
    """Takes everything that still waits as accepted. The caller holds the order's lock and has checked the right."""
    acceptance = Acceptance.objects.create(
        order=order, round=order.acceptance_round + 1, on=business_today(), signed_by=signed_by,
        evidence=evidence, key=key, recorded_by=actor,
    )  # fmt: skip
    given = [LineResult(line.pk, line.qty_to_accept) for line in order.order_lines if line.qty_to_accept > 0]
    _keep_lines(acceptance, given)
    order = note_accepted(order, {one.line_id: (one.accepted, one.rejected) for one in given}, actor=actor)
    record(event, acceptance, root=order, actor=actor, **data)
    accept_order(order, evidence=evidence, actor=actor)
    return acceptance


def _judged(order: Order, results: Sequence[LineResult], findings: Sequence[Found]) -> list[Finding]:
    """The findings of this round; after the last accepted quantity every criterion must have passed."""
    rejected = {one.line_id for one in results if one.rejected}
    taken = {one.line_id: one.accepted + one.rejected for one in results}
    waits = any(line.qty_to_accept > taken.get(line.pk, ZERO) for line in order.order_lines)
    return check_findings(order, findings, rejected=rejected, completes=not waits and not rejected)


def _check(order: Order, results: Sequence[LineResult]) -> None:
    if not results:
        raise ValidationError(_("Enter what was accepted or rejected on at least one line."))
    prefetch_related_objects(order.order_lines, "product__unit")
    lines = {line.pk: line for line in order.order_lines}
    errors: dict[str, str] = {}
    for result in results:
        line = lines.get(result.line_id)
        if line is None:
            raise ValidationError(_("A line does not belong to this order."))
        errors.update(_wrong(line, result))
    if errors:
        raise ValidationError(errors)


def _wrong(line: OrderLine, result: LineResult) -> dict[str, str]:
    if result.accepted < 0 or result.rejected < 0:
        return {f"accepted_{line.pk}": _("Quantities are not negative.")}
    if result.accepted + result.rejected > line.qty_to_accept:
        return {f"accepted_{line.pk}": _("Only %(open)s wait for acceptance.") % {"open": plain(line.qty_to_accept)}}
    if line.product is not None and not all(
        fits_unit(one, line.product.unit) for one in (result.accepted, result.rejected)
    ):
        return {
            f"accepted_{line.pk}": _("This product is counted in %(unit)s: fewer decimals.")
            % {"unit": line.product.unit.code}
        }
    if result.rejected and not result.reason.strip():
        return {f"reason_{line.pk}": _("Say why it was rejected.")}
    return {}


def _keep_lines(acceptance: Acceptance, results: Sequence[LineResult]) -> None:
    """The lines, and an open rectification for each that was rejected."""
    kept = AcceptanceLine.objects.bulk_create(
        AcceptanceLine(
            acceptance=acceptance, order_line_id=one.line_id, accepted=one.accepted, rejected=one.rejected,
            reason=one.reason.strip(),
        )
        for one in results
    )  # fmt: skip
    Rectification.objects.bulk_create(
        Rectification(
            order_id=acceptance.order_id, order_line_id=line.order_line_id, found_in=line, quantity=line.rejected,
            reason=line.reason,
        )
        for line in kept
        if line.rejected
    )  # fmt: skip


def _tell(acceptance: Acceptance, order: Order, results: Sequence[LineResult], *, actor: "User") -> None:
    place = {line.pk: line.position for line in order.order_lines}
    accepted = ", ".join(f"{place[one.line_id]} × {plain(one.accepted)}" for one in results if one.accepted)
    rejected = ", ".join(f"{place[one.line_id]} × {plain(one.rejected)}" for one in results if one.rejected)
    record(
        events.EXAMINED, acceptance, root=order, actor=actor, round=acceptance.round, accepted=accepted or "–",
        rejected=rejected or "–", signed_by=acceptance.signed_by, evidence=acceptance.evidence,
    )  # fmt: skip
