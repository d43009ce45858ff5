"""What happened: timeline entry, audit row and outbox in one append-only table."""

import datetime as dt
import re
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import formats
from django.utils.functional import cached_property
from django.utils.translation import gettext

from ordermgmt.activity import events

from .roots import root_of_type


class Event(models.Model):
    """One recorded fact. Never changed, never deleted: the database refuses both."""

    type = models.CharField(max_length=80)
    subject_type = models.CharField(max_length=60)
    subject_id = models.BigIntegerField(null=True)
    root_type = models.CharField(max_length=60)
    root_id = models.BigIntegerField(null=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    request_id = models.CharField(max_length=64, blank=True)
    source = models.CharField(max_length=20, help_text="page, task, import, command, api")
    before = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    after = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    data = models.JSONField(default=dict, encoder=DjangoJSONEncoder)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["root_type", "root_id", "-id"], name="event_by_root"),
            models.Index(fields=["subject_type", "subject_id", "-id"], name="event_by_subject"),
            models.Index(fields=["type", "-id"], name="event_by_type"),
            models.Index(fields=["actor", "-id"], name="event_by_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.subject_type}:{self.subject_id}"

    @property
    def event_type(self) -> events.EventType:
        """The registered kind of this event."""
        return events.by_name(self.type)

    @property
    def message(self) -> str:
        """What happened, in the reader's language."""
        words = {key: _dated(value) for key, value in self.event_type.words(self.data).items()}
        return str(self.event_type.message).format_map(_Missing(words))

    @property
    def actor_name(self) -> str:
        """Who did it, for the reader; the application itself where nobody did."""
        return self.actor.name if self.actor and not self.actor.is_system else gettext("The system")

    @cached_property
    def subject(self) -> Any:
        """What it happened to; None if that is gone. Costs a query: lists show `message` only."""
        return _find(self.subject_type, self.subject_id)

    @cached_property
    def root(self) -> Any:
        """The object on whose timeline it stands; None if that is gone. Costs a query."""
        return _find(self.root_type, self.root_id)

    @property
    def root_audience(self) -> list[Any]:
        """The people of the object on whose timeline it stands (owner, project manager)."""
        root = root_of_type(self.root_type)
        return list(root.audience(self.root)) if root is not None and self.root is not None else []


_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def _dated(value: Any) -> Any:
    """A day as the reader writes it; anything else as it is. Data keeps days as ISO text."""
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        return value
    try:
        return formats.date_format(dt.date.fromisoformat(value), "SHORT_DATE_FORMAT")
    except ValueError:  # looks like a day and is none
        return value


class _Missing(dict[str, Any]):
    """Data of old events may lack what a newer sentence names."""

    def __missing__(self, key: str) -> str:
        return "…"


def _find(label: str, pk: int | None) -> Any:
    if pk is None:
        return None
    return apps.get_model(label)._base_manager.filter(pk=pk).first()
