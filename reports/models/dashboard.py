"""The figures of a dashboard, kept so that its page opens at once."""

import datetime as dt

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils import timezone


class DashboardFiguresQuerySet(models.QuerySet["DashboardFigures"]):
    """Reads over kept figures, and the claim on making them."""

    def stale(self, since: dt.datetime) -> "DashboardFiguresQuerySet":
        """Made before `since` or never, read by somebody who signed in lately."""
        lately = timezone.now() - dt.timedelta(days=7)
        old = Q(made_at=None) | Q(made_at__lt=since)
        return self.filter(old, reader__is_active=True, reader__last_login__gte=lately)

    def claim(self, pk: int, *, seconds: int) -> bool:
        """Takes the making of a row, by a conditional UPDATE: of two workers one gets it, after a kill the next."""
        now = timezone.now()
        free = Q(claimed_until=None) | Q(claimed_until__lt=now)
        return bool(self.filter(free, pk=pk).update(claimed_until=now + dt.timedelta(seconds=seconds)))


class DashboardFigures(models.Model):
    """What one dashboard shows to everybody of one `scope`: a digest of all that decides what they see.

    `reader` is the one it is made for, with the rights of each time; where they moved on to another scope it is dropped.
    """

    dashboard = models.CharField(max_length=20)
    scope = models.CharField(max_length=64)
    language = models.CharField(max_length=10)
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    data = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    made_at = models.DateTimeField(null=True)
    claimed_until = models.DateTimeField(null=True)

    objects = DashboardFiguresQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["dashboard", "scope"], name="dashboard_once_per_scope")]

    def __str__(self) -> str:
        return f"{self.dashboard} {self.scope[:8]}"

    @property
    def job_key(self) -> str:
        """The key of the job that makes them next: the same until they are made."""
        return f"dashboard:{self.pk}:{self.made_at.isoformat() if self.made_at else 'first'}"
