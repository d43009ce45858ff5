"""The stock ledger: how much lies where, how much of it is promised, and every movement that made it so."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Round
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from ordermgmt.lib.fsm import FSMField, transition
from ordermgmt.lib.money import ZERO, QuantityField

from .catalogue import Product

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


class Warehouse(models.Model):
    """A place where stock lies.

    `adjustment_limit` is how much of one product a warehouse user may adjust there within 30 days without another
    person's approval, in the product's unit.
    """

    code = models.CharField(
        _("code"),
        max_length=10,
        unique=True,
        validators=[RegexValidator(r"^[A-Za-z0-9_-]+$", _("Use letters, digits, dashes and underscores."))],
    )
    name = models.CharField(_("name"), max_length=100)
    address = models.TextField(_("address"), blank=True)
    is_default = models.BooleanField(_("default"), default=False)
    is_active = models.BooleanField(_("active"), default=True)
    adjustment_limit = QuantityField(_("adjustment limit"), default=10)

    class Meta:
        ordering = ["-is_default", "code"]
        constraints = [
            models.UniqueConstraint(fields=["is_default"], condition=Q(is_default=True), name="one_default_warehouse"),
            models.CheckConstraint(condition=Q(adjustment_limit__gte=0), name="warehouse_limit_not_negative"),
        ]

    def __str__(self) -> str:
        return self.name


class StockItemQuerySet(models.QuerySet["StockItem"]):
    """Reads of stock."""

    def visible_to(self, user: "User") -> "StockItemQuerySet":
        """All stock for those who may see stock."""
        return self if user.has_perm("inventory.view_stock") else self.none()

    def locked(self, product_ids: "set[int] | list[int]") -> "list[StockItem]":
        """The stock rows of these products, locked in one statement in the one order that everybody uses."""
        rows = self.select_for_update(no_key=True, of=("self",)).filter(product_id__in=product_ids)
        return list(rows.order_by("product_id", "warehouse_id"))


class StockItem(models.Model):
    """How much of a product lies in a warehouse, how much of that is promised, and what is left (`free`)."""

    product = models.ForeignKey(Product, models.PROTECT, related_name="stock_items", verbose_name=_("product"))
    warehouse = models.ForeignKey(Warehouse, models.PROTECT, related_name="stock_items", verbose_name=_("warehouse"))
    on_hand = QuantityField(_("on hand"), default=ZERO)
    reserved = QuantityField(_("reserved"), default=ZERO)
    # Rounded because SQLite counts in binary fractions: 0.3 - 0.1 must leave 0.2 there too.
    free = models.GeneratedField(
        expression=Round(F("on_hand") - F("reserved"), 6),
        output_field=QuantityField(),
        db_persist=True,
        verbose_name=_("free"),
    )
    counted_at = models.DateTimeField(_("last counted"), null=True, blank=True)

    objects = StockItemQuerySet.as_manager()

    class Meta:
        ordering = ["product", "warehouse"]
        constraints = [
            models.UniqueConstraint(fields=["product", "warehouse"], name="stock_item_once"),
            models.CheckConstraint(condition=Q(on_hand__gte=0), name="stock_on_hand_not_negative"),
            models.CheckConstraint(condition=Q(reserved__gte=0), name="stock_reserved_not_negative"),
            models.CheckConstraint(condition=Q(reserved__lte=F("on_hand")), name="stock_reserved_at_most_on_hand"),
        ]

    def __str__(self) -> str:
        return f"{self.product_id} @ {self.warehouse_id}"


class StockMovement(models.Model):
    """One entry of the ledger, never changed or deleted.

    `quantity` is what it changed on hand, `reserved_change` what it changed of the promises, both signed and in the
    product's unit. `key` names the business fact behind it (a shipment line, a receipt): the same fact can't be
    booked twice.
    """

    class Kind(models.TextChoices):
        OPENING = "opening", _("Opening stock")
        RECEIPT = "receipt", _("Receipt")
        ISSUE = "issue", pgettext_lazy("stock movement", "Issue")
        RETURN = "return", _("Return")
        ADJUSTMENT = "adjustment", _("Adjustment")
        COUNT = "count", _("Count")
        RESERVE = "reserve", _("Reservation")
        RELEASE = "release", _("Release")

    stock_item = models.ForeignKey(StockItem, models.PROTECT, related_name="movements")
    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    quantity = QuantityField(_("on hand"), default=ZERO)
    reserved_change = QuantityField(_("reserved"), default=ZERO)
    key = models.CharField(max_length=150, unique=True)
    holder_kind = models.CharField(max_length=60, blank=True)
    holder_id = models.BigIntegerField(null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by"))
    at = models.DateTimeField(_("time"), auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(quantity=0, reserved_change=0), name="movement_moves_something"),
            models.CheckConstraint(condition=~Q(key=""), name="movement_has_key"),
        ]
        indexes = [
            models.Index(fields=["stock_item", "-id"], name="movement_by_item"),
            models.Index(fields=["actor", "kind", "-at"], name="movement_by_actor"),
            models.Index(fields=["holder_kind", "holder_id"], name="movement_by_holder"),
        ]

    def __str__(self) -> str:
        return self.key


class Reservation(models.Model):
    """An open promise: so much of a stock row belongs to `holder` (an order line). Gone when released or shipped."""

    stock_item = models.ForeignKey(StockItem, models.PROTECT, related_name="reservations")
    holder_kind = models.CharField(max_length=60)
    holder_id = models.BigIntegerField()
    quantity = QuantityField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["stock_item", "holder_kind", "holder_id"], name="reservation_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="reservation_positive"),
        ]
        indexes = [models.Index(fields=["holder_kind", "holder_id"], name="reservation_by_holder")]

    def __str__(self) -> str:
        return f"{self.holder_kind}:{self.holder_id}"


class StockAdjustmentQuerySet(models.QuerySet["StockAdjustment"]):
    """Reads of adjustments."""

    def visible_to(self, user: "User") -> "StockAdjustmentQuerySet":
        """All adjustments for those who may see stock."""
        return self if user.has_perm("inventory.view_stock") else self.none()

    def pending(self) -> "StockAdjustmentQuerySet":
        """Those that wait for a decision."""
        return self.filter(state=StockAdjustment.State.PENDING)


class StockAdjustment(models.Model):
    """A correction of stock with its reason; beyond the limit it waits for another person's approval."""

    class State(models.TextChoices):
        PENDING = "pending", _("Waiting for approval")
        APPLIED = "applied", _("Applied")
        REJECTED = "rejected", _("Rejected")

    class Reason(models.TextChoices):
        COUNT = "count", _("Counted")
        DAMAGED = "damaged", _("Damaged or spoilt")
        LOST = "lost", _("Lost")
        FOUND = "found", _("Found")
        USED = "used", _("Used by ourselves")
        MISTAKE = "mistake", _("Earlier mistake")

    stock_item = models.ForeignKey(StockItem, models.PROTECT, related_name="adjustments")
    quantity = QuantityField(_("change"))
    reason = models.CharField(_("reason"), max_length=10, choices=Reason)
    note = models.CharField(_("note"), max_length=200, blank=True)
    key = models.CharField(max_length=120, unique=True)
    state = FSMField(_("state"), default=State.PENDING, choices=State.choices, protected=True)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(auto_now_add=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_note = models.CharField(_("decision"), max_length=200, blank=True)

    objects = StockAdjustmentQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [models.CheckConstraint(condition=~Q(quantity=0), name="adjustment_changes_something")]
        indexes = [
            models.Index(fields=["state", "-id"], name="adjustment_by_state"),
            models.Index(fields=["stock_item", "requested_by", "-requested_at"], name="adjustment_by_person"),
        ]

    def __str__(self) -> str:
        return f"{self.stock_item.product.sku} {self.quantity.normalize():+f}"

    def get_absolute_url(self) -> str:
        return self.stock_item.product.get_absolute_url()

    @transition(state, source=State.PENDING, target=State.APPLIED)
    def apply(self) -> None:
        """The stock moves."""

    @transition(state, source=State.PENDING, target=State.REJECTED)
    def reject(self) -> None:
        """The stock stays as it is."""
