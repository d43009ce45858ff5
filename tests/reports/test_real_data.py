"""The figures of the real sets, as the reports say them: `EXPECTED.json` was computed apart from this code.

By day a part of each set, against the same figures of the same rows by this test's own arithmetic; with WHOLE_DATA=1 the
whole, against EXPECTED.json.
"""

from collections import defaultdict
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from ordermgmt.accounts.services import system_user
from ordermgmt.company.services import business_today
from ordermgmt.documents.services import profiles
from ordermgmt.documents.services.importing import run_import
from ordermgmt.lib.importing import SourceRow, Table, plain, read_table
from orders.models import Order
from reports.services import compute_report
from tests.conftest import data_folder, expected, whole_data

pytestmark = [pytest.mark.django_db, pytest.mark.data]
#: Every so many orders of a set are taken by day.
PART = 25
CENT = Decimal("0.01")


def folder(*parts: str) -> Path:
    found = data_folder()
    assert found is not None
    return found.joinpath(*parts)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> dict[str, Table]:
    """The tables as they are read: whole, or by day the rows of every 25th order, and what belongs to those."""
    read: dict[str, Table] = {}
    chosen: set[str] = set()
    buyers: set[str] = set()

    def part(content: bytes, name: str, layout: Any = None) -> Table:
        table = read_table(content, name, layout)
        key = next((one for one in ("订单 ID", "order_id", "orderNumber") if one in table.headers), "")
        if name.startswith("olist_customers") and not whole_data():  # read before the orders that choose among them
            orders = read_table(
                folder("02_olist_sample", "olist_orders_dataset.csv").read_bytes(), "orders.csv", layout
            )
            buyers.update(plain(row.cells["customer_id"]) for row in orders.rows[::PART])
            table = replace(table, rows=[row for row in table.rows if plain(row.cells["customer_id"]) in buyers])
        if key and not whole_data():
            if not chosen:
                keys = dict.fromkeys(plain(row.cells[key]) for row in table.rows)
                chosen.update(list(keys)[::PART])
                chosen.update(_impossible(table))
            table = replace(table, rows=[row for row in table.rows if plain(row.cells[key]) in chosen])
        read[f"{name}:{table.layout.sheet}"] = table
        return table

    monkeypatch.setattr(profiles, "read_table", part)
    return read


def _impossible(table: Table) -> set[str]:
    """Orders of the superstore that left before they were ordered: they come by day too."""
    if "发货日期" not in table.headers:
        return set()
    return {row.cells["订单 ID"] for row in table.rows if row.cells["发货日期"] < row.cells["订单日期"]}  # type: ignore[misc,operator]


def sections(report: str, **filters: str) -> dict[str, list[dict[str, Any]]]:
    found = compute_report(report, filters, user=system_user())["sections"]
    return {key: section["rows"] for key, section in found.items()}


def money(value: Any) -> Decimal:
    return Decimal(str(value)).quantize(CENT, ROUND_HALF_UP)


Exact = dict[str, tuple[Decimal, Decimal]]


def _of_workbook(rows: list[SourceRow], group: Any) -> Exact:
    """Per group sales and profit as the workbook has them, with three decimals."""
    found: dict[str, list[Decimal]] = defaultdict(lambda: [Decimal(0)] * 2)
    for row in rows:
        line = found[str(group(row))]
        line[0], line[1] = line[0] + _thousandths(row, "销售额"), line[1] + _thousandths(row, "利润")
    return {key: (one[0], one[1]) for key, one in found.items()}


def _thousandths(row: SourceRow, column: str) -> Decimal:
    return Decimal(str(row.cells[column])).quantize(Decimal("0.001"))


def _order_of(row: SourceRow) -> tuple[str, ...]:
    return tuple(plain(row.cells[name]) for name in ("订单 ID", "客户 ID", "订单日期"))


def _roundings(rows: list[SourceRow], group: Any) -> Exact:
    """By how much the yuan of two decimals differs per group: sales line by line, profit by its sales and by the cost of
    each order, which is rounded once."""
    sales: dict[str, Decimal] = defaultdict(Decimal)
    costs: dict[tuple[str, ...], Decimal] = defaultdict(Decimal)
    place: dict[tuple[str, ...], str] = {}
    for row in rows:
        amount, profit = _thousandths(row, "销售额"), _thousandths(row, "利润")
        place[_order_of(row)] = str(group(row))
        sales[str(group(row))] += money(amount) - amount
        costs[_order_of(row)] += amount - profit
    cost: dict[str, Decimal] = defaultdict(Decimal)
    for order, amount in costs.items():
        cost[place[order]] += money(amount) - amount
    return {key: (one, one - cost[key]) for key, one in sales.items()}


def _added(one: Exact, other: Exact) -> Exact:
    return {key: (one[key][0] + other[key][0], one[key][1] + other[key][1]) for key in one}


def _before_rounding(rows: list[dict[str, Any]], key: Any) -> Exact:
    """Net and margin of a section over lines, without what the coins of the currency added or took."""
    found: dict[str, list[Decimal]] = defaultdict(lambda: [Decimal(0)] * 2)
    for row in rows:
        line, rounding = found[key(row)], Decimal(row["rounding"])
        line[0], line[1] = line[0] + Decimal(row["net"]) - rounding, line[1] + Decimal(row["margin"]) - rounding
    return {key: (one[0], one[1]) for key, one in found.items()}


def test_superstore_zh_sales_and_profit(seen: dict[str, Table]) -> None:
    """Amounts of the workbook have three decimals, the yuan has two. The report says both: `net` as it is owed, rounded
    line by line, and `rounding`, without which it is the workbook's figure to the last digit."""
    call_command("import_data", "superstore_zh", str(folder("06_superstore_zh")), verbosity=0)
    rows = seen["示例 - 超市.xls:订单"].rows
    assert Order.objects.filter(source_key__startswith="superstore_zh:").count() == len(
        {_order_of(row) for row in rows}
    )
    category, year = _of_workbook(rows, lambda row: row.cells["类别"]), _of_workbook(rows, _year)
    region = _of_workbook(rows, lambda row: row.cells["区域"])
    made = sections("sales", currency="CNY")
    assert _before_rounding(made["by_group"], lambda row: row["label"]) == category
    assert _before_rounding(made["discounts"], lambda row: row["label"][:4]) == year
    of_regions = {key: sections("sales", currency="CNY", region=key)["discounts"] for key in region}
    assert {key: _before_rounding(one, lambda _row: "")[""] for key, one in of_regions.items()} == region
    owed_by_year = _added(year, _roundings(rows, _year))
    for name, label, wanted in (
        ("by_year", "year", owed_by_year),
        ("by_region", "label", _added(region, _roundings(rows, lambda row: row.cells["区域"]))),
    ):
        assert {str(row[label]): (Decimal(row["net"]), Decimal(row["margin"])) for row in made[name]} == wanted
    profit = sections("profit", currency="CNY")["by_month"]
    for key, (net, margin) in owed_by_year.items():
        months = [row for row in profit if row["label"].startswith(key)]
        assert (sum(Decimal(row["net"]) for row in months), sum(Decimal(row["margin"]) for row in months)) == (
            net,
            margin,
        )
    if whole_data():
        _as_expected(category, year, region)


def _year(row: SourceRow) -> Any:
    return row.cells["订单日期"].year  # type: ignore[union-attr]


def _as_expected(category: Exact, year: Exact, region: Exact) -> None:
    figures = expected("06_superstore_zh")
    assert Order.objects.filter(source_key__startswith="superstore_zh:").count() == 4963
    for found, name in (
        (category, "sales_profit_per_category"),
        (region, "sales_profit_per_region"),
        (year, "sales_profit_orders_lines_per_year"),
    ):
        assert found == {key: (Decimal(one[0]), Decimal(one[1])) for key, one in figures[name].items()}
        assert sum(one[0] for one in found.values()) == Decimal(figures["sales_total"])
        assert sum(one[1] for one in found.values()) == Decimal(figures["profit_total"])


def test_classicmodels_gross_profit(seen: dict[str, Table]) -> None:
    call_command("import_data", "classicmodels", str(folder("01_classicmodels", "csv")), verbosity=0)
    costs = {row.cells["productCode"]: Decimal(str(row.cells["buyPrice"])) for row in seen["products.csv:"].rows}
    orders = {row.cells["orderNumber"]: row.cells for row in seen["orders.csv:"].rows}
    own: dict[str, Decimal] = defaultdict(Decimal)
    for row in seen["orderdetails.csv:"].rows:
        order = orders[row.cells["orderNumber"]]
        if order["status"] != "Cancelled":
            each = Decimal(str(row.cells["priceEach"])) - costs[row.cells["productCode"]]
            own[str(order["orderDate"])[:4]] += Decimal(str(row.cells["quantityOrdered"])) * each
    by_year = {str(row["year"]): Decimal(row["margin"]) for row in sections("sales", currency="USD")["by_year"]}
    assert by_year == dict(own)
    profit = sections("profit", currency="USD")["by_month"]
    assert sum(Decimal(row["margin"]) for row in profit) == sum(own.values())
    if whole_data():
        figures = expected("01_classicmodels")
        assert by_year == {key: Decimal(one) for key, one in figures["gross_profit_per_year_without_cancelled"].items()}
        assert sum(by_year.values()) == Decimal(figures["gross_profit_total_without_cancelled"])


def test_olist_lateness_and_satisfaction(seen: dict[str, Table]) -> None:
    """Late is what was delivered after the estimate, which stands at midnight, the beginning of its day: what is promised
    is the end of the day before. What was only shipped is not late, however long ago it was promised."""
    profile = profiles.load_profile("olist")
    told = replace(profile, steps=[one for one in profile.steps if one["target"] not in ("opening", "payments")])
    steps = profiles.steps_from_folder(told, folder("02_olist_sample"))
    assert run_import(steps, source=told.source, actor=system_user()).refused == 0
    orders = {row.cells["order_id"]: row.cells for row in seen["olist_orders_dataset.csv:"].rows}
    delivered = {key: one for key, one in orders.items() if one["order_delivered_customer_date"]}
    late = {
        key
        for key, one in delivered.items()
        if str(one["order_delivered_customer_date"]) > str(one["order_estimated_delivery_date"])
    }
    # Both are long ago: what has not left is overdue, and nobody says whether what left has come.
    states = {"overdue": ("unavailable", "invoiced", "processing", "approved", "created"), "unknown": ("shipped",)}
    wanted = {name: sum(1 for one in orders.values() if one["order_status"] in found) for name, found in states.items()}
    wanted |= {"late": len(late), "in_time": len(delivered) - len(late), "coming": 0}
    wanted["count"] = sum(wanted.values())
    made = compute_report("delivery", {"currency": "BRL"}, user=system_user())["sections"]
    for name in ("on_time", "by_customer", "by_region"):
        (totals,) = made[name]["totals"]
        assert {key: totals[key] for key in wanted} == wanted
    assert {row["number"] for row in made["late"]["rows"]} == late
    assert len(made["overdue"]["rows"]) == wanted["overdue"] == Order.objects.late(business_today()).count()
    reviews = [row.cells for row in seen["olist_order_reviews_dataset.csv:"].rows]
    scores = {str(row["label"]): row["count"] for row in sections("quality", currency="BRL")["scores"]}
    given = [int(str(one["review_score"])) for one in reviews]
    assert scores == {str(score): given.count(score) for score in set(given)}
    of_late = [int(str(one["review_score"])) for one in reviews if one["order_id"] in late]
    rated = {row["label"]: row for row in made["scores"]["rows"]}["Delivered late"]
    assert rated["count"] == len(of_late)
    assert Decimal(rated["mean"]) == (Decimal(sum(of_late)) / len(of_late)).quantize(Decimal("0.0001"))
    if whole_data():
        figures = expected("02_olist_sample")
        assert len(late) == figures["delivered_orders_late_vs_estimate"]
        assert len(delivered) == figures["orders_with_delivered_date"]
        assert scores == figures["review_score_counts"]
        assert rated["mean"] == str(figures["review_average_late_orders"])
