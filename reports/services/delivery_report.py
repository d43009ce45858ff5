"""REP-6: deliveries promised and made, and what customers say when they are late."""

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from .definitions import Column, Report, Row, Section, grouped, register
from .delivery_facts import OUTCOMES, PROMISES, RATED, behind_promise
from .facts import Group
from .filtering import month_shown, named
from .parameters import DatedForm
from .shares import days_of, mean_of, share

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ordermgmt.accounts.models import User

_FIGURES = (
    Column("count", _("Orders"), "count"),
    *(Column(name, label, "count") for name, label in OUTCOMES.items()),
    Column("percent", _("In time %"), "percent"),
    Column("mean", _("Days late on average"), "number"),
)


def _kept(show: Any) -> Any:
    """With the share that came in time of those that came or should have, and the mean delay of the late ones."""
    return lambda row: show(row) | {
        "percent": share(row["in_time"], row["in_time"] + row["late"] + row["overdue"]), "mean": days_of(row["mean"]),
    }  # fmt: skip


def _scored(row: Row) -> Row:
    return {"label": str(OUTCOMES[row["outcome"]]), "mean": mean_of(row["mean"], 4)}


def _behind_promise(outcome: str) -> "Callable[[User, dict[str, Any]], Iterator[Row]]":
    def rows(user: "User", params: dict[str, Any]) -> "Iterator[Row]":
        """Each such order, the latest first."""
        names = ("number", "customer_name", "was_promised_date", "came", "delay")
        found = behind_promise(user, params, outcome).order_by("-delay", "number").values(*names)
        for row in found.iterator():
            promised, days = row["was_promised_date"], row["delay"].days
            yield row | {"promised_date": promised, "days": days, "count": 1, "link": f"/orders/{row['number']}/"}

    return rows


def _orders_section(key: str, title: Any, *more: Column) -> Section:
    columns = (
        Column("number", _("Order")), Column("customer_name", _("Customer")), Column("promised_date", _("Promised"), "date"),
        *more, Column("days", _("Days late"), "number"), Column("count", _("Orders"), "count"),
    )  # fmt: skip
    return Section(key, title, columns, _behind_promise(key), "number", "days")


DELIVERY = register(
    Report(
        key="delivery",
        title=_("Delivery"),
        summary=_(
            "Promised and actual: how many orders came in time, which came late and by how many days, which are overdue, and "
            "what customers say of them."
        ),
        form=DatedForm,
        sections=(
            grouped(
                "on_time", _("By month of the promise"), Group("delivery/on_time", PROMISES, ("month",), show=_kept(month_shown)),
                (Column("label", _("Month")), *_FIGURES), chart="percent", chart_kind="line",
            ),
            grouped(
                "by_customer", _("By customer"),
                Group("delivery/by_customer", PROMISES, ("customer__number", "customer__name"), ("-late", "customer__number"),
                      _kept(named("customer__name", ""))),
                (Column("customer__number", _("Number")), Column("label", _("Customer")), *_FIGURES), chart="late",
            ),
            grouped(
                "by_region", _("By region"),
                Group("delivery/by_region", PROMISES, ("region",), ("-late", "region"), _kept(named("region", _("No region")))),
                (Column("label", _("Region")), *_FIGURES), chart="late",
            ),
            _orders_section("late", OUTCOMES["late"], Column("came", _("Arrived or left"), "date")),
            _orders_section("overdue", OUTCOMES["overdue"]),
            grouped(
                "scores", _("Satisfaction, in time and late"), Group("delivery/scores", RATED, ("outcome",), show=_scored),
                (
                    Column("label", _("Outcome")), Column("count", _("Answers"), "count"),
                    Column("satisfied_count", _("Satisfied"), "count"), Column("mean", _("Score on average"), "number"),
                ), chart="mean", permission="fulfilment.view_feedback",
            ),
        ),
    )
)  # fmt: skip
