"""What a change means: price, cost, margin, tax, days, stock, invoices and instalments. Computed without a trace."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Min
from django.utils import formats
from django.utils.translation import gettext as _

from billing.models import Instalment, Invoice, InvoiceLine
from changes.models import Operation
from fulfilment.models import Milestone
from inventory.models import PurchaseLine, SupplierPrice
from inventory.services import free_quantities
from ordermgmt.company.services import business_today
from ordermgmt.lib.money import HUNDRED, ZERO, total
from orders.models import Order, OrderLine
from orders.services import amended

from .operations import Op, amendment_of, fee_of, typed

Kind = Operation.Kind
_PLACES = Decimal("0.01")
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


@dataclass
class Impact:
    """Before and after in the order's currency, days, and what else is touched. `margin_*` are percent of the net.

    `moved` is by how much the lines' nets move in all, up and down alike, the fee included.
    """

    order: Order
    after: Order
    fee: Decimal = ZERO
    moved: Decimal = ZERO
    days: int = 0
    reasons: list[str] = field(default_factory=list)
    stock: list[StockEffect] = field(default_factory=list)
    purchases: list[PurchaseLine] = field(default_factory=list)
    drafts: list[Invoice] = field(default_factory=list)
    issued: list[str] = field(default_factory=list)
    instalments: int = 0
    instalments_open: Decimal = ZERO
    milestones: int = 0
    shipped: int = 0

    @property
    def net(self) -> Decimal:
        """By how much the net moves, the fee included."""
        return self.after.net_total + self.fee - self.order.net_total

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
        return margin(self.order.net_total, self.order.cost_total)

    @property
    def margin_after(self) -> Decimal | None:
        """Percent of the net that is left afterwards."""
        return margin(self.after.net_total + self.fee, self.after.cost_total)

    @property
    def short(self) -> list[StockEffect]:
        """Products of which there is not enough."""
        return [one for one in self.stock if one.short > 0]

    def kept(self) -> dict[str, Any]:
        """The figures as they are kept on the request."""
        names = ("net", "tax", "gross", "cost", "margin_before", "margin_after", "fee", "instalments_open")
        figures = {name: None if (v := getattr(self, name)) is None else format(v.normalize(), "f") for name in names}
        return figures | {
            "days": self.days, "reasons": self.reasons, "drafts": len(self.drafts), "issued": self.issued,
            "instalments": self.instalments, "purchases": sorted({one.order.number for one in self.purchases}), "short": [one.sku for one in self.short],
        }  # fmt: skip


def margin(net: Decimal, cost: Decimal) -> Decimal | None:
    """Percent of the net that is left after cost; None where there is no net."""
    return ((net - cost) * HUNDRED / net).quantize(_PLACES) if net else None


def impact_of(order: Order, operations: Sequence[Op | Operation]) -> Impact:
    """What the operations mean for the order as it is now; a fixed number of queries, and nothing is written."""
    rows = list(operations)
    result = amended(order, amendment_of(order, rows))
    found = Impact(order, result.order)
    found.fee = total(fee_of(op, order) for op in rows if op.kind == Kind.TERMINATE)
    before = {line.pk: line for line in order.order_lines}
    moved = [(before.get(line.pk or 0), line) for line in result.lines]
    touched = [(old, new) for old, new in moved if old is None or old.content() != new.content()]
    found.moved = found.fee + movement(order, result.lines)
    found.shipped = sum(1 for old, _new in touched if old is not None and old.qty_shipped > 0)
    _stock(found, touched)
    _purchases(found, touched)
    _days(found, rows, touched)
    _billing(found, touched)
    return found


def movement(order: Order, lines: Iterable[OrderLine]) -> Decimal:
    """By how much the nets of the lines differ from the order's, up and down alike, in its currency.

    A line of 100 that takes the place of another of 100 is a change of 200: no limit is passed by swapping.
    """
    before = {line.pk: line.net for line in order.order_lines}
    return total(abs(line.net - before.get(line.pk, ZERO)) for line in lines)


Touched = Sequence[tuple[OrderLine | None, OrderLine]]


def _more(old: OrderLine | None, new: OrderLine) -> Decimal:
    return new.due - (old.due if old is not None else ZERO)


def _stock(found: Impact, touched: Touched) -> None:
    """Per product, so that two lines of one product are seen together."""
    wanted: dict[int, Decimal] = {}
    names: dict[int, str] = {}
    for old, new in touched:
        if new.is_stocked and new.product is not None and _more(old, new):
            wanted[new.product.pk] = wanted.get(new.product.pk, ZERO) + _more(old, new)
            names[new.product.pk] = new.product.sku
    free = free_quantities(wanted)
    found.stock = [StockEffect(names[pk], more, free.get(pk, ZERO)) for pk, more in sorted(wanted.items())]


def _purchases(found: Impact, touched: Touched) -> None:
    """What is awaited from suppliers of products that the order takes more or less of: somebody decides on it."""
    products = {new.product.pk for old, new in touched if new.product is not None and _more(old, new)}
    rows = PurchaseLine.objects.awaited().filter(product__in=products).select_related("order__supplier", "product")
    found.purchases = list(rows.order_by("promised_on", "pk")[:20])


def _days(found: Impact, operations: Sequence[Op | Operation], touched: Touched) -> None:
    """How far the promise moves, and by how much material or plan would miss the new one, with the reason."""
    order, promised = found.order, found.after.promised_date
    for op in operations:
        if op.kind == Kind.PROMISED and order.promised_date and (new := typed(op)):
            found.days = (new - order.promised_date).days
            found.reasons.append(_("The promised date moves to %(day)s.") % {"day": _shown(new)})
    late = [one for one in (_material(found, touched), _planned(found)) if one is not None]
    for day, reason in late:
        if promised and day > promised:
            found.days = max(found.days, (day - (order.promised_date or promised)).days)
            found.reasons.append(reason)


def _material(found: Impact, touched: Touched) -> tuple[dt.date, str] | None:
    """The day the slowest material could be there, by its quickest supplier."""
    short = {one.sku for one in found.short}
    products = {
        new.product.pk: new.product.sku
        for old, new in touched
        if new.product is not None
        and _more(old, new) > 0
        and (new.supply in (OrderLine.Supply.MAKE, OrderLine.Supply.BUY) or new.product.sku in short)
    }
    prices = SupplierPrice.objects.filter(product__in=products).order_by().values_list("product")
    leads = dict(prices.annotate(quickest=Min("lead_days")))
    if not leads:
        return None
    slowest, days = max(leads.items(), key=lambda one: one[1])
    day = business_today() + dt.timedelta(days=days)
    text = _("%(sku)s takes %(days)s days to get, until %(day)s.")
    return day, text % {"sku": products[slowest], "days": days, "day": _shown(day)}


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
