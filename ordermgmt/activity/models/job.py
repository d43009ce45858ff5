"""Long work with progress, cancel and a kept result."""

import uuid
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from .work import Work, WorkQuerySet, WorkState

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


class JobQuerySet(WorkQuerySet):
    """Reads over jobs."""

    def visible_to(self, user: "User") -> Self:
        """Everybody sees what they asked for; whoever watches operations sees all."""
        return self if user.has_perm("activity.view_operations") else self.filter(requested_by=user)


class Job(Work):
    """One piece of background work. `kind` names its handler, `key` (unique) makes asking twice harmless."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=80)
    queue = models.CharField(max_length=20, default="default")
    key = models.CharField(max_length=200, null=True, unique=True)  # noqa: DJ001  # null: work that may run twice
    title = models.CharField(_("title"), max_length=200, blank=True)
    params = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    progress = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    note = models.CharField(max_length=200, blank=True)
    result = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    cancel_asked = models.BooleanField(default=False)
    announce = models.BooleanField(default=False, help_text="Ring the bell of the person who asked, when done.")
    request_id = models.CharField(max_length=64, blank=True)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="jobs")

    objects: ClassVar[Any] = JobQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        permissions = [("view_operations", "Can watch and retry background work")]
        indexes = [
            models.Index(
                fields=["nudged_at"], condition=Q(state__in=[WorkState.QUEUED, WorkState.RUNNING]), name="job_open"
            ),
            models.Index(fields=["-id"], condition=Q(state=WorkState.FAILED), name="job_failed"),
            models.Index(fields=["requested_by", "-id"], name="job_by_person"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.public_id}"

    def get_absolute_url(self) -> str:
        return reverse("activity:job-detail", args=[self.public_id])

    @property
    def percent(self) -> int | None:
        """How far it is, 0 to 100; None while nobody knows."""
        if self.state == WorkState.DONE:
            return 100
        return min(100, self.progress * 100 // self.total) if self.total else None

    @property
    def file(self) -> str:
        """The public id of the stored file that came out, "" where there is none."""
        return str(self._from_result("file"))

    @property
    def link(self) -> str:
        """A page of ours where the result can be seen, "" where there is none."""
        link = str(self._from_result("url"))
        return link if link.startswith("/") and not link.startswith("//") else ""

    def _from_result(self, key: str) -> Any:
        return (self.result or {}).get(key, "")
