"""What came back from the customer and what became of it, and the goods that replaced rejected ones."""

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from fulfilment.events import DISPOSITIONS
from ordermgmt.lib.money import QuantityField
from orders.models import Order, OrderLine

from .acceptance import Rectification
from .shipment import Shipment

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


class GoodsReturnQuerySet(models.QuerySet["GoodsReturn"]):
    """Reads of returns."""

    def visible_to(self, user: "User") -> Self:
        """Those of the orders that the person sees."""
        if not user.has_perm("orders.view_order"):
            return self.none()
        return self.filter(order__in=Order.objects.visible_to(user))


class GoodsReturn(models.Model):
    """Goods that came back; append-only.

    With a `rectification` they are rejected goods that were exchanged: the customer still has the quantity that was
    shipped, so the line's returned quantity stays as it is.
    """

    number = models.CharField(_("number"), max_length=20, unique=True)
    order = models.ForeignKey(Order, models.PROTECT, related_name="goods_returns", verbose_name=_("order"))
    rectification = models.OneToOneField(
        Rectification, models.PROTECT, null=True, blank=True, related_name="goods_return"
    )
    reason = models.CharField(_("reason"), max_length=300)
    on = models.DateField(_("date"))
    key = models.CharField(max_length=100, unique=True, help_text="The same form sent twice is one return.")
    recorded_at = models.DateTimeField(auto_now_add=True)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by"))

    objects = GoodsReturnQuerySet.as_manager()

    class Meta:
        ordering = ["-on", "-id"]
        constraints = [models.CheckConstraint(condition=~Q(reason=""), name="goods_return_has_a_reason")]
        indexes = [
            models.Index(fields=["-on", "-id"], name="goods_return_by_day"),
            models.Index(fields=["order", "id"], name="goods_return_by_order"),
        ]

    def __str__(self) -> str:
        return self.number


class GoodsReturnLineQuerySet(models.QuerySet["GoodsReturnLine"]):
    """Reads of what came back."""

    def visible_to(self, user: "User") -> Self:
        """Those of the orders that the person sees."""
        return self.filter(goods_return__in=GoodsReturn.objects.visible_to(user))


class GoodsReturnLine(models.Model):
    """So much of one order line in one return, and what becomes of it; append-only."""

    class Disposition(models.TextChoices):
        RESTOCK = "restock", DISPOSITIONS["restock"]
        REPAIR = "repair", DISPOSITIONS["repair"]
        SCRAP = "scrap", DISPOSITIONS["scrap"]

    goods_return = models.ForeignKey(GoodsReturn, models.PROTECT, related_name="lines")
    order_line = models.ForeignKey(OrderLine, models.PROTECT, related_name="return_lines")
    disposition = models.CharField(_("disposition"), max_length=10, choices=Disposition)
    quantity = QuantityField(_("quantity"))

    objects = GoodsReturnLineQuerySet.as_manager()

    class Meta:
        ordering = ["order_line__position", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["goods_return", "order_line", "disposition"], name="goods_return_line_once"
            ),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="goods_return_quantity_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.goods_return_id} {self.order_line_id}"


class Replacement(models.Model):
    """The shipment that brought new goods for rejected ones; it does not count as more shipped."""

    rectification = models.OneToOneField(Rectification, models.PROTECT, related_name="replacement")
    shipment = models.OneToOneField(Shipment, models.PROTECT, related_name="replacement")

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.rectification_id} {self.shipment_id}"
