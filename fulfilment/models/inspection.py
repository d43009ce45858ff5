"""What was examined before it left: so much of each line passed or failed, by what criteria, with pictures."""

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ordermgmt.lib.money import ZERO, QuantityField, RateField
from orders.models import Order, OrderLine

from .criteria import AgreedCriterion

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


class InspectionQuerySet(models.QuerySet["Inspection"]):
    """Reads of inspections."""

    def visible_to(self, user: "User") -> Self:
        """Those of the orders that the person sees."""
        if not user.has_perm("orders.view_order"):
            return self.none()
        return self.filter(order__in=Order.objects.visible_to(user))


class Inspection(models.Model):
    """One examination before dispatch, by us; append-only. What passed in it may leave."""

    order = models.ForeignKey(Order, models.PROTECT, related_name="inspections")
    on = models.DateField(_("date"))
    note = models.CharField(_("note"), max_length=300, blank=True)
    key = models.CharField(max_length=100, unique=True, help_text="The same form sent twice is one inspection.")
    inspected_at = models.DateTimeField(auto_now_add=True)
    inspected_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by"))

    objects = InspectionQuerySet.as_manager()

    class Meta:
        ordering = ["order", "id"]

    def __str__(self) -> str:
        return f"{self.order_id} {self.on}"


class InspectionLine(models.Model):
    """So much of one order line in one inspection; append-only."""

    inspection = models.ForeignKey(Inspection, models.PROTECT, related_name="lines")
    order_line = models.ForeignKey(OrderLine, models.PROTECT, related_name="inspection_lines")
    passed = QuantityField(_("passed"), default=ZERO)
    failed = QuantityField(_("failed"), default=ZERO)
    reason = models.CharField(_("reason"), max_length=300, blank=True)

    class Meta:
        ordering = ["order_line__position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["inspection", "order_line"], name="inspection_line_once"),
            models.CheckConstraint(
                condition=Q(passed__gte=0, failed__gte=0) & ~Q(passed=0, failed=0),
                name="inspection_line_says_something",
            ),
            models.CheckConstraint(condition=Q(failed=0) | ~Q(reason=""), name="inspection_failed_with_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.inspection_id} {self.order_line_id}"


class InspectionFinding(models.Model):
    """What one inspection found for one criterion; append-only."""

    inspection = models.ForeignKey(Inspection, models.PROTECT, related_name="findings")
    criterion = models.ForeignKey(AgreedCriterion, models.PROTECT, related_name="inspection_findings")
    value = RateField(_("measured value"), null=True, blank=True)
    passed = models.BooleanField(_("passed"))

    class Meta:
        ordering = ["criterion", "id"]
        constraints = [
            models.UniqueConstraint(fields=["inspection", "criterion"], name="inspection_finding_once"),
        ]

    def __str__(self) -> str:
        return f"{self.inspection_id} {self.criterion_id}"


class InspectionPhoto(models.Model):
    """A picture of what was examined; append-only."""

    inspection = models.ForeignKey(Inspection, models.PROTECT, related_name="photos")
    file = models.ForeignKey("documents.StoredFile", models.PROTECT, related_name="+")

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.inspection_id} {self.file_id}"
