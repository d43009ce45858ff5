"""Bills of material: kept without a circle, and exploded over their levels."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from inventory import events
from inventory.models import BomLine, Product, Unit
from ordermgmt.activity.services import record, snapshot

from .checking import check_quantity, require

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

_RIGHT = "inventory.edit_bom"
#: A bill of material has at most so many levels; the trigger in the database follows as many.
LEVELS = 8
#: … and, exploded, so many rows.
MOST_ROWS = 2000
Boms = Mapping[int, Sequence[BomLine]]


@dataclass(frozen=True)
class Exploded:
    """One row of an explosion: so much of the line's component, in its unit, `level` 1 for what goes in directly.

    `path` are the keys of the components from the top down to this one. `is_made` says that rows below tell what it is
    made of itself.
    """

    line: BomLine
    level: int
    path: tuple[int, ...]
    quantity: Decimal
    is_made: bool


@transaction.atomic
def save_bom_line(
    product: Product, *, component: Product, quantity: Decimal, scrap_percent: Decimal = Decimal(0), position: int = 10,
    note: str = "", line: BomLine | None = None, actor: "User",
) -> BomLine:  # fmt: skip
    """Adds a component to a product's bill of material, or changes the given `line` of it.

    Raises PermissionDenied, ValidationError (a circle with the way round, too many levels, a component twice, a
    quantity its unit does not allow, a service).
    """
    require(actor, _RIGHT)
    _one_at_a_time(product, component)
    row = BomLine.objects.get(pk=line.pk, product=product) if line else BomLine(product=product)
    was = snapshot(row) if line else None
    row.component, row.quantity, row.scrap_percent = component, quantity, scrap_percent
    row.position, row.note = position, note
    if Product.Kind.SERVICE in (product.kind, component.kind):
        raise ValidationError({"component": _("Only goods are made of goods: a service is planned as work.")})
    check_quantity(component, quantity)
    row.full_clean()
    if way := _way(component.pk, product.pk):
        names = dict(Product.objects.filter(pk__in=way).values_list("pk", "sku"))
        told = " → ".join([product.sku, *(names[pk] for pk in way)])
        text = _("%(sku)s would contain itself: %(way)s.")
        raise ValidationError({"component": text % {"sku": product.sku, "way": told}})
    row.save()
    _check_size(product)
    record(
        events.BOM_CHANGED, row, root=product, actor=actor, before=was, after=snapshot(row), component=component.sku
    )  # fmt: skip
    return row


@transaction.atomic
def remove_bom_line(line: BomLine, *, actor: "User") -> Product:
    """Takes a component out. Raises PermissionDenied, ValidationError where it is gone already."""
    require(actor, _RIGHT)
    _one_at_a_time(line.product, line.component)
    found = BomLine.objects.filter(pk=line.pk).first()
    if found is None:
        raise ValidationError(_("This component is gone already."))
    record(
        events.BOM_REMOVED, found, root=line.product, actor=actor, before=snapshot(found), component=line.component.sku
    )
    found.delete()
    return line.product


def _one_at_a_time(product: Product, component: Product) -> None:
    """Locks whatever two changes that close a circle together have in common: each way runs over products with lines."""
    has_lines = Exists(BomLine.objects.filter(product=OuterRef("pk")))
    rows = Product.objects.filter(Q(pk__in=[product.pk, component.pk]) | has_lines).order_by("pk")
    list(rows.select_for_update(no_key=True).values_list("pk", flat=True))  # lines of orders name them meanwhile


def boms_of(product_ids: Iterable[int]) -> Boms:
    """The lines of these products and, level by level, of their components, by product. One query per level."""
    found: dict[int, list[BomLine]] = {}
    asked = set(product_ids)
    for _level in range(LEVELS + 1):
        if not asked:
            break
        rows = BomLine.objects.filter(product__in=asked).select_related("component__unit").order_by("position", "pk")
        for line in rows:
            found.setdefault(line.product_id, []).append(line)
        below = {line.component_id for pk in asked for line in found.get(pk, ())}
        asked = below - set(found) - asked
    return found


def explode(product_id: int, quantity: Decimal, boms: Boms) -> list[Exploded]:
    """What so much of a product takes, each component before what it is made of itself, with scrap on every level.

    Quantities are rounded up to what the component's unit counts: nobody buys half a bolt.
    """
    found: list[Exploded] = []

    def descend(pk: int, wanted: Decimal, path: tuple[int, ...]) -> None:
        for line in boms.get(pk, ()):
            own = (*path, line.component_id)
            needed = rounded_up(wanted * line.per_unit, line.component.unit)
            found.append(Exploded(line, len(own), own, needed, line.component_id in boms))
            if len(own) <= LEVELS:
                descend(line.component_id, needed, own)

    descend(product_id, quantity, ())
    return found


def rounded_up(quantity: Decimal, unit: Unit) -> Decimal:
    """As much as the unit counts, rounded up."""
    return quantity.quantize(Decimal(1).scaleb(-unit.decimals), rounding=ROUND_CEILING)


def _way(start: int, end: int) -> list[int]:
    """The products from `start` down to `end`, both included; empty where `end` is not below."""
    boms = boms_of([start])
    came: dict[int, int] = {}
    asked = [start]
    while asked:
        pk = asked.pop()
        for line in boms.get(pk, ()):
            if line.component_id not in came and line.component_id != start:
                came[line.component_id] = pk
                asked.append(line.component_id)
    if start != end and end not in came:
        return []
    way = [end]
    while way[-1] != start:
        way.append(came[way[-1]])
    return way[::-1]


def _check_size(product: Product) -> None:
    """Raises ValidationError where the product, or one that it goes into, gets too deep or too long."""
    above = asked = {product.pk}
    while asked:
        asked = set(BomLine.objects.filter(component__in=asked).values_list("product", flat=True)) - above
        above = above | asked
    boms = boms_of(above)
    sizes: dict[int, tuple[int, int]] = {}
    for pk in above:
        levels, rows = _size(pk, boms, sizes)
        if levels > LEVELS or rows > MOST_ROWS:
            text = _("A bill of material has at most %(levels)s levels and %(rows)s rows: %(sku)s would have more.")
            sku = Product.objects.get(pk=pk).sku
            raise ValidationError({"component": text % {"levels": LEVELS, "rows": MOST_ROWS, "sku": sku}})


def _size(pk: int, boms: Boms, known: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """(levels, rows) of an explosion; of one that comes back to itself more than there may be."""
    if pk not in known:
        known[pk] = (LEVELS + 1, MOST_ROWS + 1)  # what it is found as below itself
        below = [_size(line.component_id, boms, known) for line in boms.get(pk, ())]
        known[pk] = (max((levels + 1 for levels, _r in below), default=0), sum(rows + 1 for _l, rows in below))
    return known[pk]


def where_used(product: Product) -> list[Any]:
    """The lines of the products that it goes into directly, by their number."""
    return list(
        BomLine.objects.filter(component=product).select_related("product__unit").order_by("product__sku")[:200]
    )
