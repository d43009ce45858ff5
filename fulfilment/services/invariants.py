"""What must always hold between shipments, acceptances and the counters of order lines (S4, S6).

Orders of the past arrive with their counters and without shipments, so they are left out.
"""

from collections.abc import Iterable
from typing import Any

from django.db.models import Count, DecimalField, F, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Cast, Coalesce, Round

from fulfilment.models import (
    AcceptanceLine,
    Assignment,
    CapacityBooking,
    CentreDay,
    GoodsReturnLine,
    InspectionLine,
    MaterialNeed,
    MaterialSupply,
    MaterialUse,
    MilestoneLink,
    Production,
    Rectification,
    ShipmentLine,
    WorkedHours,
)
from inventory.models import PurchaseLine, Reservation, StockMovement
from ordermgmt.lib.invariants import invariant
from ordermgmt.lib.money import ZERO
from orders.models import Order, OrderLine
from orders.services import HOLDER

from .planning import circles
from .producing import PRODUCTION

_OUT = DecimalField(max_digits=19, decimal_places=6)


def _summed(rows: QuerySet[Any], column: str, group: str = "order_line") -> Round:
    per_line = rows.filter(**{group: OuterRef("pk")}).order_by().values(group)
    summed = per_line.annotate(total=Sum(column)).values("total")
    return Round(Coalesce(Subquery(summed), Value(ZERO), output_field=_OUT), 6)


def _own() -> QuerySet[OrderLine]:
    return OrderLine.objects.exclude(order__origin=Order.Origin.IMPORTED)


@invariant("S4", "what a line says was shipped is what its shipments hold")
def _shipped() -> Iterable[object]:
    lines = _own().annotate(sent=_summed(ShipmentLine.objects.filter(shipment__replacement=None), "quantity"))
    return lines.exclude(qty_shipped=F("sent"))


@invariant("S4", "what a line says was made is what its reports of production hold")
def _made() -> Iterable[object]:
    lines = _own().annotate(made=_summed(Production.objects.all(), "quantity"))
    return lines.exclude(qty_produced=F("made"))


@invariant("S4", "what a line says was accepted is what its examinations say")
def _accepted() -> Iterable[object]:
    lines = _own().annotate(passed=_summed(AcceptanceLine.objects.all(), "accepted"))
    return lines.exclude(qty_accepted=F("passed"))


@invariant("S4", "what a line says is rejected waits to be put right")
def _rejected() -> Iterable[object]:
    lines = _own().annotate(waiting=_summed(Rectification.objects.filter(return_line=None).open(), "quantity"))
    return lines.exclude(qty_rejected=F("waiting"))


@invariant("S4", "what a line says came back is what its returns hold, but for what was exchanged or sent again")
def _returned() -> Iterable[object]:
    back = GoodsReturnLine.objects.filter(goods_return__rectification=None)
    again = Rectification.objects.filter(return_line__isnull=False, replacement__isnull=False)
    lines = _own().annotate(back=_summed(back, "quantity"), again=_summed(again, "quantity"))
    return lines.exclude(qty_returned=Round(Cast(F("back") - F("again"), _OUT), 6))


@invariant("S4", "an order counts the returns that wait for what follows")
def _returns_open() -> Iterable[object]:
    waiting = Rectification.objects.undelivered().filter(order=OuterRef("pk")).order_by().values("order")
    counted = Coalesce(Subquery(waiting.annotate(n=Count("pk")).values("n")), 0)
    return Order.objects.annotate(waiting=counted).exclude(open_returns=F("waiting"))


@invariant("S4", "what was accepted, waits to be put right or came back of a line was shipped")
def _known_of_what_was_shipped() -> Iterable[object]:
    known = Round(Cast(F("qty_accepted") + F("qty_rejected") + F("qty_returned"), _OUT), 6)
    return _own().annotate(known=known).filter(known__gt=F("qty_shipped"))


@invariant("S4", "nothing that is inspected before dispatch left without having passed")
def _inspected() -> Iterable[object]:
    passed = _summed(InspectionLine.objects.all(), "passed")
    gone = _summed(ShipmentLine.objects.filter(inspected=True), "quantity")
    return _own().annotate(passed=passed, gone=gone).filter(gone__gt=F("passed"))


@invariant("S4", "what is reserved and shipped of a line is not more than was ordered, nor returned more than shipped")
def _in_bounds() -> Iterable[object]:
    taken = Round(Cast(F("qty_reserved") + F("qty_shipped") + F("qty_cancelled"), _OUT), 6)
    lines = OrderLine.objects.annotate(taken=taken)
    return lines.filter(Q(taken__gt=F("quantity")) | Q(qty_returned__gt=F("qty_shipped")))


@invariant("S2", "what a line says is reserved is what the stock holds for it")
def _reserved() -> Iterable[object]:
    held = Reservation.objects.filter(holder_kind=HOLDER)
    lines = OrderLine.objects.annotate(held=_summed(held, "quantity", "holder_id"))
    return lines.exclude(qty_reserved=F("held"))


@invariant("S6", "cancelled and settled orders hold no reservation")
def _reserved_for_nothing() -> Iterable[object]:
    done = [Order.State.CANCELLED, Order.State.SETTLED]
    lines = OrderLine.objects.filter(order__state__in=done).values("pk")
    return Reservation.objects.filter(holder_kind=HOLDER, holder_id__in=lines)


@invariant("S6", "every reservation belongs to a line that is there")
def _reserved_for_nobody() -> Iterable[object]:
    return Reservation.objects.filter(holder_kind=HOLDER).exclude(holder_id__in=OrderLine.objects.values("pk"))


@invariant("T7", "the milestones of a plan belong to one order and do not run in a circle")
def _circles() -> Iterable[object]:
    strangers = MilestoneLink.objects.exclude(before__order=F("after__order"))
    return [*strangers, *circles(MilestoneLink.objects.values_list("before_id", "after_id"))]


@invariant("K1", "what a work centre's day says is booked is what its bookings hold")
def _booked() -> Iterable[object]:
    rows = CapacityBooking.objects.order_by().values("work_centre", "day").annotate(sum=Sum("minutes"))
    held = {(row["work_centre"], row["day"]): row["sum"] for row in rows}
    days = list(CentreDay.objects.all())
    kept = {(one.work_centre_id, one.day) for one in days}
    wrong: list[object] = [one for one in days if one.booked != held.get((one.work_centre_id, one.day), 0)]
    return [*wrong, *(slot for slot in held if slot not in kept)]


@invariant("S11", "what reports of production used left the stock, but for what lay there again")
def _used() -> Iterable[object]:
    rows = StockMovement.objects.filter(holder_kind=PRODUCTION)
    for row in rows.order_by().values("holder_id", "stock_item__product").annotate(moved=Sum("quantity")):
        uses = MaterialUse.objects.filter(product=row["stock_item__product"])
        of_report = uses.filter(Q(production=row["holder_id"]) | Q(production__reverses=row["holder_id"]))
        if (of_report.aggregate(sum=Sum("quantity"))["sum"] or ZERO) != -row["moved"]:
            yield row


@invariant("K2", "nobody is booked above their calendar, nor for an order or by an assignment of somebody else")
def _people() -> Iterable[object]:
    of_people = CentreDay.objects.exclude(work_centre__staff=None)
    above = of_people.filter(Q(booked__gt=F("capacity")) | Q(overload__gt=0))
    bookings = CapacityBooking.objects.filter(Q(assignment__isnull=False) | Q(work_centre__staff__isnull=False))
    own = Q(assignment__staff__calendar=F("work_centre"), assignment__order=F("order"))
    strangers = bookings.exclude(Q(pk__in=bookings.filter(own).values("pk")))
    return [*above, *strangers]


@invariant("K3", "no more lies on days of an assignment than is planned, and its plan moves with its milestone")
def _assigned() -> Iterable[object]:
    rows = Assignment.objects.annotate(laid=Coalesce(Sum("bookings__minutes"), 0))
    elsewhere = CapacityBooking.objects.filter(assignment__isnull=False).exclude(
        Q(milestone=F("assignment__milestone")) | Q(milestone=None, assignment__milestone=None)
    )
    return [*rows.filter(laid__gt=F("minutes")), *elsewhere]


@invariant("K4", "hours belong to the person and order of their assignment, and no day of anybody has more than 24")
def _worked() -> Iterable[object]:
    strangers = WorkedHours.objects.exclude(assignment__staff=F("staff"), assignment__order=F("order"))
    days = WorkedHours.objects.order_by().values("staff", "day").annotate(sum=Sum("minutes"))
    return [*strangers, *days.filter(sum__gt=24 * 60)]


@invariant("S11", "what a need has on order is what its purchase lines bring it")
def _on_order() -> Iterable[object]:
    needs = MaterialNeed.objects.annotate(brought=_summed(MaterialSupply.objects.all(), "quantity", "need"))
    return needs.exclude(on_order=F("brought"))


@invariant("S11", "no draft or order brings needs more than is open of it")
def _brought() -> Iterable[object]:
    lines = PurchaseLine.objects.planned().annotate(brought=_summed(MaterialSupply.objects.all(), "quantity", "line"))
    return lines.filter(brought__gt=F("open"))
