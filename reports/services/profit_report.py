"""REP-3: what each order earns, what it was to earn, and what made the difference; `profit` computes it."""

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db.models import Count, F, Sum
from django.db.models.functions import TruncMonth
from django.utils.translation import gettext_lazy as _

from ordermgmt.lib.money import ZERO
from ordermgmt.lib.tables import Column as ListColumn

from .change_facts import CHANGES, MOVED
from .dated import as_it_was
from .definitions import Column, Report, Row, Section, grouped, register
from .facts import Facts, Group, Params, Rows
from .filtering import currency_of, sold_in
from .order_facts import COST, SALES_ORDERS, order_columns
from .parameters import PeriodForm
from .profit import COSTS, PARTS, Part, applied, effects, figures, labels, not_counted
from .shares import share
from .spooling import sorted_on_disk

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

__all__ = ["COSTS", "PROFIT", "figures"]
_SUMMED = (
    "count", "contract", "changes", "net", "cost", *(key for key, _label, _source in COSTS), "planned", "margin", "difference",
)  # fmt: skip


def _why(row: Row) -> str:
    """What moved the margin, the strongest first, in words."""
    moved = sorted((one for one in effects(row).items() if one[1]), key=lambda one: -abs(one[1]))
    names = labels()
    told = [f"{names[key]} {amount:+,}" for key, amount in moved]
    return "; ".join([*told, not_counted(row["unrated"])] if row["unrated"] else told)


def by_order(user: "User", params: dict[str, Any]) -> Iterator[Row]:
    """Every order, those that lost most against their plan first."""
    rows = figures(sold_in(user, params))
    for row in sorted_on_disk(rows, lambda row: (row["difference"], row["margin"])):
        yield row | {"why": _why(row)}


def _together(user: "User", params: dict[str, Any], *keys: str) -> dict[tuple[Any, ...], Row]:
    """The figures of orders that agree in the keys and the currency, added up."""
    found: dict[tuple[Any, ...], Row] = {}
    for row in figures(sold_in(user, params)):
        key = (*(row[name] for name in keys), row["currency"])
        line = found.setdefault(key, dict.fromkeys(_SUMMED, ZERO) | {name: row[name] for name in (*keys, "currency")})
        for name in _SUMMED:
            line[name] += row[name]
    return found


def _with_share(line: Row, group: Group, params: Params) -> Row:
    return line | {"percent": share(line["margin"], line["net"]), "link": group.link(params, line)}


def by_month(user: "User", params: dict[str, Any]) -> Iterator[Row]:
    """Per month of the order date: planned against now."""
    for _key, line in sorted(_together(user, params, "month").items()):
        yield _with_share(line, _MONTHS, params) | {"label": f"{line['month']:%Y-%m}"}


def by_customer(user: "User", params: dict[str, Any]) -> Iterator[Row]:
    """Per customer, those who bring most first."""
    lines = _together(user, params, "customer__number", "customer").values()
    for line in sorted(lines, key=lambda one: (-one["margin"], one["customer__number"])):
        yield _with_share(line, _CUSTOMERS, params) | {"label": line["customer"]}


def reasons(user: "User", params: dict[str, Any]) -> Iterator[Row]:
    """What moved the margin in all orders together, per currency, with the documents; and what can't be told."""
    sums: dict[tuple[str, str], tuple[int, Decimal]] = {}
    for row in figures(sold_in(user, params)):
        told = effects(row) | ({f"?{row['unrated']}": ZERO} if row["unrated"] else {})
        for key, amount in told.items():
            if amount or key.startswith("?"):
                count, whole = sums.get((key, row["currency"]), (0, ZERO))
                sums[key, row["currency"]] = (count + 1, whole + amount)
    names = {key: str(label) for key, label in labels().items()}
    names |= {key: not_counted(key[1:]) for key, _currency in sorted(sums) if key.startswith("?")}
    for key, label in names.items():
        for (found, currency), (count, amount) in sorted(sums.items()):
            if found == key:
                line = {"reason": label, "currency": currency, "count": count, "amount": amount}
                yield line | {"link": reason_link(key, params, line)}


# --- the documents ---------------------------------------------------------------------------------------------


_MOVED = ListColumn("amount", _("Effect on the margin"), path="effect", kind="amount", sortable=False, permission=COST)


def _facts_of(part: Part) -> Facts:
    """The documents of a part, for orders that count as sales."""
    path = part.order.removesuffix("_id")

    def rows(user: "User", params: Params) -> Rows:
        orders = sold_in(user, params).values("pk")
        found = part.documents().filter(**{f"{part.order}__in": orders}).order_by()
        named = found.select_related(f"{path}__owner")
        return named.annotate(effect=-part.cost, **currency_of(f"{path}__"))

    return Facts(
        rows=rows,
        figures={"amount": Sum("effect")},
        columns=(
            *(one for one in order_columns(f"{path.replace('__', '.')}.") if one.key != "state"),
            ListColumn("text", _("What"), value=lambda one: one.note if part.key == "extras" else str(one)),
            _MOVED,
        ),
        link=lambda one: f"{(one.change.order if part.key == 'extras' else one.order).get_absolute_url()}#margin",
    )


def _applied(user: "User", params: Params) -> Rows:
    found = as_it_was(applied().filter(order__in=sold_in(user, params).values("pk")), params, *MOVED)
    return found.order_by().select_related("order__owner", "reason")


_DETAILS = {
    "changes": Group(
        "profit/changes",
        Facts(
            _applied, {"amount": Sum("effect")}, (*CHANGES.columns, _MOVED), CHANGES.link, currency="order__currency"
        ),
        (),
    ),
    **{part.key: Group(f"profit/{part.key}", _facts_of(part), ()) for part in PARTS},
}


def reason_link(key: str, params: Params, line: Row) -> str:
    """The page with the documents that a reason is the sum over; "" where it is computed."""
    return _DETAILS[key].link(params, line) if key in _DETAILS else ""


_EFFECT = (Column("amount", _("Effect on the margin"), "amount", COST),)


def _orders(key: str, dim: str, path: Any) -> Group:
    """The orders behind a row of added-up profits; their margins stand in the report itself, order by order."""
    facts = Facts(
        rows=lambda user, params: sold_in(user, params).select_related("owner"),
        figures={"count": Count("pk"), "net": Sum("net_total"), "cost": Sum("cost_total")},
        columns=tuple(one for one in SALES_ORDERS.columns if one.key != "margin"),  # that of the lines alone
        link=lambda one: f"{one.get_absolute_url()}#margin",
        dims={dim: path},
    )
    return Group(f"profit/{key}", facts, (dim,))


_MONTHS = _orders("by_month", "month", TruncMonth("order_date"))
_CUSTOMERS = _orders("by_customer", "customer__number", F("customer__number"))
_AMOUNTS = (
    Column("contract", _("Contract"), "amount"),
    Column("changes", _("Changes"), "amount"),
    Column("net", _("Net"), "amount"),
    Column("cost", _("Material and other cost of the lines"), "amount", COST),
    *(Column(key, label, "amount", COST) for key, label, _source in COSTS),
    Column("planned", _("Margin planned"), "amount", COST),
    Column("margin", _("Margin now"), "amount", COST),
    Column("difference", _("Difference"), "amount", COST),
    Column("percent", _("Margin %"), "percent", COST),
)
_CURRENCY, _COUNT = Column("currency", _("Currency")), Column("count", _("Orders"), "count")

PROFIT = register(
    Report(
        key="profit",
        title=_("Profit per order"),
        summary=_("What each order earns, what it was to earn when it was placed, and what made the difference."),
        form=PeriodForm,
        also=(COST,),
        sections=(
            Section(
                "by_order", _("By order"),
                (
                    Column("number", _("Order")), Column("customer", _("Customer")),
                    Column("why", _("What moved the margin"), permission=COST), _CURRENCY, *_AMOUNTS,
                ),
                by_order, "number", "difference",
            ),
            Section(
                "reasons", _("Why margins moved"),
                (Column("reason", _("Reason")), _CURRENCY, _COUNT, *_EFFECT), reasons, "reason", "amount", permission=COST,
            ),
            Section(
                "by_month", _("By month"), (Column("label", _("Month")), _CURRENCY, _COUNT, *_AMOUNTS), by_month, "label",
                "margin", "line", group=_MONTHS,
            ),
            Section(
                "by_customer", _("By customer"),
                (Column("customer__number", _("Number")), Column("label", _("Customer")), _CURRENCY, _COUNT, *_AMOUNTS),
                by_customer, "label", "margin", group=_CUSTOMERS,
            ),
        ),
        details=tuple(
            grouped(key, labels()[key], group, _EFFECT, chart="amount", permission=COST)
            for key, group in _DETAILS.items()
        ),
    )
)  # fmt: skip
