"""What must always hold of orders (S4, S6, M1, T1, T2, T6); billing and fulfilment add what they know."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from django.db.models import Count, F, OuterRef, Q, Subquery, Sum

from inventory.models import Reservation
from ordermgmt.lib.fsm import edges
from ordermgmt.lib.invariants import invariant
from ordermgmt.lib.money import ZERO
from orders.models import Order, OrderLine, OrderStep, OrderVersion

from .placing import HOLDER
from .totals import totals_of

_DONE = [Order.State.SETTLED, Order.State.CANCELLED]
_CENT = Decimal("0.00005")


@invariant("S4", "reserved and shipped stay within what is ordered, returned within shipped")
def _counters() -> Iterable[object]:
    due = F("quantity") - F("qty_cancelled") + Decimal("0.0000005")
    over = Q(qty_reserved__gt=due - F("qty_shipped")) | Q(qty_returned__gt=F("qty_shipped"))
    return OrderLine.objects.filter(over)


@invariant("S4", "what a line says it has reserved is what the stock holds for it")
def _reserved() -> Iterator[object]:
    held = dict(
        Reservation.objects.filter(holder_kind=HOLDER).order_by().values_list("holder_id").annotate(n=Sum("quantity"))
    )
    said = dict(OrderLine.objects.filter(qty_reserved__gt=0).values_list("pk", "qty_reserved"))
    for pk in set(held) | set(said):
        stock, line = held.get(pk, ZERO), said.get(pk, ZERO)
        if abs(stock - line) > Decimal("0.0000005"):
            yield f"line {pk}: the order says {line}, the stock {stock}"


@invariant("S6", "settled and cancelled orders hold no reservation")
def _held_for_nothing() -> Iterable[object]:
    done = OrderLine.objects.filter(order__state__in=_DONE).values("pk")
    return Reservation.objects.filter(holder_kind=HOLDER, holder_id__in=done)


@invariant("M1", "the net of an order is the sum of its lines")
def _net() -> Iterable[object]:
    lines = OrderLine.objects.filter(order=OuterRef("pk")).order_by().values("order").annotate(n=Sum("net"))
    summed = Order.objects.annotate(lines_net=Subquery(lines.values("n")))
    wrong = Q(net_total__gt=F("lines_net") + _CENT) | Q(net_total__lt=F("lines_net") - _CENT)
    empty = Q(lines_net=None) & ~Q(net_total=0)
    return summed.filter(wrong | empty)


@invariant("M1", "the stored total of an order is what the one calculation gives (the newest 2,000)")
def _recalculated() -> Iterator[object]:
    for order in Order.objects.select_related("tax_profile").prefetch_related("lines").order_by("-pk")[:2000]:
        totals = totals_of(order, list(order.lines.all()))
        # Together: orders from before `rounding` was kept hold within their tax what prices including tax leave over.
        stored = (order.net_total, order.tax_total + order.rounding, order.gross_total)
        if stored != (totals.tax_basis, totals.tax_total + totals.rounding, totals.due):
            yield f"{order.number}: stored {stored}, calculated {totals.due}"


@invariant("T1", "every stored step of an order is an edge of the table")
def _edges() -> Iterable[object]:
    legal = Q(source="", order__origin="imported")
    for source, target in sorted(edges(Order)):
        legal |= Q(source=source, target=target)
    return OrderStep.objects.exclude(legal)


@invariant("T2", "the history of an order is contiguous and ends in its state")
def _contiguous() -> Iterator[object]:
    earlier = OrderStep.objects.filter(order=OuterRef("order"), pk__lt=OuterRef("pk")).order_by("-pk")
    steps = OrderStep.objects.annotate(came_from=Subquery(earlier.values("target")[:1]))
    yield from steps.filter(came_from__isnull=False).exclude(source=F("came_from"))
    yield from steps.filter(came_from=None).exclude(source__in=["draft", ""])
    last = OrderStep.objects.filter(order=OuterRef("pk")).order_by("-pk").values("target")[:1]
    orders = Order.objects.annotate(reached=Subquery(last))
    yield from orders.filter(reached__isnull=False).exclude(state=F("reached"))
    yield from orders.filter(reached=None).exclude(state=Order.State.DRAFT)


@invariant("T6", "no kept version is newer than its order, and everything placed has its baseline")
def _versions() -> Iterator[object]:
    yield from OrderVersion.objects.filter(version__gt=F("order__version"))
    placed = Order.objects.exclude(state__in=[Order.State.DRAFT, Order.State.CANCELLED])
    yield from placed.annotate(kept=Count("versions")).filter(kept=0)
