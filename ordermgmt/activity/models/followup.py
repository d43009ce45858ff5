"""What somebody has to do by a day."""

import datetime as dt
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


class FollowUpQuerySet(models.QuerySet["FollowUp"]):
    """Reads over follow-up tasks."""

    def visible_to(self, user: "User") -> Self:
        """One's own: given to or by oneself. On an object's page everybody who may see the object sees them."""
        return self.filter(Q(assignee=user) | Q(created_by=user))

    def open(self) -> Self:
        return self.filter(done_at=None)

    def overdue(self, today: dt.date) -> Self:
        return self.open().filter(due__lt=today)


class FollowUp(models.Model):
    """A task about a root object, with somebody who does it and a day."""

    root_type = models.CharField(max_length=60)
    root_id = models.BigIntegerField()
    root_label = models.CharField(max_length=200, help_text="The object's name, so that a list needs no look-up.")
    title = models.CharField(_("what to do"), max_length=200)
    due = models.DateField(_("by"))
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="followups", verbose_name=_("who")
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    done_at = models.DateTimeField(null=True)
    done_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    reminded_for = models.DateField(null=True, help_text="The due date for which the reminder was made.")

    objects = FollowUpQuerySet.as_manager()

    class Meta:
        ordering = ["due", "id"]
        indexes = [
            models.Index(fields=["root_type", "root_id"], name="followup_by_root"),
            models.Index(fields=["assignee", "due"], condition=Q(done_at=None), name="followup_mine"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_late(self) -> bool:
        """Open past its day."""
        return self.done_at is None and self.due < timezone.localdate()
