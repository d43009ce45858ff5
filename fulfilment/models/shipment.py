"""What left the house, or was performed at the customer's: in parts, each with its delivery note."""

from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from ordermgmt.lib.money import QuantityField
from ordermgmt.lib.searching import SearchField, search_text
from orders.models import Order, OrderLine

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


class ShipmentQuerySet(models.QuerySet["Shipment"]):
    """Reads of shipments."""

    def visible_to(self, user: "User") -> Self:
        """Those of the orders that the person sees."""
        if not user.has_perm("orders.view_order"):
            return self.none()
        return self.filter(order__in=Order.objects.visible_to(user))

    def found(self, text: str) -> Self:
        """Those that a text is found in, or in whose order. Each side is asked by itself, so that each has its index."""
        own = Shipment.objects.order_by().filter(search_text__found=text).values("pk")
        of_orders = Shipment.objects.order_by().filter(order__search_text__found=text).values("pk")
        return self.filter(pk__in=own.union(of_orders))


class Shipment(models.Model):
    """One delivery of an order: goods with a carrier, or a service's results. Its lines never change."""

    class Kind(models.TextChoices):
        GOODS = "goods", _("Goods")
        SERVICE = "service", _("Service")

    number = models.CharField(_("number"), max_length=20, unique=True)
    order = models.ForeignKey(Order, models.PROTECT, related_name="shipments", verbose_name=_("order"))
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.GOODS)
    address = models.TextField(_("delivery address"), blank=True)
    carrier = models.CharField(_("carrier"), max_length=80, blank=True)
    tracking_number = models.CharField(_("tracking number"), max_length=80, blank=True)
    note = models.CharField(_("note on the delivery note"), max_length=300, blank=True)
    description = models.TextField(_("what was delivered"), blank=True, max_length=4000)
    key = models.CharField(max_length=100, unique=True, help_text="The same form sent twice is one shipment.")
    shipped_at = models.DateTimeField(_("shipped"))
    shipped_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by"))
    delivered_on = models.DateField(_("arrived on"), null=True, blank=True)
    delivery_note = models.ForeignKey(
        "documents.StoredFile", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("delivery note")
    )
    received_by = models.CharField(_("received by"), max_length=150, blank=True)
    proof = models.ForeignKey(
        "documents.StoredFile", models.PROTECT, null=True, blank=True, related_name="+",
        verbose_name=_("proof of delivery"),
    )  # fmt: skip

    search_text = SearchField()

    objects = ShipmentQuerySet.as_manager()

    class Meta:
        ordering = ["-shipped_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(delivered_on__isnull=True) | ~Q(received_by=""), name="shipment_arrival_names_receiver"
            )
        ]
        indexes = [
            models.Index(fields=["-shipped_at", "-id"], name="shipment_by_time"),
            models.Index(fields=["order", "id"], name="shipment_by_order"),
        ]

    def __str__(self) -> str:
        return self.number

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keeps what it is found by beside what it says, whoever changes that."""
        self.search_text = search_text(self.number, self.carrier, self.tracking_number)
        if kwargs.get("update_fields") is not None:
            kwargs["update_fields"] = {*kwargs["update_fields"], "search_text"}
        super().save(*args, **kwargs)

    def get_absolute_url(self) -> str:
        return reverse("fulfilment:shipment-detail", args=[self.number])


class ShipmentLine(models.Model):
    """So much of one order line in one shipment; append-only."""

    shipment = models.ForeignKey(Shipment, models.PROTECT, related_name="lines")
    order_line = models.ForeignKey(OrderLine, models.PROTECT, related_name="shipment_lines")
    quantity = QuantityField(_("quantity"))
    inspected = models.BooleanField(default=False, help_text="It left against an inspection that it had to pass.")

    class Meta:
        ordering = ["order_line__position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["shipment", "order_line"], name="shipment_line_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="shipment_quantity_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.shipment_id} {self.order_line_id}"


class ShipmentFile(models.Model):
    """A file that was handed over with a delivery: a report, a drawing, a programme; append-only."""

    shipment = models.ForeignKey(Shipment, models.PROTECT, related_name="files")
    file = models.ForeignKey("documents.StoredFile", models.PROTECT, related_name="+")

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["shipment", "file"], name="shipment_file_once")]

    def __str__(self) -> str:
        return f"{self.shipment_id} {self.file_id}"
