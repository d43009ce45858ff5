"""The typed operations of a change request: each knows what it touches, what was there and what shall be."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Operation(models.Model):
    """One thing that a change request does.

    `before` and `after` hold plain values (numbers as strings, dates as ISO text): a number for a quantity, price (per
    unit, in the order's currency) or discount (percent), a mapping for a specification, a row of the line grid for a
    new line, a fee for the end of the order. `before` is what the order said when the operation was written down.
    """

    class Kind(models.TextChoices):
        ADD = "add", _("New line")
        REMOVE = "remove", _("Line removed")
        QUANTITY = "quantity", _("Quantity")
        SPECIFICATION = "specification", _("Specification")
        PRICE = "price", _("Price")
        DISCOUNT = "discount", _("Discount %")
        TEXT = "description", _("Description")
        LINE_DATE = "line_date", _("Promised date of the line")
        PROMISED = "promised_date", _("Promised date")
        DELIVERY = "delivery_address", _("Delivery address")
        BILLING = "billing_address", _("Billing address")
        PLAN = "payment_plan", _("Payment plan")
        TERMINATE = "terminate", _("End of the order")

    change = models.ForeignKey("changes.ChangeRequest", models.CASCADE, related_name="operations")
    seq = models.PositiveIntegerField()
    kind = models.CharField(_("operation"), max_length=20, choices=Kind)
    line = models.ForeignKey("orders.OrderLine", models.PROTECT, null=True, blank=True, related_name="operations")
    before = models.JSONField(null=True, blank=True)
    after = models.JSONField(null=True, blank=True)

    #: Kinds that are about one line of the order.
    OF_LINE = frozenset(
        {Kind.REMOVE, Kind.QUANTITY, Kind.SPECIFICATION, Kind.TEXT, Kind.PRICE, Kind.DISCOUNT, Kind.LINE_DATE}
    )
    #: Kinds that change the agreed money and nothing else.
    COMMERCIAL = frozenset({Kind.PRICE, Kind.DISCOUNT, Kind.BILLING, Kind.PLAN})

    class Meta:
        ordering = ["seq", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["change", "seq"], name="operation_place_once"),
            models.UniqueConstraint(
                fields=["change", "line", "kind"], condition=Q(line__isnull=False), name="operation_once_per_line"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.change_id} {self.kind} {self.line_id or ''}"
