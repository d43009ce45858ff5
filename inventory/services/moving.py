"""Goods that come in: opening stock, receipts, returns."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model
from django.utils.translation import gettext as _

from inventory import events
from inventory.models import Product, StockItem, StockMovement, Warehouse
from ordermgmt.activity.events import EventType
from ordermgmt.activity.services import record, record_all

from .checking import check_quantity, plain, require
from .ledger import Move, book, booked

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

Kind = StockMovement.Kind


def stock_row(product: Product, warehouse: Warehouse) -> StockItem:
    """The locked stock row of a product in a warehouse, made when it is the first of its kind.

    Raises ValidationError for a product that is not kept in stock.
    """
    if not product.is_stocked:
        raise ValidationError({"product": _("%(sku)s is not kept in stock.") % {"sku": product.sku}})
    return stock_rows([product], warehouse)[product.pk]


def stock_rows(products: Iterable[Product | None], warehouse: Warehouse) -> dict[int, StockItem]:
    """The locked stock rows of all that is kept in stock of these products, by product; missing ones are made.

    For whoever moves several products: all are locked at once, in the one order, before the first is moved. Numbers
    are taken after it, so that nobody waits for stock with a counter in hand.
    """
    kept = {one.pk: one for one in products if one is not None and one.is_stocked}
    missing = set(kept) - set(
        StockItem.objects.filter(product__in=kept, warehouse=warehouse).values_list("product_id", flat=True)
    )
    fresh = [StockItem(product=kept[pk], warehouse=warehouse) for pk in sorted(missing)]
    StockItem.objects.bulk_create(fresh, ignore_conflicts=True)
    rows = {row.product_id: row for row in StockItem.objects.locked(set(kept)) if row.warehouse_id == warehouse.pk}
    for pk, row in rows.items():
        row.product, row.warehouse = kept[pk], warehouse
    return rows


def lock_stock(products: Iterable[Product | None]) -> None:
    """Locks all stock rows of these products in the one order, for whoever moves some of them after others."""
    StockItem.objects.locked({one.pk for one in products if one is not None})


def form_key(verb: str, product: Product, key: str) -> str:
    """The key of a form in a space of its own: a browser may send what another fact is booked under."""
    return f"form:{verb}:{product.pk}:{key}"


def _come_in(
    event: EventType,
    kind: str,
    product: Product,
    warehouse: Warehouse,
    quantity: Decimal,
    *,
    key: str,
    actor: "User",
    reason: str,
) -> StockItem:
    check_quantity(product, quantity)
    item = stock_row(product, warehouse)
    if booked([key]):
        return item
    book([Move(item, kind, key, quantity=quantity, reason=reason)], actor=actor)
    record(event, item, root=product, actor=actor, reason=reason, key=key, **_told(item, quantity))
    item.refresh_from_db()
    return item


@transaction.atomic
def receive_stock(
    product: Product, warehouse: Warehouse, quantity: Decimal, *, key: str, actor: "User", reason: str = ""
) -> StockItem:
    """Books a receipt without a purchase, in the product's unit. The same `key` of a form twice is one receipt.

    Raises PermissionDenied, ValidationError (quantity, product not kept in stock).
    """
    return take_in(product, warehouse, quantity, key=form_key("receive", product, key), actor=actor, reason=reason)


def take_in(
    product: Product, warehouse: Warehouse, quantity: Decimal, *, key: str, actor: "User", reason: str = ""
) -> StockItem:
    """As `receive_stock`, under a key that we made ourselves; the caller has begun the transaction."""
    require(actor, "inventory.receive_stock")
    return _come_in(
        events.STOCK_RECEIVED, Kind.RECEIPT, product, warehouse, quantity, key=key, actor=actor, reason=reason
    )


@dataclass(frozen=True)
class Incoming:
    """So much of a product that comes in, under the key of the fact behind it."""

    product: Product
    quantity: Decimal
    key: str


def take_in_all(rows: Sequence[Incoming], items: Mapping[int, StockItem], *, actor: "User", reason: str) -> None:
    """Books receipts of many products on their locked stock rows, by product, in a fixed number of statements.

    The caller holds the right, has checked the quantities, and makes sure that no key was booked before.
    """
    kind = Kind.RECEIPT
    book([Move(items[one.product.pk], kind, one.key, one.quantity, reason=reason) for one in rows], actor=actor)
    facts: list[tuple[Model, dict[str, Any]]] = [
        (items[one.product.pk], _told(items[one.product.pk], one.quantity) | {"reason": reason, "key": one.key})
        for one in rows
    ]
    record_all(events.STOCK_RECEIVED, facts, root_of=lambda item: item.product, actor=actor)


def _told(item: StockItem, quantity: Decimal) -> dict[str, Any]:
    return {"quantity": plain(quantity), "unit": item.product.unit.code, "warehouse": item.warehouse.name}


@transaction.atomic
def open_stock(
    product: Product, warehouse: Warehouse, quantity: Decimal, *, key: str, actor: "User", reason: str = ""
) -> StockItem:
    """Books what lay there before this application began to count; for imports and set-up. Once per `key`."""
    if not actor.has_perm("documents.import_data"):
        require(actor, "inventory.receive_stock")
    return _come_in(
        events.STOCK_OPENED, Kind.OPENING, product, warehouse, quantity, key=key, actor=actor, reason=reason
    )


@transaction.atomic
def return_stock(
    product: Product, warehouse: Warehouse, quantity: Decimal, *, key: str, actor: "User", reason: str = ""
) -> StockItem:
    """Takes goods back from a customer; the caller has checked that so much was shipped. Once per `key`."""
    return _come_in(
        events.STOCK_RETURNED, Kind.RETURN, product, warehouse, quantity, key=key, actor=actor, reason=reason
    )
