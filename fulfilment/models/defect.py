"""What exactly is wrong: one thing of an examined line, until it is corrected."""

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from orders.models import Order, OrderLine

from .acceptance import AcceptanceLine

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


class DefectQuerySet(models.QuerySet["Defect"]):
    """Reads of defects."""

    def visible_to(self, user: "User") -> Self:
        """Those of the orders that the person sees."""
        if not user.has_perm("orders.view_order"):
            return self.none()
        return self.filter(order__in=Order.objects.visible_to(user))

    def open(self) -> Self:
        """Not yet corrected."""
        return self.filter(corrected=False)


class Defect(models.Model):
    """One defect of a line, found in a round of acceptance where one is known. It is corrected once, never rewritten.

    `corrected_on` is empty where a defect of another system is known to be corrected, but not when.
    """

    order = models.ForeignKey(Order, models.PROTECT, related_name="defects", verbose_name=_("order"))
    order_line = models.ForeignKey(OrderLine, models.PROTECT, related_name="defects", verbose_name=_("line"))
    found_in = models.ForeignKey(AcceptanceLine, models.PROTECT, null=True, blank=True, related_name="defects")
    found_on = models.DateField(_("found on"))
    text = models.CharField(_("defect"), max_length=500, help_text=_("What is wrong, and where."))
    corrected = models.BooleanField(_("corrected"), default=False)
    corrected_on = models.DateField(_("corrected on"), null=True, blank=True)
    source_key = models.CharField(max_length=120, unique=True, null=True, blank=True)  # null: our own
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    objects = DefectQuerySet.as_manager()

    class Meta:
        ordering = ["order", "id"]
        constraints = [
            models.CheckConstraint(condition=~Q(text=""), name="defect_says_what"),
            models.CheckConstraint(
                condition=Q(corrected_on=None) | Q(corrected=True, corrected_on__gte=F("found_on")),
                name="defect_corrected_after_found",
            ),
        ]
        indexes = [models.Index(fields=["corrected", "found_on"], name="defect_open_by_day")]

    def __str__(self) -> str:
        return self.text
