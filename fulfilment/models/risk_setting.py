"""How the company judges risks: its categories, the words of its two scales, and from which score on a risk weighs."""

from typing import Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

#: The steps of both scales.
SCALE = range(1, 6)
MOST = SCALE[-1] * SCALE[-1]


class Named(models.Model):
    """A name in both languages."""

    name = models.CharField(_("name"), max_length=120, help_text=_("What people choose in English."))
    name_zh = models.CharField(
        _("Chinese name"), max_length=120, blank=True, help_text=_("What people choose in Chinese; empty: the same.")
    )

    class Meta:
        abstract = True

    def __str__(self) -> str:
        chinese = (get_language() or "").startswith("zh")
        return self.name_zh if chinese and self.name_zh else self.name


class RiskCategory(Named):
    """Where risks come from, as the company sorts them."""

    code = models.CharField(
        _("code"), max_length=20, unique=True, help_text=_("Short and lasting; reports count by it. It stays as it is.")
    )
    is_active = models.BooleanField(
        _("offered"), default=True, help_text=_("A category that is no longer offered stays on old risks.")
    )

    class Meta:
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(condition=~Q(code="") & ~Q(name=""), name="risk_category_has_code_and_name")
        ]


class RiskLevel(Named):
    """What one step of a scale means."""

    class Axis(models.TextChoices):
        PROBABILITY = "probability", _("Probability")
        IMPACT = "impact", _("Impact")

    axis = models.CharField(_("scale"), max_length=11, choices=Axis)
    value = models.PositiveSmallIntegerField(_("step"))

    class Meta:
        ordering = ["axis", "value"]
        constraints = [
            models.UniqueConstraint(fields=["axis", "value"], name="risk_level_once"),
            models.CheckConstraint(
                condition=Q(value__range=(1, 5), axis__in=["probability", "impact"]) & ~Q(name=""),
                name="risk_level_on_a_scale",
            ),
        ]


class RiskScale(models.Model):
    """From which score (probability × impact) on a risk is middling or high: one row."""

    middle_from = models.PositiveSmallIntegerField(
        _("middling from"), default=6, validators=[MinValueValidator(2), MaxValueValidator(MOST - 1)],
        help_text=_("From this probability times impact on a risk is middling; below it is low."),
    )  # fmt: skip
    high_from = models.PositiveSmallIntegerField(
        _("high from"), default=15, validators=[MinValueValidator(3), MaxValueValidator(MOST)],
        help_text=_("From this probability times impact on a risk is high, and its order is at risk."),
    )  # fmt: skip
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(pk=1), name="risk_scale_once"),
            models.CheckConstraint(
                condition=Q(middle_from__gte=2, high_from__lte=25, middle_from__lt=F("high_from")),
                name="risk_scale_in_order",
                violation_error_message=_("High begins above middling, and both lie between 2 and 25."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.middle_from} / {self.high_from}"

    @classmethod
    def current(cls) -> Self:
        """The company's."""
        return cls.objects.get(pk=1)

    def level(self, score: int) -> str:
        """low, middle or high."""
        return "high" if score >= self.high_from else "middle" if score >= self.middle_from else "low"
