"""Criteria of acceptance: agreed before, examined in rounds, all passed or conceded before the order is accepted."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from fulfilment import events
from fulfilment.models import Acceptance, AgreedCriterion, CriterionTemplate, Finding, InspectionFinding, Rectification
from fulfilment.models.criteria import Stage
from inventory.services import plain
from ordermgmt.accounts.services import require
from ordermgmt.activity.services import note_sent, record, sent_before, snapshot
from ordermgmt.lib.fsm import Blocker, TransitionRefused
from orders.models import Order, OrderLine
from orders.services import locked

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

_RIGHT = "fulfilment.agree_criteria"
_OVER = (Order.State.ACCEPTED, Order.State.SETTLED, Order.State.CANCELLED)


@dataclass(frozen=True)
class Found:
    """What was found for one criterion (by id): the value in its unit, or whether it passed."""

    criterion_id: int
    value: Decimal | None = None
    passed: bool | None = None


def agree_blocked(order: Order) -> list[Blocker]:
    """Why nothing can be agreed on this order any more; empty when it can."""
    if order.state not in _OVER:
        return []
    return [Blocker(_("The order is over: %(state)s.") % {"state": order.state_label})]


@transaction.atomic
def save_criterion_template(template: CriterionTemplate | None, *, actor: "User", **fields: Any) -> CriterionTemplate:
    """Makes or changes a template; orders that took it over keep what they agreed.

    Raises PermissionDenied, ValidationError.
    """
    require(actor, "fulfilment.set_criteria")
    template = (
        CriterionTemplate.objects.select_for_update(no_key=True).get(pk=template.pk)
        if template
        else CriterionTemplate()
    )
    was = snapshot(template) if template.pk else None
    for name, value in fields.items():
        setattr(template, name, value)
    template.full_clean()
    template.save()
    record(
        events.CRITERION_TEMPLATE_SAVED, template, actor=actor, before=was, after=snapshot(template),
        title=template.title,
    )  # fmt: skip
    return template


@transaction.atomic
def take_over_criteria(
    order: Order, *, lines: Collection[int] | None = None, actor: "User | None"
) -> list[AgreedCriterion]:
    """Agrees what the templates say for the order's lines, or for some of them by key; done again it adds only what is
    missing."""
    order = locked(order)
    if agree_blocked(order):
        return []
    templates = list(CriterionTemplate.objects.filter(is_active=True))
    known = set(AgreedCriterion.objects.filter(order=order).values_list("order_line_id", "template_id"))
    said = ("stage", "title", "method", "unit", "minimum", "maximum")
    made = [
        AgreedCriterion(
            order=order, order_line=line, template=one, agreed_by=actor, **{name: getattr(one, name) for name in said}
        )
        for line in order.order_lines
        for one in templates
        if (lines is None or line.pk in lines) and _fits(one, line) and (line.pk, one.pk) not in known
    ]
    for one in made:
        one.save()
    if made:
        record(events.CRITERIA_TAKEN_OVER, order, actor=actor, count=len(made))
    return made


def _fits(template: CriterionTemplate, line: OrderLine) -> bool:
    if template.product_id is not None:
        return template.product_id == line.product_id
    service = line.supply == OrderLine.Supply.SERVICE
    return service == (template.kind == "service")


@transaction.atomic
def add_criterion(order: Order, *, key: str = "", actor: "User", **fields: Any) -> AgreedCriterion:
    """Agrees one more criterion; the same `key` twice is one.

    Raises PermissionDenied, TransitionRefused (the order is over), ValidationError.
    """
    require(actor, _RIGHT)
    order = locked(order)
    form = f"criterion:{order.pk}"
    if known := sent_before(AgreedCriterion, form, key):
        return known
    if found := agree_blocked(order):
        raise TransitionRefused(found)
    line = fields.get("order_line")
    if line is not None and line.order_id != order.pk:
        raise ValidationError({"order_line": _("A line does not belong to this order.")})
    criterion = AgreedCriterion(order=order, agreed_by=actor, **fields)
    criterion.full_clean(exclude=["order", "agreed_by"])
    criterion.save()
    note_sent(criterion, form, key)
    record(events.CRITERION_AGREED, criterion, root=order, actor=actor, title=criterion.title)
    return criterion


@transaction.atomic
def drop_criterion(criterion: AgreedCriterion, *, actor: "User") -> Order:
    """Takes a criterion off the order as long as no round examined it.

    Raises PermissionDenied, TransitionRefused (examined, gone, or the order is over).
    """
    require(actor, _RIGHT)
    order = locked(criterion.order)
    found = agree_blocked(order)
    row = AgreedCriterion.objects.filter(pk=criterion.pk).first()
    if row is None:
        found = [Blocker(_("This criterion is gone already."))]
    elif row.findings.exists() or row.inspection_findings.exists():
        found = [Blocker(_("This criterion was examined already: it stays."))]
    if found or row is None:
        raise TransitionRefused(found)
    record(events.CRITERION_DROPPED, row, root=order, actor=actor, before=snapshot(row), title=row.title)
    row.delete()
    return order


def tolerance(criterion: AgreedCriterion | CriterionTemplate) -> str:
    """The range that passes, with its unit: "9.5 – 10.5 mm", "≥ 4 h"; empty for passed or failed."""
    low, high, unit = criterion.minimum, criterion.maximum, criterion.unit
    if low is not None and high is not None:
        return f"{plain(low)} – {plain(high)} {unit}".strip()
    if low is not None:
        return f"≥ {plain(low)} {unit}".strip()
    return f"≤ {plain(high)} {unit}".strip() if high is not None else ""


@dataclass(frozen=True)
class Target:
    """One agreed criterion, its range as a sentence, and what was found of it last, in whatever examination."""

    criterion: AgreedCriterion
    target: str
    found: Finding | InspectionFinding | None


def targets(order: Order) -> list[Target]:
    """What is agreed on an order against what was found."""
    last: dict[int, Finding | InspectionFinding] = {}
    for rows in (
        InspectionFinding.objects.filter(criterion__order=order).order_by("inspection", "pk"),
        Finding.objects.filter(criterion__order=order).order_by("acceptance", "pk"),
    ):
        last |= {one.criterion_id: one for one in rows}
    agreed = AgreedCriterion.objects.filter(order=order).select_related("order_line")
    return [Target(one, tolerance(one), last.get(one.pk)) for one in agreed]


def open_criteria(order: Order) -> list[AgreedCriterion]:
    """Those whose last finding is not a pass, but for those that the customer conceded after it failed, and those of a
    line of which nothing is with the customer."""
    criteria = list(AgreedCriterion.objects.filter(order=order, stage=Stage.ACCEPTANCE))
    last = {
        one.criterion_id: one for one in Finding.objects.filter(criterion__order=order).order_by("acceptance", "pk")
    }
    kept = (Rectification.Remedy.CONCESSION, Rectification.Remedy.CREDIT)
    conceded = set(
        Rectification.objects.filter(order=order, state=Rectification.State.DONE, remedy__in=kept).values_list(
            "found_in__acceptance", "order_line"
        )
    )

    gone = {line.pk for line in order.order_lines if line.qty_shipped <= line.qty_returned}

    def open_still(one: AgreedCriterion) -> bool:
        if one.order_line_id in gone:
            return False
        finding = last.get(one.pk)
        if finding is None or finding.passed:
            return finding is None
        if one.order_line_id is None:
            return not any(round_ == finding.acceptance_id for round_, _line in conceded)
        return (finding.acceptance_id, one.order_line_id) not in conceded

    return [one for one in criteria if open_still(one)]


def check_findings(order: Order, findings: Sequence[Found], *, rejected: set[int], completes: bool) -> list[Finding]:
    """The findings of one round, judged. `rejected` are the lines of which something is, `completes` whether nothing
    would wait any more.

    Raises ValidationError at "criterion_<id>" where one failed without anything rejected, or was never examined.
    """
    criteria = AgreedCriterion.objects.filter(order=order, stage=Stage.ACCEPTANCE)
    made = [Finding(criterion=one, value=value, passed=passed) for one, value, passed in judged(criteria, findings)]
    unnamed = _("“%(title)s” failed: say what is rejected, and why.")
    errors = {one.criterion: unnamed for one in made if not one.passed and not _rejects(one.criterion, rejected)}
    if completes:
        examined = {one.criterion_id for one in made}
        missing = _("“%(title)s” has not passed yet: examine it.")
        errors |= {one: missing for one in open_criteria(order) if one.pk not in examined}
    if errors:
        raise ValidationError({f"criterion_{one.pk}": text % {"title": one.title} for one, text in errors.items()})
    return made


def judged(
    criteria: Iterable[AgreedCriterion], findings: Sequence[Found]
) -> list[tuple[AgreedCriterion, Decimal | None, bool]]:
    """Criterion, value and whether it passed, where something was found; a value is judged by the tolerance, whatever
    else was said. Raises ValidationError for a criterion that is none of these."""
    known = {one.pk: one for one in criteria}
    if any(given.criterion_id not in known for given in findings):
        raise ValidationError(_("A criterion does not belong to this order."))
    made = []
    for given in findings:
        criterion = known[given.criterion_id]
        value, passed = (given.value, None) if criterion.is_measured else (None, given.passed)
        if value is not None:
            passed = criterion.passes(value)
        if passed is not None:
            made.append((criterion, value, passed))
    return made


def _rejects(criterion: AgreedCriterion, rejected: set[int]) -> bool:
    """Whether what a failed criterion is about has something rejected."""
    return criterion.order_line_id in rejected if criterion.order_line_id else bool(rejected)


def keep_findings(acceptance: Acceptance, findings: Sequence[Finding]) -> None:
    """Writes what a round found; its criteria were checked before."""
    for one in findings:
        one.acceptance = acceptance
    Finding.objects.bulk_create(findings)
