"""Goods that come back, what becomes of them, and new goods for rejected ones."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import prefetch_related_objects
from django.utils import timezone
from django.utils.translation import gettext as _

from fulfilment import events
from fulfilment.models import GoodsReturn, GoodsReturnLine, Rectification, Replacement, Shipment, ShipmentLine
from inventory.models import Warehouse
from inventory.services import (
    InsufficientStock,
    IssueRequest,
    ReservationRequest,
    fits_unit,
    issue_all,
    plain,
    reserve,
    return_stock,
)
from ordermgmt.accounts.services import require
from ordermgmt.activity.services import enqueue, record
from ordermgmt.documents.services import take_number
from ordermgmt.lib.fsm import Blocker, TransitionRefused
from orders.models import Order, OrderLine
from orders.services import HOLDER, locked, note_returned

from .shipping import from_stock, is_service, note_key

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

Disposition = GoodsReturnLine.Disposition
RETURNABLE = (Order.State.IN_PRODUCTION, Order.State.SHIPPED, Order.State.RECTIFICATION)


@dataclass(frozen=True)
class ReturnedPart:
    """So much of one order line (by id), in its unit, and what becomes of it."""

    line_id: int
    disposition: str
    quantity: Decimal


def returnable_lines(order: Order) -> list[OrderLine]:
    """The lines of goods of which something is with the customer, neither accepted nor rejected."""
    prefetch_related_objects(order.order_lines, "product__unit")
    return [line for line in order.order_lines if line.qty_to_accept > 0 and not is_service(line)]


def return_blocked(order: Order) -> list[Blocker]:
    """Why nothing can come back on this order now; empty when it can."""
    if order.state in RETURNABLE:
        return []
    return [
        Blocker(
            _("Goods come back before the order is accepted; this one is: %(state)s.")
            % {"state": order.get_state_display()}
        )
    ]


@transaction.atomic
def return_goods(
    order: Order, *, parts: Sequence[ReturnedPart], reason: str, on: dt.date | None = None, key: str, actor: "User"
) -> GoodsReturn:
    """Takes goods back that wait for acceptance. What is fit for sale goes to the default warehouse at once.

    The same `key` twice is one return. Raises PermissionDenied, TransitionRefused (state), ValidationError at
    "reason", "on" or "<disposition>_<line id>".
    """
    require(actor, "fulfilment.ship_order")
    order = locked(order)
    known = GoodsReturn.objects.filter(key=key, order=order).first()
    if known is not None:
        return known
    if found := return_blocked(order):
        raise TransitionRefused(found)
    given = [part for part in parts if part.quantity]
    lines = {line.pk: line for line in returnable_lines(order)}
    _check(lines, given, reason, on)
    back = keep_return(order, given, reason=reason, on=on, key=key, actor=actor)
    sums: dict[int, Decimal] = {}
    for part in given:
        sums[part.line_id] = sums.get(part.line_id, Decimal(0)) + part.quantity
    order = note_returned(order, sums, actor=actor)
    told = [
        {
            "line": lines[part.line_id].position,
            "quantity": plain(part.quantity),
            "disposition": str(Disposition(part.disposition)),
        }
        for part in given
    ]
    record(events.RETURNED, back, root=order, actor=actor, number=back.number, lines=told, reason=back.reason)
    return back


def _check(lines: dict[int, OrderLine], parts: list[ReturnedPart], reason: str, on: dt.date | None) -> None:
    if not parts:
        raise ValidationError(_("Enter a quantity for at least one line."))
    errors: dict[str, str] = {}
    if not reason.strip():
        errors["reason"] = _("Say why it came back.")
    if on is not None and on > timezone.localdate():
        errors["on"] = _("The date is in the future.")
    left = {pk: line.qty_to_accept for pk, line in lines.items()}
    for part in parts:
        line = lines.get(part.line_id)
        if line is None:
            raise ValidationError(_("There is nothing to take back on this line."))
        left[line.pk] -= part.quantity
        if sentence := _wrong(line, part, left[line.pk]):
            errors.setdefault(f"{part.disposition}_{line.pk}", sentence)
    if errors:
        raise ValidationError(errors)


def _wrong(line: OrderLine, part: ReturnedPart, left: Decimal) -> str:
    """What is wrong with taking back so much, as a sentence; empty when nothing is."""
    if part.quantity < 0:
        return _("Enter a quantity above zero.")
    if left < 0:
        return _("Only %(open)s are with the customer and not yet accepted or rejected.") % {
            "open": plain(line.qty_to_accept)
        }
    if line.product is not None and not fits_unit(part.quantity, line.product.unit):
        return _("This product is counted in %(unit)s: fewer decimals.") % {"unit": line.product.unit.code}
    if part.disposition == Disposition.RESTOCK and not _kept_in_stock(line):
        return _("This is not kept in stock: choose repair or scrap.")
    return ""


def _kept_in_stock(line: OrderLine) -> bool:
    return line.product is not None and line.product.is_stocked


def keep_return(
    order: Order,
    parts: Sequence[ReturnedPart],
    *,
    reason: str,
    on: dt.date | None = None,
    key: str,
    actor: "User",
    rectification: Rectification | None = None,
) -> GoodsReturn:
    """Writes a return whose parts are checked, and puts on the shelf what is fit for sale."""
    day = on or timezone.localdate()
    back = GoodsReturn.objects.create(
        number=f"RT-{day:%Y}-{take_number('fulfilment.return', period=f'{day:%Y}'):05d}", order=order,
        rectification=rectification, reason=reason.strip(), on=day, key=key, recorded_by=actor,
    )  # fmt: skip
    kept = GoodsReturnLine.objects.bulk_create(
        GoodsReturnLine(
            goods_return=back, order_line_id=part.line_id, disposition=part.disposition, quantity=part.quantity
        )
        for part in parts
    )
    products = {line.pk: line.product for line in order.order_lines}
    fit = [(products[row.order_line_id], row) for row in kept if row.disposition == Disposition.RESTOCK]
    warehouse = Warehouse.objects.get(is_default=True) if fit else None
    # In the order of the products: two returns at once take their stock rows in the same order.
    for product, row in sorted(fit, key=lambda one: one[0].pk if one[0] else 0):
        if product is not None and warehouse is not None:
            return_stock(
                product, warehouse, row.quantity, key=f"{back.number}:{row.order_line_id}", actor=actor,
                reason=back.reason[:200],
            )  # fmt: skip
    return back


def exchange(rectification: Rectification, *, faulty: str, actor: "User") -> Shipment:
    """Ships new goods for rejected ones, from free stock where the line is a stock line; takes the faulty ones back.

    `faulty` is what becomes of the rejected goods, "" when they stay with the customer. The caller holds the locks and
    has checked state and right. Raises ValidationError where the stock is short or can't take the faulty ones.
    """
    order, quantity = rectification.order, rectification.quantity
    line = next(one for one in order.order_lines if one.pk == rectification.order_line_id)
    if faulty == Disposition.RESTOCK and not _kept_in_stock(line):
        raise ValidationError({"faulty": _("This is not kept in stock: choose repair or scrap.")})
    now = timezone.now()
    shipment = Shipment.objects.create(
        number=f"DN-{now:%Y}-{take_number('fulfilment.shipment', period=f'{now:%Y}'):05d}", order=order,
        kind=Shipment.Kind.GOODS, address=order.delivery_address, note=rectification.reason,
        key=f"rectification:{rectification.pk}", shipped_at=now, shipped_by=actor,
    )  # fmt: skip
    ShipmentLine.objects.create(shipment=shipment, order_line=line, quantity=quantity)
    Replacement.objects.create(rectification=rectification, shipment=shipment)
    if from_stock(line) and line.product is not None:
        try:
            reserve([ReservationRequest(line.product, quantity, HOLDER, line.pk)], actor=actor)
            issue_all([IssueRequest(HOLDER, line.pk, quantity, f"{shipment.number}:{line.pk}")], actor=actor)
        except InsufficientStock as error:
            raise ValidationError(" ".join(error.sentences())) from error
    if faulty:
        keep_return(
            order, [ReturnedPart(line.pk, faulty, quantity)], reason=rectification.reason,
            key=f"rectification:{rectification.pk}", actor=actor, rectification=rectification,
        )  # fmt: skip
    record(
        events.REPLACED, shipment, root=order, actor=actor, number=shipment.number,
        lines=f"{line.position} × {plain(quantity)}",
    )  # fmt: skip
    enqueue("fulfilment.delivery_note", key=note_key(shipment), params={"shipment": shipment.pk}, actor=actor)
    return shipment
