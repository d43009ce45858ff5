"""When a purchase should come, until the supplier names a day: the order day and their lead time."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal

from inventory.models import PurchaseLine, Supplier, SupplierPrice


def price_for(prices: Sequence[SupplierPrice], quantity: Decimal) -> SupplierPrice:
    """Of a supplier's prices for a product the one that holds for so much; the smallest minimum where it is less."""
    enough = [one for one in prices if one.minimum <= quantity]
    return max(enough, key=lambda one: one.minimum) if enough else min(prices, key=lambda one: one.minimum)


def lead_days(price: SupplierPrice) -> int:
    """Theirs for the product, else their usual one."""
    return price.lead_days or price.supplier.lead_days


def expect(lines: Iterable[PurchaseLine], supplier: Supplier, day: dt.date) -> None:
    """Sets, without saving, when lines ordered on `day` should come; where no lead time is known, when they are needed.

    They are judged by what they confirm, not by this. One query.
    """
    waiting = [line for line in lines if line.confirmed_on is None]
    prices: dict[int, list[SupplierPrice]] = defaultdict(list)
    rows = SupplierPrice.objects.filter(supplier=supplier, product__in={line.product_id for line in waiting})
    for one in rows.filter(currency=supplier.currency).select_related("supplier").order_by("pk"):
        prices[one.product_id].append(one)
    for line in waiting:
        known = prices.get(line.product_id or 0)
        days = lead_days(price_for(known, line.quantity)) if known else supplier.lead_days
        needed = max(line.needed_by, day) if line.needed_by else None
        line.promised_on = day + dt.timedelta(days=days) if days else needed
