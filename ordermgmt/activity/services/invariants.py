"""What must always hold of events, deliveries and jobs (A1 to A5, Q1, Q2, Q5)."""

import datetime as dt
from collections.abc import Iterable, Iterator
from decimal import Decimal, InvalidOperation
from itertools import groupby
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.models import Count, Q
from django.utils import timezone

from ordermgmt.activity import events
from ordermgmt.activity.models import Delivery, Event, Job, Notification
from ordermgmt.lib.database import declared_triggers
from ordermgmt.lib.invariants import invariant

from .recording import SECRET, snapshot


@invariant("A1", "every event says by which way it came, and one of a page has a request id")
def _events_without_origin() -> Iterable[object]:
    return Event.objects.filter(Q(source="") | Q(source="page", request_id=""))


@invariant("A1", "every event is of a type that the code knows")
def _unknown_types() -> Iterable[object]:
    return Event.objects.exclude(type__in=[one.name for one in events.all_types()])


@invariant("A2", "every rule that the migrations gave the database is in force")
def _missing_triggers() -> Iterator[str]:
    names = "SELECT tgname FROM pg_trigger" if connection.vendor == "postgresql" else "SELECT name FROM sqlite_master"
    with connection.cursor() as cursor:
        cursor.execute(names)
        present = {row[0] for row in cursor.fetchall()}
    for name in sorted(declared_triggers()):
        if name not in present:
            yield f"the trigger {name} is missing"


#: Columns that serve the machine: they move with every write, and nobody reads them in the audit.
_TECHNICAL = {"version", "search_text", "changed_at"}


@invariant("A3", "replaying the events of a row gives the row")
def _replay_differs() -> Iterator[str]:
    """For each field, every `before` is the last `after`, and the last `after` is what is stored now."""
    kept = Event.objects.filter(after__isnull=False).order_by("subject_type", "subject_id", "pk")
    for (label, pk), rows in groupby(
        kept.iterator(chunk_size=2000), key=lambda one: (one.subject_type, one.subject_id)
    ):
        values: dict[str, Any] = {}
        for event in rows:
            for key, before in (event.before or {}).items():
                if key in values and key not in _TECHNICAL and not _same(values[key], before):
                    yield f"event {event.pk} ({event.type}): {label} {pk} {key} was {values[key]!r}, not {before!r}"
            values.update(event.after or {})
        yield from _present_differs(label, pk, values)


def _present_differs(label: str, pk: int | None, values: dict[str, Any]) -> Iterator[str]:
    model = apps.get_model(label)
    fields = {field.name for field in model._meta.concrete_fields} & set(values) - _TECHNICAL
    row = model._base_manager.filter(pk=pk).first() if fields else None
    if row is None:
        return  # what was deleted has no present
    now = snapshot(row, *fields)
    for key in sorted(fields):
        if not _same(now.get(key), values[key]):
            yield f"{label} {pk} {key} is {now.get(key)!r}, the last event says {values[key]!r}"


def _same(one: Any, other: Any) -> bool:
    if one == other:
        return True
    try:
        return Decimal(str(one)) == Decimal(str(other))
    except InvalidOperation:
        return False


@invariant("A5", "no event holds a secret")
def _secrets() -> Iterator[str]:
    for event in Event.objects.only("pk", "type", "before", "after", "data").iterator(chunk_size=2000):
        for kept in (event.before, event.after, event.data):
            if found := SECRET & set(kept or ()):
                yield f"event {event.pk} ({event.type}) holds {sorted(found)}"


@invariant("Q1", "no delivery and no job waits for longer than an hour")
def _stuck() -> Iterator[object]:
    limit = timezone.now() - dt.timedelta(seconds=3600 + settings.CLAIM_SECONDS)
    yield from Delivery.objects.unfinished().filter(due_at__lt=limit, nudged_at__lt=limit)
    yield from Job.objects.unfinished().filter(Q(claimed_until=None) | Q(claimed_until__lt=limit), due_at__lt=limit)


@invariant("Q1", "whatever died has an alarm")
def _silent_deaths() -> Iterator[object]:
    alarmed = Event.objects.filter(type=events.DELIVERY_DIED.name).values("subject_id")
    yield from Delivery.objects.failed().exclude(pk__in=alarmed).exclude(event__type=events.DELIVERY_DIED.name)
    alarmed = Event.objects.filter(type=events.JOB_FAILED.name).values("subject_id")
    yield from Job.objects.failed().exclude(pk__in=alarmed)


@invariant("Q2", "an effect happens once for an event, and a person hears of it once")
def _twice() -> Iterator[object]:
    yield from Delivery.objects.values("event", "effect").annotate(times=Count("pk")).filter(times__gt=1)
    yield from Notification.objects.values("user", "event").annotate(times=Count("pk")).filter(times__gt=1)


@invariant("Q5", "a job with a key exists once")
def _double_keys() -> Iterable[object]:
    return Job.objects.exclude(key=None).values("key").annotate(times=Count("pk")).filter(times__gt=1)
