"""What the verbs on change requests share. The order's row is locked first, then the request's."""

from typing import TYPE_CHECKING, Any

from django.utils import timezone

from changes.models import ChangeRequest
from ordermgmt.activity.events import EventType
from ordermgmt.activity.services import record, snapshot
from ordermgmt.lib.conflict import check_version
from ordermgmt.lib.fsm import Blocker, TransitionRefused, check_transition
from orders.models import Order
from orders.services import locked as locked_order
from orders.services import note_changes

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


def refuse(sentence: str, link: str = "", label: str = "") -> TransitionRefused:
    """A refusal with one reason."""
    return TransitionRefused([Blocker(sentence, link, label)])


def locked(change: ChangeRequest, *, version: int | None = None) -> tuple[ChangeRequest, Order]:
    """The request and before it its order under lock, fresh. Raises StaleVersion for another version of the request."""
    order = locked_order(change.order)
    fresh = ChangeRequest.objects.locked(change.pk)
    fresh.order = order
    check_version(fresh, version)
    fresh.as_locked = snapshot(fresh)
    return fresh, order


def step(change: ChangeRequest, name: str, event: EventType, *, actor: "User", **data: Any) -> ChangeRequest:
    """Takes one transition of a locked request: state first, then right; saves, hands the counters down, records.

    Raises TransitionRefused or PermissionDenied, and then nothing is written.
    """
    method = getattr(change, name)
    check_transition(method, actor)
    method()
    change.changed_at = timezone.now()
    return save_noted(change, event, actor=actor, **data)


def save_noted(change: ChangeRequest, event: EventType, *, actor: "User", **data: Any) -> ChangeRequest:
    """Saves a locked request under its next version, hands down how many are open, and records what differs."""
    change.version += 1
    change.save()
    count_changes(change.order, actor=actor)
    after = snapshot(change)
    record(
        event, change, root=change.order, actor=actor, before=change.as_locked, after=after, number=change.number,
        **data,
    )  # fmt: skip
    change.as_locked = after
    return change


def count_changes(order: Order, *, actor: "User") -> None:
    """Hands the number of open and of approved requests down to the order, where it differs."""
    requests = ChangeRequest.objects.filter(order=order)
    counts = {"open_changes": requests.open().count(), "pending_changes": requests.pending().count()}
    if (order.open_changes, order.pending_changes) != (counts["open_changes"], counts["pending_changes"]):
        note_changes(order, actor=actor, **counts)
        order.open_changes, order.pending_changes = counts["open_changes"], counts["pending_changes"]
