"""What waits for the warehouse, by numbers and days alone."""

import datetime as dt
from typing import Any

import pytest

from inventory.models import PurchaseLine
from ordermgmt.company.services import business_today
from reports.services import compute_report
from tests.factories.inventory import make_product, put_stock
from tests.factories.orders import line, person, placed
from tests.factories.purchases import ordered

pytestmark = pytest.mark.django_db


def section(key: str, who: str = "warehouse", **params: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = compute_report("stock", params, user=person(who))["sections"][key]["rows"]
    return found


def test_orders_to_ship_stand_in_the_week_of_their_promise(client_of: Any) -> None:
    today = business_today()
    before = {row["week"]: row["count"] for row in section("to_ship")}
    placed(line(supply="make"), promised_date=today + dt.timedelta(days=21))
    week = f"{today + dt.timedelta(days=21):%G-W%V}"
    row = next(one for one in section("to_ship") if one["week"] == week)
    assert row["count"] == before.get(week, 0) + 1
    assert row["late"] == 0
    assert client_of(person("warehouse")).get(row["link"]).status_code == 200


def test_products_that_run_short_are_those_of_the_shortage_list() -> None:
    put_stock(make_product("LOW-1", reorder_point=10), 4)
    put_stock(make_product("FULL-1", reorder_point=10), 40)
    rows = {row["sku"]: row for row in section("short")}
    assert rows["LOW-1"]["free"] == "4.00"
    assert "FULL-1" not in rows
    assert [row["sku"] for row in section("short", product="LOW-1")] == ["LOW-1"]


def test_purchases_to_come_say_by_how_many_days_they_are_late(client_of: Any) -> None:
    order = ordered(10, 4)
    PurchaseLine.objects.filter(order=order).update(promised_on=business_today() - dt.timedelta(days=3))
    row = next(one for one in section("to_come") if one["order__number"] == order.number)
    assert (row["count"], row["late"]) == (2, 3)
    assert client_of(person("warehouse")).get(row["link"]).status_code == 200


def test_no_price_and_no_cost_stand_in_it() -> None:
    kinds = {
        column["kind"]
        for part in compute_report("stock", {}, user=person("finance"))["sections"].values()
        for column in part["columns"]
    }
    assert "amount" not in kinds
