"""Sections of reports that the daily sums can answer, where the reader and the filters allow it.

The same rows, links and order as from the documents; whoever asks for a column that the sums lack gets the documents.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from django.db.models import F, Sum
from django.db.models.functions import Coalesce, ExtractYear, TruncMonth
from django.utils.translation import gettext as _

from inventory.models import ProductCategory
from reports.models import DaySum

from .definitions import Row, Section
from .filtering import month_shown
from .profit import labels
from .profit_report import reason_link
from .summing import is_settled

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

Params = dict[str, Any]
#: The filters that the sums understand; any other needs the documents.
_FILTERS = {"date_from", "date_to", "owner", "currency", "compare"}


def _narrowed(sums: Any, params: Params) -> Any:
    if first := params.get("date_from"):
        sums = sums.filter(day__gte=first)
    if last := params.get("date_to"):
        sums = sums.filter(day__lte=last)
    if owner := params.get("owner"):
        sums = sums.filter(owner__name__icontains=owner)
    if currency := params.get("currency"):
        sums = sums.filter(currency=currency)
    return sums.order_by()


def _figures(sums: Any, group: str) -> Iterator[Row]:
    rows = sums.values(group, "currency").annotate(
        orders=Sum("count"), of_net=Sum("net"), of_gross=Sum("gross"), of_cost=Sum("cost")
    )
    for row in rows.order_by(group, "currency"):
        yield {
            group: row[group], "currency": row["currency"], "count": row["orders"], "net": row["of_net"],
            "gross": row["of_gross"], "cost": row["of_cost"], "margin": row["of_net"] - row["of_cost"],
        }  # fmt: skip


def _by_year(sums: Any, section: Section, params: Params) -> Iterator[Row]:
    for row in _figures(sums.annotate(year=ExtractYear("day")), "year"):
        yield row | {"link": _behind(section, params, row)}


def _by_month(sums: Any, section: Section, params: Params) -> Iterator[Row]:
    for row in _figures(sums.annotate(month=TruncMonth("day")), "month"):
        yield row | {"month": f"{row['month']:%Y-%m}", "link": _behind(section, params, row)}


def _of_lines(sums: Any, *keys: str) -> Iterator[Row]:
    """What sums of lines come to per key and currency: before - discount + rounding = net."""
    names = ("count", "before", "agreed", "net", "cost")
    for row in sums.values(*keys, "currency").annotate(**{f"of_{name}": Sum(name) for name in names}):
        count, before, agreed, net, cost = (row[f"of_{name}"] for name in names)
        line = {"before": before, "discount": before - agreed, "rounding": net - agreed, "net": net, "cost": cost}
        exact = {name: round(value, 4) for name, value in line.items()}
        yield {key: row[key] for key in (*keys, "currency")} | exact | {"count": count, "margin": round(net - cost, 4)}


def _discounts(sums: Any, section: Section, params: Params) -> Iterator[Row]:
    found = _of_lines(sums.annotate(month=TruncMonth("day")), "month")
    for row in sorted(found, key=lambda row: (row["month"], row["currency"])):
        yield row | month_shown(row) | {"link": _behind(section, params, row)}


def _by_name(dim: str) -> Callable[[Any, Section, Params], Iterator[Row]]:
    """Per name of the category, or of the group that it is part of."""

    def rows(sums: Any, section: Section, params: Params) -> Iterator[Row]:
        path = F("name") if dim == "category" else Coalesce("parent__name", "name")
        names = {str(pk): name for pk, name in ProductCategory.objects.values_list("pk", path)}
        found: dict[tuple[str | None, str], Row] = {}
        for row in _of_lines(sums, "key"):
            at = (names.get(row.pop("key")), row.pop("currency"))
            line = found.setdefault(at, dict.fromkeys(row, 0))
            found[at] = {name: line[name] + value for name, value in row.items()}
        for (name, currency), line in sorted(
            found.items(), key=lambda one: (-one[1]["net"], one[0][0] or "", one[0][1])
        ):
            full = line | {dim: name, "currency": currency}
            yield full | {"label": name or _("No category"), "link": _behind(section, params, full)}

    return rows


def _behind(section: Section, params: Params, row: Row) -> str:
    return section.group.link(params, row) if section.group else ""


def _reasons(sums: Any, _section: Section, params: Params) -> Iterator[Row]:
    names = labels()
    rows = sums.values("key", "currency").annotate(orders=Sum("count"), amount=Sum("net"))
    place = {key: index for index, key in enumerate(names)}
    for row in sorted(rows, key=lambda row: (place[row["key"]], row["currency"])):
        line = {
            "reason": str(names[row["key"]]), "currency": row["currency"], "count": row["orders"], "amount": row["amount"],
        }  # fmt: skip
        yield line | {"link": reason_link(row["key"], params, line)}


_MONEY = {"currency", "count", "net", "gross", "cost", "margin"}
_LINES = {"label", "currency", "count", "before", "discount", "rounding", "net", "cost", "margin"}
#: By report and section: the kind of sums, the columns they have, and the rows made of them.
_SUMMED: dict[tuple[str, str], tuple[str, set[str], Callable[[Any, Section, Params], Iterator[Row]]]] = {
    ("sales", "by_year"): (DaySum.Kind.ORDER, {"year", *_MONEY}, _by_year),
    ("sales", "by_month"): (DaySum.Kind.ORDER, {"month", *_MONEY}, _by_month),
    ("sales", "discounts"): (DaySum.Kind.CATEGORY, _LINES, _discounts),
    ("sales", "by_group"): (DaySum.Kind.CATEGORY, _LINES, _by_name("top")),
    ("sales", "by_category"): (DaySum.Kind.CATEGORY, _LINES, _by_name("category")),
    ("profit", "reasons"): (DaySum.Kind.REASON, {"reason", "currency", "count", "amount"}, _reasons),
}


def summed_rows(report: str, section: Section, user: "User", params: Params) -> Iterator[Row] | None:
    """The rows of a section from the daily sums; None where the documents must be read."""
    kind, columns, rows = _SUMMED.get((report, section.key), ("", set(), None))
    asked = {name for name, value in params.items() if value}
    if rows is None or asked - _FILTERS or {one.key for one in section.columns_for(user)} - columns:
        return None
    sums = DaySum.objects.visible_to(user)
    if sums is None or not is_settled(params.get("date_from"), params.get("date_to")):
        return None
    return rows(_narrowed(sums.filter(kind=kind), params), section, params)
