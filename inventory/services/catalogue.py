"""Products and what describes them: categories, units, specification templates, warehouses."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _

from inventory import events
from inventory.models import (
    Product,
    ProductCategory,
    PurchaseLine,
    SpecificationAttribute,
    SpecificationTemplate,
    StockItem,
    Unit,
    Warehouse,
)
from ordermgmt.activity.services import record, snapshot
from ordermgmt.lib.searching import search_text

from .checking import check_lead_days, check_version, fits_unit, require

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

PRICE_FIELDS = {"list_price", "currency", "tax_category"}


def _check_rights(actor: "User", fields: dict[str, Any]) -> None:
    """Who may write which fields: prices and costs need their own rights."""
    if fields.keys() & PRICE_FIELDS:
        require(actor, "inventory.edit_price")
    if "cost" in fields:
        require(actor, "inventory.edit_price")
        require(actor, "inventory.view_cost")
    if not fields or fields.keys() - PRICE_FIELDS - {"cost"}:
        require(actor, "inventory.edit_product")


@transaction.atomic
def create_product(*, actor: "User", **fields: Any) -> Product:
    """Adds a product. Prices need `inventory.edit_price`, the cost `inventory.view_cost` too.

    Raises PermissionDenied, ValidationError per field.
    """
    require(actor, "inventory.edit_product")
    _check_rights(actor, fields)
    product = Product(**fields)
    if product.kind == Product.Kind.SERVICE:
        product.is_stocked = False
    _validate(product)
    product.search_text = search_text(product.sku, product.name, product.description)
    product.save()
    record(events.PRODUCT_CREATED, product, actor=actor, after=_kept(product))
    return product


@transaction.atomic
def edit_product(product: Product, *, version: int | None = None, actor: "User", **changes: Any) -> Product:
    """Changes a product. Raises StaleVersion, PermissionDenied, ValidationError; no change writes nothing."""
    product = Product.objects.select_for_update(no_key=True).get(pk=product.pk)
    check_version(product, version)
    before = _kept(product)
    changes = {name: value for name, value in changes.items() if getattr(product, name) != value}
    if not changes:
        require(actor, "inventory.view_product")
        return product
    _check_rights(actor, changes)
    for name, value in changes.items():
        setattr(product, name, value)
    if product.kind == Product.Kind.SERVICE:
        product.is_stocked = False
    _check_stock_kept(product, changes)
    _validate(product)
    product.search_text = search_text(product.sku, product.name, product.description)
    product.version += 1
    product.save()
    record(events.PRODUCT_EDITED, product, actor=actor, before=before, after=_kept(product))
    return product


def _check_stock_kept(product: Product, changes: dict[str, Any]) -> None:
    """Unit and stock-keeping can't change under stock that lies there."""
    if changes.keys() & {"unit", "unit_id", "is_stocked", "kind"}:
        held = StockItem.objects.filter(product=product).exclude(on_hand=0).exists()
        if held and not product.is_stocked:
            raise ValidationError({"is_stocked": _("There is stock of this product: count it down to nothing first.")})
        if held and changes.keys() & {"unit", "unit_id"}:
            raise ValidationError({"unit": _("There is stock in the old unit: count it down to nothing first.")})


def _validate(product: Product) -> None:
    product.full_clean()
    check_lead_days(product.lead_days)
    if not fits_unit(product.reorder_point, product.unit):
        raise ValidationError({"reorder_point": _("Enter whole units, as the unit is counted.")})


def _kept(product: Product) -> dict[str, Any]:
    """What the timeline may show to everybody who sees products: prices and costs are masked (R1)."""
    kept = snapshot(product)
    for left_out in ("list_price", "cost", "search_text"):
        kept.pop(left_out, None)
    return kept


@transaction.atomic
def save_setup(instance: models.Model, *, actor: "User") -> models.Model:
    """Adds or changes a category, unit or warehouse. Raises PermissionDenied, ValidationError."""
    if not isinstance(instance, ProductCategory | Unit | Warehouse):
        raise TypeError("save_setup() keeps categories, units and warehouses")
    require(actor, "inventory.edit_product")
    if isinstance(instance, Warehouse):
        list(Warehouse.objects.select_for_update(no_key=True).order_by("pk"))  # which is the default stays so
    before = None if instance.pk is None else snapshot(type(instance).objects.get(pk=instance.pk))
    _check_setup(instance, before)
    if isinstance(instance, Warehouse) and instance.is_default:
        _step_down(instance, actor=actor)
    instance.full_clean()
    instance.save()
    record(events.SETUP_CHANGED, instance, actor=actor, before=before, after=snapshot(instance), what=str(instance))
    return instance


def _step_down(successor: Warehouse, *, actor: "User") -> None:
    """The former default makes way, and says so."""
    for former in Warehouse.objects.filter(is_default=True).exclude(pk=successor.pk):  # there is at most one
        before = snapshot(former)
        former.is_default = False
        former.save(update_fields=["is_default"])
        record(events.SETUP_CHANGED, former, actor=actor, before=before, after=snapshot(former), what=str(former))


def _check_setup(instance: models.Model, before: dict[str, Any] | None) -> None:
    """What stock that lies there forbids, and a category's place in the tree."""
    if isinstance(instance, ProductCategory):
        _check_parents(instance)
    if isinstance(instance, Warehouse):
        _check_default(instance, before)
    if before is None:
        return
    lying = StockItem.objects.filter(on_hand__gt=0)
    coarser = isinstance(instance, Unit) and instance.decimals < before["decimals"]
    if coarser and lying.filter(product__unit=instance.pk).exists():
        raise ValidationError({"decimals": _("There is stock counted in this unit: keep its decimals.")})
    if isinstance(instance, Warehouse) and not instance.is_active:
        if lying.filter(warehouse=instance).exists():
            raise ValidationError({"is_active": _("There is stock in this warehouse.")})
        if PurchaseLine.objects.planned().filter(order__warehouse=instance).exists():
            raise ValidationError({"is_active": _("Goods are awaited in this warehouse.")})


def _check_default(warehouse: Warehouse, before: dict[str, Any] | None) -> None:
    """There is always a default, in use: returns, shortages and imports put goods there without asking."""
    if before is not None and before["is_default"] and not warehouse.is_default:
        raise ValidationError({"is_default": _("This one is the default: tick it at another warehouse instead.")})
    if warehouse.is_default and not warehouse.is_active:
        raise ValidationError(
            {"is_active": _("The default warehouse stays in use: make another one the default first.")}
        )


def _check_parents(category: ProductCategory) -> None:
    seen, parent = set(), category.parent
    while parent is not None:
        if parent.pk == category.pk or parent.pk in seen:
            raise ValidationError({"parent": _("A category can't be part of itself.")})
        seen.add(parent.pk)
        parent = parent.parent


@transaction.atomic
def save_template(
    template: SpecificationTemplate, attributes: Sequence[SpecificationAttribute], *, actor: "User"
) -> SpecificationTemplate:
    """Keeps a specification template with exactly these attributes, in this order.

    Raises PermissionDenied, ValidationError (a key twice, a choice without choices, a range out of order).
    """
    require(actor, "inventory.edit_product")
    template.full_clean()
    keys = [attribute.key for attribute in attributes]
    if len(set(keys)) != len(keys):
        raise ValidationError(_("Each key may be used once."))
    template.save()
    template.attributes.exclude(pk__in=[one.pk for one in attributes if one.pk]).delete()
    for position, attribute in enumerate(attributes):
        attribute.template, attribute.position = template, position
        _check_attribute(attribute)
        attribute.save()
    record(events.SETUP_CHANGED, template, actor=actor, what=str(template), keys=keys)
    return template


def _check_attribute(attribute: SpecificationAttribute) -> None:
    if attribute.kind == SpecificationAttribute.Kind.CHOICE and not attribute.choices:
        raise ValidationError(_("%(label)s: name at least one choice.") % {"label": attribute.label})
    attribute.full_clean()
