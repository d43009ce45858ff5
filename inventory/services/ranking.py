"""Who could deliver so much of a product, ranked: in time first, then who keeps their word, then the price."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from inventory.models import Product, Supplier, SupplierPrice
from ordermgmt.lib.money import HUNDRED

from .boms import rounded_up
from .expecting import lead_days, price_for
from .rating import SupplierRecord, supplier_records

#: Who has no record yet stands between those who keep their word and those who do not.
_UNKNOWN = Decimal(75)


@dataclass(frozen=True)
class Wish:
    """So much of a product (its `unit` fetched), needed by a day (None: no day is known)."""

    product: Product
    quantity: Decimal
    needed_by: dt.date | None = None


@dataclass(frozen=True)
class Offer:
    """What one supplier asks for a wish: `quantity` is at least their minimum, `arrives` counts their lead time from
    today. `late` are the days after the needed day, `dearer` the percent above the cheapest price in the same currency.
    """

    supplier: Supplier
    price: SupplierPrice
    quantity: Decimal
    lead_days: int
    arrives: dt.date
    late: int
    record: SupplierRecord
    dearer: Decimal

    @property
    def told(self) -> str:
        """Why it stands where it stands, without prices: lead time and how they keep their word."""
        days = ngettext("%(days)s day", "%(days)s days", self.lead_days) % {"days": self.lead_days}
        rate = self.record.on_time_rate
        kept = _("%(rate)s %% on time") % {"rate": f"{rate:.0f}"} if rate is not None else _("no record yet")
        if not self.late:
            return _("%(days)s, in time, %(kept)s") % {"days": days, "kept": kept}
        late = ngettext("%(late)s day too late", "%(late)s days too late", self.late) % {"late": self.late}
        return _("%(days)s, %(late)s, %(kept)s") % {"days": days, "late": late, "kept": kept}

    @property
    def told_price(self) -> str:
        """The price beside the cheapest; a cost, see `inventory.view_cost`."""
        return _("%(percent)s %% dearer") % {"percent": f"{self.dearer:.1f}"} if self.dearer else _("cheapest")


def rank_offers(wishes: Iterable[Wish], today: dt.date) -> dict[int, list[Offer]]:
    """Offers of suppliers in use by product, the best first; products that nobody sells are absent. Three queries."""
    asked = {one.product.pk: one for one in wishes}
    rows = SupplierPrice.objects.filter(product__in=asked, supplier__is_active=True).select_related("supplier")
    by_pair: dict[tuple[int, int], list[SupplierPrice]] = defaultdict(list)
    for row in rows.order_by("pk"):
        if row.currency == row.supplier.currency:
            by_pair[row.product_id, row.supplier_id].append(row)
    records = supplier_records({supplier for _product, supplier in by_pair})
    found: dict[int, list[Offer]] = defaultdict(list)
    for (product, supplier), prices in by_pair.items():
        found[product].append(_offer(asked[product], prices, records.get(supplier, SupplierRecord()), today))
    return {pk: _ranked(offers) for pk, offers in found.items()}


def _offer(wish: Wish, prices: list[SupplierPrice], record: SupplierRecord, today: dt.date) -> Offer:
    price = price_for(prices, wish.quantity)
    days = lead_days(price)
    arrives = today + dt.timedelta(days=days)
    late = max(0, (arrives - wish.needed_by).days) if wish.needed_by else 0
    quantity = rounded_up(max(wish.quantity, price.minimum), wish.product.unit)
    return Offer(price.supplier, price, quantity, days, arrives, late, record, Decimal(0))


def _ranked(offers: list[Offer]) -> list[Offer]:
    cheapest: dict[str, Decimal] = {}
    for one in offers:
        currency = one.price.currency
        cheapest[currency] = min(one.price.price, cheapest.get(currency, one.price.price))
    priced = []
    for one in offers:
        low = cheapest[one.price.currency]
        dearer = ((one.price.price - low) * HUNDRED / low).quantize(Decimal("0.1")) if low else Decimal(0)
        values = one.__dict__ | {"dearer": dearer}
        priced.append(Offer(**values))
    return sorted(priced, key=_place)


def _place(offer: Offer) -> tuple[int, Decimal, Decimal, int, int]:
    rate = offer.record.on_time_rate
    return offer.late, -(_UNKNOWN if rate is None else rate), offer.dearer, offer.lead_days, offer.supplier.pk
