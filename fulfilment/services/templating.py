"""Plan templates: kept with their steps, and laid on an order as milestones with dates and dependencies."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from fulfilment import events
from fulfilment.models import Milestone, PlanStep, PlanStepLink, PlanTemplate
from ordermgmt.accounts.services import require
from ordermgmt.activity.services import record, snapshot
from ordermgmt.lib.conflict import StaleVersion
from ordermgmt.lib.days import check_days
from ordermgmt.lib.fsm import TransitionRefused
from orders.models import Order
from orders.services import locked

from .capacity import day_text
from .planning import add_milestone, circles, plan_blocked
from .workdays import workdays

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

_MOST = 100


@dataclass(frozen=True)
class TemplateStep:
    """One step as it is typed: `after` are the codes of what comes first."""

    code: str
    name: str
    kind: str = Milestone.Kind.WORK
    days: int = 0
    weight: int = 1
    after: tuple[str, ...] = ()


@transaction.atomic
def save_plan_template(
    template: PlanTemplate | None, *, steps: Sequence[TemplateStep], version: int | None = None, actor: "User",
    **fields: Any,
) -> PlanTemplate:  # fmt: skip
    """Makes or changes a template; orders it was laid on keep their plans.

    Raises PermissionDenied, StaleVersion, ValidationError (no steps, a code twice, a circle, values out of bounds).
    """
    require(actor, "fulfilment.set_plans")
    row = PlanTemplate.objects.select_for_update(no_key=True).get(pk=template.pk) if template else PlanTemplate()
    if template and version is not None and row.version != version:
        raise StaleVersion(row)
    was = snapshot(row) | {"steps": _told(row)} if template else None
    for name, value in fields.items():
        setattr(row, name, value)
    row.full_clean()
    _check(steps)
    row.version += 1 if template else 0
    row.save()
    row.steps.all().delete()
    made = {}
    for place, one in enumerate(steps):
        step = PlanStep(
            template=row, position=place, code=one.code, name=one.name, kind=one.kind, days=one.days, weight=one.weight
        )
        try:
            step.full_clean()
        except ValidationError as error:
            raise ValidationError({"steps": [f"{one.code}: {text}" for text in error.messages]}) from None
        step.save()
        made[one.code] = step
    PlanStepLink.objects.bulk_create(
        [PlanStepLink(before=made[first], after=made[one.code]) for one in steps for first in one.after]
    )
    after = snapshot(row) | {"steps": _told(row)}
    record(events.PLAN_TEMPLATE_SAVED, row, actor=actor, before=was, after=after, name=row.name)
    return row


@transaction.atomic
def apply_plan(
    order: Order, *, template: PlanTemplate, first: dt.date, owner: "User | None" = None, code_prefix: str = "",
    anyway: bool = False, actor: "User",
) -> Order:  # fmt: skip
    """Lays a template on an order from its first day on; what it makes stands beside what is planned already.

    Raises PermissionDenied, TransitionRefused (a finished order), ValidationError (a day before the order, codes that
    are taken, an end after the promised date, unless `anyway`).
    """
    require(actor, "fulfilment.plan_order")
    order = locked(order)
    if found := plan_blocked(order):
        raise TransitionRefused(found)
    if first < order.order_date:
        text = _("The date lies before the order date, %(day)s.")
        raise ValidationError({"first": text % {"day": day_text(order.order_date)}})
    check_days(first=first)
    steps = list(template.steps.prefetch_related("links_before"))
    codes = {step.pk: f"{code_prefix}{step.code}" for step in steps}
    taken = set(Milestone.objects.filter(order=order, code__in=codes.values()).values_list("code", flat=True))
    if taken:
        text = _("The plan has %(codes)s already: give a prefix if it is to stand twice.")
        raise ValidationError({"code_prefix": text % {"codes": ", ".join(sorted(taken)[:5])}})
    dates = template_dates(steps, first)
    end = max((last for _start, last in dates.values()), default=first)
    if order.promised_date and end > order.promised_date and not anyway:
        text = _("The plan would end on %(day)s, %(days)s days after the date promised to the customer.")
        raise ValidationError({"anyway": text % {"day": day_text(end), "days": (end - order.promised_date).days}})
    made: dict[int, Milestone] = {}
    for pk in in_turn(steps):
        step = next(one for one in steps if one.pk == pk)
        made[pk] = add_milestone(
            order, actor=actor, code=codes[pk], name=step.name, kind=step.kind, weight=step.weight, owner=owner,
            start=dates[pk][0], forecast=dates[pk][1], before=[made[one.before_id] for one in step.links_before.all()],
        )  # fmt: skip
    record(events.PLAN_APPLIED, order, actor=actor, name=template.name, count=len(made))
    return order


def in_turn(steps: Sequence[PlanStep]) -> list[int]:
    """The keys of the steps so that what comes first stands first; the links have no circle."""
    waiting = {step.pk: {link.before_id for link in step.links_before.all()} for step in steps}
    done: list[int] = []
    while free := [pk for pk, firsts in waiting.items() if pk not in done and firsts <= set(done)]:
        done += free
    return done


def template_dates(steps: Sequence[PlanStep], first: dt.date) -> dict[int, tuple[dt.date, dt.date]]:
    """(start, planned) of each step (by key): it starts when the last of what comes before is reached. A day on which
    the company does not work is no milestone's: the next working day is."""
    calendar = workdays()
    by_key = {step.pk: step for step in steps}
    found: dict[int, tuple[dt.date, dt.date]] = {}
    for pk in in_turn(steps):
        begins = max((found[link.before_id][1] for link in by_key[pk].links_before.all()), default=first)
        begins = calendar.on_or_after(begins)
        found[pk] = (begins, calendar.on_or_after(begins + dt.timedelta(days=by_key[pk].days)))
    return found


def _told(template: PlanTemplate) -> list[str]:
    return [f"{one.code} {one.name} {one.days} {one.weight}" for one in template.steps.all()] if template.pk else []


def _check(steps: Sequence[TemplateStep]) -> None:
    """Raises ValidationError at "steps": none or too many, a code twice, one that is not there, a circle."""
    codes = [one.code for one in steps]
    if not steps or len(steps) > _MOST:
        raise ValidationError({"steps": _("A template has 1 to %(most)s steps.") % {"most": _MOST}})
    if twice := {code for code in codes if codes.count(code) > 1}:
        raise ValidationError({"steps": _("A code stands twice: %(codes)s.") % {"codes": ", ".join(sorted(twice))}})
    if lost := {first for one in steps for first in one.after} - set(codes):
        text = _("There is no step with the code %(codes)s.")
        raise ValidationError({"steps": text % {"codes": ", ".join(sorted(lost))}})
    places = {code: place for place, code in enumerate(codes)}
    links = [(places[first], places[one.code]) for one in steps for first in one.after]
    if waiting := circles(links) | {first for first, then in links if first == then}:
        text = _("The plan would run in a circle: %(codes)s.")
        raise ValidationError({"steps": text % {"codes": ", ".join(codes[place] for place in sorted(waiting))}})
