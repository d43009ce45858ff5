"""Reports of a past day: what stood in them that evening, whatever happened since."""

import datetime as dt
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from changes.services import acknowledge_change, apply_change, refuse_change
from fulfilment.services import answer_feedback, ask_feedback, confirm_arrival
from orders.models import Order
from orders.services import cancel_order, edit_order, import_order, place_order
from reports.services import compute_report, report_by_key
from reports.services.summed import summed_rows
from tests.factories.changes import agreed, fresh, judged, more, submitted
from tests.factories.fulfilment import ship
from tests.factories.orders import customer_a, draft, line, person, placed, started

pytestmark = pytest.mark.django_db
DAYS = [dt.date(2025, 3, 3) + dt.timedelta(days=count) for count in range(5)]
REPORTS = ["orders", "sales", "changes", "delivery"]
Said = dict[str, dict[str, list[dict[str, Any]]]]


def at(day: dt.date, hour: int = 10) -> Any:
    return time_machine.travel(dt.datetime.combine(day, dt.time(hour), tzinfo=dt.UTC), tick=False)


def evening(day: dt.date) -> Any:
    return time_machine.travel(dt.datetime.combine(day, dt.time(23, 59, 59), tzinfo=dt.UTC), tick=False)


def said(user: Any, **params: str) -> Said:
    """The rows of the sections that can be told of a past day, without the addresses behind them."""
    found: Said = {}
    for key in REPORTS:
        dated = {one.key for one in report_by_key(key).sections if one.dated}
        made = compute_report(key, params, user=user)["sections"]
        found[key] = {
            name: [{one: value for one, value in row.items() if one != "link"} for row in section["rows"]]
            for name, section in made.items()
            if name in dated
        }
    return found


def story() -> Iterator[Callable[[], None]]:
    """What happens on one day after the other: orders are placed, changed, shipped late, cancelled; a draft is sold."""
    sales, pm, promised = person("sales"), person("pm"), DAYS[2]
    orders: dict[str, Any] = {}

    def first() -> None:
        orders["a"] = started(line(quantity=5, supply="make"), promised_date=promised)
        orders["b"] = placed(line(quantity=7, supply="make"), promised_date=promised)
        orders["c"] = draft(line(quantity=2, supply="make"), promised_date=promised, valid_until=DAYS[1])
        orders["change"] = submitted(orders["a"], more(orders["a"], 8))
        orders["idle"] = submitted(orders["b"], more(orders["b"], 9))

    def second() -> None:
        apply_change(agreed(judged(orders["change"])), actor=pm)
        refuse_change(fresh(orders["idle"]), reason="No time", actor=person("manager"))
        found = Order.objects.get(pk=orders["c"].pk)
        edit_order(found, version=found.version, header={}, lines=[line(quantity=4, supply="make")], actor=sales)

    def third() -> None:
        cancel_order(Order.objects.get(pk=orders["b"].pk), reason="Budget", actor=person("sales_manager"))
        place_order(Order.objects.get(pk=orders["c"].pk), actor=sales)

    def fourth() -> None:
        acknowledge_change(fresh(orders["change"]), actor=person("warehouse"))
        orders["shipment"] = ship(orders["a"])
        answer_feedback(ask_feedback(orders["a"], key="ask", actor=pm), score=2, text="So so")

    def fifth() -> None:
        confirm_arrival(orders["shipment"], delivered_on=DAYS[4], received_by="Mr Wang", actor=person("warehouse"))

    yield from (first, second, third, fourth, fifth)


@pytest.fixture
def evenings(db: None) -> dict[dt.date, Said]:
    """What the reports said on each evening of the story."""
    found = {}
    for day, act in zip(DAYS, story(), strict=True):
        with at(day):
            act()
        with evening(day):
            found[day] = said(person("manager"))
    return found


def test_a_past_day_is_told_as_it_was_that_evening(evenings: dict[dt.date, Said]) -> None:
    manager = person("manager")
    for day, then in evenings.items():
        now = said(manager, as_of=day.isoformat())
        for key in REPORTS:
            for name, rows in then[key].items():
                assert now[key][name] == rows, (day, key, name)
    assert len({str(one) for one in evenings.values()}) == len(DAYS)  # something moved on each of the days


def test_the_story_moves_what_it_is_to_move(evenings: dict[dt.date, Said]) -> None:
    """Beside the reports' own word: the figures of some evenings, counted by hand."""

    def states(day: dt.date) -> dict[str, int]:
        return {row["label"]: row["count"] for row in evenings[day]["orders"]["by_state"]}

    price = Decimal(line()["unit_price"])
    assert states(DAYS[0]) == {"Draft": 1, "Placed": 1, "In production": 1}
    assert states(DAYS[2]) == {"Placed": 1, "In production": 1, "Cancelled": 1}
    sold = {day: sum(Decimal(row["net"]) for row in evenings[day]["sales"]["by_month"]) for day in DAYS}
    assert sold == {DAYS[0]: 12 * price, DAYS[1]: 15 * price, **dict.fromkeys(DAYS[2:], 12 * price)}
    promised = [
        {name: sum(row[name] for row in evenings[day]["delivery"]["on_time"]) for name in ("late", "overdue")}
        for day in DAYS
    ]
    assert promised == [
        {"late": 0, "overdue": 0}, {"late": 0, "overdue": 0}, {"late": 0, "overdue": 0}, {"late": 1, "overdue": 1},
        {"late": 1, "overdue": 1},
    ]  # fmt: skip
    assert [row["days"] for day in DAYS[3:] for row in evenings[day]["delivery"]["late"]] == [1, 2]
    asked = [{row["label"]: row["count"] for row in evenings[day]["changes"]["by_state"]} for day in DAYS[:2]]
    assert asked == [{"Submitted": 2}, {"Applied": 1, "Refused": 1}]


def test_behind_a_past_figure_are_its_documents_of_that_day(evenings: dict[dt.date, Said], client_of: Any) -> None:
    manager = person("manager")
    client = client_of(manager)
    seen = 0
    for day in (DAYS[0], DAYS[3]):
        for key in REPORTS:
            made = compute_report(key, {"as_of": day.isoformat()}, user=manager)["sections"]
            for section in (one for one in report_by_key(key).sections if one.group and one.key in made):
                for row in made[section.key]["rows"]:
                    page = client.get(row["link"])
                    assert page.status_code == 200, row["link"]
                    ((_currency, cells),) = page.context["sums"]
                    for column, value in cells:
                        assert Decimal(value or 0).quantize(Decimal("0.01")) == Decimal(row[column.key] or 0)
                    documents = page.context["page"].rows
                    for column in page.context["columns"]:
                        if column.kind == "amount" and column.key in row:
                            assert sum(column.raw(one) for one in documents) == Decimal(row[column.key])
                    seen += 1
    assert seen > 40
    assert evenings


def test_what_can_t_be_told_of_the_past_is_left_out(evenings: dict[dt.date, Said], client_of: Any) -> None:
    manager, day = person("manager"), DAYS[1].isoformat()
    now, then = (compute_report("sales", one, user=manager)["sections"] for one in ({}, {"as_of": day}))
    assert {*now} - {*then} == {"discounts", "by_group", "by_category", "by_product", "by_customer"}
    assert {one["source"] for one in then.values()} == {"documents"}
    client = client_of(manager)
    behind = now["by_category"]["rows"][0]["link"]
    assert client.get(behind).status_code == 200
    assert client.get(f"{behind}&as_of={day}").status_code == 404
    listed = client.get(then["by_year"]["rows"][0]["link"])
    assert not {"invoiced", "paid"} & {one.key for one in listed.context["columns"]}
    assert evenings
    section = next(one for one in report_by_key("sales").sections if one.key == "by_month")
    assert summed_rows("sales", section, manager, {"as_of": DAYS[1]}) is None


@pytest.mark.parametrize(
    ("key", "params", "sentence"),
    [
        ("sales", {"as_of": "2999-01-01"}, "yet to come"),
        ("sales", {"as_of": "2025-03-03", "category": "Pumps"}, "can't be told by category"),
    ],
)
def test_a_day_that_makes_no_sense(key: str, params: dict[str, str], sentence: str, manager: Any) -> None:
    with pytest.raises(ValueError, match=sentence):
        compute_report(key, params, user=manager)


def test_what_was_imported_belongs_to_its_own_past(manager: Any) -> None:
    """It counts from its order date on, as its source left it, though it came into the books later."""
    old = import_order(
        customer=customer_a(), state="accepted", lines=[line(supply="make")], actor=person("manager"), source_key="x:1",
        order_date=dt.date(2024, 5, 6), promised_date=dt.date(2024, 5, 20), arrived_on=dt.date(2024, 5, 22),
        owner=person("sales"),
    )  # fmt: skip
    assert said(manager, as_of="2024-05-05")["sales"]["by_month"] == []
    (row,) = said(manager, as_of="2024-05-06")["sales"]["by_month"]
    assert Decimal(row["net"]) == old.net_total
    found = {}
    for day in ("2024-05-20", "2024-05-21", "2024-05-22"):
        (row,) = said(manager, as_of=day)["delivery"]["on_time"]
        found[day] = [name for name in ("in_time", "late", "overdue", "coming", "unknown") if row[name]]
    assert found == {"2024-05-20": ["coming"], "2024-05-21": ["overdue"], "2024-05-22": ["late"]}
