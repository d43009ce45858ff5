"""`record()`: the one way a fact enters timeline, audit and outbox."""

from collections.abc import Callable, Iterable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction

from ordermgmt.activity.events import EventType, by_name, nobody
from ordermgmt.activity.models import Delivery, Event

from .nudging import nudge_after_commit
from .subscribing import subscriptions

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


@dataclass(frozen=True)
class Origin:
    """Where a write comes from: the request's id and its kind (page, task, import, command, api)."""

    request_id: str = ""
    source: str = "command"


origin: ContextVar[Origin] = ContextVar("origin", default=Origin())  # noqa: B039  # frozen, so safe to share


def type_of(instance: models.Model) -> str:
    """The name under which events point to a model, e.g. "orders.order"."""
    return instance._meta.label_lower


def snapshot(instance: models.Model, *fields: str) -> dict[str, Any]:
    """The stored values of `instance` (all concrete fields, or the named ones) as JSON-ready data, without secrets."""
    chosen = [field for field in instance._meta.concrete_fields if not fields or field.name in fields]
    values = {field.name: getattr(instance, field.attname) for field in chosen if field.name not in SECRET}
    encoder = DjangoJSONEncoder()
    return {
        name: value if isinstance(value, str | int | bool | list | dict | type(None)) else encoder.default(value)
        for name, value in values.items()
    }


NOTIFY = "notify"
DELIVER = "activity.deliver"
SECRET = {"password", "secret", "token", "key_hash"}


def changed(before: dict[str, Any], after: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The parts of two snapshots that differ."""
    keys = [key for key in after if before.get(key) != after[key]]
    return {key: before.get(key) for key in keys}, {key: after[key] for key in keys}


def record(
    event_type: EventType,
    subject: models.Model,
    *,
    root: models.Model | None = None,
    actor: "User | None",
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    **data: Any,
) -> Event:
    """Writes one event about `subject`, shown on the timeline of `root` (default: the subject itself).

    Must run inside a transaction, so that fact and deed stand or fall together: raises RuntimeError otherwise,
    KeyError for an event type that is not registered, and ValueError for the values of another row (A3: replaying the
    events of a row gives the row).
    """
    event = _event(event_type, subject, root=root, actor=actor, before=before, after=after, data=data)
    event.save(force_insert=True)
    _lay_out([event], event_type)
    return event


def record_all(
    event_type: EventType,
    facts: Iterable[tuple[models.Model, dict[str, Any]]],
    *,
    root_of: Callable[[Any], models.Model] | None = None,
    actor: "User | None",
) -> None:
    """As `record` for many subjects of one deed, each with its data, in a fixed number of statements."""
    made = [
        _event(event_type, subject, root=root_of(subject) if root_of else None, actor=actor, data=data)
        for subject, data in facts
    ]
    Event.objects.bulk_create(made)
    _lay_out(made, event_type)


def _event(
    event_type: EventType,
    subject: models.Model,
    *,
    root: models.Model | None,
    actor: "User | None",
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    data: dict[str, Any],
) -> Event:
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("record() needs a transaction: the fact must stand or fall with the deed")
    by_name(event_type.name)
    if after and after.get("id", subject.pk) != subject.pk:
        raise ValueError(f"{event_type.name}: the values of row {after['id']} are not those of {subject!r}")
    if before is not None and after is not None:
        before, after = changed(before, after)
    root = root or subject
    where = origin.get()
    return Event(
        type=event_type.name,
        subject_type=type_of(subject),
        subject_id=subject.pk,
        root_type=type_of(root),
        root_id=root.pk,
        actor=actor,
        request_id=where.request_id,
        source=where.source,
        before=before,
        after=after,
        data=data,
    )


def _lay_out(events: Sequence[Event], event_type: EventType) -> None:
    """The outbox: one delivery for the audience and one per subscriber, in the events' own transaction.

    The invented past of the demo company is no news: nobody is told of it.
    """
    news = [event for event in events if event.source != "demo"]
    if not news:
        return
    effects = [subscription.name for subscription in subscriptions(event_type.name)]
    if event_type.audience is not nobody:
        effects.append(NOTIFY)
    if not effects:
        return
    made = Delivery.objects.bulk_create([Delivery(event=event, effect=effect) for event in news for effect in effects])
    for delivery in made:
        nudge_after_commit(DELIVER, delivery.pk)
