"""What every verb on an order shares: lock, check, step, version."""

from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet, Subquery
from django.utils import timezone

from ordermgmt.activity.events import EventType
from ordermgmt.activity.services import record, snapshot
from ordermgmt.lib.conflict import StaleVersion
from ordermgmt.lib.fsm import Blocker, TransitionRefused, check_transition
from orders.models import Order, OrderStep, OrderVersion, content_hash, order_content

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


def locked(order: Order, *, version: int | None = None) -> Order:
    """The order's row under lock, fresh. Raises StaleVersion when `version` is given and is not the present one."""
    fresh = Order.objects.locked(order.pk)
    if version is not None and fresh.version != version:
        raise StaleVersion(fresh)
    fresh.as_locked = snapshot(fresh)
    return fresh


def save_noted(order: Order, event: EventType, *, actor: "User", **data: Any) -> Order:
    """Saves a locked order under the next version and records what differs from the row as it was locked (A3)."""
    order.version += 1
    order.save()
    after = snapshot(order)
    record(event, order, actor=actor, before=order.as_locked, after=after, **data)
    order.as_locked = after
    return order


def keep_version(order: Order, *, actor: "User") -> OrderVersion:
    """Keeps the agreed content under the present version number; the same version twice is kept once."""
    content = order_content(order)
    kept, _made = OrderVersion.objects.get_or_create(
        order=order,
        version=order.version,
        defaults={"content": content, "content_hash": content_hash(content), "actor": actor},
    )
    return kept


def agreed_versions(order: Order) -> QuerySet[OrderVersion]:
    """What was agreed at placing, and each version that a change made of it, in turn. Quotations before it are none."""
    placed = order.versions.exclude(version__in=order.amendments.values("version")).order_by("-version")
    return order.versions.filter(version__gte=Subquery(placed.values("version")[:1])).order_by("version")


def step(
    order: Order,
    name: str,
    event: EventType,
    *,
    actor: "User",
    check: bool = True,
    completed_by: "User | None" = None,
    **data: Any,
) -> Order:
    """Takes one transition of a locked order: check, move, save, keep the step, record the event.

    Raises TransitionRefused or PermissionDenied, and then nothing is written.
    """
    method = getattr(order, name)
    if check:
        check_transition(method, actor)
    source = order.state
    if completed_by is not None:
        order.completed_by = completed_by
    method()
    save_noted(order, event, actor=actor, **data)
    OrderStep.objects.create(order=order, source=source, target=order.state, at=timezone.now(), actor=actor)
    return order


def refuse(sentence: str, link: str = "", label: str = "") -> TransitionRefused:
    """A refusal with one reason."""
    return TransitionRefused([Blocker(sentence, link, label)])
