"""Goods that come in: opening stock, receipts, returns."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from inventory import events
from inventory.models import Product, StockItem, StockMovement, Warehouse
from ordermgmt.activity.events import EventType
from ordermgmt.activity.services import record

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
    StockItem.objects.get_or_create(product=product, warehouse=warehouse)
    rows = StockItem.objects.locked([product.pk])
    item = next(row for row in rows if row.warehouse_id == warehouse.pk)
    item.product, item.warehouse = product, warehouse
    return item


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
    data: dict[str, Any] = {"quantity": plain(quantity), "unit": product.unit.code, "warehouse": warehouse.name}
    record(event, item, root=product, actor=actor, reason=reason, key=key, **data)
    item.refresh_from_db()
    return item


@transaction.atomic
def receive_stock(
    product: Product, warehouse: Warehouse, quantity: Decimal, *, key: str, actor: "User", reason: str = ""
) -> StockItem:
    """Books a receipt, in the product's unit. The same `key` twice is one receipt.

    Raises PermissionDenied, ValidationError (quantity, product not kept in stock).
    """
    require(actor, "inventory.receive_stock")
    return _come_in(
        events.STOCK_RECEIVED, Kind.RECEIPT, product, warehouse, quantity, key=key, actor=actor, reason=reason
    )


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
