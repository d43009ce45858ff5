"""Former terms of what was agreed anew, released or dated before they were kept, from the versions and the audit.

Read backwards: each change tells what it changed, and what it does not tell was as it was after it.
"""

import datetime as dt
import heapq
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from django.db import migrations

_MOVES = ("billing.retention_released", "billing.defects_dated")
Terms = dict[str, Any]
#: When, of which document, what each instalment was before, and which there were afterwards; by their keys.
Change = tuple[dt.datetime, int, int, dict[int, Terms], set[int]]


def _agreed(apps: Any) -> Iterator[Change]:
    for one in apps.get_model("billing", "Reschedule").objects.order_by("-at", "-pk").iterator():
        before = {row["instalment"]: row for row in one.before if "instalment" in row}
        after = {row["instalment"] for row in one.after if "instalment" in row}
        yield one.at, one.pk, one.invoice_id, before, after


def _moved(apps: Any) -> Iterator[Change]:
    rows = apps.get_model("activity", "Event").objects.filter(type__in=_MOVES).order_by("-at", "-pk")
    issued = apps.get_model("billing", "Instalment").objects.filter(invoice__issued_at__isnull=False)
    for one in rows.iterator():
        found = issued.filter(pk=one.subject_id).values_list("invoice_id", "invoice__issued_at").first()
        if found and found[1] <= one.at:  # what was dated on the plan, nobody owed yet
            yield one.at, one.pk, found[0], {one.subject_id: one.before}, {one.subject_id}


def keep(apps: Any, editor: Any = None) -> None:
    """Writes the terms of the past, and from when the present ones are."""
    seller = apps.get_model("company", "SellerProfile").objects.filter(is_default=True).first()
    known: dict[int, Terms] = {}
    waiting: dict[int, Any] = {}  # former terms whose first day an earlier change may tell
    for at, _pk, invoice, before, after in heapq.merge(_agreed(apps), _moved(apps), key=lambda one: one[:2], reverse=True):
        day = at.astimezone(ZoneInfo(seller.time_zone)).date()
        for key in before.keys() | after:
            _close(apps, waiting.pop(key, None), key, day)
        for key, was in before.items():
            terms = known.setdefault(key, _now(apps, key))
            terms |= {name: was[name] for name in ("amount", "due_date", "kind") if name in was}
            waiting[key] = apps.get_model("billing", "FormerTerms")(key=key, invoice_id=invoice, until=day, **terms)
    for key, one in waiting.items():
        _close(apps, one, key, None)


def _now(apps: Any, key: int) -> Terms:
    row = apps.get_model("billing", "Instalment").objects.filter(pk=key).values("amount", "due_date", "kind").first()
    return row or {"kind": "normal"}


def _close(apps: Any, former: Any, key: int, day: dt.date | None) -> None:
    """Keeps former terms that began on a day, or the day of the present ones; what began and ended on one day is left out."""
    if former is None:
        apps.get_model("billing", "Instalment").objects.filter(pk=key, agreed_on=None).update(agreed_on=day)
    elif former.until != day:
        former.since = day
        former.save()


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0061_former_terms"),
        ("activity", "0010_sent_form"),
        ("company", "0050_exchange_rates"),
    ]

    operations = [migrations.RunPython(keep, migrations.RunPython.noop, elidable=True)]
