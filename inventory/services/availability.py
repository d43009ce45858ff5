"""How much is free: one query for one product or many."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Min, Sum
from django.db.models.functions import Coalesce

from inventory.models import Product, PurchaseLine, Reservation, StockItem
from ordermgmt.lib.money import ZERO


def free_quantities(product_ids: Iterable[int]) -> dict[int, Decimal]:
    """Free stock per product over all active warehouses, in the product's unit; products without stock give 0."""
    wanted = set(product_ids)
    rows = StockItem.objects.filter(product_id__in=wanted, warehouse__is_active=True).order_by()
    found = dict(rows.values_list("product_id").annotate(total=Sum("free")))
    return {pk: _exact(found.get(pk, ZERO)) for pk in wanted}


def free_quantity(product: Product) -> Decimal:
    """Free stock of one product over all active warehouses."""
    return free_quantities([product.pk])[product.pk]


def reserved_quantities(holder_kind: str, holder_ids: Iterable[int]) -> dict[int, Decimal]:
    """How much each holder has reserved; holders without a reservation are absent."""
    rows = Reservation.objects.filter(holder_kind=holder_kind, holder_id__in=list(holder_ids)).order_by()
    return {pk: _exact(held) for pk, held in rows.values_list("holder_id").annotate(total=Sum("quantity"))}


@dataclass(frozen=True)
class Incoming:
    """What suppliers still owe of a product, in its unit, and the first day some of it is expected (None: not said)."""

    quantity: Decimal
    first: dt.date | None


def incoming_quantities(product_ids: Iterable[int]) -> dict[int, Incoming]:
    """What is on its way per product; products that nobody awaits are absent. One query."""
    rows = PurchaseLine.objects.awaited().filter(product_id__in=set(product_ids)).order_by()
    expected = Coalesce("promised_on", "needed_by")
    summed = rows.values_list("product_id").annotate(sum=Sum("open"), first=Min(expected))
    return {pk: Incoming(_exact(total), first) for pk, total, first in summed if pk is not None}


def arrivals(product_ids: Iterable[int], today: dt.date) -> dict[int, list[tuple[dt.date, Decimal]]]:
    """What is on its way per product, day by day as suppliers promised; what is late or has no day is left out."""
    rows = (
        PurchaseLine.objects.awaited()
        .filter(product_id__in=set(product_ids))
        .annotate(day=Coalesce("promised_on", "needed_by"))
    )
    found: dict[int, list[tuple[dt.date, Decimal]]] = {}
    for pk, day, quantity in rows.filter(day__gte=today).order_by("day", "pk").values_list("product_id", "day", "open"):
        if pk is not None:
            found.setdefault(pk, []).append((day, quantity))
    return found


def _exact(summed: Decimal) -> Decimal:
    """A sum at the six decimals of quantities: SQLite adds binary fractions."""
    return summed.quantize(Decimal("0.000001"))
