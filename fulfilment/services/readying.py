"""When the material of what is made can be there: what is free and nobody counts on, else the lead time."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Sum

from fulfilment.models import MaterialNeed
from inventory.models import Product, SupplierPrice
from inventory.services import boms_of, free_quantities, rounded_up
from ordermgmt.lib.money import ZERO
from orders.models import OrderLine


@dataclass(frozen=True)
class Ready:
    """The material is there in so many calendar days, and which component decides it ("" where all is in stock).

    `days` is None where nobody knows how long that component takes; `work` of them are the assemblies that it goes into.
    """

    days: int | None
    sku: str = ""
    work: int = 0


def lead_days(products: Iterable[Product]) -> dict[int, int]:
    """Calendar days until a product (by id) can be had: its own lead time, else the fastest supplier's; 0: unknown."""
    found = {product.pk: product.lead_days for product in products}
    asked = [pk for pk, days in found.items() if not days]
    prices = SupplierPrice.objects.filter(product__in=asked, supplier__is_active=True).select_related("supplier")
    for price in prices if asked else []:
        days = price.lead_days or price.supplier.lead_days
        if days and (not found[price.product_id] or days < found[price.product_id]):
            found[price.product_id] = days
    return found


class Materials:
    """The components of some made lines. Asked line after line it lets earlier lines take what is free first."""

    def __init__(self, lines: Iterable[OrderLine]) -> None:
        self.boms = boms_of({line.product_id for line in lines if line.product_id})
        parts = {row.component_id: row.component for rows in self.boms.values() for row in rows}
        self.left: dict[int, Decimal] = {}
        self.leads: dict[int, int] = {}
        if parts:
            claimed = MaterialNeed.objects.filter(product__in=parts, from_stock__gt=0).order_by()
            taken = dict(claimed.values_list("product_id").annotate(total=Sum("from_stock")))
            self.left = {pk: free - taken.get(pk, ZERO) for pk, free in free_quantities(parts).items()}
            self.leads = lead_days(part for pk, part in parts.items() if pk not in self.boms)

    def ready(self, line: OrderLine) -> Ready | None:
        """When all that the line takes is there; None for a product without a bill of material."""
        if line.product_id is None or line.product_id not in self.boms:
            return None
        return self._parts(line.product_id, line.quantity)

    def _parts(self, product: int, quantity: Decimal) -> Ready:
        worst = Ready(0)
        for row in self.boms[product]:
            needed = rounded_up(quantity * row.per_unit, row.component.unit)
            found = self._part(row.component, needed)
            if found.days is None:
                return found
            if found.days > (worst.days or 0):
                worst = found
        return worst

    def _part(self, part: Product, needed: Decimal) -> Ready:
        free = max(self.left[part.pk], ZERO)
        self.left[part.pk] -= needed
        if free >= needed:
            return Ready(0)
        if part.pk not in self.boms:
            return Ready(self.leads[part.pk] or None, part.sku)
        found = self._parts(part.pk, needed - free)
        if found.days is None:
            return found
        return Ready(found.days + part.lead_days, found.sku or part.sku, found.work + part.lead_days)
