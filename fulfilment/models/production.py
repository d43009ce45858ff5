"""What was made for an order, and the material it took."""

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from inventory.models import Product
from ordermgmt.lib.money import PriceField, QuantityField
from orders.models import Order, OrderLine

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


class ProductionQuerySet(models.QuerySet["Production"]):
    """Reads of reports of production."""

    def visible_to(self, user: "User") -> Self:
        """Those of the orders that the person sees."""
        if not user.has_perm("orders.view_order"):
            return self.none()
        return self.filter(order_line__order__in=Order.objects.visible_to(user))


class Production(models.Model):
    """So much of an order line was made; append-only.

    A report that was a mistake is taken back by another one that `reverses` it, with the same quantity below zero.
    """

    order_line = models.ForeignKey(OrderLine, models.PROTECT, related_name="productions", verbose_name=_("line"))
    quantity = QuantityField(pgettext_lazy("goods", "made"))
    on = models.DateField(_("date"))
    note = models.CharField(_("note"), max_length=300, blank=True)
    reverses = models.OneToOneField("self", models.PROTECT, null=True, blank=True, related_name="reversed_by")
    key = models.CharField(max_length=100, unique=True, help_text="The same form sent twice is one report.")
    recorded_at = models.DateTimeField(auto_now_add=True)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by"))

    objects = ProductionQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(reverses=None, quantity__gt=0) | Q(reverses__isnull=False, quantity__lt=0),
                name="production_made_or_taken_back",
            )
        ]
        indexes = [models.Index(fields=["order_line", "-id"], name="production_by_line")]

    def __str__(self) -> str:
        return f"{self.order_line_id} × {self.quantity}"

    def get_absolute_url(self) -> str:
        return f"{self.order_line.order.get_absolute_url()}#production"


class MaterialUse(models.Model):
    """So much of a product was taken out of stock for a report of production; append-only.

    `standard` is what the bill of material says for that quantity, `unit_cost` what one unit cost that day in the
    product's currency (a cost: see inventory.view_cost). All are below zero on a report that takes another one back.
    """

    production = models.ForeignKey(Production, models.PROTECT, related_name="uses")
    product = models.ForeignKey(Product, models.PROTECT, related_name="+", verbose_name=_("material"))
    quantity = QuantityField(_("used"))
    standard = QuantityField(_("by the bill of material"))
    unit_cost = PriceField(_("unit cost"))

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["production", "product"], name="material_use_once"),
            models.CheckConstraint(condition=Q(unit_cost__gte=0), name="material_use_cost_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.production_id} ← {self.product_id}"
