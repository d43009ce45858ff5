"""What the people responsible say about a change: cost, schedule, quality; and what the customer says."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ordermgmt.lib.money import ZERO, AmountField

from .change import ChangeRequest


class Assessment(models.Model):
    """One judgement on one aspect. A later one on the same aspect makes it void, as does writing on the request.

    `cost` comes on top of what the lines cost, in the order's currency; `days` is the delay as the assessor sees it.
    """

    class Aspect(models.TextChoices):
        COST = "cost", _("Cost")
        SCHEDULE = "schedule", _("Schedule")
        QUALITY = "quality", _("Quality")

    class Level(models.TextChoices):
        NONE = "none", _("None")
        LOW = "low", _("Low")
        MEDIUM = "medium", _("Medium")
        HIGH = "high", _("High")

    change = models.ForeignKey(ChangeRequest, models.CASCADE, related_name="assessments")
    aspect = models.CharField(_("aspect"), max_length=10, choices=Aspect)
    level = models.CharField(
        _("effect"), max_length=8, choices=Level, default=Level.NONE, help_text=_("None, or how strong it is.")
    )
    cost = AmountField(_("extra cost"), default=ZERO)
    days = models.PositiveIntegerField(_("days"), default=0)
    note = models.CharField(
        _("note"), max_length=500, blank=True, help_text=_("What the people who decide should know.")
    )
    assessor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="change_assessments", verbose_name=_("assessor")
    )
    at = models.DateTimeField(_("at"), auto_now_add=True)
    order_version = models.PositiveIntegerField()
    is_void = models.BooleanField(default=False)

    class Meta:
        ordering = ["aspect", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["change", "aspect"], condition=Q(is_void=False), name="assessment_one_per_aspect"
            ),
            models.CheckConstraint(condition=Q(level="none") | ~Q(note=""), name="assessment_effect_is_explained"),
            models.CheckConstraint(condition=Q(cost__gte=0), name="assessment_cost_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.change_id} {self.aspect} {self.level}"


class Consent(models.Model):
    """The customer's yes to exactly one content, with its evidence; append-only."""

    change = models.ForeignKey(ChangeRequest, models.PROTECT, related_name="consents")
    given_by = models.CharField(_("given by"), max_length=150)
    given_on = models.DateField(_("given on"))
    evidence = models.CharField(_("evidence"), max_length=500)
    content_hash = models.CharField(max_length=64)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [models.UniqueConstraint(fields=["change", "content_hash"], name="consent_once_per_content")]

    def __str__(self) -> str:
        return f"{self.change_id} {self.given_by}"
