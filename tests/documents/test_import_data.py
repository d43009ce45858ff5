"""`manage.py import_data` with the real sets, against figures computed apart from this code."""

import json
from dataclasses import replace
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Sum

from billing.models import Payment
from customers.models import Customer, CustomerBalance
from inventory.models import Product, StockItem
from ordermgmt.documents.services.profiles import load_profile, steps_from_folder
from ordermgmt.lib.importing import Table, group_rows, read_table
from orders.models import Order, OrderLine
from tests.conftest import data_folder

pytestmark = [pytest.mark.django_db, pytest.mark.data]


def folder(*parts: str) -> Path:
    found = data_folder()
    assert found is not None
    return found.joinpath(*parts)


def expected(key: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(folder("EXPECTED.json").read_text())
    return content[key]


def run(profile: str, where: Path, *flags: str) -> dict[str, dict[str, Any]]:
    out = StringIO()
    call_command("import_data", profile, str(where), "--format", "json", *flags, stdout=out)
    return {step["target"]: step for step in json.loads(out.getvalue())["steps"]}


def amounts(steps: dict[str, dict[str, Any]], outcome: str) -> dict[str, int]:
    return {target: step[outcome] for target, step in steps.items()}


def test_classicmodels() -> None:
    figures, where = expected("01_classicmodels"), folder("01_classicmodels", "csv")
    steps = run("classicmodels", where)
    rows = figures["rows"]
    assert amounts(steps, "refused") == dict.fromkeys(steps, 0)
    assert amounts(steps, "created")["customers"] == rows["customers"]
    orders = Order.objects.filter(source_key__startswith="classicmodels:")
    assert (orders.count(), OrderLine.objects.filter(order__in=orders).count()) == (
        rows["orders"],
        rows["orderdetails"],
    )
    assert Product.objects.filter(source_key__startswith="classicmodels:").count() == rows["products"]
    assert Payment.objects.filter(key__startswith="import:classicmodels:").count() == rows["payments"]
    for year, value in figures["order_value_per_year_without_cancelled"].items():
        total = orders.exclude(state="cancelled").filter(order_date__year=year).aggregate(total=Sum("gross_total"))
        assert total["total"] == Decimal(value)
    for state, count in {"shipped": "Shipped", "cancelled": "Cancelled", "in_production": "In Process"}.items():
        assert orders.filter(state=state).count() == figures["orders_per_status"][count]
    assert orders.filter(on_hold=True).count() == figures["orders_per_status"]["On Hold"]
    balances = CustomerBalance.objects.filter(customer__source_key__startswith="classicmodels:")
    owed = sorted(((one.exposure, one.customer.name) for one in balances.select_related("customer")), reverse=True)
    owed = [pair for pair in owed if pair[0] > 0]
    assert len(owed) == figures["customers_with_outstanding_over_zero"]
    assert sum(amount for amount, _name in owed) == Decimal(figures["outstanding_total_without_cancelled"])
    assert [(name, amount) for amount, name in owed[:5]] == [
        (name.strip(), Decimal(open_amount))
        for _key, name, _ordered, _paid, open_amount in figures["outstanding_top10"][:5]
    ]
    again = run("classicmodels", where)
    for outcome in ("created", "changed", "refused"):
        assert amounts(again, outcome) == dict.fromkeys(again, 0)


def test_mall_zh() -> None:
    figures, where = expected("05_mall_zh"), folder("05_mall_zh")
    steps = run("mall_zh", where)
    assert amounts(steps, "refused") == dict.fromkeys(steps, 0)
    orders = Order.objects.filter(source_key__startswith="mall_zh:")
    assert orders.count() == figures["rows"]["oms_order"]
    for state, status in (
        ("placed", "0 待付款"),
        ("in_production", "1 待发货"),
        ("shipped", "2 已发货"),
        ("accepted", "3 已完成"),
        ("cancelled", "4 已关闭"),
    ):
        assert orders.filter(state=state).count() == figures["orders_per_status_all"][status]
    assert orders.aggregate(total=Sum("gross_total"))["total"] == Decimal(figures["pay_amount_all"])
    done = orders.filter(state="accepted").aggregate(total=Sum("gross_total"))
    assert done["total"] == Decimal(figures["pay_amount_completed_status3"])
    stock = StockItem.objects.filter(product__source_key__startswith="mall_zh:").aggregate(total=Sum("on_hand"))
    assert stock["total"] == figures["sku_stock_sum"]
    assert len(steps["orders"]["warnings"]) == figures["orders_without_items"]  # each named
    again = run("mall_zh", where)
    for outcome in ("created", "changed", "refused"):
        assert amounts(again, outcome) == dict.fromkeys(again, 0)


def test_superstore_zh_is_grouped_by_a_composite_key() -> None:
    figures = expected("06_superstore_zh")
    steps = {
        step.target.key: step for step in steps_from_folder(load_profile("superstore_zh"), folder("06_superstore_zh"))
    }
    groups = {key: len(group_rows(step.rows, step.keys)) for key, step in steps.items()}
    assert groups == {
        "customers": figures["distinct_customers"],
        "products": figures["distinct_products"],
        "orders": 4963,  # id + customer + date; the ids alone are 2,770
    }
    assert len(steps["orders"].rows) == figures["rows"]["订单"]


def test_superstore_zh_names_each_bad_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """The orders that were shipped before they were ordered, and the first hundred rows: the whole takes minutes."""

    def some(content: bytes, name: str, layout: Any = None) -> Table:
        table = read_table(content, name, layout)
        if table.layout.sheet != "订单":
            return table
        dates = [(row.cells["订单日期"], row.cells["发货日期"], row.cells["订单 ID"]) for row in table.rows]
        bad = {key for ordered, shipped, key in dates if shipped < ordered}  # type: ignore[operator]
        kept = [row for place, row in enumerate(table.rows) if place < 100 or row.cells["订单 ID"] in bad]
        return replace(table, rows=kept)

    monkeypatch.setattr("ordermgmt.documents.services.profiles.read_table", some)
    steps = run("superstore_zh", folder("06_superstore_zh"))
    assert steps["orders"]["created"] > 50
    assert steps["orders"]["problems"] == []  # the profile takes such orders in without the day that can't be
    told = [one for one in steps["orders"]["warnings"] if one["column"] == "发货日期"]
    assert len(told) == expected("06_superstore_zh")["ship_before_order"]
    assert "示例 - 超市.xls, row 483" in {one["place"] for one in told}
    assert amounts(run("superstore_zh", folder("06_superstore_zh")), "created") == dict.fromkeys(steps, 0)


def test_dry_run_writes_nothing() -> None:
    before = Customer.objects.count()
    assert run("mall_zh", folder("05_mall_zh"), "--dry-run")["customers"]["created"] == 10
    assert Customer.objects.count() == before


@pytest.mark.parametrize(("profile", "sentence"), [("nobody", "no profile"), ("../../etc", "no profile")])
def test_unknown_profile(profile: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=sentence):
        call_command("import_data", profile, str(tmp_path))


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"There is no file customers\.csv"):
        call_command("import_data", "classicmodels", str(tmp_path))
