"""Who the company buys from, at what price and with which lead time."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from ordermgmt.lib.money import PriceField, QuantityField
from ordermgmt.lib.searching import SearchField

from .catalogue import Product

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


class SupplierQuerySet(models.QuerySet["Supplier"]):
    """Reads of suppliers."""

    def visible_to(self, user: "User") -> "SupplierQuerySet":
        """All suppliers for staff, none for customers."""
        return self if user.has_perm("inventory.view_supplier") else self.none()


class Supplier(models.Model):
    """A company we buy from."""

    number = models.CharField(_("number"), max_length=20, unique=True)
    name = models.CharField(_("name"), max_length=200)
    contact_name = models.CharField(_("contact"), max_length=150, blank=True)
    email = models.EmailField(_("e-mail address"), blank=True)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)
    currency = models.CharField(_("currency"), max_length=3, default="EUR")
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES, default="en", db_default="en")
    lead_days = models.PositiveIntegerField(_("usual lead time in days"), default=0)
    note = models.TextField(_("note"), blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    source_key = models.CharField(max_length=120, null=True, blank=True, unique=True)  # null: not imported
    search_text = SearchField()
    version = models.PositiveIntegerField(default=1)

    objects = SupplierQuerySet.as_manager()

    class Meta:
        ordering = ["number"]
        indexes = [models.Index(fields=["name", "id"], name="supplier_by_name")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("inventory:supplier-detail", args=[self.number])


class SupplierPrice(models.Model):
    """What one unit of a product costs at a supplier from `minimum` units on, in `currency`. A cost: see view_cost."""

    supplier = models.ForeignKey(Supplier, models.CASCADE, related_name="prices", verbose_name=_("supplier"))
    product = models.ForeignKey(Product, models.CASCADE, related_name="supplier_prices", verbose_name=_("product"))
    supplier_sku = models.CharField(_("their article number"), max_length=60, blank=True)
    minimum = QuantityField(_("from quantity"), default=1)
    price = PriceField(_("purchase price"))
    currency = models.CharField(_("currency"), max_length=3, default="EUR")
    lead_days = models.PositiveIntegerField(_("lead time in days"), default=0)

    class Meta:
        ordering = ["product", "price", "id"]
        constraints = [
            models.UniqueConstraint(fields=["supplier", "product", "minimum"], name="supplier_price_once"),
            models.CheckConstraint(condition=Q(price__gte=0), name="supplier_price_not_negative"),
            models.CheckConstraint(condition=Q(minimum__gt=0), name="supplier_minimum_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.supplier_id} {self.product_id}"
