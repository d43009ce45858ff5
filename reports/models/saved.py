"""Questions kept with a name, and who is sent their answers."""

import datetime as dt
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


class SavedReportQuerySet(models.QuerySet["SavedReport"]):
    """Reads over saved reports."""

    def visible_to(self, user: "User") -> Self:
        """One's own and the shared ones. What a shared one shows is up to the rights of whoever runs it."""
        return self.filter(Q(owner=user) | Q(is_shared=True))


class SavedReport(models.Model):
    """A report with its filters under a name: a question, not an answer."""

    name = models.CharField(_("name"), max_length=100, help_text=_("By which you find it again."))
    key = models.CharField(_("report"), max_length=40)
    params = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="saved_reports")
    is_shared = models.BooleanField(
        _("shared"), default=False, help_text=_("Colleagues find it too; each sees what their own rights allow.")
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SavedReportQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["owner", "name"], name="saved_report_name_once"),
            models.CheckConstraint(condition=~Q(name=""), name="saved_report_has_a_name"),
        ]

    def __str__(self) -> str:
        return self.name


class Subscription(models.Model):
    """A saved report that a person is sent; `next_on` is the day of the next mail."""

    class Every(models.TextChoices):
        DAY = "day", _("Every day")
        WEEK = "week", _("Every week, on Monday")
        MONTH = "month", _("Every month, on the first")

    class Format(models.TextChoices):
        XLSX = "xlsx", "XLSX"
        PDF = "pdf", "PDF"
        CSV = "csv", "CSV"

    saved = models.ForeignKey(SavedReport, models.CASCADE, related_name="subscriptions")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="report_subscriptions")
    every = models.CharField(
        _("how often"), max_length=5, choices=Every, default=Every.WEEK,
        help_text=_("The file is made in the morning with the figures and your rights of that day."),
    )  # fmt: skip
    file_format = models.CharField(
        _("file"), max_length=4, choices=Format, default=Format.XLSX, help_text=_("What is attached to the mail.")
    )
    next_on = models.DateField(_("next mail"))

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["saved", "person"], name="subscription_once")]
        indexes = [models.Index(fields=["next_on"], name="subscription_by_day")]

    def __str__(self) -> str:
        return f"{self.saved_id} {self.person_id}"

    def day_after(self, today: dt.date) -> dt.date:
        """The first day of its rhythm after `today`."""
        if self.every == self.Every.DAY:
            return today + dt.timedelta(days=1)
        if self.every == self.Every.WEEK:
            return today + dt.timedelta(days=7 - today.weekday())
        return (today.replace(day=1) + dt.timedelta(days=32)).replace(day=1)
