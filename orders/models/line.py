"""The lines of an order, with counters that only services move under the order's lock."""

import hashlib
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from ordermgmt.lib.money import AmountField, PriceField, QuantityField, RateField

if TYPE_CHECKING:
    from .order import Order

#: SQLite subtracts floats: half a unit of the last stored decimal is exact for quantities with six.
_HALF_A_STEP = Decimal("0.0000005")


class OrderLine(models.Model):
    """One thing that was ordered.

    Counters (`qty_*`, in the line's unit): cancelled, reserved, produced, shipped, accepted, rejected (waiting to be
    rectified), returned, invoiced, credited.
    """

    class Supply(models.TextChoices):
        STOCK = "stock", _("From stock")
        MAKE = "make", _("Make")
        BUY = "buy", _("Buy")
        SERVICE = "service", _("Service")

    order = models.ForeignKey("orders.Order", models.CASCADE, related_name="lines")
    position = models.PositiveIntegerField(_("position"))
    product = models.ForeignKey(
        "inventory.Product",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="order_lines",
        verbose_name=_("product"),
    )
    description = models.CharField(_("description"), max_length=500)
    specification = models.JSONField(_("specification"), default=dict, blank=True)
    unit = models.CharField(_("unit"), max_length=20, blank=True)
    quantity = QuantityField(_("quantity"))
    list_price = PriceField(_("list price"), null=True, blank=True)
    unit_price = PriceField(_("unit price"))
    discount_percent = RateField(_("discount %"), default=Decimal(0))
    tax_category = models.CharField(_("tax category"), max_length=2, default="S")
    tax_rate = RateField(_("tax %"), default=Decimal(0))
    net = AmountField(_("net"), default=Decimal(0))
    unit_cost = PriceField(_("unit cost"), null=True, blank=True)
    supply = models.CharField(_("supply"), max_length=10, choices=Supply, default=Supply.STOCK)
    promised_date = models.DateField(_("promised date"), null=True, blank=True)

    qty_cancelled = QuantityField(default=Decimal(0))
    qty_reserved = QuantityField(default=Decimal(0))
    qty_produced = QuantityField(default=Decimal(0))
    qty_shipped = QuantityField(default=Decimal(0))
    qty_accepted = QuantityField(default=Decimal(0))
    qty_rejected = QuantityField(default=Decimal(0))
    qty_returned = QuantityField(default=Decimal(0))
    qty_invoiced = QuantityField(default=Decimal(0))
    qty_credited = QuantityField(default=Decimal(0))

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["order", "position"], name="order_line_position_unique"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="order_line_quantity_positive"),
            models.CheckConstraint(condition=Q(unit_price__gte=0), name="order_line_price_not_negative"),
            models.CheckConstraint(
                condition=Q(discount_percent__gte=0, discount_percent__lte=100), name="order_line_discount_percent"
            ),
            models.CheckConstraint(
                condition=Q(qty_cancelled__gte=0, qty_cancelled__lte=F("quantity")), name="order_line_cancelled"
            ),
            models.CheckConstraint(
                condition=Q(qty_reserved__gte=0)
                & Q(qty_shipped__gte=0)
                & Q(qty_reserved__lte=F("quantity") - F("qty_cancelled") - F("qty_shipped") + _HALF_A_STEP),
                name="order_line_reserved_and_shipped_within_ordered",
            ),
            models.CheckConstraint(condition=Q(qty_produced__gte=0), name="order_line_produced"),
            models.CheckConstraint(
                condition=Q(qty_returned__gte=0, qty_returned__lte=F("qty_shipped")), name="order_line_returned"
            ),
            models.CheckConstraint(
                condition=Q(qty_accepted__gte=0, qty_rejected__gte=0)
                & Q(qty_accepted__lte=F("qty_shipped") - F("qty_rejected") + _HALF_A_STEP),
                name="order_line_accepted_within_shipped",
            ),
            models.CheckConstraint(
                condition=Q(qty_credited__gte=0, qty_credited__lte=F("qty_invoiced"))
                & Q(qty_invoiced__lte=F("quantity") + F("qty_credited") + _HALF_A_STEP),
                name="order_line_invoiced_within_ordered",
            ),
        ]
        indexes = [
            # What orders still need of a product, among all lines that there ever were; asked by the shortage list.
            models.Index(
                fields=["product"],
                name="order_line_needs",
                condition=Q(quantity__gt=F("qty_cancelled") + F("qty_shipped") + F("qty_reserved")),
            )
        ]

    def __str__(self) -> str:
        return f"{self.position} {self.description}"

    @property
    def discount_from_list(self) -> Decimal:
        """Percent below the list price, by discount and by a lower price alike; what the discount limit looks at."""
        if not self.list_price or self.list_price <= 0:
            return self.discount_percent
        price = self.unit_price * (100 - self.discount_percent) / 100
        return max(self.discount_percent, 100 - price * 100 / self.list_price)

    @property
    def due(self) -> Decimal:
        """Ordered and not cancelled."""
        return self.quantity - self.qty_cancelled

    @property
    def qty_to_ship(self) -> Decimal:
        """Still to be shipped or performed."""
        return self.due - self.qty_shipped

    @property
    def qty_to_make(self) -> Decimal:
        """Ordered and neither reported made nor shipped."""
        return self.due - max(self.qty_produced, self.qty_shipped)

    @property
    def qty_to_accept(self) -> Decimal:
        """Shipped and with the customer, neither accepted nor waiting to be rectified."""
        return self.qty_shipped - self.qty_returned - self.qty_accepted - self.qty_rejected

    @property
    def qty_to_invoice(self) -> Decimal:
        """Ordered and not invoiced."""
        return self.due - self.qty_invoiced + self.qty_credited

    @property
    def is_stocked(self) -> bool:
        """Whether it is taken from stock."""
        return self.supply == self.Supply.STOCK

    def content(self) -> dict[str, Any]:
        """What was agreed on this line, without counters: part of a version and of the hash an approval is bound to."""
        fields = (
            "position", "product_id", "description", "specification", "unit", "quantity", "unit_price",
            "discount_percent", "tax_category", "tax_rate", "net", "supply", "promised_date",
        )  # fmt: skip
        found = {name: _plain(getattr(self, name)) for name in fields}
        if self.qty_cancelled:
            found["qty_cancelled"] = _plain(self.qty_cancelled)
        return found


def _plain(value: Any) -> Any:
    """Exact and independent of how many zeros a database appends."""
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    return value if isinstance(value, int | str | dict | type(None)) else str(value)


def order_content(order: "Order") -> dict[str, Any]:
    """Everything the customer and we agree on, JSON-ready."""
    header = (
        "number", "customer_id", "currency", "customer_reference", "order_date", "requested_date", "promised_date",
        "billing_address", "delivery_address", "payment_days", "terms", "net_total", "tax_total", "gross_total",
    )  # fmt: skip
    # Only where there is any: approvals and versions from before cash rounding stay bound to what they said.
    rounded = [name for name in ("rounding", "cash_step") if getattr(order, name)]
    return {
        "header": {name: _plain(getattr(order, name)) for name in (*header, *rounded)},
        "lines": [line.content() for line in order.order_lines],
    }


def content_hash(content: dict[str, Any]) -> str:
    """The sha256 of an agreed content."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
