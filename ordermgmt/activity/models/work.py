"""What a worker does after commit: claimed by one at a time, tried again, and never lost."""

import datetime as dt
import uuid
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class WorkState(models.TextChoices):
    QUEUED = "queued", pgettext_lazy("work", "Waiting")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


def free_now() -> Q:
    """Rows that a worker may take: waiting and due, or running with a claim that ran out."""
    now = timezone.now()
    return Q(state=WorkState.QUEUED, due_at__lte=now) | Q(state=WorkState.RUNNING, claimed_until__lt=now)


class WorkQuerySet(models.QuerySet[Any]):
    """Claims and sweeps over work."""

    def claim(self, pk: int, *, seconds: float) -> uuid.UUID | None:
        """Takes one row for `seconds`, by a conditional UPDATE: of two rivals one gets the token, the other None."""
        token = uuid.uuid4()
        now = timezone.now()
        taken = self.filter(free_now(), pk=pk).update(
            state=WorkState.RUNNING,
            claim=token,
            claimed_until=now + dt.timedelta(seconds=seconds),
            started_at=now,
            attempts=F("attempts") + 1,
        )
        return token if taken else None

    def held(self, pk: int, token: uuid.UUID) -> Self:
        """The row, if this token still holds it."""
        return self.filter(pk=pk, state=WorkState.RUNNING, claim=token)

    def forgotten(self, *, seconds: float) -> Self:
        """Work that is free, and of which no worker was told during the last `seconds`."""
        return self.filter(free_now(), nudged_at__lt=timezone.now() - dt.timedelta(seconds=seconds))

    def unfinished(self) -> Self:
        """Waiting or running."""
        return self.filter(state__in=[WorkState.QUEUED, WorkState.RUNNING])

    def failed(self) -> Self:
        """Given up; somebody has to look."""
        return self.filter(state=WorkState.FAILED)


class Work(models.Model):
    """Columns of anything that workers claim."""

    state = models.CharField(max_length=10, choices=WorkState, default=WorkState.QUEUED)
    attempts = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now)
    claim = models.UUIDField(null=True)
    claimed_until = models.DateTimeField(null=True)
    nudged_at = models.DateTimeField(default=timezone.now)
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)

    objects: ClassVar[Any] = WorkQuerySet.as_manager()

    class Meta:
        abstract = True

    @property
    def is_finished(self) -> bool:
        return self.state not in (WorkState.QUEUED, WorkState.RUNNING)
