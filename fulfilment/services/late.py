"""What late suppliers do to orders: which ones a delivery hits, by how many days, and what its lateness moves."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from fulfilment.models import MaterialNeed, MaterialSupply, Milestone, MilestoneLink
from inventory.models import Product, PurchaseLine
from inventory.services import Offer, Wish, rank_offers
from ordermgmt.company.services import business_today
from orders.models import Order

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

#: So many late lines stand on one page.
MOST = 50
Links = Sequence[tuple[int, int]]


@dataclass(frozen=True)
class MovedStep:
    """A milestone that begins and ends later when the material comes on its day."""

    milestone: Milestone
    start: dt.date | None
    forecast: dt.date

    @property
    def days(self) -> int:
        """By how many days."""
        return (self.forecast - self.milestone.forecast).days if self.milestone.forecast else 0


@dataclass(frozen=True)
class Hit:
    """An order that a late line hits: `days` after its material is needed, the steps that move, when it `ends` then and
    by how many days that is after the promise. `seen` says whether the reader may open it."""

    order: Order
    seen: bool
    needed_by: dt.date
    days: int
    steps: Sequence[MovedStep]
    ends: dt.date | None

    @property
    def beyond(self) -> int:
        """Days after the promised date; 0 where it is kept."""
        promised = self.order.promised_date
        return max(0, (self.ends - promised).days) if promised and self.ends else 0


@dataclass(frozen=True)
class LateLine:
    """A line that is overdue, was promised again for later, or comes after it is needed."""

    line: PurchaseLine
    expected: dt.date
    overdue: int
    postponed: int
    hits: Sequence[Hit] = field(default_factory=list)
    offers: Sequence[Offer] = field(default_factory=list)


def late_lines(today: dt.date) -> "QuerySet[PurchaseLine]":
    """Awaited lines that are overdue, promised again for later, or promised for after a need of theirs."""
    after = MaterialSupply.objects.filter(
        line=OuterRef("pk"), quantity__gt=0, need__needed_by__lt=OuterRef("promised_on")
    )
    late = Q(promised_on__lt=today) | Q(promised_on__gt=F("first_promised_on")) | Exists(after)
    return PurchaseLine.objects.awaited().filter(late, promised_on__isnull=False, product__isnull=False)


def late_deliveries(lines: "QuerySet[PurchaseLine]", user: "User") -> list[LateLine]:
    """Each of the lines with the orders it hits and who else could deliver; the worst first.

    The number of queries does not grow with lines, orders, milestones or suppliers.
    """
    today = business_today()
    rows = list(lines.select_related("order__supplier", "product__unit").order_by("promised_on", "pk")[:MOST])
    hits = hits_of(rows, user, today)
    wishes = []
    for row in rows:
        days = [one.needed_by for one in hits.get(row.pk, [])]
        if row.product is not None:
            wishes.append(Wish(row.product, row.open, min(days, default=row.needed_by)))
    offers = _offers(rows, wishes, today)
    found = [
        LateLine(
            row, expected_day(row, today), row.days_over(today), _postponed(row), hits.get(row.pk, []), offers[row.pk]
        )
        for row in rows
    ]
    return sorted(found, key=lambda one: -max([hit.days for hit in one.hits], default=-1))


def _offers(rows: Sequence[PurchaseLine], wishes: Sequence[Wish], today: dt.date) -> dict[int, list[Offer]]:
    """By line, without who is late. Lines of one product share the ranking of the most urgent of them."""
    strict: dict[int, Wish] = {}
    for wish in sorted(wishes, key=lambda one: one.needed_by or dt.date.max, reverse=True):
        strict[wish.product.pk] = wish
    ranked = rank_offers(strict.values(), today)
    return {
        row.pk: [one for one in ranked.get(row.product_id or 0, []) if one.supplier.pk != row.order.supplier_id]
        for row in rows
    }


def expected_day(line: PurchaseLine, today: dt.date) -> dt.date:
    """The day it can be there at the earliest: as promised, not before today."""
    return max(line.promised_on or today, today)


def _postponed(line: PurchaseLine) -> int:
    if not line.promised_on or not line.first_promised_on:
        return 0
    return max(0, (line.promised_on - line.first_promised_on).days)


def hits_of(
    lines: Iterable[PurchaseLine], user: "User", today: dt.date, day: dt.date | None = None
) -> dict[int, list[Hit]]:
    """The orders that wait for the lines, by line, the hardest hit first; `day`: as if they came on that day instead.

    Five queries.
    """
    days = {line.pk: day or expected_day(line, today) for line in lines}
    rows = MaterialSupply.objects.filter(line__in=days, quantity__gt=0, need__needed_by__isnull=False)
    supplies = list(rows.select_related("need__order"))
    work = _work_on([one.need for one in supplies])
    needed: dict[tuple[int, int], dt.date] = {}
    ready: dict[tuple[int, int], dt.date] = {}  # when the last of what is made of it can be there
    orders: dict[int, Order] = {}
    for one in supplies:
        order, by, key = one.need.order, one.need.needed_by, (one.line_id, one.need.order_id)
        orders[order.pk] = order
        if by is not None:
            needed[key] = min(by, needed.get(key, by))
            made = days[one.line_id] + work[one.need_id]
            ready[key] = max(made, ready.get(key, made))
    seen = set(Order.objects.visible_to(user).filter(pk__in=orders).values_list("pk", flat=True))
    steps, links = _plans(orders)
    found: dict[int, list[Hit]] = defaultdict(list)
    for (line, pk), by in needed.items():
        if (late := (days[line] - by).days) > 0:
            found[line].append(_hit(orders[pk], pk in seen, by, late, ready[line, pk], steps[pk], links[pk]))
    return {pk: sorted(hits, key=lambda one: -one.days) for pk, hits in found.items()}


def _work_on(needs: Sequence[MaterialNeed]) -> dict[int, dt.timedelta]:
    """How long each need's material is worked on before the plan's day for material: the assemblies above it are made
    one after the other, as `plan_needs` counts back. One query."""
    above = {one.pk: [int(pk) for pk in one.path.split("/")[:-1]] for one in needs}
    parts = Product.objects.filter(pk__in={pk for path in above.values() for pk in path})
    lead = dict(parts.values_list("pk", "lead_days"))
    return {need: dt.timedelta(days=sum(lead.get(pk) or 0 for pk in path)) for need, path in above.items()}


def _plans(orders: Iterable[int]) -> tuple[dict[int, list[Milestone]], dict[int, list[tuple[int, int]]]]:
    steps: dict[int, list[Milestone]] = defaultdict(list)
    for one in Milestone.objects.open().filter(order__in=orders):
        steps[one.order_id].append(one)
    links: dict[int, list[tuple[int, int]]] = defaultdict(list)
    rows = MilestoneLink.objects.filter(after__order__in=orders, before__actual=None)
    for order, before, after in rows.values_list("after__order", "before", "after"):
        links[order].append((before, after))
    return steps, links


def _hit(
    order: Order, seen: bool, by: dt.date, late: int, day: dt.date, steps: Sequence[Milestone], links: Links
) -> Hit:
    moved = moved_steps(steps, links, day)
    new = {one.milestone.pk: one.forecast for one in moved}
    deliveries = [one for one in steps if one.kind == Milestone.Kind.DELIVERY] or list(steps)
    ends = max((due for one in deliveries if (due := new.get(one.pk, one.forecast))), default=None)
    if not steps and order.promised_date:
        ends = order.promised_date + dt.timedelta(days=late)
    return Hit(order, seen, by, late, moved, ends)


def moved_steps(steps: Sequence[Milestone], links: Links, day: dt.date) -> list[MovedStep]:
    """The open milestones that move when the material is there on `day`, in an order in which they can be moved.

    The first of material moves to that day (without one, what begins first begins then); what builds on it moves as far
    as it has to, and keeps its length. Material of an assembly is there when that is made: see `_work_on`.
    """
    anchor = _anchor(steps)
    if anchor is None or anchor.forecast is None:
        return []
    if anchor.kind == Milestone.Kind.MATERIAL:
        start, forecast = (min(anchor.start, day) if anchor.start else None), day
    else:
        start = day
        forecast = day + (anchor.forecast - (anchor.start or anchor.forecast))
    if forecast <= anchor.forecast:
        return []
    moved = {anchor.pk: MovedStep(anchor, start, forecast)}
    by_key = {one.pk: one for one in steps}
    waiting = [anchor.pk]
    while waiting:  # a plan has no circle; a step that waits for several is moved as far as the last of them asks
        first = waiting.pop(0)
        for after in [then for before, then in links if before == first and then in by_key]:
            step, earlier = by_key[after], moved.get(after)
            begins = (earlier.start or earlier.forecast) if earlier else (step.start or step.forecast)
            shift = moved[first].forecast - begins if begins else dt.timedelta()
            if shift.days > 0:
                base: Any = earlier or step
                start = base.start + shift if base.start else None
                moved[after] = MovedStep(step, start, base.forecast + shift if base.forecast else moved[first].forecast)
                waiting.append(after)
    return sorted(moved.values(), key=lambda one: one.forecast)


def _anchor(steps: Sequence[Milestone]) -> Milestone | None:
    material = [one for one in steps if one.kind == Milestone.Kind.MATERIAL and one.forecast]
    if material:
        return min(material, key=lambda one: (one.forecast or dt.date.max, one.pk))
    begun = [one for one in steps if one.start and one.forecast]
    return min(begun, key=lambda one: (one.start or dt.date.max, one.pk), default=None)
