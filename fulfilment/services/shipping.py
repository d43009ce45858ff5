"""Shipping in parts, and delivering a service: the same step, by different people."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import prefetch_related_objects
from django.utils import timezone
from django.utils.translation import gettext as _

from fulfilment import events
from fulfilment.models import Shipment, ShipmentFile, ShipmentLine
from inventory.models import BomLine
from inventory.services import (
    InsufficientStock,
    IssueRequest,
    ReservationRequest,
    fits_unit,
    free_quantities,
    issue_all,
    lock_stock,
    plain,
    reserve,
)
from ordermgmt.accounts.services import require
from ordermgmt.activity.services import enqueue, record
from ordermgmt.company.services import business_day, business_today
from ordermgmt.documents.models import StoredFile
from ordermgmt.documents.services import take_number
from ordermgmt.lib.fsm import Blocker, TransitionRefused, blockers
from ordermgmt.lib.money import ZERO
from orders.models import Order, OrderLine
from orders.services import HOLDER, finish_order, locked, note_shipped

from .inspecting import not_ready, ready_quantities
from .producing import report_as_made
from .uploading import keep_paper, keep_upload

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile

    from ordermgmt.accounts.models import User

Quantities = Mapping[int, Decimal]


def is_service(line: OrderLine) -> bool:
    """Whether the line is performed rather than sent."""
    return line.supply == OrderLine.Supply.SERVICE


def shippable_lines(order: Order, kind: str) -> list[OrderLine]:
    """The lines of which something is still to be shipped (goods) or performed (service)."""
    service = kind == Shipment.Kind.SERVICE
    prefetch_related_objects(order.order_lines, "product__unit")
    return [line for line in order.order_lines if line.qty_to_ship > 0 and is_service(line) == service]


def blocked(order: Order) -> list[Blocker]:
    """Why nothing can be shipped from this order now; empty when it can."""
    if order.state != Order.State.IN_PRODUCTION:
        return [
            Blocker(_("Only an order in production is shipped; this one is: %(state)s.") % {"state": order.state_label})
        ]
    return halted(order)


def halted(order: Order) -> list[Blocker]:
    """What stops all goods of the order, whatever its state: a hold, a change that the warehouse does not know yet."""
    if order.on_hold:
        return [Blocker(_("The order is on hold: %(reason)s") % {"reason": order.hold_reason})]
    if order.unread_changes:
        return [
            Blocker(
                _("The order was changed: the warehouse acknowledges the change before it ships."),
                f"{order.get_absolute_url()}#changes",
                _("Open the changes"),
            )
        ]
    return []


@transaction.atomic
def ship_order(
    order: Order,
    *,
    quantities: Quantities,
    carrier: str = "",
    tracking_number: str = "",
    note: str = "",
    inspected: bool = True,
    key: str,
    actor: "User",
) -> Shipment:
    """Ships so much of each line (by id, in its unit) from what is reserved for it; a part is enough. What is made here
    and leaves without having been reported is reported made in the same step.

    The last part moves the order to shipped. The same `key` twice is one shipment. Raises PermissionDenied,
    TransitionRefused (state, hold), ValidationError at "quantity_<line id>" or "inspected".
    """
    require(actor, "fulfilment.ship_order")
    if not inspected:
        raise ValidationError({"inspected": _("Inspect the goods before they leave.")})
    return _deliver(
        order, Shipment.Kind.GOODS, quantities, carrier=carrier, tracking_number=tracking_number, note=note, key=key,
        actor=actor,
    )  # fmt: skip


@transaction.atomic
def deliver_service(
    order: Order,
    *,
    quantities: Quantities,
    note: str = "",
    description: str = "",
    files: "Sequence[UploadedFile[Any]]" = (),
    key: str,
    actor: "User",
) -> Shipment:
    """Reports so much of each service line as performed, says what was done and hands over its files.

    Raises as `ship_order`; ValidationError at "files" for one that is not taken.
    """
    require(actor, "fulfilment.deliver_service")
    return _deliver(
        order, Shipment.Kind.SERVICE, quantities, note=note, description=description.strip(), files=files, key=key,
        actor=actor,
    )  # fmt: skip


def _deliver(
    order: Order,
    kind: Shipment.Kind,
    quantities: Quantities,
    *,
    carrier: str = "",
    tracking_number: str = "",
    note: str,
    description: str = "",
    files: "Sequence[UploadedFile[Any]]" = (),
    key: str,
    actor: "User",
) -> Shipment:
    order, key = locked(order), f"form:{order.pk}:{key}"  # what goes out again names its shipments itself
    known = Shipment.objects.filter(key=key, order=order).first()
    if known is not None:
        return known
    if found := blocked(order):
        raise TransitionRefused(found)
    ready = ready_quantities(order)
    lines = _checked(order, kind, ready, {pk: quantity for pk, quantity in quantities.items() if quantity})
    stored = [keep_upload(one, kind="delivery", field="files", actor=actor) for one in files]
    now = timezone.now()
    shipment = Shipment.objects.create(
        number=next_number(),
        order=order, kind=kind, address=order.delivery_address, carrier=carrier, tracking_number=tracking_number,
        note=note, description=description, key=key, shipped_at=now, shipped_by=actor,
    )  # fmt: skip
    ShipmentLine.objects.bulk_create(
        ShipmentLine(shipment=shipment, order_line=line, quantity=quantity, inspected=line.pk in ready)
        for line, quantity in lines
    )
    ShipmentFile.objects.bulk_create(ShipmentFile(shipment=shipment, file=one) for one in stored)
    _issue(shipment, lines, actor=actor)
    if unreported := _unreported(lines):
        report_as_made(order, unreported, cause=f"shipped:{shipment.pk}", actor=actor)
    order = note_shipped(order, {line.pk: quantity for line, quantity in lines}, actor=actor)
    event = events.SERVICE_DELIVERED if kind == Shipment.Kind.SERVICE else events.SHIPPED
    positions = ", ".join(f"{line.position} × {plain(quantity)}" for line, quantity in lines)
    record(event, shipment, root=order, actor=actor, number=shipment.number, lines=positions)
    enqueue("fulfilment.delivery_note", key=note_key(shipment), params={"shipment": shipment.pk}, actor=actor)
    if not blockers(order.finish) and actor.has_perm("orders.finish_order"):
        finish_order(order, actor=actor)
    return shipment


def next_number() -> str:
    """The next number of a delivery note, in the company's own year."""
    year = str(business_today().year)
    return f"DN-{year}-{take_number('fulfilment.shipment', period=year):05d}"


def note_key(shipment: Shipment) -> str:
    """The key of the job that makes the delivery note: made once."""
    return f"fulfilment.delivery_note:{shipment.pk}"


def keep_delivery_note(shipment: Shipment, stored: StoredFile) -> bool:
    """Keeps the delivery note, once: False where another one was kept already."""
    return bool(Shipment.objects.filter(pk=shipment.pk, delivery_note=None).update(delivery_note=stored))


def _checked(
    order: Order, kind: Shipment.Kind, passed: dict[int, Decimal], quantities: Quantities
) -> list[tuple[OrderLine, Decimal]]:
    """The lines to deliver with their quantities. Raises ValidationError for each that can't be."""
    if not quantities:
        raise ValidationError(_("Enter a quantity for at least one line."))
    lines = {line.pk: line for line in shippable_lines(order, kind)}
    ready = ready_to_ship(list(lines.values()))
    errors: dict[str, str] = {}
    for pk, quantity in quantities.items():
        line = lines.get(pk)
        if sentence := _wrong(line, quantity, ready.get(pk, ZERO)) or (line and not_ready(line, quantity, passed)):
            errors[f"quantity_{pk}"] = sentence
    if errors:
        raise ValidationError(errors)
    return [(lines[pk], quantity) for pk, quantity in quantities.items()]


def _wrong(line: OrderLine | None, quantity: Decimal, ready: Decimal) -> str:
    """What is wrong with shipping so much of a line, as a sentence; empty when nothing is."""
    if line is None:
        return _("There is nothing to deliver on this line.")
    if quantity < 0:
        return _("Enter a quantity above zero.")
    if quantity > line.qty_to_ship:
        return _("Only %(open)s are still to be delivered.") % {"open": plain(line.qty_to_ship)}
    if line.product is not None and not fits_unit(quantity, line.product.unit):
        return _("This product is counted in %(unit)s: fewer decimals.") % {"unit": line.product.unit.code}
    if from_stock(line) and quantity > line.qty_reserved:
        return _("Only %(reserved)s are reserved for this line.") % {"reserved": plain(line.qty_reserved)}
    if quantity > ready:
        return _("Only %(ready)s are reported made: report the rest with its material first.") % {"ready": plain(ready)}
    return ""


def ready_to_ship(lines: Iterable[OrderLine]) -> dict[int, Decimal]:
    """How much of each line (by id) can leave now: what is reserved of stock, and of what is made by a bill of material
    what was reported made. One query.
    """
    lines = list(lines)
    made = {line.product_id for line in lines if line.supply == OrderLine.Supply.MAKE and line.product_id}
    billed = set(BomLine.objects.filter(product__in=made).values_list("product_id", flat=True)) if made else set()
    found = {}
    for line in lines:
        most = line.qty_to_ship
        if from_stock(line):
            most = line.qty_reserved
        elif line.supply == OrderLine.Supply.MAKE and line.product_id in billed:
            most = line.qty_produced - line.qty_shipped
        found[line.pk] = max(ZERO, min(line.qty_to_ship, most))
    return found


def _unreported(lines: Sequence[tuple[OrderLine, Decimal]]) -> dict[OrderLine, Decimal]:
    """How much of what leaves is made here and was not reported made. A line with a bill of material got past
    `ready_to_ship`, so nothing of it is left."""
    more = {line: line.qty_shipped + quantity - line.qty_produced for line, quantity in lines if is_made(line)}
    return {line: quantity for line, quantity in more.items() if quantity > 0}


def is_made(line: OrderLine) -> bool:
    """Whether the line is made here for the order."""
    return line.supply == OrderLine.Supply.MAKE


def from_stock(line: OrderLine) -> bool:
    """Whether the line takes goods off our own shelves."""
    return line.is_stocked and line.product_id is not None


def is_bought(line: OrderLine) -> bool:
    """Whether the line is bought for the order and lies on our shelves until it leaves."""
    return line.supply == OrderLine.Supply.BUY and line.product is not None and line.product.is_stocked


def reserve_bought(lines: Iterable[tuple[OrderLine, Decimal]], *, actor: "User") -> list[tuple[OrderLine, Decimal]]:
    """Reserves for lines that are bought what the shelves hold of them, and gives how much of which: stock covered the
    need, or the purchase was received there. What a supplier sent straight to the customer never lay there."""
    bought = [(line, quantity) for line, quantity in lines if is_bought(line)]
    free = free_quantities(line.product_id for line, _quantity in bought if line.product_id)
    found, requests = [], []
    for line, quantity in bought:
        taken = min(quantity, free[line.product_id or 0])
        if line.product is not None and taken > 0:
            free[line.product.pk] -= taken
            found.append((line, taken))
            requests.append(ReservationRequest(line.product, taken, HOLDER, line.pk))
    reserve(requests, actor=actor)
    return found


def _issue(shipment: Shipment, lines: list[tuple[OrderLine, Decimal]], *, actor: "User") -> None:
    """Takes what leaves off the shelves; the key is the shipment's line, so it happens once."""
    lock_stock(line.product for line, _quantity in lines if from_stock(line) or is_bought(line))
    stocked = [(line, quantity) for line, quantity in lines if from_stock(line)]
    stocked += reserve_bought(lines, actor=actor)
    try:
        issue_all(
            [IssueRequest(HOLDER, line.pk, quantity, f"{shipment.number}:{line.pk}") for line, quantity in stocked],
            actor=actor,
        )
    except InsufficientStock as error:
        raise ValidationError(" ".join(error.sentences())) from error


def _locked_shipment(shipment: Shipment) -> Shipment:
    return Shipment.objects.select_for_update(no_key=True, of=("self",)).select_related("order").get(pk=shipment.pk)


@transaction.atomic
def track_shipment(shipment: Shipment, *, carrier: str, tracking_number: str, actor: "User") -> Shipment:
    """Says with whom it travels and under which number. Raises PermissionDenied; no change writes nothing."""
    require(actor, "fulfilment.ship_order")
    shipment = _locked_shipment(shipment)
    before = {"carrier": shipment.carrier, "tracking_number": shipment.tracking_number}
    after = {"carrier": carrier, "tracking_number": tracking_number}
    if before == after:
        return shipment
    shipment.carrier, shipment.tracking_number = carrier, tracking_number
    shipment.save(update_fields=["carrier", "tracking_number"])
    record(
        events.TRACKED, shipment, root=shipment.order, actor=actor, before=before, after=after, number=shipment.number,
        carrier=carrier, tracking_number=tracking_number,
    )  # fmt: skip
    return shipment


@transaction.atomic
def confirm_arrival(
    shipment: Shipment,
    *,
    delivered_on: dt.date,
    received_by: str,
    proof: "UploadedFile[Any] | None" = None,
    actor: "User",
) -> Shipment:
    """Proof of delivery: when it arrived, who took it, with a photo or the signed note where there is one; once.

    Raises PermissionDenied, TransitionRefused (confirmed already), ValidationError (a date before the shipment or
    ahead, a proof that is neither a picture nor a PDF).
    """
    require(actor, "fulfilment.ship_order")
    shipment = _locked_shipment(shipment)
    if shipment.delivered_on is not None:
        raise TransitionRefused([Blocker(_("The arrival is confirmed already."))])
    if delivered_on < business_day(shipment.shipped_at):
        raise ValidationError({"delivered_on": _("It can't arrive before it was shipped.")})
    if delivered_on > business_today():
        raise ValidationError({"delivered_on": _("This day lies ahead.")})
    shipment.delivered_on, shipment.received_by = delivered_on, received_by
    shipment.proof = keep_paper(proof, kind="proof", field="proof", actor=actor) if proof else None
    shipment.save(update_fields=["delivered_on", "received_by", "proof"])
    record(
        events.ARRIVED, shipment, root=shipment.order, actor=actor, number=shipment.number, received_by=received_by,
        on=str(delivered_on),
    )  # fmt: skip
    return shipment


def proof_blocked(shipment: Shipment) -> list[Blocker]:
    """Why no proof can be added to the arrival now; empty when it can."""
    if shipment.delivered_on is None:
        return [Blocker(_("Confirm the arrival first; the proof goes with it."))]
    if shipment.proof_id is not None:
        return [Blocker(_("There is a proof of delivery already."))]
    return []


@transaction.atomic
def add_proof(shipment: Shipment, *, proof: "UploadedFile[Any]", actor: "User") -> Shipment:
    """Adds the photo or the signed note that was missing when the arrival was confirmed; once.

    Raises PermissionDenied, TransitionRefused (not arrived, there is one), ValidationError at "proof".
    """
    require(actor, "fulfilment.ship_order")
    shipment = _locked_shipment(shipment)
    if found := proof_blocked(shipment):
        raise TransitionRefused(found)
    shipment.proof = keep_paper(proof, kind="proof", field="proof", actor=actor)
    shipment.save(update_fields=["proof"])
    record(events.PROOF_ADDED, shipment, root=shipment.order, actor=actor, number=shipment.number)
    return shipment
