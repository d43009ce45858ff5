"""What fulfilment does in the transaction that changes an order: its material needs, bookings and criteria follow, and
what it no longer takes of purchases is named, so that somebody decides on it."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from fulfilment import events
from fulfilment.models import CapacityBooking, MaterialSupply
from inventory.models import PurchaseLine
from ordermgmt.activity.services import record
from ordermgmt.company.services import business_today
from ordermgmt.lib.money import ZERO
from orders.models import Order

from .booking import release_order
from .capacity import hours, order_needs
from .criteria import take_over_criteria
from .laying import give_back
from .needing import plan_needs
from .netting import one_at_a_time

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


@dataclass(frozen=True)
class CountedOn:
    """What an order counts on of a purchase line: so much of it, needed first on a day, for these order lines."""

    quantity: Decimal
    needed_by: dt.date | None
    lines: frozenset[int]


@dataclass(frozen=True)
class Standing:
    """How an order stood before it was changed: what it counted on of purchases by line key, minutes by the key of a work
    centre, and the keys of its lines."""

    purchases: dict[int, CountedOn]
    minutes: dict[int, int]
    lines: frozenset[int]


@dataclass(frozen=True)
class TouchedPurchase:
    """A line of a purchase order that a changed order counts on for less, for an earlier day or for something else.

    `less` is by how much, in the line's unit; `needed_by` is the day it is needed by now, where that is earlier than
    the supplier promised.
    """

    line: PurchaseLine
    less: Decimal
    needed_by: dt.date | None
    respecified: bool


def counted_on(order: Order) -> dict[int, CountedOn]:
    """What the order counts on of purchases now, by purchase line. One query."""
    found: dict[int, CountedOn] = {}
    rows = MaterialSupply.objects.filter(need__order=order, quantity__gt=0).order_by("pk")
    for key, quantity, day, line in rows.values_list("line", "quantity", "need__needed_by", "need__order_line"):
        known = found.get(key, CountedOn(ZERO, None, frozenset()))
        days = [one for one in (known.needed_by, day) if one]
        found[key] = CountedOn(known.quantity + quantity, min(days, default=None), known.lines | {line})
    return found


def stand(order: Order) -> Standing:
    """How a locked order stands before it is changed. Who shares material waits from here on: before any row of stock."""
    one_at_a_time()
    minutes = {need.centre.pk: need.needed for need in order_needs(order)}
    return Standing(counted_on(order), minutes, frozenset(line.pk for line in order.order_lines))


def follow_change(
    order: Order, before: Standing, *, respecified: Collection[int] = (), actor: "User"
) -> list[TouchedPurchase]:
    """Material needs, bookings and the criteria of new lines after an order's lines were changed; gives the purchases that
    somebody decides on.

    `respecified` are the order lines that are to be something else now. Asks for no right of its own: it follows what
    was approved.
    """
    plan_needs(order, actor=actor)
    if order.state == Order.State.CANCELLED:
        release_order(order, actor=actor)
    else:
        _book_less(order, before.minutes, actor)
    take_over_criteria(order, lines={line.pk for line in order.order_lines} - before.lines, actor=actor)
    return _touched(order, before.purchases, set(respecified))


def _book_less(order: Order, before: dict[int, int], actor: "User") -> None:
    """Gives back what the lines no longer ask of a work centre, the latest days first; what is worked stays."""
    for need in order_needs(order):
        spare = min(before.get(need.centre.pk, 0) - need.needed, need.booked - need.needed)
        if spare <= 0:
            continue
        rows = CapacityBooking.objects.filter(
            order=order, work_centre=need.centre, day__gte=business_today(), assignment=None
        )
        given = 0
        for one in rows.select_related("work_centre").order_by("-day", "-pk"):
            if given >= spare:
                break
            given += give_back(one, spare - given)
        if given:
            record(events.BOOKINGS_RELEASED, order, actor=actor, count=1, hours=hours(given))


def _touched(order: Order, before: dict[int, CountedOn], respecified: set[int]) -> list[TouchedPurchase]:
    after = counted_on(order)
    lines = PurchaseLine.objects.planned().filter(pk__in=before.keys() | after.keys())
    found = []
    for line in lines.select_related("order__supplier", "product").order_by("pk"):
        was, now = (side.get(line.pk, CountedOn(ZERO, None, frozenset())) for side in (before, after))
        sooner = now.needed_by if _is_sooner(was.needed_by, now.needed_by, line.expected_on) else None
        other = bool((was.lines | now.lines) & respecified)
        if was.quantity > now.quantity or sooner or other:
            found.append(TouchedPurchase(line, max(ZERO, was.quantity - now.quantity), sooner, other))
    return found


def _is_sooner(was: dt.date | None, now: dt.date | None, expected: dt.date | None) -> bool:
    """Whether it is needed earlier than before, and before it is there."""
    return bool(now and expected and now < expected and (was is None or now < was))
