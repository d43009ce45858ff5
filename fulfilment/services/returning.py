"""Goods that come back, what becomes of them, and goods that go out again for them or for rejected ones."""

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
    stock_rows,
)
from ordermgmt.accounts.services import require
from ordermgmt.activity.events import EventType
from ordermgmt.activity.services import enqueue, record
from ordermgmt.company.services import business_today
from ordermgmt.documents.services import take_number
from ordermgmt.lib.fsm import Blocker, TransitionRefused
from orders.models import Order, OrderLine
from orders.services import HOLDER, locked, note_returned

from .dating import wrong_day
from .inspecting import not_ready, ready_quantities
from .shipping import from_stock, is_service, next_number, note_key, reserve_bought

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
            _("Goods come back before the order is accepted; this one is: %(state)s.") % {"state": order.state_label}
        )
    ]


@transaction.atomic
def return_goods(
    order: Order, *, parts: Sequence[ReturnedPart], reason: str, on: dt.date | None = None, key: str, actor: "User"
) -> GoodsReturn:
    """Takes goods back that wait for acceptance. What is fit for sale goes to the default warehouse at once, and of
    every part somebody has to say what follows: a credit, or goods that go out again.

    The same `key` twice is one return. Raises PermissionDenied, TransitionRefused (state), ValidationError at
    "reason", "on" or "<disposition>_<line id>".
    """
    require(actor, "fulfilment.ship_order")
    order, key = locked(order), f"form:{order.pk}:{key}"  # `exchange` names its returns itself
    known = GoodsReturn.objects.filter(key=key, order=order).first()
    if known is not None:
        return known
    if found := return_blocked(order):
        raise TransitionRefused(found)
    given = [part for part in parts if part.quantity]
    lines = {line.pk: line for line in returnable_lines(order)}
    _check(order, lines, given, reason, on)
    back = keep_return(order, given, reason=reason, on=on, key=key, actor=actor)
    Rectification.objects.bulk_create(
        Rectification(
            order=order, order_line_id=row.order_line_id, return_line=row, quantity=row.quantity, reason=back.reason
        )
        for row in back.lines.all()
    )
    sums: dict[int, Decimal] = {}
    for part in given:
        sums[part.line_id] = sums.get(part.line_id, Decimal(0)) + part.quantity
    order = note_returned(order, sums, open_returns=undelivered(order), actor=actor)
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


def undelivered(order: Order) -> int:
    """How many returns of the order wait: nobody said what follows, or goods are to go out again."""
    return Rectification.objects.filter(order=order).undelivered().count()


def _check(
    order: Order, lines: dict[int, OrderLine], parts: list[ReturnedPart], reason: str, on: dt.date | None
) -> None:
    if not parts:
        raise ValidationError(_("Enter a quantity for at least one line."))
    errors: dict[str, str] = {}
    if not reason.strip():
        errors["reason"] = _("Say why it came back.")
    if sentence := wrong_day(order, on or business_today(), [part.line_id for part in parts]):
        errors["on"] = sentence
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
    day = on or business_today()
    products = {line.pk: line.product for line in order.order_lines}
    fit = [products[part.line_id] for part in parts if part.disposition == Disposition.RESTOCK]
    warehouse = Warehouse.objects.get(is_default=True) if fit else None
    if warehouse is not None:
        stock_rows(fit, warehouse)  # before the number: `exchange` has the stock already when it comes here
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
    for row in kept:
        product = products[row.order_line_id]
        if row.disposition == Disposition.RESTOCK and product is not None and warehouse is not None:
            return_stock(
                product, warehouse, row.quantity, key=f"{back.number}:{row.order_line_id}", actor=actor,
                reason=back.reason[:200],
            )  # fmt: skip
    return back


def exchange(rectification: Rectification, *, faulty: str, actor: "User") -> Shipment:
    """Ships new goods for rejected ones and takes the faulty ones back.

    `faulty` is what becomes of the rejected goods, "" when they stay with the customer. The caller holds the locks and
    has checked state and right. Raises ValidationError where the stock is short or can't take the faulty ones.
    """
    order, quantity = rectification.order, rectification.quantity
    line = _line_of(rectification)
    if faulty == Disposition.RESTOCK and not _kept_in_stock(line):
        raise ValidationError({"faulty": _("This is not kept in stock: choose repair or scrap.")})
    shipment = send_again(rectification, event=events.REPLACED, actor=actor)
    if faulty:
        keep_return(
            order, [ReturnedPart(line.pk, faulty, quantity)], reason=rectification.reason,
            key=f"rectification:{rectification.pk}", actor=actor, rectification=rectification,
        )  # fmt: skip
    return shipment


def send_again(
    rectification: Rectification,
    *,
    event: EventType,
    carrier: str = "",
    tracking_number: str = "",
    actor: "User",
) -> Shipment:
    """Ships goods in a delivery of their own: the repaired ones, or new ones from free stock where the line is a stock
    line. The caller holds the locks and has checked state and right. Raises ValidationError where the stock is short.
    """
    order, quantity, line = rectification.order, rectification.quantity, _line_of(rectification)
    ready = ready_quantities(order)
    if sentence := not_ready(line, quantity, ready):
        raise ValidationError(sentence)
    shipment = Shipment.objects.create(
        number=next_number(), order=order, kind=Shipment.Kind.GOODS, address=order.delivery_address, note=rectification.reason,
        carrier=carrier, tracking_number=tracking_number, key=f"rectification:{rectification.pk}",
        shipped_at=timezone.now(), shipped_by=actor,
    )  # fmt: skip
    ShipmentLine.objects.create(shipment=shipment, order_line=line, quantity=quantity, inspected=line.pk in ready)
    Replacement.objects.create(rectification=rectification, shipment=shipment)
    if rectification.replaces_goods and line.product is not None:
        try:
            taken = [(line, quantity)] if from_stock(line) else reserve_bought([(line, quantity)], actor=actor)
            if from_stock(line):
                reserve([ReservationRequest(line.product, quantity, HOLDER, line.pk)], actor=actor)
            issue_all(
                [IssueRequest(HOLDER, line.pk, amount, f"{shipment.number}:{line.pk}") for _line, amount in taken],
                actor=actor,
            )
        except InsufficientStock as error:
            raise ValidationError(" ".join(error.sentences())) from error
    record(
        event, shipment, root=order, actor=actor, number=shipment.number, lines=f"{line.position} × {plain(quantity)}"
    )
    enqueue("fulfilment.delivery_note", key=note_key(shipment), params={"shipment": shipment.pk}, actor=actor)
    return shipment


def _line_of(rectification: Rectification) -> OrderLine:
    return next(one for one in rectification.order.order_lines if one.pk == rectification.order_line_id)
