"""One definition of late: delivered after its promise. What has not left in spite of its promise is overdue, beside it."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from fulfilment.services import confirm_arrival
from ordermgmt.company.services import business_today
from orders.models import Order
from orders.services import import_order
from reports.services import compute_report
from reports.views.pages import chart_data
from tests.factories.fulfilment import ship
from tests.factories.orders import customer_a, line, person, started

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


def made(promised: dt.date) -> Order:
    return started(line(supply="make"), promised_date=promised, order_date=promised - 30 * DAY)


def sent(promised: dt.date, left: dt.date, came: dt.date | None = None) -> Order:
    """Ordered, shipped in one part, and maybe confirmed as arrived."""
    order = made(promised)
    with time_machine.travel(dt.datetime.combine(left, dt.time(10), tzinfo=dt.UTC)):
        shipment = ship(order)
    if came:
        confirm_arrival(shipment, delivered_on=came, received_by="Mr Wang", actor=person("warehouse"))
    return order


def told(key: str, state: str, arrived_on: dt.date | None = None) -> Order:
    """An order of the past, promised for the same day last year."""
    promised = business_today() - 365 * DAY
    return import_order(
        customer=customer_a(), state=state, lines=[line(supply="make")], actor=person("manager"), source_key=key,
        owner=person("sales"), order_date=promised - 30 * DAY, promised_date=promised, arrived_on=arrived_on,
    )  # fmt: skip


def test_late_is_delivered_late_and_nothing_else(client_of: Any) -> None:
    today = business_today()
    last_year = today - 365 * DAY
    outcomes = {
        "in_time": [
            sent(today - 9 * DAY, today - 10 * DAY),  # nobody confirmed its arrival: it counts as it left
            sent(today - 8 * DAY, today - 9 * DAY, today - 8 * DAY),
            told("in time", "accepted", last_year),
        ],
        "late": [
            sent(today - 9 * DAY, today - 9 * DAY, today - 7 * DAY),
            sent(today - 9 * DAY, today - 5 * DAY),
            told("late", "accepted", last_year + DAY),
            told("arrived", "shipped", last_year + 3 * DAY),
        ],
        "overdue": [made(today - 2 * DAY), made(today - DAY)],
        "coming": [made(today), made(today + DAY)],
        "unknown": [told("sent", "shipped"), told("over", "accepted")],  # the source says nothing of their arrival
    }
    manager = person("manager")
    made_of = compute_report("delivery", {}, user=manager)["sections"]
    for section in ("on_time", "by_customer", "by_region"):
        rows = made_of[section]["rows"]
        assert {name: sum(row[name] for row in rows) for name in outcomes} == {
            key: len(one) for key, one in outcomes.items()
        }
        assert sum(row["count"] for row in rows) == sum(map(len, outcomes.values()))
    (row,) = made_of["by_customer"]["rows"]
    assert Decimal(row["percent"]) == Decimal("33.3")  # three of the nine that came or should have
    assert Decimal(row["mean"]) == Decimal("2.5")  # 2, 4, 1 and 3 days
    for section, days in (("late", [4, 3, 2, 1]), ("overdue", [2, 1])):
        assert {one["number"] for one in made_of[section]["rows"]} == {one.number for one in outcomes[section]}
        assert [one["days"] for one in made_of[section]["rows"]] == days
    # The list of orders that are behind is the same one.
    listed = client_of(manager).get("/orders/?late=yes").context["page"].rows
    assert {one.number for one in listed} == {one.number for one in outcomes["overdue"]}


def test_a_chart_says_what_its_values_are() -> None:
    columns = [{"key": "label", "kind": "text"}, {"key": "percent", "kind": "percent"}]
    rows = [{"label": "2026-01", "percent": Decimal("66.7")}, {"label": "2026-02", "percent": None}]
    section = {"label_key": "label", "chart": "percent", "chart_kind": "line", "columns": columns, "rows": rows}
    assert chart_data(section) == {
        "labels": ["2026-01", "2026-02"], "unit": "percent", "series": [{"label": "", "values": ["66.7", None]}]
    }  # fmt: skip
