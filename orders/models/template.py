"""Lines that are ordered again and again, kept under a name (ENT-1)."""

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ordermgmt.lib.money import PriceField, QuantityField, RateField

from .line import OrderLine

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


class OrderTemplateQuerySet(models.QuerySet["OrderTemplate"]):
    """Reads over templates."""

    def visible_to(self, user: "User") -> Self:
        """One's own, and those that colleagues share with everybody who enters orders."""
        return self.filter(Q(owner=user) | Q(is_shared=True))


class OrderTemplate(models.Model):
    """Named lines that are put into the grid at one stroke. Prices come from the list at that time; `currency` is that
    of the prices kept on lines without a list price."""

    owner = models.ForeignKey("accounts.User", models.PROTECT, related_name="order_templates", verbose_name=_("owner"))
    name = models.CharField(_("name"), max_length=80)
    is_shared = models.BooleanField(_("shared"), default=False)
    currency = models.CharField(_("currency"), max_length=3)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = OrderTemplateQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="order_template_name_once_per_owner")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"/orders/templates/{self.pk}/"


class OrderTemplateLine(models.Model):
    """One row that a template puts into the grid; `unit_price` counts only where the product has no list price."""

    template = models.ForeignKey(OrderTemplate, models.CASCADE, related_name="lines")
    position = models.PositiveIntegerField()
    product = models.ForeignKey("inventory.Product", models.PROTECT, null=True, related_name="+")
    description = models.CharField(max_length=500)
    specification = models.JSONField(default=dict)
    unit = models.CharField(max_length=20, blank=True)
    quantity = QuantityField()
    unit_price = PriceField()
    discount_percent = RateField(default=0)
    supply = models.CharField(max_length=10, choices=OrderLine.Supply)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["template", "position"], name="order_template_line_position"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="order_template_line_quantity"),
        ]

    def __str__(self) -> str:
        return f"{self.template} · {self.position}"
