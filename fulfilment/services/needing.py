"""What an order needs of material: its made lines exploded over the levels, its bought lines as they are."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
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
from orders.models import Order, OrderLine
from orders.services import locked

from .netting import cover_needs, one_at_a_time

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

Supply = OrderLine.Supply
RUNNING = (Order.State.PLACED, Order.State.IN_PRODUCTION)
#: So many orders are reckoned anew in one transaction at night.
_AT_ONCE = 200


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
    lines = [line for line in order.order_lines if line.product_id and line.supply in (Supply.MAKE, Supply.BUY)]
    running = order.state in RUNNING
    boms = boms_of(line.product_id for line in lines if line.product_id) if running else {}
    days = _days(order)
    wanted = [one for line in lines for one in _of_line(line, boms, days)] if running else []
    known = {(one.order_line_id, one.path): one for one in MaterialNeed.objects.filter(order=order)}
    touched = {one.product_id for one in known.values()}
    changed = _write(order, wanted, known)
    gone = [one for key, one in known.items() if key not in {want.key for want in wanted}]
    MaterialNeed.objects.filter(pk__in=[one.pk for one in gone]).delete()
    needs = list(MaterialNeed.objects.filter(order=order).order_by("order_line__position", "pk"))
    cover_needs(touched | {one.product_id for one in needs})
    if changed or gone:
        missing = MaterialNeed.objects.filter(order=order).missing().count()
        record(
            events.MATERIAL_PLANNED, order, actor=actor or system_user(), count=sum(1 for one in needs if not one.is_made),
            missing=missing,
        )  # fmt: skip
    return needs


def replan_needs(order: Order, *, actor: "User") -> Order:
    """`plan_needs` on somebody's wish, as after a bill of material was changed. Raises PermissionDenied."""
    require(actor, "fulfilment.plan_order")
    plan_needs(order, actor=actor)
    return order


def plan_all_needs() -> int:
    """Every night: the needs of all running orders anew, as plans, bills of material and purchases stand; how many."""
    running = Order.objects.filter(state__in=RUNNING, lines__supply__in=(Supply.MAKE, Supply.BUY)).order_by()
    keys = set(running.values_list("pk", flat=True))
    keys |= set(MaterialNeed.objects.order_by().values_list("order", flat=True).distinct())
    for pk in sorted(keys):
        plan_needs(Order.objects.get(pk=pk))
    return len(keys)


def _write(order: Order, wanted: Iterable[_Wanted], known: dict[tuple[int, str], MaterialNeed]) -> bool:
    """Makes and changes rows, parents before their parts. True where anything differs."""
    changed = False
    for one in wanted:
        parent = known.get((one.line.pk, _told(one.path[:-1])))
        values = {
            "parent_id": parent.pk if parent else None, "level": len(one.path), "quantity_per": one.quantity_per,
            "scrap_percent": one.scrap_percent, "is_made": one.is_made, "needed_by": one.needed_by,
        }  # fmt: skip
        row = known.get(one.key)
        if row is not None and all(getattr(row, name) == value for name, value in values.items()):
            continue
        row = row or MaterialNeed(order=order, order_line=one.line, product_id=one.product_id, path=_told(one.path))
        for name, value in values.items():
            setattr(row, name, value)
        row.save()
        known[one.key] = row
        changed = True
    return changed


def _of_line(line: OrderLine, boms: Boms, days: "_Days") -> list[_Wanted]:
    product = line.product
    if product is None or line.qty_to_ship <= 0:
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
