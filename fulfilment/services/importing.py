"""A plan from another system, as it stands there: with its baseline and what was reached."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from django.db import transaction

from fulfilment import events
from fulfilment.models import Milestone, MilestoneLink
from ordermgmt.activity.services import record, snapshot
from ordermgmt.lib.days import check_days
from ordermgmt.lib.rows import write_columns
from orders.models import Order
from orders.services import locked

from .planning import check_no_circle

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


_DAYS = ("start", "baseline", "forecast", "actual")


@dataclass(frozen=True)
class Step:
    """One milestone of the source."""

    code: str
    name: str
    start: dt.date | None = None
    baseline: dt.date | None = None
    forecast: dt.date | None = None
    actual: dt.date | None = None


@transaction.atomic
def import_plan(
    order: Order, steps: Sequence[Step], links: Sequence[tuple[str, str]], *, actor: "User"
) -> tuple[int, int]:
    """Takes the milestones and who waits for whom (codes: first, then); gives how many are new and changed.

    What is in the plan by its code is brought up to date, except for its baseline; the same again changes nothing.
    Raises ValidationError (a circle, dates out of order), and then nothing is written.
    """
    order = locked(order)
    present = {one.code: one for one in Milestone.objects.filter(order=order)}
    new = [Milestone(order=order, **asdict(one)) for one in steps if one.code not in present]
    changed = [kept for one in steps if (kept := present.get(one.code)) and _updated(kept, one)]
    for milestone in [*new, *changed]:
        milestone.full_clean(exclude=["order", "owner"], validate_unique=False)
        check_days(**{name: getattr(milestone, name) for name in _DAYS})
    made = {one.code: one for one in Milestone.objects.bulk_create(new)}
    new_links = _link(order, present | made, links)
    # A page that was opened before knows neither the dates nor whom a milestone waits for now: what it sends is stale.
    known = {one.pk: one for one in present.values()}
    waits = [known[one.after_id] for one in new_links if one.after_id in known]
    touched = {one.pk: one for one in [*changed, *waits]}
    was = {pk: snapshot(one) for pk, one in Milestone.objects.in_bulk(list(touched)).items()}
    for one in touched.values():
        one.version += 1
    write_columns(list(touched.values()), ["name", "start", "baseline", "forecast", "actual", "version"])
    for one in touched.values():
        record(
            events.MILESTONE_CHANGED, one, root=order, actor=actor, before=was[one.pk], after=snapshot(one),
            code=one.code, name=one.name, owner_id=one.owner_id,
        )  # fmt: skip
    if new or changed or new_links:
        record(events.PLAN_IMPORTED, order, actor=actor, made=len(new), changed=len(changed))
    return len(new), len(changed)


def _updated(kept: Milestone, step: Step) -> bool:
    """Brings a milestone up to date; whether that changed anything."""
    values = asdict(step) | {"baseline": kept.baseline or step.baseline}
    different = {name: value for name, value in values.items() if getattr(kept, name) != value}
    for name, value in different.items():
        setattr(kept, name, value)
    return bool(different)


def _link(order: Order, milestones: dict[str, Milestone], links: Sequence[tuple[str, str]]) -> list[MilestoneLink]:
    """Makes the links that are missing, and gives them."""
    known = set(MilestoneLink.objects.filter(after__order=order).values_list("before_id", "after_id"))
    pairs = {(milestones[first], milestones[then]) for first, then in links}
    new = [MilestoneLink(before=a, after=b) for a, b in pairs if (a.pk, b.pk) not in known]
    MilestoneLink.objects.bulk_create(new)
    check_no_circle(order)
    return new
