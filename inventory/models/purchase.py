"""What the company orders from suppliers, when it was promised, and what came."""

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Round
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from ordermgmt.lib.fsm import FSMField, Refreshable, transition
from ordermgmt.lib.money import ZERO, AmountField, PriceField, QuantityField, RateField
from ordermgmt.lib.searching import SearchField

from .catalogue import Product
from .stock import Warehouse
from .supplier import Supplier

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


class PurchaseState(models.TextChoices):
    """The states of a purchase order. What is confirmed, late or received in part is read from its lines."""

    DRAFT = "draft", _("Draft")
    ORDERED = "ordered", pgettext_lazy("purchase", "Ordered")
    RECEIVED = "received", _("Received")
    CANCELLED = "cancelled", _("Cancelled")


class PurchaseOrderQuerySet(models.QuerySet["PurchaseOrder"]):
    """Reads over purchase orders."""

    def visible_to(self, user: "User") -> "PurchaseOrderQuerySet":
        """All for staff who work with suppliers, none for others."""
        return self if user.has_perm("inventory.view_purchase") else self.none()

    def late(self, today: dt.date) -> "PurchaseOrderQuerySet":
        """Ordered, with a line that was promised before today and is open."""
        return self.filter(
            models.Exists(PurchaseLine.objects.awaited().filter(order=models.OuterRef("pk"), promised_on__lt=today))
        )

    def locked(self, pk: int) -> "PurchaseOrder":
        """The row under lock."""
        return self.select_for_update(no_key=True, of=("self",)).select_related("supplier", "warehouse").get(pk=pk)


class PurchaseOrder(Refreshable, models.Model):
    """An order to a supplier. `total` is the net of its lines in `currency`; a cost, see `inventory.view_cost`."""

    State = PurchaseState

    number = models.CharField(_("number"), max_length=20, unique=True)
    supplier = models.ForeignKey(Supplier, models.PROTECT, related_name="purchases", verbose_name=_("supplier"))
    state = FSMField(_("state"), choices=State.choices, default=State.DRAFT, protected=True, max_length=10)
    version = models.PositiveIntegerField(default=1)
    warehouse = models.ForeignKey(
        Warehouse, models.PROTECT, related_name="+", verbose_name=_("to warehouse"),
        help_text=_("Where the goods are put when they come."),
    )  # fmt: skip
    currency = models.CharField(_("currency"), max_length=3, help_text=_("Of all prices of this order."))
    ordered_on = models.DateField(_("ordered on"), null=True, blank=True)
    reference = models.CharField(
        _("supplier's reference"), max_length=60, blank=True, help_text=_("The number of their confirmation.")
    )
    note = models.TextField(_("note"), blank=True, help_text=_("Goes to the supplier with the order."))
    tolerance = RateField(
        _("over-delivery %"), default=Decimal(0),
        help_text=_("So much more than ordered may be received of a line, in percent."),
    )  # fmt: skip
    total = AmountField(_("net"), default=ZERO)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    source_key = models.CharField(max_length=160, null=True, blank=True, unique=True)  # null: not imported
    search_text = SearchField()

    objects = PurchaseOrderQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["draft", "cancelled"]) | Q(ordered_on__isnull=False)
                | Q(source_key__isnull=False),
                name="purchase_ordered_on_a_day",
            ),
            models.CheckConstraint(condition=Q(tolerance__gte=0, tolerance__lte=100), name="purchase_tolerance_percent"),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["state", "-id"], name="purchase_by_state"),
            models.Index(fields=["supplier", "-id"], name="purchase_by_supplier"),
        ]

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        return reverse("inventory:purchase-detail", args=[self.number])

    @property
    def is_draft(self) -> bool:
        """Not sent to the supplier yet: lines may be added and taken away."""
        return self.state == self.State.DRAFT

    # the law

    @transition(state, source=State.DRAFT, target=State.ORDERED, permission="inventory.order_purchase")
    def order(self) -> None:
        """The supplier has it: quantities and prices stay."""

    @transition(state, source=State.ORDERED, target=State.RECEIVED)
    def complete(self) -> None:
        """Nothing is awaited any more: all came, or the rest was given up."""

    @transition(state, source=State.RECEIVED, target=State.ORDERED)
    def await_again(self) -> None:
        """Goods went back and are awaited again."""

    @transition(
        state, source=[State.DRAFT, State.ORDERED], target=State.CANCELLED, permission="inventory.order_purchase"
    )
    def cancel(self) -> None:
        """It will not come; only while nothing came."""


class PurchaseLineQuerySet(models.QuerySet["PurchaseLine"]):
    """Reads over what is ordered from suppliers."""

    def planned(self) -> "PurchaseLineQuerySet":
        """Awaited, or drafted and not sent yet: what nobody needs to order again."""
        return self.filter(order__state__in=[PurchaseState.DRAFT, PurchaseState.ORDERED], open__gt=0)

    def awaited(self) -> "PurchaseLineQuerySet":
        """Ordered and not come yet in full."""
        return self.filter(order__state=PurchaseState.ORDERED, open__gt=0)

    def judged(self) -> "PurchaseLineQuerySet":
        """Those of which it is known how late they were."""
        return self.filter(days_late__isnull=False)


class PurchaseLine(models.Model):
    """So much of a product, promised for a day. `received` is what came and was taken; `given_up` what will not come.

    `promised_on` is when it should come: the day the supplier confirmed (`confirmed_on`), until then the order day and
    their lead time. `first_promised_on` is only what they said.
    `days_late` is the day all of it was there less the day promised first (negative: early); None while it is awaited
    and where nothing came or was promised. A later promise moves what we expect, not what the supplier is judged by.
    """

    order = models.ForeignKey(PurchaseOrder, models.CASCADE, related_name="lines")
    position = models.PositiveIntegerField(_("line"))
    product = models.ForeignKey(
        Product, models.PROTECT, null=True, blank=True, related_name="purchase_lines", verbose_name=_("product")
    )
    description = models.CharField(_("description"), max_length=500)
    unit = models.CharField(_("unit"), max_length=10, blank=True)
    quantity = QuantityField(_("quantity"))
    most = QuantityField(help_text="What is accepted at most: the quantity with the tolerance of the order.")
    unit_price = PriceField(_("unit price"))
    net = AmountField(_("net"), default=ZERO)
    freight = AmountField(_("freight"), null=True, blank=True)
    needed_by = models.DateField(_("needed by"), null=True, blank=True)
    promised_on = models.DateField(_("promised"), null=True, blank=True)
    first_promised_on = models.DateField(null=True, blank=True, help_text="What suppliers are judged by.")
    received = QuantityField(_("received"), default=ZERO)
    rejected = QuantityField(_("rejected"), default=ZERO)
    returned = QuantityField(_("sent back"), default=ZERO)
    given_up = QuantityField(_("given up"), default=ZERO)
    # Rounded because SQLite counts in binary fractions.
    open = models.GeneratedField(
        expression=Round(F("quantity") - F("received") - F("given_up"), 6), output_field=QuantityField(),
        db_persist=True, verbose_name=_("open"),
    )  # fmt: skip
    received_on = models.DateField(pgettext_lazy("goods", "received on"), null=True, blank=True)
    days_late = models.IntegerField(_("days late"), null=True, blank=True)
    source_key = models.CharField(max_length=160, null=True, blank=True, unique=True)  # null: not imported

    objects = PurchaseLineQuerySet.as_manager()

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["order", "position"], name="purchase_line_place_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="purchase_quantity_positive"),
            models.CheckConstraint(condition=Q(unit_price__gte=0, net__gte=0), name="purchase_price_not_negative"),
            models.CheckConstraint(
                condition=Q(received__gte=0, rejected__gte=0, returned__gte=0, given_up__gte=0),
                name="purchase_counters_not_negative",
            ),
            models.CheckConstraint(condition=Q(received__lte=F("most")), name="purchase_received_within_tolerance"),
            models.CheckConstraint(condition=Q(given_up__lte=F("quantity")), name="purchase_given_up_at_most_all"),
        ]
        indexes = [
            models.Index(fields=["product", "promised_on"], name="purchase_line_by_product"),
            models.Index(fields=["promised_on", "order"], name="purchase_line_by_promise"),
        ]

    def __str__(self) -> str:
        return f"{self.position} {self.description}"

    @property
    def confirmed_on(self) -> dt.date | None:
        """The day that the supplier gave; None while only their lead time says when it should come."""
        return self.promised_on if self.first_promised_on else None

    @property
    def expected_on(self) -> dt.date | None:
        """When it should come: as promised or by the lead time, else when we need it."""
        return self.promised_on or self.needed_by

    def days_over(self, today: dt.date) -> int:
        """Calendar days since the promised day, while something is open; else 0."""
        late = self.open > 0 and self.promised_on is not None and self.promised_on < today
        return (today - self.promised_on).days if late and self.promised_on else 0


class Receipt(models.Model):
    """What came on one day, or went back (`kind`); append-only. The same `key` is booked once."""

    class Kind(models.TextChoices):
        RECEIPT = "receipt", _("Receipt")
        RETURN = "return", _("Return to the supplier")

    order = models.ForeignKey(PurchaseOrder, models.PROTECT, related_name="receipts")
    kind = models.CharField(_("kind"), max_length=8, choices=Kind, default=Kind.RECEIPT)
    number = models.CharField(_("number"), max_length=20, unique=True)
    received_on = models.DateField(_("on"))
    delivery_note = models.CharField(_("delivery note"), max_length=60, blank=True)
    key = models.CharField(max_length=120, unique=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.number


class ReceiptLine(models.Model):
    """So much of a line taken (or sent back), so much refused and why; append-only."""

    receipt = models.ForeignKey(Receipt, models.PROTECT, related_name="lines")
    line = models.ForeignKey(PurchaseLine, models.PROTECT, related_name="receipts")
    accepted = QuantityField(pgettext_lazy("goods", "accepted"), default=ZERO)
    rejected = QuantityField(_("rejected"), default=ZERO)
    reason = models.CharField(_("reason"), max_length=200, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["receipt", "line"], name="receipt_line_once"),
            models.CheckConstraint(condition=Q(accepted__gte=0, rejected__gte=0), name="receipt_not_negative"),
            models.CheckConstraint(condition=Q(accepted__gt=0) | Q(rejected__gt=0), name="receipt_of_something"),
            models.CheckConstraint(condition=Q(rejected=0) | ~Q(reason=""), name="receipt_reject_has_a_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.receipt_id} {self.line_id}"
