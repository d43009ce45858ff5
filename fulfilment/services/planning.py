"""The plan of an order: milestones are added, changed, moved, reached and removed under the order's lock.

A plan has no circle. A date that breaks a dependency or the promised date is saved only `anyway`, by somebody who read
what it breaks.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from fulfilment import events
from fulfilment.models import Milestone, MilestoneLink
from ordermgmt.accounts.services import require
from ordermgmt.activity.events import EventType
from ordermgmt.activity.services import record, snapshot
from ordermgmt.company.services import business_today
from ordermgmt.lib.conflict import check_version
from ordermgmt.lib.days import check_days
from ordermgmt.lib.fsm import Blocker, TransitionRefused
from orders.models import Order
from orders.services import locked

from .booking import drop_milestone, release_order
from .laying import lock_centres
from .moving import follow_milestone, move_conflicts, moved_work
from .untied import follow_material, waiting_conflicts, waiting_hours
from .workdays import workdays

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

    from .late import MovedStep

_PLAN = "fulfilment.plan_order"


def plan_blocked(order: Order) -> list[Blocker]:
    """Why the order's plan can't be changed; empty when it can."""
    if order.state in (Order.State.SETTLED, Order.State.CANCELLED):
        return [Blocker(_("The plan of a finished order stays as it is."))]
    return []


@transaction.atomic
def add_milestone(order: Order, *, actor: "User", before: Sequence[Milestone] = (), **fields: Any) -> Milestone:
    """Plans a step: `code`, `name`, `kind`, `owner`, `weight`, `start`, `forecast`. Its first date is its baseline.

    Raises PermissionDenied, TransitionRefused (a finished order), ValidationError.
    """
    require(actor, _PLAN)
    order = _open(locked(order))
    milestone = Milestone(order=order, **fields)
    milestone.baseline = milestone.forecast
    _check(milestone)
    milestone.save()
    _link(milestone, before)
    return _noted(milestone, events.MILESTONE_ADDED, actor)


@transaction.atomic
def change_milestone(
    milestone: Milestone, *, actor: "User", before: Sequence[Milestone] = (), version: int | None = None, **fields: Any
) -> Milestone:
    """Changes `code`, `name`, `kind`, `owner`, `weight` and what comes before; dates are moved by their own verb.

    Raises PermissionDenied, TransitionRefused (a finished order), StaleVersion where it is not at `version` any more,
    ValidationError (a circle, a code twice).
    """
    require(actor, _PLAN)
    milestone, was = _locked(milestone, version)
    for name, value in fields.items():
        setattr(milestone, name, value)
    _check(milestone)
    milestone.save()
    _link(milestone, before)
    return _noted(milestone, events.MILESTONE_CHANGED, actor, was)


@transaction.atomic
def move_milestone(
    milestone: Milestone, *, forecast: dt.date, start: dt.date | None = None, reason: str, anyway: bool = False,
    follow: bool = False, actor: "User",
) -> Milestone:  # fmt: skip
    """Expects it on another day; the baseline stays. With `follow` what builds on it moves by as many working days.

    Raises PermissionDenied, TransitionRefused (reached, a finished order), ValidationError (dates out of order; what
    the move breaks, unless `anyway`).
    """
    require(actor, _PLAN)
    milestone, was = _locked(milestone)
    if milestone.actual:
        raise TransitionRefused([Blocker(_("It is reached: its dates stay."))])
    milestone.start, milestone.forecast = start, forecast
    milestone.baseline = milestone.baseline or forecast
    along = following(milestone) if follow else []
    for one in (milestone, *along):
        _check(one)
    broken = move_breaks(milestone, along)
    if broken and not anyway:
        raise ValidationError(broken)
    rows = Milestone.objects.in_bulk([one.pk for one in along])
    moved = [(milestone, was), *((one, snapshot(rows[one.pk])) for one in along)]
    _save_moved(milestone.order, moved, reason=reason, overload=reason if anyway else "", actor=actor)
    return milestone


@transaction.atomic
def move_steps(order: Order, steps: "Sequence[MovedStep]", *, reason: str, actor: "User") -> None:
    """Moves several in spite of what they break, the first because material is late: for it wait the hours that are
    booked for none, which follow after all.

    Raises PermissionDenied, TransitionRefused (a finished order), ValidationError (dates out of order).
    """
    require(actor, _PLAN)
    moved = []
    for step in steps:
        one, was = _locked(step.milestone)
        one.start, one.forecast = step.start, step.forecast
        one.baseline = one.baseline or step.forecast
        _check(one)
        moved.append((one, was))
    waits_for = moved[0][0].pk if moved else None
    _save_moved(order, moved, reason=reason, overload=reason, actor=actor, waits_for=waits_for)


def _save_moved(
    order: Order, moved: Sequence[tuple[Milestone, dict[str, Any]]], *, reason: str, overload: str, actor: "User",
    waits_for: int | None = None,
) -> None:  # fmt: skip
    """Writes moved milestones with what they were, and what is booked follows; `overload`: why above capacity too."""
    waiting = waiting_hours(order, {one.pk: one for one, _was in moved}, waits_for)
    works = {one.pk: moved_work(one) for one, _was in moved}
    lock_centres(work.centre for work in chain(*works.values(), waiting.works if waiting else ()))
    for one, was in moved:
        one.save()
        follow_milestone(one, works[one.pk], reason=overload, actor=actor)
        _noted(one, events.MILESTONE_MOVED, actor, was, reason=reason)
    follow_material(order, waiting, reason=overload, actor=actor)


@transaction.atomic
def reach_milestone(milestone: Milestone, *, actual: dt.date, actor: "User") -> Milestone:
    """Reports it as reached: whoever plans the order, or its owner. A second time changes nothing.

    Raises PermissionDenied, TransitionRefused (something before it is open), ValidationError (a day ahead).
    """
    require(actor, "fulfilment.report_milestone")
    milestone, was = _locked(milestone)
    if milestone.owner_id != actor.pk and not actor.has_perm(_PLAN):
        raise PermissionDenied
    if milestone.actual:
        return milestone
    if found := reach_blocked(milestone):
        raise TransitionRefused(found)
    if actual > business_today() or actual < milestone.order.order_date:
        raise ValidationError({"actual": _("The day lies between the order date and today.")})
    milestone.actual = actual
    milestone.save()
    release_order(milestone.order, actor=actor, milestone=milestone)
    return _noted(milestone, events.MILESTONE_REACHED, actor, was)


@transaction.atomic
def reopen_milestone(milestone: Milestone, *, reason: str, actor: "User") -> Milestone:
    """Takes “reached” back. Raises PermissionDenied, TransitionRefused (not reached, something after it is)."""
    require(actor, _PLAN)
    milestone, was = _locked(milestone)
    later = milestone.after.filter(actual__isnull=False).first()
    if later is not None:
        raise TransitionRefused([Blocker(_("“%(name)s” comes after it and is reached.") % {"name": later})])
    if milestone.actual is None:
        raise TransitionRefused([Blocker(_("It is not reached."))])
    milestone.actual = None
    milestone.save()
    return _noted(milestone, events.MILESTONE_REOPENED, actor, was, reason=reason)


@transaction.atomic
def remove_milestone(milestone: Milestone, *, actor: "User") -> Milestone:
    """Takes an open one out of the plan. Raises PermissionDenied, TransitionRefused (reached, a finished order)."""
    require(actor, _PLAN)
    milestone, was = _locked(milestone)
    if milestone.actual:
        raise TransitionRefused([Blocker(_("What was reached stays in the plan."))])
    drop_milestone(milestone, actor=actor)
    _noted(milestone, events.MILESTONE_REMOVED, actor, was)
    milestone.delete()
    return milestone


@transaction.atomic
def follow_promise(order: Order, *, days: int, reason: str, actor: "User") -> list[Milestone]:
    """Moves what is planned of delivery and acceptance by as many days as the promise moved; baselines stay.

    Called where the new promise was approved; asks for no right of its own.
    """
    order = locked(order)
    kinds = (Milestone.Kind.DELIVERY, Milestone.Kind.ACCEPTANCE)
    rows = Milestone.objects.open().filter(order=order, kind__in=kinds, forecast__isnull=False)
    moved = []
    for one in rows.select_for_update(no_key=True).order_by("pk"):
        was, one.order = snapshot(one), order
        shift = dt.timedelta(days=days)
        one.start = one.start + shift if one.start else None
        one.forecast = max(one.forecast + shift, order.order_date) if one.forecast else None
        if one.start and one.start < order.order_date:
            one.start = None
        one.version += 1
        moved.append((one, was))
    _save_moved(order, moved, reason=reason, overload=reason, actor=actor)
    return [one for one, _was in moved]


def reach_blocked(milestone: Milestone) -> list[Blocker]:
    """What comes first and is still open, one sentence for each."""
    waiting = milestone.before.filter(actual=None).order_by("pk")
    return [Blocker(_("“%(name)s” comes first and is not reached.") % {"name": one}) for one in waiting]


def following(milestone: Milestone) -> list[Milestone]:
    """What builds on a moved (unsaved) milestone over all steps and is open, with its days moved (unsaved) by as many
    working days."""
    stored = Milestone.objects.get(pk=milestone.pk)
    if stored.forecast is None or milestone.forecast is None:
        return []
    calendar = workdays()
    by = calendar.between(stored.forecast, milestone.forecast)
    then: dict[int, set[int]] = {}
    for first, after in MilestoneLink.objects.filter(after__order=milestone.order_id).values_list("before", "after"):
        then.setdefault(first, set()).add(after)
    found: set[int] = set()
    waiting = [milestone.pk] if by else []
    while waiting:
        new = then.get(waiting.pop(), set()) - found
        found |= new
        waiting += new
    rows = list(Milestone.objects.open().filter(pk__in=found - {milestone.pk}, forecast__isnull=False).order_by("pk"))
    for one in rows:
        one.order = milestone.order
        one.start = calendar.shifted(one.start, by) if one.start else None
        one.forecast = calendar.shifted(one.forecast, by) if one.forecast else None
    return rows


def move_breaks(milestone: Milestone, along: Sequence[Milestone] = ()) -> list[str]:
    """What a move (unsaved) of a milestone and what follows it breaks, each sentence once."""
    moved = {one.pk: one for one in (milestone, *along)}
    found = [sentence for one in moved.values() for sentence in plan_conflicts(one, moved)]
    return list(dict.fromkeys(found + waiting_conflicts(waiting_hours(milestone.order, moved))))


def broken_steps(
    milestones: Iterable[Milestone], links: Iterable[MilestoneLink], promised: dt.date | None
) -> dict[int, list[str]]:
    """By milestone that is open: what its dates break now, between the steps and with the promised date."""
    steps = {one.pk: one for one in milestones}
    found: dict[int, list[str]] = {}
    for link in links:
        first, then = steps[link.before_id], steps[link.after_id]
        begins = then.start or then.forecast
        if then.actual is None and begins and first.due and first.due > begins:
            found.setdefault(then.pk, []).append(_out_of_turn(first, first.due, then, begins))
    for one in steps.values():
        if one.actual is None and promised and one.forecast and one.forecast > promised:
            found.setdefault(one.pk, []).append(_after_promise(one, one.forecast, promised))
    return found


def _out_of_turn(first: Milestone, due: dt.date, then: Milestone, begins: dt.date) -> str:
    text = _("“%(then)s” begins on %(begins)s, before “%(first)s”, which comes first, on %(day)s.")
    return text % {"then": then, "begins": _shown(begins), "first": first, "day": _shown(due)}


def _after_promise(one: Milestone, ends: dt.date, promised: dt.date) -> str:
    days = (ends - promised).days
    text = ngettext(
        "“%(name)s” comes %(days)s day after the date promised to the customer, %(day)s.",
        "“%(name)s” comes %(days)s days after the date promised to the customer, %(day)s.",
        days,
    )
    return text % {"name": one, "days": days, "day": _shown(promised)}


def plan_conflicts(milestone: Milestone, moved: Mapping[int, Milestone] | None = None) -> list[str]:
    """What the milestone's dates break: a sentence per dependency, per full work centre, and for the promised date.

    `moved` are those that move with it, with their dates as they will be.
    """
    known = moved or {}
    begins, ends = milestone.start or milestone.forecast, milestone.forecast
    if begins is None or ends is None:
        return []
    first = [known.get(one.pk, one) for one in milestone.before.order_by("pk")]
    then = [known.get(one.pk, one) for one in milestone.after.filter(actual=None).order_by("pk")]
    found = [_out_of_turn(one, due, milestone, begins) for one in first if (due := one.due) and due > begins]
    found += [
        _out_of_turn(milestone, ends, one, due)
        for one in then
        if one.pk not in known and (due := one.start or one.forecast) and due < ends
    ]
    found += move_conflicts(milestone)
    promised = milestone.order.promised_date
    if promised and ends > promised:
        found.append(_after_promise(milestone, ends, promised))
    return found


def check_no_circle(order: Order) -> None:
    """Raises ValidationError where milestones of the order wait, over however many steps, for themselves."""
    if waiting := circles(MilestoneLink.objects.filter(after__order=order).values_list("before_id", "after_id")):
        names = Milestone.objects.filter(pk__in=waiting).order_by("pk").values_list("code", flat=True)
        text = _("The plan would run in a circle: %(codes)s.")
        raise ValidationError({"before": text % {"codes": ", ".join(names[:10])}})


def circles(links: Iterable[tuple[int, int]]) -> set[int]:
    """The milestones that can never be reached first, nor after those that can; empty when there is no circle."""
    waiting: dict[int, set[int]] = {}
    for first, then in links:
        waiting.setdefault(then, set()).add(first)
    while free := {pk for firsts in waiting.values() for pk in firsts if pk not in waiting}:
        waiting = {then: left for then, firsts in waiting.items() if (left := firsts - free)}
    return set(waiting)


def _shown(day: dt.date) -> str:
    return formats.date_format(day, "SHORT_DATE_FORMAT")


def _open(order: Order) -> Order:
    if found := plan_blocked(order):
        raise TransitionRefused(found)
    return order


def _locked(milestone: Milestone, version: int | None = None) -> tuple[Milestone, dict[str, Any]]:
    """The row as it stands, after its order: the order comes first for everybody who touches both.

    What is saved of it is its next version. Raises StaleVersion where it is not at `version`.
    """
    order = _open(locked(milestone.order))
    row = Milestone.objects.select_for_update(no_key=True).get(pk=milestone.pk)
    check_version(row, version)
    row.order = order
    was = snapshot(row)
    row.version += 1
    return row, was


def _check(milestone: Milestone) -> None:
    milestone.full_clean(exclude=["owner"])
    check_days(start=milestone.start, forecast=milestone.forecast)
    ordered = milestone.order.order_date
    if any(day and day < ordered for day in (milestone.start, milestone.forecast)):
        raise ValidationError(_("The date lies before the order date, %(day)s.") % {"day": _shown(ordered)})


def _link(milestone: Milestone, before: Sequence[Milestone]) -> None:
    if any(one.order_id != milestone.order_id for one in before):
        raise ValidationError({"before": _("Only milestones of the same order come first.")})
    if milestone in before:
        raise ValidationError({"before": _("A milestone can't wait for itself: that is a circle.")})
    MilestoneLink.objects.filter(after=milestone).exclude(before__in=before).delete()
    known = set(MilestoneLink.objects.filter(after=milestone).values_list("before_id", flat=True))
    MilestoneLink.objects.bulk_create(
        [MilestoneLink(before=one, after=milestone) for one in before if one.pk not in known]
    )
    check_no_circle(milestone.order)


def _noted(
    milestone: Milestone, event: EventType, actor: "User", was: dict[str, Any] | None = None, **data: Any
) -> Milestone:
    record(
        event, milestone, root=milestone.order, actor=actor, before=was, after=snapshot(milestone), code=milestone.code,
        name=milestone.name, forecast=str(milestone.forecast or "–"), actual=str(milestone.actual or ""),
        owner_id=milestone.owner_id, **data,
    )  # fmt: skip
    return milestone
