"""What must always hold of stock (S1, S2, S3, S5) and of what is bought (S9)."""

from collections.abc import Iterable
from typing import Any

from django.db.models import DecimalField, Exists, F, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce, Round

from inventory.models import (
    BomLine,
    PurchaseLine,
    PurchaseOrder,
    ReceiptLine,
    Reservation,
    StockAdjustment,
    StockItem,
    StockMovement,
)
from ordermgmt.lib.invariants import invariant
from ordermgmt.lib.money import ZERO

_OUT = DecimalField(max_digits=19, decimal_places=6)


def _summed(rows: QuerySet[Any], column: str) -> Round:
    """The sum of `column` over the rows of a stock item, rounded because SQLite adds binary fractions."""
    per_item = rows.filter(stock_item=OuterRef("pk")).order_by().values("stock_item")
    summed = per_item.annotate(total=Sum(column)).values("total")
    return Round(Coalesce(Subquery(summed), Value(ZERO), output_field=_OUT), 6)


@invariant("S1", "on hand is the sum of the movements")
def _on_hand() -> Iterable[object]:
    items = StockItem.objects.annotate(moved=_summed(StockMovement.objects.all(), "quantity"))
    return items.exclude(on_hand=F("moved"))


@invariant("S2", "reserved is the sum of the open reservations")
def _reserved() -> Iterable[object]:
    items = StockItem.objects.annotate(held=_summed(Reservation.objects.all(), "quantity"))
    return items.exclude(reserved=F("held"))


@invariant("S2", "reserved is what the movements reserved and released")
def _reserved_by_ledger() -> Iterable[object]:
    items = StockItem.objects.annotate(moved=_summed(StockMovement.objects.all(), "reserved_change"))
    return items.exclude(reserved=F("moved"))


@invariant("S2", "reserved lies between zero and on hand")
def _reserved_in_bounds() -> Iterable[object]:
    return StockItem.objects.filter(Q(reserved__lt=0) | Q(reserved__gt=F("on_hand")))


@invariant("S3", "nothing on hand is below zero")
def _negative() -> Iterable[object]:
    return StockItem.objects.filter(on_hand__lt=0)


@invariant("S5", "every applied correction moved the stock once, and no other did")
def _corrections() -> Iterable[object]:
    applied = StockAdjustment.objects.filter(state=StockAdjustment.State.APPLIED)
    moved = StockMovement.objects.filter(key__startswith="adjustment:").values_list("key", "quantity")
    expected = {f"adjustment:{pk}": quantity for pk, quantity in applied.values_list("pk", "quantity")}
    return [f"{key} {quantity}" for key, quantity in set(expected.items()) ^ set(moved)]


@invariant("S5", "whoever decided on a correction beyond the limit is not who asked for it")
def _decided_by_others() -> Iterable[object]:
    rejected = StockAdjustment.objects.filter(state=StockAdjustment.State.REJECTED)
    return rejected.filter(decided_by=F("requested_by"))


@invariant("S9", "what a purchase line received, refused and sent back is what its receipts say")
def _received() -> Iterable[object]:
    lines = PurchaseLine.objects.filter(source_key=None).annotate(
        came=_of_receipts("receipt", "accepted"), back=_of_receipts("return", "accepted"),
        refused=_of_receipts("receipt", "rejected"),
    )  # fmt: skip
    right = Q(received=Round(F("came") - F("back"), 6), returned=F("back"), rejected=F("refused"))
    return lines.filter(Q(order__source_key=None) & ~right)


def _of_receipts(kind: str, column: str) -> Round:
    rows = ReceiptLine.objects.filter(line=OuterRef("pk"), receipt__kind=kind).order_by().values("line")
    summed = rows.annotate(total=Sum(column)).values("total")
    return Round(Coalesce(Subquery(summed), Value(ZERO), output_field=_OUT), 6)


@invariant("S9", "a purchase order is received exactly when nothing of it is open")
def _complete() -> Iterable[object]:
    open_lines = PurchaseLine.objects.filter(order=OuterRef("pk"), open__gt=0)
    done = PurchaseOrder.objects.filter(state=PurchaseOrder.State.RECEIVED).filter(Exists(open_lines))
    still = PurchaseOrder.objects.filter(state=PurchaseOrder.State.ORDERED).exclude(Exists(open_lines))
    return [*done, *still]


@invariant("S10", "no product is made of itself")
def _circles() -> Iterable[object]:
    waiting: dict[int, set[int]] = {}
    for product, component in BomLine.objects.values_list("product_id", "component_id"):
        waiting.setdefault(product, set()).add(component)
    while bottom := {pk for below in waiting.values() for pk in below if pk not in waiting}:
        waiting = {pk: left for pk, below in waiting.items() if (left := below - bottom)}
    return [f"product {pk}" for pk in sorted(waiting)]
