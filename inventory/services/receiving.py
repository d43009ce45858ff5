"""What comes from suppliers and what goes back to them, through the stock ledger."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from inventory import events
from inventory.models import PurchaseLine, PurchaseOrder, Receipt, ReceiptLine, StockItem, StockMovement
from ordermgmt.activity.services import record, snapshot
from ordermgmt.company.services import business_today
from ordermgmt.documents.services import take_number
from ordermgmt.lib.money import ZERO
from ordermgmt.lib.rows import write_columns

from .checking import check_quantity, plain, require
from .ledger import InsufficientStock, Move, book
from .moving import Incoming, stock_rows, take_in_all
from .purchasing import judge_all, locked_purchase, refuse, save_noted

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


@dataclass(frozen=True)
class Came:
    """Of one line: so much taken, so much refused and why; in the product's unit."""

    accepted: Decimal = ZERO
    rejected: Decimal = ZERO
    reason: str = ""


@transaction.atomic
def receive_purchase(
    order: PurchaseOrder, *, came: Mapping[int, Came], key: str, actor: "User",
    received_on: dt.date | None = None, delivery_note: str = "",
) -> Receipt:  # fmt: skip
    """Books what came, by line key: what is taken goes on stock, what is refused goes back and stays open.

    The same `key` twice is one receipt. Raises TransitionRefused unless ordered, ValidationError at the line (above
    what is open with the tolerance, a refusal without a reason, parts of a whole unit) and for a wrong day.
    """
    require(actor, "inventory.receive_stock")
    order = locked_purchase(order)
    if found := _known(order, key):
        return found
    if order.state != PurchaseOrder.State.ORDERED:
        raise refuse(_("Nothing of this order is awaited."), order.get_absolute_url())
    day = _day(order, received_on)
    lines = {
        line.pk: line
        for line in order.lines.select_for_update(no_key=True, of=("self",)).select_related("product__unit")
    }
    wanted = {pk: one for pk, one in came.items() if one.accepted or one.rejected}
    if not wanted or not set(wanted) <= set(lines):
        raise ValidationError(_("Say what came."))
    before = _counted(order)
    taken = [(lines[pk], one) for pk, one in sorted(wanted.items())]
    _check_all(taken)
    items = stock_rows((line.product for line, one in taken if one.accepted), order.warehouse)
    receipt = _receipt(order, Receipt.Kind.RECEIPT, day, key, delivery_note, actor)
    _take(receipt, taken, items, actor)
    rejected = [one.reason for one in wanted.values() if one.rejected]
    _close_if_all_came(order)
    order.version += 1
    order.save()
    record(
        events.PURCHASE_RECEIVED, order, actor=actor, before=before, after=_counted(order), number=order.number,
        supplier=order.supplier.name, receipt=receipt.number,
    )  # fmt: skip
    if rejected:
        record(events.PURCHASE_REJECTED, order, actor=actor, number=order.number, reason="; ".join(rejected)[:200])
    return receipt


def _known(order: PurchaseOrder, key: str) -> Receipt | None:
    """What was booked under this key before. Raises ValidationError where that was for another order."""
    found = Receipt.objects.filter(key=key).first()
    if found is not None and found.order_id != order.pk:
        raise ValidationError(_("This form was used for another order: load the page again."))
    return found


def _day(order: PurchaseOrder, day: dt.date | None) -> dt.date:
    day = day or business_today()
    if day > business_today():
        raise ValidationError({"received_on": _("This day lies ahead.")})
    if order.ordered_on and day < order.ordered_on:
        raise ValidationError({"received_on": _("The day lies before the order.")})
    return day


def _receipt(order: PurchaseOrder, kind: str, day: dt.date, key: str, note: str, actor: "User") -> Receipt:
    year = f"{day:%Y}"
    number = f"GR-{year}-{take_number('inventory.receipt', period=year):05d}"
    return Receipt.objects.create(
        order=order, kind=kind, number=number, received_on=day, delivery_note=note, key=key, actor=actor
    )


def _check_came(line: PurchaseLine, one: Came) -> None:
    """Raises ValidationError at the line's fields for what can't have come so."""
    if line.product is not None:
        for field, quantity in (("accepted", one.accepted), ("rejected", one.rejected)):
            if quantity:
                check_quantity(line.product, quantity, field=f"{field}_{line.pk}")
    if one.accepted < 0 or one.rejected < 0:
        raise ValidationError({f"accepted_{line.pk}": _("Enter a quantity above zero.")})
    if one.rejected and not one.reason.strip():
        raise ValidationError({f"reason_{line.pk}": _("Say why it is refused.")})
    most = max(line.most - line.given_up - line.received, ZERO)
    if one.accepted + one.rejected > most:  # a slip of the finger must not spoil the supplier's record
        field = "accepted" if one.accepted > most else "rejected"
        text = _("At most %(most)s can come of line %(line)s, taken and refused together.")
        raise ValidationError({f"{field}_{line.pk}": text % {"most": plain(most), "line": line.position}})


def _check_all(taken: Sequence[tuple[PurchaseLine, Came]]) -> None:
    """Raises ValidationError with what is wrong at every line, not only at the first."""
    errors: dict[str, list[str]] = {}
    for line, one in taken:
        try:
            _check_came(line, one)
        except ValidationError as error:
            errors |= error.message_dict
    if errors:
        raise ValidationError(errors)


def _take(
    receipt: Receipt, taken: Sequence[tuple[PurchaseLine, Came]], items: Mapping[int, StockItem], actor: "User"
) -> None:
    """Books all lines at once: a delivery of many asks as often as one of a single line."""
    ReceiptLine.objects.bulk_create(
        ReceiptLine(
            receipt=receipt, line=line, accepted=one.accepted, rejected=one.rejected, reason=one.reason.strip()[:200]
        )
        for line, one in taken
    )
    for line, one in taken:
        line.received += one.accepted
        line.rejected += one.rejected
    judge_all([line for line, _one in taken if line.received + line.given_up >= line.quantity])
    write_columns([line for line, _one in taken], ["received", "rejected", "received_on", "days_late"])
    rows = [
        Incoming(line.product, one.accepted, f"receipt:{receipt.pk}:{line.pk}")
        for line, one in taken
        if one.accepted and line.product is not None and line.product.is_stocked
    ]
    take_in_all(rows, items, actor=actor, reason=receipt.number)


def _close_if_all_came(order: PurchaseOrder) -> None:
    if order.state == PurchaseOrder.State.ORDERED and not order.lines.filter(open__gt=0).exists():
        order.complete()


def _counted(order: PurchaseOrder) -> dict[str, object]:
    rows = order.lines.values_list("position", "received", "rejected", "returned", "given_up")
    return snapshot(order) | {"lines": [[str(cell) for cell in row] for row in rows]}


@transaction.atomic
def return_purchase(
    order: PurchaseOrder, *, quantities: Mapping[int, Decimal], reason: str, key: str, actor: "User",
    awaited: bool = True,
) -> Receipt:  # fmt: skip
    """Sends goods back that were taken before, by line key: they leave the stock. The same `key` twice is one return.

    With `awaited` the supplier is to deliver them again; else they are given up. Raises ValidationError at the line
    for more than was received, InsufficientStock as a sentence where they are not free any more.
    """
    require(actor, "inventory.receive_stock")
    order = locked_purchase(order)
    if found := _known(order, key):
        return found
    lines = {
        line.pk: line
        for line in order.lines.select_for_update(no_key=True, of=("self",)).select_related("product__unit")
    }
    wanted = {pk: quantity for pk, quantity in quantities.items() if quantity}
    if not wanted or not set(wanted) <= set(lines):
        raise ValidationError(_("Say what goes back."))
    before = snapshot(order)
    items = stock_rows((lines[pk].product for pk in wanted), order.warehouse)
    receipt = _receipt(order, Receipt.Kind.RETURN, business_today(), key, "", actor)
    for pk, quantity in sorted(wanted.items()):
        _give_back(receipt, lines[pk], quantity, reason, awaited, items, actor)
    if order.state == PurchaseOrder.State.RECEIVED and order.lines.filter(open__gt=0).exists():
        order.await_again()
    save_noted(order, before, events.PURCHASE_RETURNED, actor=actor, reason=reason)
    return receipt


def _give_back(
    receipt: Receipt, line: PurchaseLine, quantity: Decimal, reason: str, awaited: bool, items: Mapping[int, StockItem],
    actor: "User",
) -> None:  # fmt: skip
    if quantity < 0 or quantity > line.received:
        text = _("%(received)s of line %(line)s were received.")
        raise ValidationError({f"quantity_{line.pk}": text % {"received": plain(line.received), "line": line.position}})
    if line.product is not None:
        check_quantity(line.product, quantity, field=f"quantity_{line.pk}")
    ReceiptLine.objects.create(receipt=receipt, line=line, accepted=quantity, reason=reason[:200])
    line.received -= quantity
    line.returned += quantity
    # What came above the order and goes back is neither awaited nor given up.
    missing = min(quantity, max(line.quantity - line.received - line.given_up, ZERO))
    if not awaited:
        line.given_up += missing
    elif missing:
        line.received_on, line.days_late = None, None
    line.save(update_fields=["received", "returned", "given_up", "received_on", "days_late"])
    if line.product is None or not line.product.is_stocked:
        return
    item = items[line.product.pk]
    move = Move(
        item, StockMovement.Kind.RETURN, f"receipt:{receipt.pk}:{line.pk}", quantity=-quantity, reason=receipt.number
    )
    try:
        book([move], actor=actor)
    except InsufficientStock as error:
        item.refresh_from_db(fields=["free"])  # another line may have taken of it
        text = _("%(free)s of %(sku)s are free: the rest is promised to orders.")
        raise ValidationError(
            {f"quantity_{line.pk}": text % {"free": plain(item.free), "sku": line.product.sku}}
        ) from error
