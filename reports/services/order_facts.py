"""Orders and their lines as facts: what the reports on orders, sales and profit add up."""

from typing import TYPE_CHECKING, Any

from django.db.models import Case, Count, Exists, F, OuterRef, Q, Sum, Value, When
from django.db.models.functions import Coalesce, Greatest, Round
from django.utils.translation import gettext_lazy as _

from ordermgmt.lib.money import HUNDRED, AmountField
from ordermgmt.lib.tables import Column as ListColumn
from orders.models import Order, OrderLine

from .facts import Facts, Params, Rows
from .filtering import SOLD, by_time, currency_of, orders_at, orders_in, period, sold_in

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

COST, PRICE = "orders.view_cost", "orders.view_price"


def amount_of(expression: Any, places: int = 4) -> Round:
    """A computed amount, rounded to the decimals that amounts are stored with."""
    return Round(expression, places, output_field=AmountField())


def order_link(row: Any) -> str:
    """The page of an order, or of the order that a row belongs to."""
    order = row if isinstance(row, Order) else row.order
    return f"/orders/{order.number}/"


def _state(order: Any) -> str:
    """The state in words; of an order as it was on a past day: the one it had then."""
    was = getattr(order, "was_state", order.state)
    return str(order.state_label if was == order.state else Order.State(was).label)


def order_columns(prefix: str = "") -> tuple[ListColumn, ...]:
    """Number, customer, day and state of an order (`prefix` is the path to it, with its dot)."""
    return (
        ListColumn("number", _("Order"), path=f"{prefix}number"),
        ListColumn("customer", _("Customer"), path=f"{prefix}customer_name"),
        ListColumn("order_date", _("Ordered"), path=f"{prefix}order_date", kind="date"),
        ListColumn("state", _("State"), value=lambda row: _state(row.order if prefix else row)),
        ListColumn("owner", _("Salesperson"), path=f"{prefix}owner.name", sortable=False),
    )


_ORDER_DIMS = by_time("order_date")
#: The states in the order of the process.
_PLACE = Case(*(When(was_state=state, then=Value(place)) for place, state in enumerate(Order.State.values)))
_TOTALS = (
    ListColumn("net", _("Net"), path="was_net_total", kind="amount", permission=PRICE),
    ListColumn("gross", _("Including tax"), path="was_gross_total", kind="amount", permission=PRICE),
)
_MARGIN = (
    ListColumn("cost", _("Cost"), path="was_cost_total", kind="amount", permission=COST),
    ListColumn(
        "margin", _("Margin"), kind="amount", permission=COST, value=lambda row: row.was_net_total - row.was_cost_total
    ),
)


def with_people(orders: Rows) -> Rows:
    """With what the columns of an order show."""
    return orders.select_related("owner")


ORDERS = Facts(
    rows=lambda user, params: with_people(orders_in(user, params)),
    dims=_ORDER_DIMS | {"place": _PLACE},
    figures={"count": Count("pk"), "net": Sum("was_net_total"), "gross": Sum("was_gross_total")},
    columns=(*order_columns(), *_TOTALS),
    link=order_link,
    sort="-order_date",
)


def _first_of_customer(params: Params) -> Any:
    """Whether the customer had bought nothing before: the first sale is that of a new customer."""
    earlier = orders_at(params).filter(customer=OuterRef("customer"), was_state__in=SOLD)
    before = Q(order_date__lt=OuterRef("order_date")) | Q(order_date=OuterRef("order_date"), pk__lt=OuterRef("pk"))
    return ~Exists(earlier.filter(before))


SALES_ORDERS = Facts(
    rows=lambda user, params: with_people(sold_in(user, params)).filter(_of_category(params)),
    dims=_ORDER_DIMS,
    dims_of={"is_new": _first_of_customer},
    figures={
        "count": Count("pk"), "net": Sum("was_net_total"), "gross": Sum("was_gross_total"), "cost": Sum("was_cost_total"),
        "margin": Sum(F("was_net_total") - F("was_cost_total")), "invoiced": Sum("invoiced_total"), "paid": Sum("paid_total"),
        "outstanding": Sum(F("gross_total") - F("paid_total")),
    },
    columns=(
        *order_columns(), *_TOTALS, *_MARGIN,
        ListColumn("invoiced", _("Invoiced"), path="invoiced_total", kind="amount", permission=PRICE),
        ListColumn("paid", _("Paid"), path="paid_total", kind="amount", permission=PRICE),
    ),
    link=order_link,
    only_now=("invoiced", "paid"),
    sort="-order_date",
)  # fmt: skip


def _of_category(params: Params) -> Q:
    """Orders with a line of the category that is asked for."""
    if not params.get("category"):
        return Q()
    return Q(pk__in=OrderLine.objects.filter(category_is(params)).order_by().values("order_id"))


def category_is(params: Params) -> Q:
    """Lines of the category that is asked for, or of one below it."""
    text = params.get("category")
    if not text:
        return Q()
    return Q(product__category__name__icontains=text) | Q(product__category__parent__name__icontains=text)


# --- lines -----------------------------------------------------------------------------------------------------

_DUE = F("quantity") - F("qty_cancelled")
#: At the list price, or at the agreed one where that is higher or there is no list price.
BEFORE = amount_of(_DUE * Greatest(Coalesce("list_price", "unit_price"), "unit_price"))
#: What was agreed, to the last decimal: before it is rounded to the coins of the currency.
AGREED = amount_of(_DUE * F("unit_price") * (HUNDRED - F("discount_percent")) / HUNDRED)
LINE_COST = amount_of(_DUE * Coalesce("unit_cost", 0, output_field=AmountField()))


def sold_lines(user: "User", params: Params) -> Rows:
    """The lines of orders that count as sales, each with its amounts before and after discount, and its cost."""
    orders = Order.objects.visible_to(user).filter(state__in=SOLD).order_by()
    lines = OrderLine.objects.filter(period(params, "order__"), category_is(params), order__in=orders.values("pk"))
    named = lines.order_by().select_related("order__owner", "product")
    amounts = {"line_before": BEFORE, "line_agreed": AGREED, "line_net": F("net"), "line_cost": LINE_COST}
    return named.annotate(**amounts, **currency_of("order__"))


LINES = Facts(
    rows=sold_lines,
    dims=by_time("order__order_date")
    | {
        "top": Coalesce("product__category__parent__name", "product__category__name"),
        "category": F("product__category__name"),
    },
    figures={
        "count": Count("pk"), "before": Sum("line_before"), "discount": Sum(F("line_before") - F("line_agreed")),
        "rounding": Sum(F("line_net") - F("line_agreed")), "net": Sum("line_net"), "cost": Sum("line_cost"),
        "margin": Sum(F("line_net") - F("line_cost")),
    },
    columns=(
        *order_columns("order."),
        ListColumn("description", _("Line"), value=lambda row: f"{row.position} {row.description}"),
        ListColumn("quantity", _("Quantity"), kind="quantity", value=lambda row: row.due),
        ListColumn("before", _("Before discounts"), path="line_before", kind="amount", sortable=False, permission=PRICE),
        ListColumn("net", _("Net"), kind="amount", permission=PRICE),
        ListColumn("cost", _("Cost"), path="line_cost", kind="amount", sortable=False, permission=COST),
    ),
    link=order_link,
)  # fmt: skip
