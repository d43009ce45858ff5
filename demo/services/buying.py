"""What the demo company buys: ordered when it runs low, promised, mostly in time, now and then late or refused."""

import datetime as dt
from decimal import Decimal

from inventory.models import PurchaseOrder
from inventory.services import Came, confirm_purchase, order_purchase, purchase_needs, receive_purchase
from ordermgmt.company.services import business_today

from .base_data import Company
from .words import GOODS, MATERIALS

_STOCK = [good for good in (*GOODS, *MATERIALS) if good.supply == "stock"]


def fill_up(company: Company, week: int) -> None:
    """Orders what ran low some weeks ago, and receives it today."""
    needs = {}
    for good in _STOCK:
        product = company.goods[good.sku]
        if product.stock_items.get(warehouse=company.warehouse).free < good.target * Decimal("0.5"):
            needs[product.pk] = Decimal(good.target)
    if not needs:
        return
    orders, _nobody = purchase_needs(needs, actor=company.people["pm"])
    for order in orders:
        today = business_today()
        late = company.chance.choice((-2, 0, 0, 0, 3, 9))
        _ordered(
            company, order, today - dt.timedelta(days=order.supplier.lead_days + 10), today - dt.timedelta(days=late)
        )
        came = {line.pk: Came(line.quantity) for line in order.lines.all()}
        deliveries = [came]
        if company.chance.random() < 0.15:
            first, damaged = order.lines.all()[0], Decimal(2)
            came[first.pk] = Came(first.quantity - damaged, damaged, "Damaged in transport")
            deliveries.append({first.pk: Came(damaged)})
        for place, delivery in enumerate(deliveries):
            receive_purchase(
                PurchaseOrder.objects.get(pk=order.pk), came=delivery, key=f"demo-receipt-{order.number}-{week}-{place}",
                delivery_note=f"LS {week:03d}", actor=company.people["warehouse"],
            )  # fmt: skip


def _ordered(company: Company, order: PurchaseOrder, on: dt.date, promised: dt.date) -> None:
    ordered = order_purchase(order, ordered_on=on, actor=company.people["pm"])
    dates: dict[int, dt.date | None] = {line.pk: promised for line in ordered.lines.all()}
    confirm_purchase(ordered, dates=dates, reference=f"AB-{ordered.number[-5:]}", actor=company.people["pm"])


def leave_open(company: Company) -> None:
    """What is awaited today: two late, steel among them, one still to come, one draft."""
    today = business_today()
    ways = ((20, -4), (6, 8), None, (25, -5))
    for good, way in zip([*_STOCK[:3], MATERIALS[0]], ways, strict=True):
        product = company.goods[good.sku]
        for order in purchase_needs({product.pk: Decimal(good.target * 2)}, actor=company.people["pm"])[0]:
            if way is not None:
                _ordered(company, order, today - dt.timedelta(days=way[0]), today + dt.timedelta(days=way[1]))
