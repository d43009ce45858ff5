"""How much is free: one query for one product or many."""

from collections.abc import Iterable
from decimal import Decimal

from django.db.models import Sum

from inventory.models import Product, Reservation, StockItem
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


def _exact(summed: Decimal) -> Decimal:
    """A sum at the six decimals of quantities: SQLite adds binary fractions."""
    return summed.quantize(Decimal("0.000001"))
