"""REP-6: changes of orders: how many, why, worth how much, and how long they take to decide."""

from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from changes.models import ChangeRequest

from .change_facts import CHANGES
from .definitions import Column, Report, Row, grouped, register
from .facts import Group
from .filtering import chosen, month_shown, named
from .parameters import DatedForm
from .shares import days_of

_FIGURES = (
    Column("currency", _("Currency")),
    Column("count", _("Changes"), "count"),
    Column("open", _("Open"), "count"),
    Column("applied", _("Applied"), "count"),
    Column("refused", _("Refused"), "count"),
    Column("asked", _("Net asked for"), "amount"),
    Column("value", _("Value applied"), "amount"),
    Column("mean", _("Days to the decision"), "number"),
)


def _reason(row: Row) -> Row:
    chinese = (get_language() or "").startswith("zh")
    return {"label": row["reason__name_zh"] if chinese and row["reason__name_zh"] else row["reason__name"]}


def _section(key: str, title: Any, *by: str, show: Any, first: Any, chart_kind: str = "bar") -> Any:
    def shown(row: Row) -> Row:
        return {**show(row), "mean": days_of(row["mean"])}

    group = Group(f"changes/{key}", CHANGES, by, show=shown)
    return grouped(key, title, group, (Column("label", first), *_FIGURES), chart="count", chart_kind=chart_kind)


CHANGES_REPORT = register(
    Report(
        key="changes",
        title=_("Changes"),
        summary=_("Changes of orders by reason, state, month and customer: how many, worth how much, decided in how many days."),
        form=DatedForm,
        also=("changes.view_change", "orders.view_price"),
        sections=(
            _section("by_reason", _("By reason"), "reason__code", "reason__name", "reason__name_zh", show=_reason, first=_("Reason")),
            _section("by_state", _("By state"), "was_state", show=chosen("was_state", ChangeRequest.State.choices), first=_("State")),
            _section(
                "by_source", _("By who asked"), "source", show=chosen("source", ChangeRequest.Source.choices), first=_("Asked for by"),
            ),
            _section("by_month", _("By month"), "month", show=month_shown, first=_("Month"), chart_kind="line"),
            _section(
                "by_customer", _("By customer"), "order__customer__number", "order__customer__name",
                show=named("order__customer__name", ""), first=_("Customer"),
            ),
        ),
    )
)  # fmt: skip
