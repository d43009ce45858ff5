"""REP-1: the order book by state, year, month and salesperson."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django.db.models.functions import ExtractYear, TruncMonth
from django.utils.translation import gettext_lazy as _

from orders.models import Order

from .definitions import Column, Report, Row, Section, register
from .filtering import AMOUNTS, month_bounds, order_list, orders_in, year_bounds
from .parameters import PeriodForm

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

_FIGURES = (
    Column("currency", _("Currency")),
    Column("count", _("Orders"), "count"),
    Column("net", _("Net"), "amount"),
    Column("gross", _("Including tax"), "amount"),
)


def _grouped(user: "User", params: dict[str, Any], *group: str, **annotations: Any) -> Iterator[Row]:
    figures = {name: AMOUNTS[name] for name in ("count", "net", "gross")}
    queryset = orders_in(user, params).annotate(**annotations)
    yield from queryset.values(*group, "currency").annotate(**figures).order_by(*group, "currency")


def by_state(user: "User", params: dict[str, Any]) -> Iterator[Row]:
    """Orders per state and currency, in the order of the process."""
    place = {state: index for index, state in enumerate(Order.State.values)}
    rows = sorted(_grouped(user, params, "state"), key=lambda row: (place[row["state"]], row["currency"]))
    labels = dict(Order.State.choices)
    for row in rows:
        yield row | {"label": str(labels[row["state"]]), "link": order_list(params, row, states=[row["state"]])}


def by_year(user: "User", params: dict[str, Any]) -> Iterator[Row]:
    """Orders per year of the order date."""
    for row in _grouped(user, params, "year", year=ExtractYear("order_date")):
        yield row | {"link": order_list(params, row, *year_bounds(row["year"]))}


def by_month(user: "User", params: dict[str, Any]) -> Iterator[Row]:
    """Orders per month of the order date."""
    for row in _grouped(user, params, "month", month=TruncMonth("order_date")):
        yield row | {"month": f"{row['month']:%Y-%m}", "link": order_list(params, row, *month_bounds(row["month"]))}


def by_owner(user: "User", params: dict[str, Any]) -> Iterator[Row]:
    """Orders per salesperson."""
    for row in _grouped(user, params, "owner__name", "owner_id"):
        yield row | {"link": order_list(params, row, owner=row["owner_id"]) if row["owner_id"] else ""}


ORDERS = register(
    Report(
        key="orders",
        title=_("Orders"),
        summary=_("The order book by state, year, month and salesperson. Counts all orders, cancelled ones too."),
        form=PeriodForm,
        sections=(
            Section("by_state", _("By state"), (Column("label", _("State")), *_FIGURES), by_state, "label", "count"),
            Section("by_year", _("By year"), (Column("year", _("Year"), "year"), *_FIGURES), by_year, "year", "net"),
            Section(
                "by_month", _("By month"), (Column("month", _("Month")), *_FIGURES), by_month, "month", "net", "line"
            ),
            Section(
                "by_owner",
                _("By salesperson"),
                (Column("owner__name", _("Salesperson")), *_FIGURES),
                by_owner,
                "owner__name",
                "net",
            ),
        ),
    )
)
