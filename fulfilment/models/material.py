"""What orders need of material: how much by when, what the stock covers, what is on order, what is missing."""

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Round
from django.utils.translation import gettext_lazy as _

from inventory.models import Product, PurchaseLine
from ordermgmt.lib.money import ZERO, QuantityField, RateField
from orders.models import Order, OrderLine

if TYPE_CHECKING:
    import datetime as dt

    from ordermgmt.accounts.models import User


class MaterialNeedQuerySet(models.QuerySet["MaterialNeed"]):
    """Reads of material needs."""

    def visible_to(self, user: "User") -> Self:
        """Those of the orders that the person sees."""
        if not user.has_perm("orders.view_order"):
            return self.none()
        return self.filter(order__in=Order.objects.visible_to(user))

    def to_buy(self) -> Self:
        """What is bought, not made of something else."""
        return self.filter(is_made=False, required__gt=0)

    def waiting(self) -> Self:
        """To be bought and not in stock: on order, or not even that."""
        return self.to_buy().filter(required__gt=F("from_stock"))

    def missing(self) -> Self:
        """To be bought, neither in stock nor on order."""
        return self.to_buy().filter(missing__gt=0)

    def too_late(self, today: "dt.date") -> Self:
        """On order, and expected after it is needed or since before today."""
        late = Q(expected_on__gt=F("needed_by")) | Q(expected_on__lt=today)
        return self.to_buy().filter(late, on_order__gt=0)


class MaterialNeed(models.Model):
    """So much of a product is needed for a line of an order, as its bill of material said when it was reckoned.

    `quantity_per` with `scrap_percent` is what one unit of `parent` (of the ordered product, where there is none) takes.
    `required` is what is to be had in all: for a component of an assembly only what its stock does not cover.
    `from_stock`, `on_order` and `missing` say where it comes from; `missing` of what `is_made` is to be made.
    `expected_on` is the day the last of what is on order should come.
    """

    order = models.ForeignKey(Order, models.CASCADE, related_name="material_needs", verbose_name=_("order"))
    order_line = models.ForeignKey(OrderLine, models.CASCADE, related_name="material_needs", verbose_name=_("line"))
    product = models.ForeignKey(Product, models.PROTECT, related_name="material_needs", verbose_name=_("material"))
    parent = models.ForeignKey("self", models.CASCADE, null=True, blank=True, related_name="parts")
    path = models.CharField(max_length=200)  # keys of the components from the ordered product down, "7/12"
    level = models.PositiveSmallIntegerField(_("level"))
    quantity_per = QuantityField(_("per unit"))
    scrap_percent = RateField(_("scrap %"), default=ZERO)
    is_made = models.BooleanField(default=False)
    needed_by = models.DateField(_("needed by"), null=True, blank=True)
    required = QuantityField(_("needed"), default=ZERO)
    from_stock = QuantityField(_("from stock"), default=ZERO)
    on_order = QuantityField(_("on order"), default=ZERO)
    # Rounded because SQLite counts in binary fractions.
    missing = models.GeneratedField(
        expression=Round(F("required") - F("from_stock") - F("on_order"), 6), output_field=QuantityField(),
        db_persist=True, verbose_name=_("missing"),
    )  # fmt: skip
    expected_on = models.DateField(_("expected"), null=True, blank=True)

    objects = MaterialNeedQuerySet.as_manager()

    class Meta:
        ordering = [F("needed_by").asc(nulls_last=True), "pk"]
        constraints = [
            models.UniqueConstraint(fields=["order_line", "path"], name="material_need_once"),
            models.CheckConstraint(
                condition=Q(required__gte=0, from_stock__gte=0, on_order__gte=0, quantity_per__gt=0),
                name="material_need_not_negative",
            ),
            models.CheckConstraint(condition=Q(missing__gte=0), name="material_need_covered_at_most_once"),
        ]
        indexes = [
            models.Index(fields=["product", "needed_by"], name="material_need_by_product"),
            models.Index(fields=["needed_by", "id"], name="material_need_missing", condition=Q(missing__gt=0)),
            models.Index(fields=["product"], name="material_need_required", condition=Q(required__gt=0)),
            models.Index(fields=["expected_on"], name="material_need_by_arrival", condition=Q(on_order__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.order_id} ← {self.product_id}"


class MaterialSupply(models.Model):
    """What a need counts on from a line of a purchase order.

    `pegged` was ordered for it on purpose and stays its own; `quantity` is what the line covers of it now, pegged or
    taken from what is on order for nobody else.
    """

    need = models.ForeignKey(MaterialNeed, models.CASCADE, related_name="supplies")
    line = models.ForeignKey(PurchaseLine, models.CASCADE, related_name="supplies")
    pegged = QuantityField(default=ZERO)
    quantity = QuantityField(default=ZERO)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["need", "line"], name="material_supply_once"),
            models.CheckConstraint(condition=Q(pegged__gte=0, quantity__gte=0), name="material_supply_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.need_id} ← {self.line_id}"
