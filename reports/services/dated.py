"""As of a past day: rows as they stood when it ended, told by the events that moved them since.

Every event keeps the fields that it changed, before and after. So what a field was is the `before` of the first event
since then that moved it; where none did, it is what is stored.
"""

import datetime as dt
from typing import Any

from django.db.models import BigIntegerField, Case, CharField, DecimalField, Exists, F, OuterRef, Q, Subquery, When
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from ordermgmt.activity.models import Event
from ordermgmt.company.services import business_day_end, business_today

from .facts import Params, Rows


def day_of(params: Params) -> dt.date:
    """The day that is asked about: today, or a past one."""
    day: dt.date | None = params.get("as_of")
    return day or business_today()


def moment_of(params: Params) -> dt.datetime | None:
    """When the day that is asked about was over; None for now."""
    day = params.get("as_of")
    return business_day_end(day) if day and day < business_today() else None


def until(params: Params, path: str) -> Q:
    """What happened by the end of the day, by the path to its moment."""
    moment = moment_of(params)
    return Q() if moment is None else Q(**{f"{path}__lt": moment})


def known(params: Params, entered_at: str, imported: Q) -> Q:
    """What was there when the day ended: entered by then, or `imported` with a date of its own until then.

    What another system left belongs to its own past, whenever it was brought in.
    """
    return until(params, entered_at) | imported if moment_of(params) else Q()


def as_it_was(rows: Rows, params: Params, *names: str, saved_at: str = "") -> Rows:
    """The rows with `was_<name>` for each field: its value when the day ended, or now where no day is asked about.

    `saved_at` names the field that moves with every save: rows that were not saved since need no look at the events.
    """
    moment = moment_of(params)
    return rows.annotate(**{f"was_{name}": _was(rows.model, name, moment, saved_at) for name in names})


def _was(model: Any, name: str, moment: dt.datetime | None, saved_at: str) -> Any:
    if moment is None:
        return F(name)
    field = _plain(model._meta.get_field(name))
    since = Event.objects.filter(
        subject_type=model._meta.label_lower, subject_id=OuterRef("pk"), at__gte=moment, before__has_key=name
    ).order_by("pk")
    told = Subquery(since.values(told=Cast(KeyTextTransform(name, "before"), field))[:1], output_field=field)
    untouched = [When(**{f"{saved_at}__lt": moment}, then=F(name))] if saved_at else []
    return Case(*untouched, When(Exists(since), then=told), default=F(name), output_field=field)


def _plain(field: Any) -> Any:
    """The field without what it does beside holding a value: a state is text here, a person a key."""
    if field.is_relation:
        return BigIntegerField()
    if isinstance(field, DecimalField):
        return DecimalField(max_digits=field.max_digits, decimal_places=field.decimal_places)
    return CharField(max_length=field.max_length) if isinstance(field, CharField) else type(field)()
