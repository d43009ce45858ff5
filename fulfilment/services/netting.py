"""Needs against free stock and what is on order: whoever needs it first has it first.

What was ordered for a need on purpose stays its own. Stock is only counted on, not reserved.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from graphlib import CycleError, TopologicalSorter

from django.db import transaction
from django.db.models import F, Sum

from fulfilment.models import MaterialNeed, MaterialSupply
from inventory.models import PurchaseLine
from inventory.services import free_quantities, one_buyer_at_a_time, rounded_up
from ordermgmt.lib.money import HUNDRED, ZERO
from ordermgmt.lib.rows import write_columns
from orders.models import Order, OrderLine

_FIGURES = ("required", "from_stock", "on_order", "expected_on")
_RUNNING = (Order.State.PLACED, Order.State.IN_PRODUCTION)


@transaction.atomic
def cover_needs(product_ids: Iterable[int]) -> None:
    """Shares stock and purchases of these products anew among the needs, and of all that their assemblies are made of.

    The number of queries grows with the levels, not with the needs.
    """
    products = set(product_ids)
    if not products:
        return
    one_at_a_time()
    products = _with_parts(products)
    rows = MaterialNeed.objects.filter(product__in=products)
    needs = list(rows.select_related("product__unit", "order", "order_line", "parent").order_by("pk"))
    if needs:
        _Sharing(needs, products).share()


def one_at_a_time() -> None:
    """Whoever shares material waits here for whoever does, so that nobody shares what somebody else just took.

    Taken after an order's lock, before any row of a need. Goods that move meanwhile do not wait for it.
    """
    one_buyer_at_a_time()


def _with_parts(products: set[int]) -> set[int]:
    asked = products
    while asked:
        parts = MaterialNeed.objects.filter(parent__product__in=asked).order_by()
        asked = set(parts.values_list("product_id", flat=True).distinct()) - products
        products = products | asked
    return products


class _Sharing:
    """One reckoning over all needs of some products."""

    def __init__(self, needs: list[MaterialNeed], products: set[int]) -> None:
        self.needs = {one.pk: one for one in needs}
        self.was = {one.pk: tuple(getattr(one, name) for name in _FIGURES) for one in needs}
        self.free = free_quantities(products)
        lines = PurchaseLine.objects.planned().filter(product__in=products).select_related("order")
        self.lines = {line.pk: line for line in lines}
        self.left = {line.pk: line.open for line in lines}
        self.supplies = {
            (one.need_id, one.line_id): one for one in MaterialSupply.objects.filter(need__in=self.needs).order_by("pk")
        }
        self.covered: dict[tuple[int, int], Decimal] = {}
        self.claimed = _claimed_by_stock_lines(products)

    def share(self) -> None:
        """Product after product, an assembly before what it is made of; then writes what differs."""
        of_product: dict[int, list[MaterialNeed]] = defaultdict(list)
        for one in self.needs.values():
            of_product[one.product_id].append(one)
        for pk in self._in_turn(of_product):
            self._share_product(pk, sorted(of_product[pk], key=_urgency))
        differ = [
            one for one in self.needs.values() if self.was[one.pk] != tuple(getattr(one, name) for name in _FIGURES)
        ]
        write_columns(differ, _FIGURES)
        self._write_supplies()

    def _in_turn(self, of_product: dict[int, list[MaterialNeed]]) -> list[int]:
        before = {
            pk: {parent.product_id for one in rows if (parent := self.needs.get(one.parent_id or 0))}
            for pk, rows in of_product.items()
        }
        try:
            return list(TopologicalSorter(before).static_order())
        except CycleError:  # the bills of two orders are of different times: the deepest last is near enough
            return sorted(of_product, key=lambda pk: max(one.level for one in of_product[pk]))

    def _share_product(self, product: int, needs: list[MaterialNeed]) -> None:
        free = max(self.free[product], ZERO)
        own = sorted((one for one in self.lines.values() if one.product_id == product), key=_arrival)
        for need in needs:
            need.required, need.on_order, need.expected_on = self._required(need), ZERO, None
            need.from_stock = min(free, need.required)
            free -= need.from_stock
        for need in needs:
            for line in own:
                pegged = self.supplies.get((need.pk, line.pk))
                if pegged is not None and pegged.pegged:
                    self._take(need, line, pegged.pegged)
        claim = self.claimed.get(product, ZERO)
        for line in own:  # order lines from stock that hold nothing yet come first
            taken = min(claim, self.left[line.pk])
            self.left[line.pk] -= taken
            claim -= taken
        for need in needs:
            for line in own:
                self._take(need, line, need.required)

    def _take(self, need: MaterialNeed, line: PurchaseLine, most: Decimal) -> None:
        open_ = need.required - need.from_stock - need.on_order
        taken = min(open_, self.left[line.pk], most)
        if taken <= 0:
            return
        self.left[line.pk] -= taken
        need.on_order += taken
        key = need.pk, line.pk
        self.covered[key] = self.covered.get(key, ZERO) + taken
        expected = line.expected_on
        if expected and (need.expected_on is None or expected > need.expected_on):
            need.expected_on = expected

    def _required(self, need: MaterialNeed) -> Decimal:
        parent = self.needs.get(need.parent_id or 0) or need.parent
        if parent is None or need.order.state not in _RUNNING:
            return top_required(need)
        return _with_scrap(need, parent.required - parent.from_stock - parent.on_order)

    def _write_supplies(self) -> None:
        fresh = [
            MaterialSupply(need_id=need, line_id=line, quantity=quantity)
            for (need, line), quantity in self.covered.items()
            if (need, line) not in self.supplies
        ]
        MaterialSupply.objects.bulk_create(fresh, batch_size=500)
        changed, gone = [], []
        for key, one in self.supplies.items():
            quantity = self.covered.get(key, ZERO)
            if not quantity and not one.pegged:
                gone.append(one.pk)
            elif one.quantity != quantity:
                one.quantity = quantity
                changed.append(one)
        write_columns(changed, ["quantity"])
        MaterialSupply.objects.filter(pk__in=gone).delete()


def top_required(need: MaterialNeed) -> Decimal:
    """What a need without an assembly above it takes as its order's line stands; nothing once the order does not run."""
    line = need.order_line
    if need.order.state not in _RUNNING:
        return ZERO
    made_here = line.supply == OrderLine.Supply.MAKE
    return _with_scrap(need, line.qty_to_make if made_here else line.qty_to_ship - line.qty_reserved)


def _with_scrap(need: MaterialNeed, wanted: Decimal) -> Decimal:
    per_unit = need.quantity_per * (1 + need.scrap_percent / HUNDRED)
    return max(ZERO, rounded_up(wanted * per_unit, need.product.unit))


def _urgency(need: MaterialNeed) -> tuple[dt.date, int]:
    return need.needed_by or dt.date.max, need.pk


def _arrival(line: PurchaseLine) -> tuple[dt.date, int]:
    return line.expected_on or dt.date.max, line.pk


def _claimed_by_stock_lines(products: set[int]) -> dict[int, Decimal]:
    """What order lines from stock still lack of each product."""
    still = F("quantity") - F("qty_cancelled") - F("qty_shipped") - F("qty_reserved")
    rows = OrderLine.objects.filter(
        product__in=products, supply=OrderLine.Supply.STOCK, order__state__in=_RUNNING
    ).order_by()
    found = rows.values_list("product_id").annotate(total=Sum(still))
    return {pk: Decimal(total).quantize(Decimal("0.000001")) for pk, total in found if pk is not None and total > 0}
