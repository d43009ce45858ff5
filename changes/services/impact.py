"""What a change means: price, cost, margin, tax, days, stock, invoices and instalments. Computed without a trace."""

import copy
import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Case, Count, Sum, When, Window
from django.utils import formats
from django.utils.translation import gettext as _

from billing.models import Instalment, Invoice, InvoiceLine
from changes.models import Assessment, ChangeRequest, Operation
from fulfilment.models import AgreedCriterion, CapacityBooking, MaterialNeed, Milestone, WorkedHours
from fulfilment.services import CountedOn, counted_on, promise_lines
from inventory.models import PurchaseLine
from inventory.services import boms_of, explode, free_quantities
from ordermgmt.company.services import business_today
from ordermgmt.lib.money import HUNDRED, ZERO, total
from orders.models import Order, OrderLine
from orders.services import amended

from .operations import amendment_of
from .values import Op, fee_of, typed

Kind = Operation.Kind
_PLACES = Decimal("0.01")
#: A margin further below is kept as this: what is sold for next to nothing has one without bounds.
_LEAST = Decimal(-999_999)
#: So many purchases are named, and how many more there are.
_PURCHASES = 20
#: So many products of which nobody knows when they can be there are named.
_NAMED = 5
_BILLED = (Invoice.Kind.STANDARD, Invoice.Kind.PROGRESS, Invoice.Kind.FINAL)


@dataclass(frozen=True)
class StockEffect:
    """What a line asks of the stock: more (or less) of a product, what is free of it, what is missing."""

    sku: str
    more: Decimal
    free: Decimal

    @property
    def short(self) -> Decimal:
        """What is not there."""
        return max(ZERO, self.more - max(ZERO, self.free))


@dataclass(frozen=True)
class PurchaseEffect:
    """A line awaited from a supplier that the change touches; `counted` is what the order counts on of it now."""

    line: PurchaseLine
    counted: Decimal


@dataclass
class Impact:
    """Before and after in the order's currency, days, and what else is touched. `margin_*` are percent of the net.

    `extra` is the cost that was judged on top of the lines', `spent` what was so of the changes that are applied. `moved` is by how much the lines' nets move in all, up and down alike, the fee included. `worked` are minutes of
    work centres on days that are over and hours that staff booked, `produced` what is made already of lines that go, shrink or become another.
    """

    order: Order
    after: Order
    fee: Decimal = ZERO
    extra: Decimal = ZERO
    spent: Decimal = ZERO
    moved: Decimal = ZERO
    days: int = 0
    reasons: list[str] = field(default_factory=list)
    stock: list[StockEffect] = field(default_factory=list)
    material: list[StockEffect] = field(default_factory=list)
    purchases: list[PurchaseEffect] = field(default_factory=list)
    purchases_more: int = 0  # touched, and not among those that are named
    criteria: list[AgreedCriterion] = field(default_factory=list)
    inspected: int = 0
    worked: int = 0
    produced: Decimal = ZERO
    drafts: list[Invoice] = field(default_factory=list)
    issued: list[str] = field(default_factory=list)
    instalments: int = 0
    instalments_open: Decimal = ZERO
    milestones: int = 0
    shipped: int = 0

    @property
    def net(self) -> Decimal:
        """By how much the order's net moves; the fee for ending it is a document of its own."""
        return self.after.net_total - self.order.net_total

    @property
    def tax(self) -> Decimal:
        """By how much the tax moves."""
        return self.after.tax_total - self.order.tax_total

    @property
    def gross(self) -> Decimal:
        """By how much the total moves."""
        return self.after.gross_total - self.order.gross_total

    @property
    def cost(self) -> Decimal:
        """By how much the cost of the lines moves."""
        return self.after.cost_total - self.order.cost_total

    @property
    def margin_before(self) -> Decimal | None:
        """Percent of the net that is left now."""
        return margin(self.order.net_total, self.order.cost_total + self.spent)

    @property
    def margin_after(self) -> Decimal | None:
        """Percent of the net that is left afterwards."""
        return margin(self.after.net_total + self.fee, self.after.cost_total + self.spent + self.extra)

    @property
    def short(self) -> list[StockEffect]:
        """Products and materials of which there is not enough."""
        return [one for one in [*self.stock, *self.material] if one.short > 0]

    @property
    def worked_hours(self) -> Decimal:
        """Work that is spent already, in hours."""
        return (Decimal(self.worked) / 60).quantize(Decimal("0.1"))

    def kept(self) -> dict[str, Any]:
        """The figures as they are kept on the request."""
        names = ("net", "tax", "gross", "cost", "margin_before", "margin_after", "fee", "instalments_open")
        figures = {name: None if (v := getattr(self, name)) is None else format(v.normalize(), "f") for name in names}
        return figures | {
            "days": self.days, "reasons": self.reasons, "drafts": len(self.drafts), "issued": self.issued,
            "instalments": self.instalments, "purchases": sorted({one.line.order.number for one in self.purchases}), "short": [one.sku for one in self.short],
            "purchases_more": self.purchases_more, "worked": self.worked, "criteria": len(self.criteria),
        }  # fmt: skip


def margin(net: Decimal, cost: Decimal) -> Decimal | None:
    """Percent of the net that is left after cost; None where there is no net."""
    return max(_LEAST, (net - cost) * HUNDRED / net).quantize(_PLACES) if net else None


def impact_of(order: Order, operations: Sequence[Op | Operation]) -> Impact:
    """What the operations mean for the order as it is now; a fixed number of queries, and nothing is written."""
    rows = list(operations)
    result = amended(order, amendment_of(order, rows))
    found = Impact(order, result.order)
    found.fee = total(fee_of(op, order) for op in rows if op.kind == Kind.TERMINATE)
    before = {line.pk: line for line in order.order_lines}
    moved = [(before.get(line.pk or 0), line) for line in result.lines]
    touched = [(old, new) for old, new in moved if old is None or old.content() != new.content()]
    found.spent = _judged_before(order)
    found.moved = found.fee + movement(order, result.lines)
    found.shipped = sum(1 for old, _new in touched if old is not None and old.qty_shipped > 0)
    _stock(found, touched)
    _purchases(found, rows, touched)
    _quality(found, rows, touched)
    _spent(found, touched)
    _days(found, rows, touched)
    _billing(found, touched)
    return found


def movement(order: Order, lines: Iterable[OrderLine]) -> Decimal:
    """By how much the nets of the lines differ from the order's, up and down alike, in its currency.

    A line of 100 that takes the place of another of 100 is a change of 200: no limit is passed by swapping.
    """
    before = {line.pk: line.net for line in order.order_lines}
    return total(abs(line.net - before.get(line.pk, ZERO)) for line in lines)


def _judged_before(order: Order) -> Decimal:
    """What was judged to come on top by the changes that are applied: small ones meet the margin that one big one would."""
    applied = Assessment.objects.filter(
        change__order=order.pk, change__state=ChangeRequest.State.APPLIED, is_void=False
    )
    return total(applied.filter(cost__gt=0).order_by().values_list("cost", flat=True))


Touched = Sequence[tuple[OrderLine | None, OrderLine]]


def _more(old: OrderLine | None, new: OrderLine) -> Decimal:
    return new.due - (old.due if old is not None else ZERO)


def _stock(found: Impact, touched: Touched) -> None:
    """Per product, so that two lines of one product are seen together: what is shipped from stock, and what making and
    buying takes, down to what is bought for it."""
    stocked, made, bought = _wanted(touched)
    boms = boms_of(made)
    taken: dict[int, Decimal] = dict(bought)
    names = {new.product.pk: new.product.sku for _old, new in touched if new.product is not None}
    for pk, more in made.items():
        for row in explode(pk, abs(more), boms):
            if not row.is_made:
                sign = 1 if more > 0 else -1
                taken[row.line.component_id] = taken.get(row.line.component_id, ZERO) + sign * row.quantity
                names[row.line.component_id] = row.line.component.sku
    free = free_quantities(stocked.keys() | taken.keys())
    needs = MaterialNeed.objects.filter(product__in=taken, from_stock__gt=0).order_by().values_list("product")
    claimed = dict(needs.annotate(sum=Sum("from_stock")))
    found.stock = [StockEffect(names[pk], more, free.get(pk, ZERO)) for pk, more in sorted(stocked.items())]
    found.material = [
        StockEffect(names[pk], more, max(ZERO, free.get(pk, ZERO) - claimed.get(pk, ZERO)))
        for pk, more in sorted(taken.items(), key=lambda one: names[one[0]])
        if more
    ]


def _wanted(touched: Touched) -> tuple[dict[int, Decimal], dict[int, Decimal], dict[int, Decimal]]:
    """By product key how much more (or less) is wanted from stock, of what is made, and of what is bought."""
    stocked: dict[int, Decimal] = {}
    made: dict[int, Decimal] = {}
    bought: dict[int, Decimal] = {}
    for old, new in touched:
        if new.product is None or not _more(old, new):
            continue
        of_supply = {OrderLine.Supply.MAKE: made, OrderLine.Supply.BUY: bought}
        side = stocked if new.is_stocked else of_supply.get(OrderLine.Supply(new.supply))
        if side is not None:
            side[new.product.pk] = side.get(new.product.pk, ZERO) + _more(old, new)
    return stocked, made, bought


def _purchases(found: Impact, operations: Sequence[Op | Operation], touched: Touched) -> None:
    """What is awaited from suppliers and the change touches: what the order counts on for these lines, and what else is on
    its way of their products. Somebody decides on it."""
    products = {new.product.pk for old, new in touched if new.product is not None and _more(old, new)}
    lines = {new.pk for old, new in touched if new.pk and (_more(old, new) or _respecified(old, new))}
    moved = any(op.kind == Kind.PROMISED for op in operations)
    own = {pk: one for pk, one in counted_on(found.order).items() if moved or one.lines & lines}
    rows = PurchaseLine.objects.planned().filter(pk__in=own) | PurchaseLine.objects.awaited().filter(
        product__in=products
    )
    nothing = CountedOn(ZERO, None, frozenset())
    named = rows.select_related("order__supplier", "product").annotate(every=Window(Count("pk")))
    # Those that the order counts on come first: somebody decides on them.
    first = Case(When(pk__in=own, then=0), default=1)
    effects: list[Any] = list(named.order_by(first, "promised_on", "pk")[:_PURCHASES])
    found.purchases = [PurchaseEffect(row, own.get(row.pk, nothing).quantity) for row in effects]
    found.purchases_more = effects[0].every - len(effects) if effects else 0


def _respecified(old: OrderLine | None, new: OrderLine) -> bool:
    return old is not None and (old.specification, old.description) != (new.specification, new.description)


def _quality(found: Impact, operations: Sequence[Op | Operation], touched: Touched) -> None:
    """The acceptance criteria agreed for lines whose content or quantity changes, and what was examined of them already."""
    lines = [new.pk for old, new in touched if new.pk and (_more(old, new) or _respecified(old, new))]
    rows = AgreedCriterion.objects.filter(order=found.order.pk).order_by("order_line__position", "pk")
    ends = any(op.kind == Kind.TERMINATE for op in operations)
    found.criteria = list(rows if ends else rows.filter(order_line__in=lines))
    found.inspected = sum(1 for old, _new in touched if old is not None and old.qty_accepted + old.qty_rejected > 0)


def _spent(found: Impact, touched: Touched) -> None:
    """Work that is done already: work centres booked on days that are over, hours that staff booked, what is made of
    lines that go, shrink or become another."""
    centres = CapacityBooking.objects.filter(order=found.order.pk, assignment=None, day__lt=business_today())
    hours = WorkedHours.objects.filter(order=found.order.pk)
    found.worked = sum(rows.aggregate(sum=Sum("minutes"))["sum"] or 0 for rows in (centres, hours))
    found.produced = total(
        old.qty_produced for old, new in touched if old is not None and (_more(old, new) < 0 or _respecified(old, new))
    )


def _days(found: Impact, operations: Sequence[Op | Operation], touched: Touched) -> None:
    """How far the promise moves, and by how much material or plan would miss the new one, with the reason."""
    order, promised = found.order, found.after.promised_date
    for op in operations:
        if op.kind == Kind.PROMISED and order.promised_date and (new := typed(op)):
            found.days = (new - order.promised_date).days
            found.reasons.append(_("The promised date moves to %(day)s.") % {"day": _shown(new)})
    _later_lines(found, touched)
    late = [one for one in (_promise(found, touched), _planned(found)) if one is not None]
    for day, reason in late:
        if promised and day > promised:
            found.days = max(found.days, (day - (order.promised_date or promised)).days)
            found.reasons.append(reason)


def _later_lines(found: Impact, touched: Touched) -> None:
    """The promise of a line counts like the order's: a limit of days is not dodged line by line."""
    moves = [
        ((now - was).days, now, new.position)
        for old, new in touched
        if old is not None
        and new.due > 0
        and (was := old.promised_date or found.order.promised_date)
        and (now := new.promised_date or found.after.promised_date)
    ]
    days, day, position = max(moves, default=(0, business_today(), 0))
    if days > max(0, found.days):
        found.days = days
        text = _("Line %(position)s is promised for %(day)s.")
        found.reasons.append(text % {"position": position, "day": _shown(day)})


def _promise(found: Impact, touched: Touched) -> tuple[dt.date, str] | None:
    """The day by which the last of what is wanted more could be there, by material, lead time and work centres.

    Where nobody can tell it is a reason without days: the assessor judges.
    """
    lines = []
    for old, new in touched:
        if (more := _more(old, new)) > 0 and new.product is not None:
            one = copy.copy(new)
            one.quantity, one.qty_cancelled, one.qty_shipped, one.qty_reserved = more, ZERO, ZERO, ZERO
            lines.append(one)
    promises = promise_lines(lines, business_today()) if lines else []
    told = [(one, f"{line.product.sku} {one.text}") for line, one in zip(lines, promises, strict=True) if line.product]
    unknown = dict.fromkeys(text for one, text in told if one.day is None)
    found.reasons += list(unknown)[:_NAMED]
    known = [(one.day, text) for one, text in told if one.day is not None and not one.is_stock]
    return max(known, default=None)


def _planned(found: Impact) -> tuple[dt.date, str] | None:
    """The last open milestone of the plan."""
    rows = Milestone.objects.filter(order=found.order.pk).open().filter(forecast__isnull=False)
    planned = list(rows.order_by("-forecast", "-pk"))
    found.milestones = len(planned)
    if not planned or planned[0].forecast is None:
        return None
    last = planned[0]
    day = planned[0].forecast
    return day, _("“%(name)s” is planned for %(day)s.") % {"name": last, "day": _shown(day)}


def _billing(found: Impact, touched: Touched) -> None:
    order = found.order
    found.drafts = list(Invoice.objects.drafts().filter(order=order.pk).order_by("pk"))
    repriced = [
        old.pk
        for old, new in touched
        if old is not None
        and (old.unit_price, old.discount_percent) != (new.unit_price, new.discount_percent)
        and old.qty_invoiced > old.qty_credited
    ]
    rows = InvoiceLine.objects.filter(order_line__in=repriced).exclude(invoice__state=Invoice.State.DRAFT)
    numbers = rows.filter(invoice__kind__in=_BILLED).order_by("invoice__number")
    found.issued = [str(one) for one in numbers.values_list("invoice__number", flat=True).distinct()]
    open_amounts = Instalment.objects.filter(plan__order=order.pk, plan__is_active=True, invoice=None)
    amounts = list(open_amounts.order_by().values_list("amount", flat=True))
    found.instalments, found.instalments_open = len(amounts), total(amounts)


def _shown(day: dt.date) -> str:
    return formats.date_format(day, "SHORT_DATE_FORMAT")
