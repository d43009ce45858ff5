"""A report that was asked for, and its kept result."""

import uuid
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


class ReportRunQuerySet(models.QuerySet["ReportRun"]):
    """Reads over kept results."""

    def visible_to(self, user: "User") -> Self:
        """Everybody sees the runs they asked for: a kept result holds what its reader was allowed to see."""
        return self.filter(requested_by=user)


class ReportRun(models.Model):
    """One run with its filters; `result` is filled once, by the job.

    `making` is the question, as a digest of everything that decides the answer, while this run's job works on it: no
    two runs work on the same question. It stays where a worker was killed; whoever asks then takes the work over.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    key = models.CharField(_("report"), max_length=40)
    params = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="report_runs")
    requested_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    language = models.CharField(max_length=10, default="en")
    result = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    making = models.CharField(max_length=64, null=True, unique=True, editable=False)  # noqa: DJ001  # unique where present

    objects = ReportRunQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["requested_by", "-id"], name="report_run_by_reader")]

    def __str__(self) -> str:
        return f"{self.key} {self.public_id}"

    @property
    def job_key(self) -> str:
        """The key of the job that makes it."""
        return f"report:{self.public_id}"
