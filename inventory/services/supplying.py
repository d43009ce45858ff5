"""Suppliers and what they ask."""

from typing import TYPE_CHECKING, Any

from django.db import transaction

from inventory import events
from inventory.models import Supplier, SupplierPrice
from ordermgmt.activity.services import record, snapshot
from ordermgmt.documents.services import take_number
from ordermgmt.lib.searching import search_text

from .checking import check_lead_days, check_version, require

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


def _found_by(supplier: Supplier) -> str:
    return search_text(supplier.number, supplier.name, supplier.contact_name, supplier.email)


@transaction.atomic
def create_supplier(*, actor: "User", **fields: Any) -> Supplier:
    """Adds a supplier under the next number. Raises PermissionDenied, ValidationError per field."""
    require(actor, "inventory.edit_supplier")
    supplier = Supplier(**fields)
    supplier.full_clean(exclude=["number"])
    check_lead_days(supplier.lead_days)
    supplier.number = f"S{take_number('inventory.supplier'):05d}"
    supplier.search_text = _found_by(supplier)
    supplier.save()
    record(events.SUPPLIER_CREATED, supplier, actor=actor, after=snapshot(supplier))
    return supplier


@transaction.atomic
def edit_supplier(supplier: Supplier, *, version: int | None = None, actor: "User", **changes: Any) -> Supplier:
    """Changes a supplier. Raises StaleVersion, PermissionDenied, ValidationError; no change writes nothing."""
    require(actor, "inventory.edit_supplier")
    supplier = Supplier.objects.select_for_update(no_key=True).get(pk=supplier.pk)
    check_version(supplier, version)
    before = snapshot(supplier)
    for name, value in changes.items():
        setattr(supplier, name, value)
    if snapshot(supplier) == before:
        return supplier
    supplier.full_clean()
    check_lead_days(supplier.lead_days)
    supplier.search_text = _found_by(supplier)
    supplier.version += 1
    supplier.save()
    record(events.SUPPLIER_EDITED, supplier, actor=actor, before=before, after=snapshot(supplier))
    return supplier


@transaction.atomic
def set_supplier_price(price: SupplierPrice, *, actor: "User") -> SupplierPrice:
    """Adds or changes what a supplier asks for a product. A cost: needs `inventory.view_cost` too.

    The event names no price: timelines are read by people who may not see costs.
    """
    require(actor, "inventory.edit_supplier")
    require(actor, "inventory.view_cost")
    price.full_clean()
    check_lead_days(price.lead_days)
    price.save()
    record(events.SUPPLIER_EDITED, price.supplier, actor=actor, product=price.product.sku)
    return price


@transaction.atomic
def remove_supplier_price(price: SupplierPrice, *, actor: "User") -> None:
    """Takes a price off. Raises PermissionDenied."""
    require(actor, "inventory.edit_supplier")
    require(actor, "inventory.view_cost")
    record(events.SUPPLIER_EDITED, price.supplier, actor=actor, removed=price.product.sku)
    price.delete()
