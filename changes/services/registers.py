"""Registers over all changes that one sees: by reason, days per state, value per order and customer."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Q, QuerySet, Sum
from django.utils import timezone

from changes.models import ChangeReason, ChangeRequest
from ordermgmt.activity.models import Event

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

#: The events that say when a request came into a state.
_STEPS = {
    "changes.raised": "draft", "changes.submitted": "submitted", "changes.assessed": "assessed",
    "changes.approved": "approved", "changes.applied": "applied", "changes.refused": "refused",
    "changes.withdrawn": "withdrawn", "changes.taken_back": "draft", "changes.sent_back": "assessed",
}  # fmt: skip
#: States in which nothing more is waited for.
_ENDS = {"applied", "refused", "withdrawn"}
_MOST = 5000
#: So many orders and customers are named; the template says it.
_NAMED = 50


@dataclass
class Stay:
    """How long requests stayed in one state, until now where they are still in it: how often, and days on average."""

    state: str
    label: str
    count: int
    days: Decimal


def by_reason(rows: QuerySet[ChangeRequest]) -> list[dict[str, Any]]:
    """Per reason: how many, how many of them applied, the newest reason names in the reader's language."""
    counted = rows.order_by().values("reason").annotate(all=Count("pk"), applied=Count("pk", filter=Q(state="applied")))
    names = {one.pk: str(one) for one in ChangeReason.objects.all()}
    found = [one | {"name": names[one["reason"]]} for one in counted]
    return sorted(found, key=lambda one: (-one["all"], one["name"]))


def by_order(rows: QuerySet[ChangeRequest]) -> list[dict[str, Any]]:
    """Applied changes per order, in its currency; the most first."""
    return _summed(rows, "order__number", "order__customer_name", "order__currency")


def by_customer(rows: QuerySet[ChangeRequest]) -> list[dict[str, Any]]:
    """Applied changes per customer and currency: never one total over several currencies."""
    return _summed(rows, "order__customer__number", "order__customer_name", "order__currency")


def _summed(rows: QuerySet[ChangeRequest], *names: str) -> list[dict[str, Any]]:
    applied = rows.filter(state="applied").order_by().values(*names)
    summed = applied.annotate(count=Count("pk"), net=Sum("net_change")).order_by("-count", *names)
    return [
        {
            "key": one[names[0]],
            "name": one[names[1]],
            "currency": one[names[2]],
            "count": one["count"],
            "net": one["net"],
        }
        for one in summed[:_NAMED]
    ]


def stays(rows: QuerySet[ChangeRequest]) -> list[Stay]:
    """Days in each state, from the events of the newest requests."""
    keys = list(rows.order_by("-pk").values_list("pk", flat=True)[:_MOST])
    events = Event.objects.filter(subject_type="changes.changerequest", subject_id__in=keys, type__in=_STEPS)
    seconds: dict[str, list[int]] = {}
    last: dict[int, tuple[str, Any]] = {}
    for key, kind, at in events.order_by("subject_id", "pk").values_list("subject_id", "type", "at"):
        if key is None:
            continue
        state, since = last.get(key, ("", at))
        if state == _STEPS[kind]:  # judged once more
            continue
        if state:
            seconds.setdefault(state, []).append(int((at - since).total_seconds()))
        last[key] = (_STEPS[kind], at)
    now = timezone.now()
    for state, since in last.values():
        if state not in _ENDS:
            seconds.setdefault(state, []).append(int((now - since).total_seconds()))
    return [_stay(state, seconds[state]) for state in ChangeRequest.State.values if state in seconds]


def _stay(state: str, spent: Iterable[int]) -> Stay:
    values = list(spent)
    days = Decimal(sum(values)) / len(values) / 86_400
    return Stay(state, str(ChangeRequest.State(state).label), len(values), days.quantize(Decimal("0.1")))


def register_of(user: "User") -> dict[str, Any]:
    """All registers for one reader; a fixed number of queries."""
    rows = ChangeRequest.objects.visible_to(user).exclude(state="draft")
    return {"reasons": by_reason(rows), "stays": stays(rows), "orders": by_order(rows), "customers": by_customer(rows)}
