"""Inspection before dispatch: where a criterion asks for it, only what has passed may leave."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, Sum, prefetch_related_objects
from django.utils.translation import gettext as _

from fulfilment import events
from fulfilment.models import (
    AgreedCriterion,
    Inspection,
    InspectionFinding,
    InspectionLine,
    InspectionPhoto,
    Rectification,
    ShipmentLine,
)
from fulfilment.models.criteria import Stage
from inventory.services import fits_unit, plain
from ordermgmt.accounts.services import require
from ordermgmt.activity.services import record
from ordermgmt.company.services import business_today
from ordermgmt.lib.fsm import Blocker, TransitionRefused
from ordermgmt.lib.money import ZERO
from orders.models import Order, OrderLine
from orders.services import locked

from .criteria import Found, judged
from .results import LineResult
from .uploading import keep_pictures

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile

    from ordermgmt.accounts.models import User

_STATES = (Order.State.IN_PRODUCTION, Order.State.SHIPPED, Order.State.RECTIFICATION)


def dispatch_criteria(order: Order) -> list[AgreedCriterion]:
    """What is examined before anything leaves."""
    return list(AgreedCriterion.objects.filter(order=order, stage=Stage.DISPATCH).select_related("order_line"))


def guarded_lines(order: Order) -> set[int]:
    """The lines (by id) that leave only after an inspection: named by a criterion, or all by one on the whole order."""
    named = {one.order_line_id for one in dispatch_criteria(order)}
    return {line.pk for line in order.order_lines} if None in named else {pk for pk in named if pk is not None}


def ready_quantities(order: Order) -> dict[int, Decimal]:
    """Of each guarded line (by id) what has passed and not left yet."""
    guarded = guarded_lines(order)
    if not guarded:
        return {}
    passed = _sums(InspectionLine.objects.filter(order_line__in=guarded), "passed")
    gone = _sums(ShipmentLine.objects.filter(order_line__in=guarded, inspected=True), "quantity")
    return {pk: passed.get(pk, ZERO) - gone.get(pk, ZERO) for pk in guarded}


def _sums(rows: Any, column: str) -> dict[int, Decimal]:
    return dict(rows.order_by().values_list("order_line").annotate(sum=Sum(column)))


def not_ready(line: OrderLine, quantity: Decimal, ready: dict[int, Decimal]) -> str:
    """Why so much of a line may not leave yet, as a sentence; empty where nothing has to be inspected or all passed."""
    if line.pk not in ready or quantity <= ready[line.pk]:
        return ""
    return _("Only %(ready)s have passed the inspection before dispatch: inspect the rest first.") % {
        "ready": plain(ready[line.pk])
    }


def open_to_inspect(order: Order) -> dict[int, Decimal]:
    """Of each guarded line (by id) what is still to leave and has not passed: to be shipped, or sent in exchange."""
    ready = ready_quantities(order)
    if not ready:
        return {}
    waiting = Rectification.objects.filter(order=order).open()
    exchange = Q(remedy=Rectification.Remedy.REPLACE) | Q(return_line__isnull=False, remedy=Rectification.Remedy.REPAIR)
    exchanged = _sums(waiting.filter(exchange), "quantity")
    left = {
        line.pk: line.qty_to_ship + exchanged.get(line.pk, ZERO) - ready[line.pk]
        for line in order.order_lines
        if line.pk in ready
    }
    return {pk: quantity for pk, quantity in left.items() if quantity > 0}


def inspect_blocked(order: Order) -> list[Blocker]:
    """Why nothing can be inspected on this order now; empty when it can."""
    if order.state not in _STATES:
        told = {"state": order.state_label}
        return [Blocker(_("Only what is about to leave is inspected; this order is: %(state)s.") % told)]
    if not guarded_lines(order):
        return [Blocker(_("No criterion asks for an inspection before dispatch: agree one first."))]
    if not open_to_inspect(order):
        return [Blocker(_("Everything that is to leave has passed already."))]
    return []


@transaction.atomic
def inspect_order(
    order: Order,
    *,
    results: Sequence[LineResult],
    findings: Sequence[Found] = (),
    photos: "Sequence[UploadedFile[Any]]" = (),
    note: str = "",
    key: str,
    actor: "User",
) -> Inspection:
    """Records one inspection before dispatch; what passed (`accepted` of a result) may leave from now on.

    Every criterion of a line of which something passes is examined in it. The same `key` twice is one inspection.
    Raises PermissionDenied, TransitionRefused (state, nothing asks for it, all passed), ValidationError at
    "passed_<line id>", "failed_<line id>", "reason_<line id>", "criterion_<id>", "photos".
    """
    require(actor, "fulfilment.inspect_order")
    order, key = locked(order), f"form:{order.pk}:{key}"
    known = Inspection.objects.filter(key=key, order=order).first()
    if known is not None:
        return known
    if found := inspect_blocked(order):
        raise TransitionRefused(found)
    given = [one for one in results if one.accepted or one.rejected]
    _check(order, given)
    made = _judged(order, given, findings)
    pictures = keep_pictures(photos, kind="inspection", field="photos", actor=actor)
    inspection = Inspection.objects.create(
        order=order, on=business_today(), note=note.strip(), key=key, inspected_by=actor
    )
    InspectionLine.objects.bulk_create(
        InspectionLine(
            inspection=inspection, order_line_id=one.line_id, passed=one.accepted, failed=one.rejected,
            reason=one.reason.strip(),
        )
        for one in given
    )  # fmt: skip
    InspectionFinding.objects.bulk_create(
        InspectionFinding(inspection=inspection, criterion=criterion, value=value, passed=passed)
        for criterion, value, passed in made
    )
    InspectionPhoto.objects.bulk_create(InspectionPhoto(inspection=inspection, file=one) for one in pictures)
    _tell(inspection, order, given, actor=actor)
    return inspection


def _check(order: Order, results: Sequence[LineResult]) -> None:
    if not results:
        raise ValidationError(_("Enter what passed or failed on at least one line."))
    prefetch_related_objects(order.order_lines, "product__unit")
    lines, left = {line.pk: line for line in order.order_lines}, open_to_inspect(order)
    errors: dict[str, str] = {}
    for one in results:
        if one.line_id not in left:
            raise ValidationError(_("There is nothing to inspect on this line."))
        errors.update(_wrong(lines[one.line_id], one, left[one.line_id]))
    if errors:
        raise ValidationError(errors)


def _wrong(line: OrderLine, one: LineResult, left: Decimal) -> dict[str, str]:
    place = f"passed_{line.pk}"
    if one.accepted < 0 or one.rejected < 0:
        return {place: _("Quantities are not negative.")}
    if one.accepted > left or one.rejected > left or one.accepted + one.rejected > left:
        return {place: _("Only %(open)s are to be inspected.") % {"open": plain(left)}}
    if line.product is not None and not all(
        fits_unit(part, line.product.unit) for part in (one.accepted, one.rejected)
    ):
        return {place: _("This product is counted in %(unit)s: fewer decimals.") % {"unit": line.product.unit.code}}
    if one.rejected and not one.reason.strip():
        return {f"reason_{line.pk}": _("Say why it did not pass.")}
    return {}


def _judged(
    order: Order, results: Sequence[LineResult], findings: Sequence[Found]
) -> list[tuple[AgreedCriterion, Decimal | None, bool]]:
    """What was found per criterion. Raises ValidationError where one is missing for what passed, or failed with nothing
    that failed."""
    criteria = dispatch_criteria(order)
    made = judged(criteria, findings)
    seen = {criterion.pk for criterion, _value, _passed in made}
    passed = {one.line_id for one in results if one.accepted}
    failed = {one.line_id for one in results if one.rejected}
    missing = _("Examine “%(title)s” before anything passes.")
    errors = {
        f"criterion_{one.pk}": missing % {"title": one.title}
        for one in criteria
        if one.pk not in seen and _concerns(one, passed)
    }
    unnamed = _("“%(title)s” failed: say how much did not pass, and why.")
    errors |= {
        f"criterion_{one.pk}": unnamed % {"title": one.title}
        for one, _value, good in made
        if not good and not _concerns(one, failed)
    }
    if errors:
        raise ValidationError(errors)
    return made


def _concerns(criterion: AgreedCriterion, lines: set[int]) -> bool:
    return criterion.order_line_id in lines if criterion.order_line_id else bool(lines)


def _tell(inspection: Inspection, order: Order, results: Sequence[LineResult], *, actor: "User") -> None:
    place = {line.pk: line.position for line in order.order_lines}
    passed = ", ".join(f"{place[one.line_id]} × {plain(one.accepted)}" for one in results if one.accepted)
    failed = ", ".join(f"{place[one.line_id]} × {plain(one.rejected)}" for one in results if one.rejected)
    record(events.INSPECTED, inspection, root=order, actor=actor, passed=passed or "–", failed=failed or "–")
