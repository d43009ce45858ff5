"""Corrections of stock: adjusting, counting, and the second person who approves what goes beyond the limit."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Sum
from django.db.models.functions import Abs
from django.utils import timezone
from django.utils.translation import gettext as _

from inventory import events
from inventory.models import Product, StockAdjustment, StockItem, StockMovement, Warehouse
from ordermgmt.activity.events import EventType
from ordermgmt.activity.services import record
from ordermgmt.lib.fsm import Blocker, TransitionRefused, check_transition
from ordermgmt.lib.money import ZERO

from .checking import LARGEST, check_quantity, fits_unit, plain, require
from .ledger import InsufficientStock, Move, book
from .moving import form_key, stock_row

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

PERIOD = dt.timedelta(days=30)
Reason = StockAdjustment.Reason
State = StockAdjustment.State


@dataclass(frozen=True)
class Counted:
    """What a count came to: the difference, and the adjustment where there was one (perhaps waiting for approval)."""

    item: StockItem
    difference: Decimal
    adjustment: StockAdjustment | None


def needs_approval(item: StockItem, quantity: Decimal, *, actor: "User") -> str:
    """Why another person must approve this correction, as a sentence; empty when the actor may do it alone.

    The limit is the warehouse's, adds up over 30 days, and counts for nothing where the actor has shipped the product
    in that time: who ships does not adjust alone.
    """
    since = timezone.now() - PERIOD
    shipped = StockMovement.objects.filter(
        actor=actor, kind=StockMovement.Kind.ISSUE, at__gte=since, stock_item__product=item.product_id
    )
    if shipped.exists():
        return _("You have shipped this product within the last 30 days, so somebody else approves the correction.")
    own = StockAdjustment.objects.filter(
        stock_item=item, requested_by=actor, decided_by=actor, state=State.APPLIED, decided_at__gte=since
    )
    used = own.aggregate(used=Sum(Abs("quantity")))["used"] or ZERO
    limit = item.warehouse.adjustment_limit
    if used + abs(quantity) > limit:
        return _("Corrections of more than %(limit)s %(unit)s within 30 days need another person's approval.") % {
            "limit": plain(limit),
            "unit": item.product.unit.code,
        }
    return ""


@transaction.atomic
def adjust_stock(
    product: Product, warehouse: Warehouse, quantity: Decimal, *, reason: str, note: str = "", key: str, actor: "User"
) -> StockAdjustment:
    """Corrects the stock by `quantity` (signed) at once, or asks for approval where the limit says so.

    The same `key` twice is one correction. Raises PermissionDenied, ValidationError (quantity, unit, more than is free).
    """
    require(actor, "inventory.adjust_stock")
    check_quantity(product, quantity, signed=True)
    key = form_key("adjust", product, key)
    return _correct(stock_row(product, warehouse), quantity, reason=reason, note=note, key=key, actor=actor)


def _correct(item: StockItem, quantity: Decimal, *, reason: str, note: str, key: str, actor: "User") -> StockAdjustment:
    known = StockAdjustment.objects.filter(key=key).first()
    if known is not None:
        return known
    if item.free + quantity < 0:
        raise ValidationError(
            {
                "quantity": _(
                    "Only %(free)s %(unit)s are free; the rest is reserved for orders. Release it there first."
                )
                % {"free": plain(item.free), "unit": item.product.unit.code}
            }
        )
    adjustment = StockAdjustment.objects.create(
        stock_item=item, quantity=quantity, reason=reason, note=note, key=key, requested_by=actor
    )
    if needs_approval(item, quantity, actor=actor):
        _tell(events.ADJUSTMENT_REQUESTED, adjustment, actor=actor)
        return adjustment
    return _apply(adjustment, actor=actor)


def _apply(adjustment: StockAdjustment, *, actor: "User", note: str = "") -> StockAdjustment:
    kind = StockMovement.Kind.COUNT if adjustment.reason == Reason.COUNT else StockMovement.Kind.ADJUSTMENT
    why = f"{adjustment.get_reason_display()} {adjustment.note}".strip()[:200]
    book(
        [Move(adjustment.stock_item, kind, f"adjustment:{adjustment.pk}", quantity=adjustment.quantity, reason=why)],
        actor=actor,
    )
    adjustment.apply()
    return _decided(adjustment, events.STOCK_ADJUSTED, actor=actor, note=note)


def _decided(adjustment: StockAdjustment, event: EventType, *, actor: "User", note: str) -> StockAdjustment:
    adjustment.decided_by, adjustment.decided_at, adjustment.decision_note = actor, timezone.now(), note
    adjustment.save()
    _tell(event, adjustment, actor=actor)
    return adjustment


def _tell(event: EventType, adjustment: StockAdjustment, *, actor: "User") -> None:
    item = adjustment.stock_item
    record(
        event,
        adjustment,
        root=item.product,
        actor=actor,
        sku=item.product.sku,
        quantity=f"{'+' if adjustment.quantity > 0 else ''}{plain(adjustment.quantity)}",
        unit=item.product.unit.code,
        warehouse=item.warehouse.name,
        reason=adjustment.reason,
        note=adjustment.note,
    )


def _locked(adjustment: StockAdjustment) -> StockAdjustment:
    rows = StockAdjustment.objects.select_for_update(no_key=True, of=("self",))
    return rows.select_related("stock_item__product__unit", "stock_item__warehouse").get(pk=adjustment.pk)


def _check_decision(adjustment: StockAdjustment, method: str, *, actor: "User") -> None:
    """State, right, and that nobody decides on their own request (for administrators too)."""
    require(actor, "inventory.approve_adjustment")
    check_transition(getattr(adjustment, method), actor)
    if adjustment.requested_by_id == actor.pk:
        raise TransitionRefused([Blocker(_("You asked for this correction, so somebody else must decide on it."))])


@transaction.atomic
def approve_adjustment(adjustment: StockAdjustment, *, actor: "User", note: str = "") -> StockAdjustment:
    """Applies a correction that waited. Raises PermissionDenied, TransitionRefused (decided already, own, not free)."""
    adjustment = _locked(adjustment)
    _check_decision(adjustment, "apply", actor=actor)
    StockItem.objects.locked([adjustment.stock_item.product_id])
    try:
        with transaction.atomic():
            return _apply(adjustment, actor=actor, note=note)
    except InsufficientStock as error:
        raise TransitionRefused(
            [Blocker(_("More has been reserved meanwhile: the rest is not free any more."))]
        ) from error


@transaction.atomic
def reject_adjustment(adjustment: StockAdjustment, *, actor: "User", note: str = "") -> StockAdjustment:
    """Refuses a correction that waited; the stock stays. Raises as `approve_adjustment`."""
    adjustment = _locked(adjustment)
    _check_decision(adjustment, "reject", actor=actor)
    adjustment.reject()
    return _decided(adjustment, events.ADJUSTMENT_REJECTED, actor=actor, note=note)


@transaction.atomic
def count_stock(
    product: Product,
    warehouse: Warehouse,
    counted: Decimal,
    *,
    seen: Decimal | None = None,
    note: str = "",
    key: str,
    actor: "User",
) -> Counted:
    """Books what was counted; a difference becomes a correction under the same limits.

    `seen` is what the count sheet showed on hand: if that has moved, the count is refused, because the difference
    would be wrong. Raises PermissionDenied, ValidationError at `counted`.
    """
    require(actor, "inventory.adjust_stock")
    if counted < 0 or not fits_unit(counted, product.unit):
        raise ValidationError({"counted": _("Enter what you counted, in the product's unit.")})
    if counted >= LARGEST:
        raise ValidationError({"counted": _("This quantity is too large.")})
    item = stock_row(product, warehouse)
    known = StockAdjustment.objects.filter(key=key).first()
    if known is not None:
        return Counted(item, known.quantity, known)
    if seen is not None and seen != item.on_hand:
        raise ValidationError(
            {"counted": _("Stock moved while you counted (now %(now)s). Count again.") % {"now": plain(item.on_hand)}}
        )
    difference = counted - item.on_hand
    StockItem.objects.filter(pk=item.pk).update(counted_at=timezone.now())
    data: dict[str, Any] = {"quantity": plain(counted), "unit": product.unit.code, "warehouse": warehouse.name}
    record(events.STOCK_COUNTED, item, root=product, actor=actor, difference=plain(difference), **data)
    if difference == 0:
        return Counted(item, difference, None)
    adjustment = _correct(item, difference, reason=Reason.COUNT, note=note, key=key, actor=actor)
    return Counted(item, difference, adjustment)
