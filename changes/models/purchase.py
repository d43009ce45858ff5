"""What somebody decides on after a change: purchases of which an order takes less, sooner or something else."""

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from inventory.models import PurchaseLine
from ordermgmt.lib.money import ZERO, QuantityField

from .change import ChangeRequest

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


class PurchaseDecisionQuerySet(models.QuerySet["PurchaseDecision"]):
    """Reads over decisions on purchases."""

    def visible_to(self, user: "User") -> Self:
        """For who works with suppliers, of the requests that they see."""
        if not user.has_perm("inventory.view_purchase"):
            return self.none()
        return self.filter(change__in=ChangeRequest.objects.visible_to(user))

    def open(self) -> Self:
        """Not decided yet."""
        return self.filter(choice="")


class PurchaseDecision(models.Model):
    """A line of a purchase order that an applied change touched, and what somebody decided on it.

    `less` is by how much less the order takes of it, in the line's unit; `needed_by` the day it is needed by now, where
    that is before it comes; `reduced` what was taken off the purchase. The line is gone once a draft lost it.
    """

    class Choice(models.TextChoices):
        KEPT = "kept", _("Left as ordered")
        REDUCED = "reduced", _("Taken off the purchase")

    change = models.ForeignKey(ChangeRequest, models.PROTECT, related_name="purchases", verbose_name=_("change"))
    line = models.ForeignKey(PurchaseLine, models.SET_NULL, null=True, related_name="decisions")
    number = models.CharField(_("purchase order"), max_length=20)
    supplier = models.CharField(_("supplier"), max_length=200)
    sku = models.CharField(_("material"), max_length=60)
    unit = models.CharField(_("unit"), max_length=10, blank=True)
    less = QuantityField(_("needed less"), default=ZERO)
    needed_by = models.DateField(_("needed by"), null=True, blank=True)
    respecified = models.BooleanField(default=False)
    choice = models.CharField(_("decision"), max_length=8, choices=Choice, blank=True)
    reduced = QuantityField(pgettext_lazy("quantity", "taken off"), default=ZERO)
    note = models.CharField(_("note"), max_length=200, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("decided by")
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    reminded_on = models.DateField(null=True, blank=True)

    objects = PurchaseDecisionQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["change", "line"], name="purchase_decision_once"),
            models.CheckConstraint(
                condition=Q(choice="", decided_by=None, decided_at=None)
                | ~Q(choice="") & ~Q(note="") & Q(decided_by__isnull=False, decided_at__isnull=False),
                name="purchase_decision_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(less__gte=0, reduced=0) | Q(less__gte=0, choice="reduced", reduced__gt=0),
                name="purchase_decision_reduced",
            ),
        ]
        indexes = [models.Index(fields=["choice", "-id"], name="purchase_decision_open")]

    def __str__(self) -> str:
        return f"{self.number} {self.sku}"

    def get_absolute_url(self) -> str:
        """The request that it belongs to; decisions have no page of their own."""
        return f"{self.change.get_absolute_url()}#purchases"

    @property
    def purchase_url(self) -> str:
        """The purchase order's page."""
        return reverse("inventory:purchase-detail", args=[self.number])

    @property
    def is_open(self) -> bool:
        """Nobody decided yet."""
        return not self.choice

    @property
    def why(self) -> str:
        """What the change means for it, in words."""
        found = []
        if self.less:
            found.append(_t("%(n)s %(unit)s less are needed") % {"n": f"{self.less.normalize():f}", "unit": self.unit})
        if self.needed_by:
            found.append(_t("it comes after it is needed"))
        if self.respecified:
            found.append(_t("something else is needed: the specification changed"))
        return "; ".join(found)
