"""Promises of stock: reserved all or nothing, released once, shipped from. Overselling is impossible (S1-S6)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import uuid4

from django.db import transaction

from inventory.models import Product, Reservation, StockItem, StockMovement, Warehouse
from ordermgmt.lib.money import ZERO, total
from ordermgmt.lib.rows import write_columns

from .checking import check_quantity
from .ledger import InsufficientStock, Move, Shortage, book, booked

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

Kind = StockMovement.Kind


@dataclass(frozen=True)
class ReservationRequest:
    """So much of a product for one holder, e.g. ("orders.orderline", line.pk); quantity in the product's unit."""

    product: Product
    quantity: Decimal
    holder_kind: str
    holder_id: int


@dataclass(frozen=True)
class IssueRequest:
    """So much of what a holder has reserved leaves the house; `key` names the fact (e.g. the shipment line)."""

    holder_kind: str
    holder_id: int
    quantity: Decimal
    key: str


@transaction.atomic
def reserve(requests: Sequence[ReservationRequest], *, actor: "User") -> None:
    """Reserves everything that is asked for, or nothing.

    Raises InsufficientStock naming every product that falls short, ValidationError for a quantity the unit does not
    allow. Several requests for one product are seen together.
    """
    if not requests:
        return
    for request in requests:
        check_quantity(request.product, request.quantity)
    items = StockItem.objects.locked({request.product.pk for request in requests})
    takes = allocate(requests, items)
    book(
        [
            Move(
                item,
                Kind.RESERVE,
                _fresh_key("reserve", request.holder_kind, request.holder_id),
                reserved=quantity,
                holder_kind=request.holder_kind,
                holder_id=request.holder_id,
            )
            for request, item, quantity in takes
        ],
        actor=actor,
    )
    _add_reservations(takes)


Take = tuple[ReservationRequest, StockItem, Decimal]


def _fresh_key(verb: str, holder_kind: str, holder_id: int) -> str:
    """A key for a move that is repeatable by nature: the same line may be reserved, released and reserved again."""
    return f"{verb}:{holder_kind}:{holder_id}:{uuid4().hex}"


def allocate(requests: Sequence[ReservationRequest], items: list[StockItem]) -> list[Take]:
    """Which stock row gives how much to whom. Raises InsufficientStock with all shortages at once."""
    preferred = {
        pk: place for place, pk in enumerate(Warehouse.objects.filter(is_active=True).values_list("pk", flat=True))
    }
    left = {item.pk: item.free for item in items if item.warehouse_id in preferred}
    by_product: dict[int, list[StockItem]] = {}
    for item in sorted((one for one in items if one.pk in left), key=lambda one: preferred[one.warehouse_id]):
        by_product.setdefault(item.product_id, []).append(item)
    takes: list[Take] = []
    short: set[int] = set()
    for request in requests:
        found = _take(request, by_product.get(request.product.pk, []), left)
        if found is None:
            short.add(request.product.pk)
        else:
            takes.extend(found)
    if short:
        raise InsufficientStock(_shortages(requests, by_product, short))
    return takes


def _take(request: ReservationRequest, items: list[StockItem], left: dict[int, Decimal]) -> list[Take] | None:
    """From one warehouse if one has it all, else from several in their order; None where all together lack it."""
    whole = next((item for item in items if left[item.pk] >= request.quantity), None)
    wanted, takes = request.quantity, []
    for item in [whole] if whole else items:
        part = min(wanted, left[item.pk])
        if part > 0:
            takes.append((request, item, part))
            wanted -= part
    if wanted > 0:
        return None
    for _request, item, part in takes:
        left[item.pk] -= part
    return takes


def _shortages(
    requests: Sequence[ReservationRequest], by_product: dict[int, list[StockItem]], short: set[int]
) -> list[Shortage]:
    wanted: dict[int, Decimal] = {}
    products = {}
    for request in requests:
        wanted[request.product.pk] = wanted.get(request.product.pk, ZERO) + request.quantity
        products[request.product.pk] = request.product
    free = {pk: total(item.free for item in by_product.get(pk, [])) for pk in short}
    return [Shortage(products[pk], wanted[pk], free[pk]) for pk in wanted if pk in short]


def _add_reservations(takes: list[Take]) -> None:
    """Writes the promises; the stock rows are locked, so nobody else touches them."""
    known = {
        (row.stock_item_id, row.holder_kind, row.holder_id): row
        for row in Reservation.objects.filter(
            stock_item__in=[item.pk for _request, item, _part in takes],
            holder_id__in=[request.holder_id for request, _item, _part in takes],
        )
    }
    fresh: dict[tuple[int, str, int], Reservation] = {}
    for request, item, part in takes:
        place = (item.pk, request.holder_kind, request.holder_id)
        row = known.get(place) or fresh.get(place)
        if row is None:
            fresh[place] = Reservation(
                stock_item=item, holder_kind=request.holder_kind, holder_id=request.holder_id, quantity=part
            )
        else:
            row.quantity += part
    write_columns(list(known.values()), ["quantity"])
    Reservation.objects.bulk_create(fresh.values())


def _locked_reservations(holder_kind: str, holder_ids: Iterable[int]) -> list[Reservation]:
    """The holders' promises, read after their stock rows were locked in the one order."""
    held = Reservation.objects.filter(holder_kind=holder_kind, holder_id__in=list(holder_ids))
    items = {
        item.pk: item for item in StockItem.objects.locked(set(held.values_list("stock_item__product", flat=True)))
    }
    rows = list(held.order_by("stock_item__warehouse__code", "id"))
    for row in rows:
        row.stock_item = items[row.stock_item_id]
    return rows


def _save_reduced(rows: list[tuple[Reservation, Decimal]]) -> None:
    """Writes promises that were reduced; those that are used up go."""
    touched = {row.pk: row for row, _amount in rows}
    Reservation.objects.filter(pk__in=[pk for pk, row in touched.items() if row.quantity <= 0]).delete()
    write_columns([row for row in touched.values() if row.quantity > 0], ["quantity"])


def _release_moves(rows: list[tuple[Reservation, Decimal]]) -> list[Move]:
    return [
        Move(
            row.stock_item,
            Kind.RELEASE,
            _fresh_key("release", row.holder_kind, row.holder_id),
            reserved=-amount,
            holder_kind=row.holder_kind,
            holder_id=row.holder_id,
        )
        for row, amount in rows
    ]


@transaction.atomic
def release(holder_kind: str, holder_ids: Iterable[int], *, actor: "User") -> Decimal:
    """Gives back all that these holders have reserved and returns how much; a second time releases nothing."""
    held = _locked_reservations(holder_kind, holder_ids)
    rows = [part for row in held for part in _parts([row], row.quantity)]
    book(_release_moves(rows), actor=actor)
    _save_reduced(rows)
    return total(amount for _row, amount in rows)


@transaction.atomic
def release_quantity(holder_kind: str, holder_id: int, quantity: Decimal, *, actor: "User") -> None:
    """Gives back a part of what one holder has reserved. Raises InsufficientStock if it holds less."""
    if quantity <= 0:
        return
    rows = _parts(_locked_reservations(holder_kind, [holder_id]), quantity)
    book(_release_moves(rows), actor=actor)
    _save_reduced(rows)


def _parts(rows: list[Reservation], quantity: Decimal) -> list[tuple[Reservation, Decimal]]:
    """Takes `quantity` off the promises (not yet saved: `_save_reduced`). Raises InsufficientStock if they hold less."""
    parts, wanted = [], quantity
    for row in rows:
        part = min(wanted, row.quantity)
        if part > 0:
            row.quantity -= part
            parts.append((row, part))
            wanted -= part
    if wanted > 0:
        product = Product.objects.filter(stock_items__reservations__in=[row.pk for row in rows]).first()
        raise InsufficientStock([Shortage(product, quantity, quantity - wanted)] if product else [])
    return parts


@transaction.atomic
def issue_all(requests: Sequence[IssueRequest], *, actor: "User") -> None:
    """Ships from what is reserved: on hand and reserved fall together, one movement per stock row.

    A request whose key is in the ledger already is left out: the same fact twice is a no-op. Raises InsufficientStock
    where a holder has less reserved than asked for; then nothing is shipped. All holders are of one kind.
    """
    if not requests:
        return
    if len({request.holder_kind for request in requests}) > 1:
        raise ValueError("issue_all() takes holders of one kind")
    held = _locked_reservations(requests[0].holder_kind, {request.holder_id for request in requests})
    done = booked(request.key for request in requests)
    parts: list[tuple[Reservation, Decimal]] = []
    moves: list[Move] = []
    for request in requests:
        if request.key in done:
            continue
        mine = _parts([row for row in held if row.holder_id == request.holder_id], request.quantity)
        parts += mine
        moves += [_issue_move(request, row, amount, place) for place, (row, amount) in enumerate(mine)]
    book(moves, actor=actor)
    _save_reduced(parts)


def _issue_move(request: IssueRequest, row: Reservation, amount: Decimal, place: int) -> Move:
    """The first stock row carries the key itself, further ones the key with their place."""
    return Move(
        row.stock_item,
        Kind.ISSUE,
        f"{request.key}/{place + 1}" if place else request.key,
        quantity=-amount,
        reserved=-amount,
        holder_kind=request.holder_kind,
        holder_id=request.holder_id,
    )


def issue_reserved(holder_kind: str, holder_id: int, quantity: Decimal, *, key: str, actor: "User") -> None:
    """Ships from one holder's reserved stock; see `issue_all`."""
    issue_all([IssueRequest(holder_kind, holder_id, quantity, key)], actor=actor)
