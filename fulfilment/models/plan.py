"""The plan of an order: milestones with what comes before them, as first planned, as foreseen and as it came."""

import datetime as dt
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q, Sum
from django.utils.translation import gettext_lazy as _

from orders.models import Order

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


#: From then on what is open in the plan is nobody's work any more.
OVER = (Order.State.ACCEPTED, Order.State.SETTLED, Order.State.CANCELLED)


class MilestoneQuerySet(models.QuerySet["Milestone"]):
    """Reads of milestones."""

    def visible_to(self, user: "User") -> Self:
        """Those of the orders that the person sees."""
        if not user.has_perm("orders.view_order"):
            return self.none()
        return self.filter(order__in=Order.objects.visible_to(user))

    def open(self) -> Self:
        """Not yet reached."""
        return self.filter(actual=None)

    def to_do(self) -> Self:
        """Open in a plan that is still worked on."""
        return self.open().exclude(order__state__in=OVER)

    def late(self, today: dt.date) -> Self:
        """To do though the day has passed."""
        return self.to_do().filter(forecast__lt=today)

    def needed_by(self, order: Order) -> Self:
        """The open material milestones of an order, earliest first; `forecast` is the day the material is needed."""
        return (
            self.open().filter(order=order, kind=Milestone.Kind.MATERIAL, forecast__isnull=False).order_by("forecast")
        )

    def progress(self) -> int | None:
        """Percent of the weight that is reached; None without milestones."""
        sums = self.aggregate(all=Sum("weight"), done=Sum("weight", filter=Q(actual__isnull=False)))
        return (sums["done"] or 0) * 100 // sums["all"] if sums["all"] else None


class Milestone(models.Model):
    """One step of an order's plan. Its baseline is the date it was first planned for; the database keeps it."""

    class Kind(models.TextChoices):
        WORK = "work", _("Work")
        MATERIAL = "material", _("Material is there")
        DELIVERY = "delivery", _("Delivery")
        ACCEPTANCE = "acceptance", _("Acceptance")

    order = models.ForeignKey(Order, models.PROTECT, related_name="milestones", verbose_name=_("order"))
    code = models.CharField(_("code"), max_length=40, help_text=_("Short and once per order, e.g. M3."))
    name = models.CharField(_("name"), max_length=300, help_text=_("What is reached, in a few words."))
    kind = models.CharField(
        _("kind"), max_length=12, choices=Kind, default=Kind.WORK,
        help_text=_("Materials are needed by the day of the milestone of their kind."),
    )  # fmt: skip
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="milestones",
        verbose_name=_("owner"), help_text=_("Who sees to it and may report it as reached."),
    )  # fmt: skip
    weight = models.PositiveSmallIntegerField(
        _("weight"), default=1, help_text=_("How much it counts in the order's progress, 1 to 1000.")
    )
    start = models.DateField(_("start"), null=True, blank=True, help_text=_("When the work on it begins."))
    baseline = models.DateField(_("baseline"), null=True, blank=True)
    forecast = models.DateField(_("planned"), null=True, blank=True, help_text=_("When it is expected now."))
    actual = models.DateField(_("reached on"), null=True, blank=True)
    version = models.PositiveIntegerField(default=1)
    before = models.ManyToManyField(
        "self", through="MilestoneLink", through_fields=("after", "before"), symmetrical=False, related_name="after"
    )

    objects = MilestoneQuerySet.as_manager()

    class Meta:
        ordering = ["order", F("forecast").asc(nulls_last=True), "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["order", "code"], name="milestone_code_once",
                violation_error_message=_("Another milestone of this order has this code."),
            ),
            models.CheckConstraint(
                condition=Q(weight__gte=1, weight__lte=1000), name="milestone_weight_bounds",
                violation_error_message=_("The weight is a whole number from 1 to 1000."),
            ),
            models.CheckConstraint(
                condition=Q(start__isnull=True) | Q(forecast__isnull=True) | Q(start__lte=F("forecast")),
                name="milestone_dates_in_order", violation_error_message=_("It starts after it is planned to be reached."),
            ),
        ]  # fmt: skip
        indexes = [models.Index(fields=["owner", "actual", "forecast"], name="milestone_by_owner")]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"

    @property
    def due(self) -> dt.date | None:
        """The day it came, or is expected."""
        return self.actual or self.forecast or self.start

    def status(self, today: dt.date) -> str:
        """done, late or open: what its colour and badge say."""
        if self.actual:
            return "done"
        return "late" if self.forecast and self.forecast < today else "open"

    @property
    def slip(self) -> int | None:
        """Days by which it came, or is expected, after its baseline; below zero when earlier."""
        ended = self.actual or self.forecast
        return (ended - self.baseline).days if ended and self.baseline else None


class MilestoneLink(models.Model):
    """`after` begins when `before` is reached; both belong to one order, and no chain leads back."""

    before = models.ForeignKey(Milestone, models.CASCADE, related_name="links_after")
    after = models.ForeignKey(Milestone, models.CASCADE, related_name="links_before")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["before", "after"], name="milestone_link_once"),
            models.CheckConstraint(condition=~Q(before=F("after")), name="milestone_not_after_itself"),
        ]

    def __str__(self) -> str:
        return f"{self.before_id} → {self.after_id}"
