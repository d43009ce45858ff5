"""What an order needs of material: its made lines exploded over the levels, its bought lines as they are."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Min

from fulfilment import events
from fulfilment.models import MaterialNeed, Milestone
from inventory.models import BomLine
from inventory.services import Boms, boms_of
from ordermgmt.accounts.services import require, system_user
from ordermgmt.activity.services import record
from ordermgmt.lib.money import ZERO
from ordermgmt.lib.rows import write_columns
from orders.models import Order, OrderLine
from orders.services import locked

from .netting import cover_needs, one_at_a_time, top_required

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

Supply = OrderLine.Supply
RUNNING = (Order.State.PLACED, Order.State.IN_PRODUCTION)


@dataclass(frozen=True)
class _Wanted:
    """One need as it should stand: where it belongs, what it takes, by when."""

    line: OrderLine
    product_id: int
    path: tuple[int, ...]
    quantity_per: Decimal
    scrap_percent: Decimal
    is_made: bool
    needed_by: dt.date | None

    @property
    def key(self) -> tuple[int, str]:
        return self.line.pk, _told(self.path)


def _told(path: tuple[int, ...]) -> str:
    return "/".join(map(str, path))


@transaction.atomic
def plan_needs(order: Order, *, actor: "User | None" = None) -> list[MaterialNeed]:
    """Brings the order's needs into step with its lines, their bills of material and its plan; again changes nothing.

    Asks for no right of its own: it follows whatever was done to the order. What is on order for a need that is gone
    stays on order, for others.
    """
    order = locked(order)
    one_at_a_time()
    products, changed = _reckon(order)
    if changed:
        cover_needs(products)
        _told_of(order, actor or system_user())
    return list(MaterialNeed.objects.filter(order=order).order_by("order_line__position", "pk"))


def _reckon(order: Order) -> tuple[set[int], bool]:
    """Writes the needs of a locked order; gives the products they are of and were of, and whether to share them anew."""
    lines = [line for line in order.order_lines if line.product_id and line.supply in (Supply.MAKE, Supply.BUY)]
    running = order.state in RUNNING
    boms = boms_of(line.product_id for line in lines if line.product_id) if running else {}
    days = _days(order)
    wanted = [one for line in lines for one in _of_line(line, boms, days)] if running else []
    known = {(one.order_line_id, one.path): one for one in MaterialNeed.objects.filter(order=order)}
    before = {one.product_id for one in known.values()}
    keys = {one.key for one in wanted}
    gone = [one.pk for key, one in known.items() if key not in keys]
    changed = _write(order, wanted, known)
    MaterialNeed.objects.filter(pk__in=gone).delete()
    needs = MaterialNeed.objects.filter(order=order).select_related("product__unit", "order", "order_line")
    products = before | {one.product_id for one in needs}
    more = any(one.required != top_required(one) for one in needs if one.parent_id is None)
    return products, changed or bool(gone) or more


def all_made(order: Order) -> bool:
    """Whether everything is made of which it is known what it is made of; False where nothing is known. One query."""
    lines = [line for line in order.order_lines if line.supply == Supply.MAKE and line.product_id]
    rows = BomLine.objects.filter(product__in={line.product_id for line in lines}).order_by()
    known = set(rows.values_list("product_id", flat=True))
    return bool(known) and all(line.qty_to_make <= 0 for line in lines if line.product_id in known)


def _told_of(order: Order, actor: "User") -> None:
    needs = MaterialNeed.objects.filter(order=order)
    count = needs.filter(is_made=False).count()
    record(events.MATERIAL_PLANNED, order, actor=actor, count=count, missing=needs.missing().count())


def replan_needs(order: Order, *, actor: "User") -> Order:
    """`plan_needs` on somebody's wish, as after a bill of material was changed. Raises PermissionDenied."""
    require(actor, "fulfilment.plan_order")
    plan_needs(order, actor=actor)
    return order


def plan_all_needs() -> int:
    """Every night: the needs of all running orders anew, as plans, bills of material and purchases stand; how many.

    Stock and purchases are shared once, after all of them.
    """
    running = Order.objects.filter(state__in=RUNNING, lines__supply__in=(Supply.MAKE, Supply.BUY)).order_by()
    keys = set(running.values_list("pk", flat=True))
    keys |= set(MaterialNeed.objects.order_by().values_list("order", flat=True).distinct())
    changed = []
    for pk in sorted(keys):
        with transaction.atomic():
            order = locked(Order(pk=pk))
            one_at_a_time()
            if _reckon(order)[1]:
                changed.append(order)
    cover_needs(set(MaterialNeed.objects.order_by().values_list("product", flat=True).distinct()))
    for order in changed:
        with transaction.atomic():
            _told_of(order, system_user())
    return len(keys)


_KEPT = ("parent_id", "level", "quantity_per", "scrap_percent", "is_made", "needed_by")


def _write(order: Order, wanted: Iterable[_Wanted], known: dict[tuple[int, str], MaterialNeed]) -> bool:
    """Makes and changes rows, level after level: parents before their parts. True where anything differs."""
    changed = False
    for _level, of_level in groupby(sorted(wanted, key=lambda one: len(one.path)), key=lambda one: len(one.path)):
        made: list[MaterialNeed] = []
        altered: list[MaterialNeed] = []
        for one in of_level:
            parent = known.get((one.line.pk, _told(one.path[:-1])))
            values = (
                parent.pk if parent else None, len(one.path), one.quantity_per, one.scrap_percent, one.is_made,
                one.needed_by,
            )  # fmt: skip
            row = known.get(one.key)
            if row is not None and tuple(getattr(row, name) for name in _KEPT) == values:
                continue
            (made if row is None else altered).append(
                row := row
                or MaterialNeed(order=order, order_line=one.line, product_id=one.product_id, path=_told(one.path))
            )
            for name, value in zip(_KEPT, values, strict=True):
                setattr(row, name, value)
            known[one.key] = row
        MaterialNeed.objects.bulk_create(made, batch_size=500)
        write_columns(altered, [name.removesuffix("_id") for name in _KEPT])
        changed = changed or bool(made or altered)
    return changed


def _of_line(line: OrderLine, boms: Boms, days: "_Days") -> list[_Wanted]:
    product = line.product
    if product is None or (line.qty_to_make if line.supply == Supply.MAKE else line.qty_to_ship) <= 0:
        return []
    if line.supply == Supply.BUY:
        return [_Wanted(line, product.pk, (product.pk,), Decimal(1), ZERO, False, days.of(line, ZERO_DAYS))]
    found: list[_Wanted] = []

    def descend(pk: int, path: tuple[int, ...], day: dt.date | None) -> None:
        for row in boms.get(pk, ()):
            own, made = (*path, row.component_id), row.component_id in boms
            found.append(_Wanted(line, row.component_id, own, row.quantity, row.scrap_percent, made, day))
            if made:
                descend(row.component_id, own, _earlier(day, row))

    descend(product.pk, (), days.of(line, dt.timedelta(days=product.lead_days)))
    return found


ZERO_DAYS = dt.timedelta()


def _earlier(day: dt.date | None, row: BomLine) -> dt.date | None:
    """What an assembly is made of is needed before it by as long as making it takes."""
    return day - dt.timedelta(days=row.component.lead_days) if day else None


@dataclass(frozen=True)
class _Days:
    """By when the plan needs material, and else the promise does."""

    order: Order
    planned: dt.date | None

    def of(self, line: OrderLine, work: dt.timedelta) -> dt.date | None:
        """The day of the plan, else the promised day less the work on it."""
        if self.planned:
            return self.planned
        promised = line.promised_date or self.order.promised_date or self.order.requested_date
        return promised - work if promised else None


def _days(order: Order) -> _Days:
    """From the first open milestone of material; without one, from the first open one that begins."""
    open_ = Milestone.objects.open().filter(order=order)
    material = Milestone.objects.needed_by(order).values_list("forecast", flat=True).first()
    return _Days(order, material or open_.aggregate(first=Min("start"))["first"])
