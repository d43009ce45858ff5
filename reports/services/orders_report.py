"""REP-1 and REP-5: the order book by state, time, people and product, how long orders wait, and what becomes of quotations."""

from typing import TYPE_CHECKING, Any

from django.db.models import (
    Avg,
    Case,
    Count,
    DateTimeField,
    DurationField,
    ExpressionWrapper,
    F,
    Max,
    OuterRef,
    Q,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce, TruncMonth
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ordermgmt.lib.tables import Column as ListColumn
from orders.models import Order, OrderLine, OrderStep

from .dated import day_of, moment_of, until
from .definitions import Column, Report, Row, grouped, register
from .facts import Facts, Group, Params, Rows
from .filtering import by_time, channel_shown, chosen, currency_of, month_shown, named, orders_in
from .order_facts import ORDERS, PRICE, amount_of, order_columns, order_link, with_people
from .parameters import DatedForm
from .shares import days_of, share

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

_FIGURES = (
    Column("currency", _("Currency")),
    Column("count", _("Orders"), "count"),
    Column("net", _("Net"), "amount", PRICE),
    Column("gross", _("Including tax"), "amount", PRICE),
)
_STATE = chosen("was_state", Order.State.choices)


def _lines(user: "User", params: Params) -> Rows:
    lines = OrderLine.objects.filter(order__in=orders_in(user, params).values("pk")).order_by()
    return lines.select_related("order__owner", "product").annotate(**currency_of("order__"))


PRODUCTS = Facts(
    rows=_lines,
    figures={"count": Count("pk"), "quantity": Sum(F("quantity") - F("qty_cancelled")), "net": Sum("net")},
    columns=(
        *order_columns("order."),
        ListColumn("description", _("Line"), value=lambda row: f"{row.position} {row.description}"),
        ListColumn("quantity", _("Quantity"), kind="quantity", value=lambda row: row.due),
        ListColumn("net", _("Net"), kind="amount", permission=PRICE),
    ),
    link=order_link,
)


# --- how long --------------------------------------------------------------------------------------------------


def _between(first: Any, last: Any) -> "ExpressionWrapper[Any]":
    return ExpressionWrapper(last - first, output_field=DurationField())


def _stays(user: "User", params: Params) -> Rows:
    """Each step out of a state, with the moment the order had come into it. Imported orders tell none."""
    steps = OrderStep.objects.filter(until(params, "at"), order__in=orders_in(user, params).values("pk"))
    steps = steps.exclude(source="")
    before = OrderStep.objects.filter(order=OuterRef("order"), pk__lt=OuterRef("pk")).order_by("-pk")
    entered = Coalesce(Subquery(before.values("at")[:1]), F("order__created_at"))
    rows = steps.order_by().select_related("order__owner").annotate(entered=entered)
    return rows.annotate(stay=_between(F("entered"), F("at")))


_DAYS = ListColumn("days", _("Days"), kind="quantity", value=lambda row: days_of(row.stay))
STAYS = Facts(
    rows=_stays,
    figures={"count": Count("pk"), "mean": Avg("stay"), "longest": Max("stay")},
    columns=(
        *order_columns("order."),
        ListColumn("entered", _("Came into it"), kind="datetime", sortable=False),
        ListColumn("at", _("Left it"), kind="datetime"),
        _DAYS,
    ),
    link=order_link,
    in_currency=False,
)


def _waiting(user: "User", params: Params) -> Rows:
    """Orders that are not over, with the moment they came into the state they are in."""
    steps = OrderStep.objects.filter(until(params, "at"), order=OuterRef("pk")).order_by("-pk")
    over = [Order.State.SETTLED, Order.State.CANCELLED]
    rows = with_people(orders_in(user, params)).exclude(was_state__in=over)
    rows = rows.annotate(since=Coalesce(Subquery(steps.values("at")[:1]), F("created_at")))
    now = Value(moment_of(params) or timezone.now(), DateTimeField())
    return rows.annotate(stay=_between(F("since"), now))


WAITING = Facts(
    rows=_waiting,
    figures={"count": Count("pk"), "mean": Avg("stay"), "longest": Max("stay"), "net": Sum("was_net_total")},
    columns=(
        *order_columns(),
        ListColumn("since", _("In this state since"), kind="datetime", sortable=False),
        _DAYS,
        ListColumn("net", _("Net"), path="was_net_total", kind="amount", permission=PRICE),
    ),
    link=order_link,
)


def _stay_shown(row: Row) -> Row:
    return {**_STATE(row), "mean": days_of(row["mean"]), "longest": days_of(row["longest"])}


def _source_shown(row: Row) -> Row:
    return _stay_shown(row | {"was_state": row["source"]})


_LONG = (Column("mean", _("Days on average"), "number"), Column("longest", _("Longest, days"), "number"))


# --- backlog ---------------------------------------------------------------------------------------------------


def _backlog(user: "User", params: Params) -> Rows:
    """Lines that are still to be delivered, with what that is worth: the share of the net that has not left yet."""
    running = orders_in(user, params).filter(state__in=[Order.State.PLACED, Order.State.IN_PRODUCTION])
    due = F("quantity") - F("qty_cancelled")
    lines = OrderLine.objects.filter(order__in=running.values("pk"), qty_cancelled__lt=F("quantity"))
    rows = (
        lines.order_by().select_related("order__owner").annotate(left=due - F("qty_shipped"), **currency_of("order__"))
    )
    return rows.filter(left__gt=0).annotate(rest=amount_of(F("net") * F("left") / due, 2))


BACKLOG = Facts(
    rows=_backlog,
    dims={"month": TruncMonth("order__promised_date")},
    figures={"count": Count("order", distinct=True), "lines": Count("pk"), "rest": Sum("rest")},
    columns=(
        *order_columns("order."),
        ListColumn("promised", _("Promised"), path="order.promised_date", kind="date", sortable=False),
        ListColumn("description", _("Line"), value=lambda row: f"{row.position} {row.description}"),
        ListColumn("left", _("Still to deliver"), kind="quantity", sortable=False),
        ListColumn("rest", _("Worth"), kind="amount", sortable=False, permission=PRICE),
    ),
    link=order_link,
)


# --- quotations ------------------------------------------------------------------------------------------------

_OUTCOMES = {"won": _("Placed"), "lost": _("Cancelled"), "expired": _("Expired"), "open": _("Open")}


def _quotations(user: "User", params: Params) -> Rows:
    """Orders entered here, each with what became of it as a quotation, and when it was placed."""
    placed = OrderStep.objects.filter(until(params, "at"), order=OuterRef("pk"), target=Order.State.PLACED).order_by(
        "pk"
    )
    rows = with_people(orders_in(user, params)).exclude(origin=Order.Origin.IMPORTED)
    rows = rows.annotate(placed_at=Subquery(placed.values("at")[:1]))
    outcome = Case(
        When(placed_at__isnull=False, then=Value("won")),
        When(was_state=Order.State.CANCELLED, then=Value("lost")),
        When(was_state=Order.State.DRAFT, was_valid_until__lt=day_of(params), then=Value("expired")),
        When(was_state=Order.State.DRAFT, then=Value("open")),
        default=Value("won"),
    )
    return rows.annotate(outcome=outcome, stay=_between(F("created_at"), F("placed_at")))


QUOTATIONS = Facts(
    rows=_quotations,
    dims=by_time("order_date"),
    figures={
        "count": Count("pk"), **{name: Count("pk", filter=Q(outcome=name)) for name in _OUTCOMES},
        "net": Sum("was_net_total"), "won_net": Sum("was_net_total", filter=Q(outcome="won"), default=0), "mean": Avg("stay"),
    },
    columns=(
        *order_columns(),
        ListColumn("outcome", _("Outcome"), value=lambda row: str(_OUTCOMES[row.outcome])),
        ListColumn("days", _("Days to the order"), kind="quantity", value=lambda row: days_of(row.stay)),
        ListColumn("net", _("Net"), path="was_net_total", kind="amount", permission=PRICE),
    ),
    link=order_link,
)  # fmt: skip
_WON = (
    Column("currency", _("Currency")),
    Column("count", _("Quotations"), "count"),
    *(Column(name, label, "count") for name, label in _OUTCOMES.items()),
    Column("percent", _("Placed %"), "percent"),
    Column("net", _("Net"), "amount", PRICE),
    Column("won_net", _("Net placed"), "amount", PRICE),
    Column("mean", _("Days to the order"), "number"),
)


def _won(show: Any) -> Any:
    """With the share that was placed of those that are decided."""
    return lambda row: show(row) | {
        "percent": share(row["won"], row["count"] - row["open"]), "mean": days_of(row["mean"]),
    }  # fmt: skip


_OWNER = named("owner__name", _("Nobody"))
_CUSTOMER = named("customer__name", "")

ORDERS_REPORT = register(
    Report(
        key="orders",
        title=_("Orders"),
        summary=_(
            "The order book by state, time, customer, product, salesperson and channel; backlog, time spent in each "
            "state, and what becomes of quotations. Counts all orders, cancelled ones too."
        ),
        form=DatedForm,
        sections=(
            grouped(
                "by_state", _("By state"), Group("orders/by_state", ORDERS, ("place", "was_state"), show=_STATE),
                (Column("label", _("State")), *_FIGURES), chart="count",
            ),
            grouped(
                "by_year", _("By year"), Group("orders/by_year", ORDERS, ("year",)),
                (Column("year", _("Year"), "year"), *_FIGURES), chart="net", label_key="year",
            ),
            grouped(
                "by_month", _("By month"), Group("orders/by_month", ORDERS, ("month",), show=month_shown),
                (Column("label", _("Month")), *_FIGURES), chart="net", chart_kind="line",
            ),
            grouped(
                "by_customer", _("By customer"),
                Group("orders/by_customer", ORDERS, ("customer__number", "customer__name"), ("-net",), _CUSTOMER),
                (Column("customer__number", _("Number")), Column("label", _("Customer")), *_FIGURES), chart="net",
            ),
            grouped(
                "by_product", _("By product"),
                Group("orders/by_product", PRODUCTS, ("product__sku", "product__name"), ("-net", "product__sku"),
                      named("product__name", _("Without a product"))),
                (
                    Column("product__sku", _("SKU")), Column("label", _("Product")), Column("currency", _("Currency")),
                    Column("count", _("Lines"), "count"), Column("quantity", _("Quantity"), "number"),
                    Column("net", _("Net"), "amount", PRICE),
                ), chart="net", dated=False,
            ),
            grouped(
                "by_owner", _("By salesperson"), Group("orders/by_owner", ORDERS, ("owner_id", "owner__name"), ("owner__name",), _OWNER),
                (Column("label", _("Salesperson")), *_FIGURES), chart="net",
            ),
            grouped(
                "by_channel", _("By channel"), Group("orders/by_channel", ORDERS, ("channel",), show=channel_shown),
                (Column("label", _("Channel")), *_FIGURES), chart="net",
            ),
            grouped(
                "backlog", _("Backlog by month of the promise"), Group("orders/backlog", BACKLOG, ("month",), show=month_shown),
                (
                    Column("label", _("Month")), Column("currency", _("Currency")), Column("count", _("Orders"), "count"),
                    Column("lines", _("Lines"), "count"), Column("rest", _("Still to deliver"), "amount", PRICE),
                ), chart="rest", dated=False,
            ),
            grouped(
                "stays", _("Time spent in each state"), Group("orders/stays", STAYS, ("source",), show=_source_shown),
                (Column("label", _("State")), Column("count", _("Times left"), "count"), *_LONG), chart="mean",
            ),
            grouped(
                "waiting", _("Waiting now, by state"), Group("orders/waiting", WAITING, ("was_state",), show=_stay_shown),
                (
                    Column("label", _("State")), Column("currency", _("Currency")), Column("count", _("Orders"), "count"),
                    *_LONG, Column("net", _("Net"), "amount", PRICE),
                ), chart="mean",
            ),
            grouped(
                "quotations", _("What becomes of quotations"),
                Group("orders/quotations", QUOTATIONS, ("month",), show=_won(month_shown)),
                (Column("label", _("Month")), *_WON), chart="percent", chart_kind="line",
            ),
            grouped(
                "quotations_by_owner", _("Quotations by salesperson"),
                Group("orders/quotations_by_owner", QUOTATIONS, ("owner_id", "owner__name"), ("owner__name",), _won(_OWNER)),
                (Column("label", _("Salesperson")), *_WON), chart="percent",
            ),
        ),
    )
)  # fmt: skip
