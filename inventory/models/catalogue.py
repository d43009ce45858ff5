"""What the company sells: products and services with their units, categories and typed specifications."""

from typing import TYPE_CHECKING, Any

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from ordermgmt.lib.money import ZERO, PriceField, QuantityField, RateField
from ordermgmt.lib.searching import SearchField

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


class Unit(models.Model):
    """A unit of measure; `decimals` says how finely it is counted (0: whole pieces only)."""

    code = models.CharField(_("code"), max_length=10, unique=True)
    name = models.CharField(_("name"), max_length=60)
    decimals = models.PositiveSmallIntegerField(_("decimals"), default=0)

    class Meta:
        ordering = ["code"]
        constraints = [models.CheckConstraint(condition=Q(decimals__lte=6), name="unit_decimals_at_most_6")]

    def __str__(self) -> str:
        return self.code


class ProductCategory(models.Model):
    """A branch of the product range, as reports and lists group it."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name=_("part of")
    )

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(parent__isnull=True) | ~Q(parent=F("id")), name="category_not_its_own_parent"
            )
        ]

    def __str__(self) -> str:
        return self.name


class SpecificationTemplate(models.Model):
    """The attributes that an order line of a product must or may state."""

    name = models.CharField(_("name"), max_length=100, unique=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class SpecificationAttribute(models.Model):
    """One typed attribute of a template: a number with unit and range, a text, a choice or a yes/no."""

    class Kind(models.TextChoices):
        NUMBER = "number", _("Number")
        TEXT = "text", _("Text")
        CHOICE = "choice", _("Choice")
        BOOLEAN = "boolean", _("Yes or no")

    template = models.ForeignKey(SpecificationTemplate, models.CASCADE, related_name="attributes")
    position = models.PositiveSmallIntegerField(default=0)
    key = models.SlugField(_("key"), max_length=40)
    label = models.CharField(_("label"), max_length=100)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.TEXT)
    unit = models.CharField(_("unit"), max_length=20, blank=True)
    minimum = RateField(_("smallest value"), null=True, blank=True)
    maximum = RateField(_("largest value"), null=True, blank=True)
    choices = models.JSONField(_("choices"), default=list, blank=True)
    required = models.BooleanField(_("required"), default=False)
    help = models.CharField(_("help text"), max_length=200, blank=True)

    class Meta:
        ordering = ["template", "position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["template", "key"], name="attribute_key_once_per_template"),
            models.CheckConstraint(
                condition=Q(minimum__isnull=True) | Q(maximum__isnull=True) | Q(minimum__lte=F("maximum")),
                name="attribute_range_in_order",
            ),
        ]

    def __str__(self) -> str:
        return self.label


def _stock_sum(column: str) -> Coalesce:
    from .stock import StockItem

    per_product = StockItem.objects.filter(product=OuterRef("pk")).order_by().values("product")
    summed = per_product.annotate(total=Sum(column)).values("total")
    return Coalesce(Subquery(summed), ZERO, output_field=QuantityField())


def _demand_sum(rows: "models.QuerySet[Any]") -> Coalesce:
    """The sum of `lacking` over the rows of a product."""
    summed = rows.filter(pk=OuterRef("pk")).order_by().values("pk").annotate(total=Sum("lacking")).values("total")
    return Coalesce(Subquery(summed, output_field=QuantityField()), ZERO, output_field=QuantityField())


class ProductQuerySet(models.QuerySet["Product"]):
    """Reads of products."""

    def visible_to(self, user: "User") -> "ProductQuerySet":
        """All products for staff who may see products, none for anybody else (customers use the portal)."""
        return self if user.has_perm("inventory.view_product") else self.none()

    def available_to(self, user: "User") -> "ProductQuerySet":
        """What the person may put on an order: visible and still sold."""
        return self.visible_to(user).filter(is_active=True)

    def with_stock(self) -> "ProductQuerySet":
        """Adds `on_hand`, `reserved` and `free`, summed over all warehouses."""
        return self.annotate(on_hand=_stock_sum("on_hand"), reserved=_stock_sum("reserved"), free=_stock_sum("free"))

    def with_demand(self) -> "ProductQuerySet":
        """Adds `demand`: what open orders still need and do not hold, on their lines and as material of what is made."""
        # Lines and needs belong to floors above: they are named, not imported.
        lines, needs = "order_lines", "material_needs"
        still = F(f"{lines}__quantity") - F(f"{lines}__qty_cancelled")
        still = still - F(f"{lines}__qty_shipped") - F(f"{lines}__qty_reserved")
        held = F(f"{lines}__qty_cancelled") + F(f"{lines}__qty_shipped") + F(f"{lines}__qty_reserved")
        # As the partial index has it: lines that need nothing more, most of all that there are, are not read.
        needing = {f"{lines}__quantity__gt": held}
        running = {f"{lines}__order__state__in": ["placed", "in_production"], f"{lines}__supply__in": ["stock", "buy"]}
        sold = Product.objects.filter(**running, **needing).annotate(lacking=still)
        used = Product.objects.filter(~Q(material_needs__order_line__product=F("pk")), **{f"{needs}__required__gt": 0})
        used = used.annotate(lacking=F(f"{needs}__required"))
        return self.annotate(demand=_demand_sum(sold) + _demand_sum(used))

    def short(self) -> "ProductQuerySet":
        """Stocked products whose free quantity is below the reorder point, or below what open orders need, with their
        stock figures and `demand`."""
        rows = self.filter(is_active=True, is_stocked=True).with_stock().with_demand()
        return rows.filter(Q(free__lt=F("reorder_point")) | Q(free__lt=F("demand")))


class Product(models.Model):
    """Something the company sells.

    `list_price` and `cost` are for one unit in `currency`; a list price of 0 means that none is set and the seller
    types one. Costs are shown only to holders of `inventory.view_cost`, prices to holders of `inventory.view_price`.
    `reorder_point` is in the product's unit, `lead_days` in calendar days.
    """

    class Kind(models.TextChoices):
        GOODS = "goods", _("Goods")
        SERVICE = "service", _("Service")

    sku = models.CharField(
        _("SKU"),
        max_length=40,
        unique=True,
        validators=[
            RegexValidator(
                r"^(?!(?:new|autocomplete)$)[^\s/?#%\\][^/?#%\\\x00-\x1f]*$", _("Use letters, digits, dots and dashes.")
            )
        ],
    )
    name = models.CharField(_("name"), max_length=200)
    description = models.TextField(_("description"), blank=True)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.GOODS)
    category = models.ForeignKey(
        ProductCategory, models.PROTECT, null=True, blank=True, related_name="products", verbose_name=_("category")
    )
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="products", verbose_name=_("unit"))
    list_price = PriceField(_("list price"), default=ZERO)
    currency = models.CharField(_("currency"), max_length=3, default="EUR")
    cost = PriceField(_("cost"), default=ZERO)
    tax_category = models.CharField(_("tax category"), max_length=5, default="S")
    specification_template = models.ForeignKey(
        SpecificationTemplate,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="products",
        verbose_name=_("specification"),
    )
    is_active = models.BooleanField(_("sold"), default=True)
    is_stocked = models.BooleanField(_("kept in stock"), default=True)
    reorder_point = QuantityField(_("reorder point"), default=ZERO)
    lead_days = models.PositiveIntegerField(_("lead time in days"), default=0)
    source_key = models.CharField(max_length=120, null=True, blank=True, unique=True)  # null: not imported
    search_text = SearchField()
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ProductQuerySet.as_manager()

    class Meta:
        ordering = ["sku"]
        constraints = [
            models.CheckConstraint(condition=Q(list_price__gte=0), name="product_list_price_not_negative"),
            models.CheckConstraint(condition=Q(cost__gte=0), name="product_cost_not_negative"),
            models.CheckConstraint(condition=Q(reorder_point__gte=0), name="product_reorder_point_not_negative"),
            models.CheckConstraint(condition=~Q(kind="service", is_stocked=True), name="product_service_not_stocked"),
        ]
        indexes = [
            models.Index(fields=["name", "id"], name="product_by_name"),
            models.Index(fields=["category", "sku"], name="product_by_category"),
        ]

    def __str__(self) -> str:
        return f"{self.sku} {self.name}"

    def get_absolute_url(self) -> str:
        return reverse("inventory:product-detail", args=[self.sku])

    def attributes(self) -> list[SpecificationAttribute]:
        """The attributes an order line of this product states; empty without a template."""
        return list(self.specification_template.attributes.all()) if self.specification_template else []

    def price_for(self, user: "User") -> dict[str, Any]:
        """List price and currency for a reader who may see prices, else nothing."""
        if not user.has_perm("inventory.view_price"):
            return {}
        return {"list_price": self.list_price, "currency": self.currency}
