"""Daily sums: the same as the documents, for everybody who sees them; dirty days; the nightly comparison; two workers."""

import datetime as dt
from decimal import Decimal
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection, connections
from django.db.models import QuerySet, Sum
from django.test.utils import CaptureQueriesContext

from billing.services import accept_charge, add_charge, set_exchange_rate
from fulfilment.models import Rectification, Risk, RiskCategory
from fulfilment.services import (
    Entry,
    add_risk,
    book_hours,
    realise_risk,
    resolve_risk,
    send_returned,
    set_cost_rate,
)
from inventory.models import ProductCategory
from inventory.services import edit_product
from ordermgmt.activity.services import work_off
from ordermgmt.company.services import business_today
from orders.models import Order
from orders.services import cancel_order, finish_order, note_accepted, note_shipped, reject_order
from reports import services
from reports.models import DaySum, DirtyDay, SumsCheck
from reports.services import compute_report, summed, summing
from tests.factories.changes import applied, more
from tests.factories.fulfilment import fresh
from tests.factories.inventory import make_product
from tests.factories.orders import customer_b, line, person, placed, started
from tests.factories.staff import assign, service_order, staff
from tests.fulfilment.test_return import answer, back, sent
from tests.reports.test_profit import priced_in, took

pytestmark = pytest.mark.django_db
SECTIONS = [
    ("sales", "by_year"), ("sales", "by_month"), ("sales", "discounts"), ("sales", "by_group"), ("sales", "by_category"),
    ("profit", "reasons"),
]  # fmt: skip


def current() -> None:
    """What the worker does in a minute."""
    work_off()
    services.refresh_sums()


@pytest.fixture
def book(db: None) -> list[Order]:
    """Orders of two teams in two months and two currencies, one changed, one cancelled; lines at discounts that leave
    something to round, of two categories of one group and of none."""
    group = ProductCategory.objects.create(name="Machines")
    pumps, valves = (ProductCategory.objects.create(name=name, parent=group) for name in ("Pumps", "Valves"))
    for sku, chosen in (("PUMP-1", pumps), ("VALVE-1", valves)):
        edit_product(make_product(sku, list_price=50, cost=30), category=chosen, actor=person("manager"))
    days = [dt.date(2025, 1, 5), dt.date(2025, 1, 5), dt.date(2025, 2, 7)]
    made = [placed(line("PUMP-1", 2, supply="make"), order_date=day) for day in days]
    made.append(placed(line(supply="make"), order_date=days[2], currency="USD"))
    rounded = line("VALVE-1", 3, supply="make", unit_price=Decimal("49.995"), discount_percent=Decimal("3.3"))
    made.append(placed(rounded, line(supply="make"), order_date=dt.date(2025, 2, 8)))
    made.append(placed(line(supply="make"), customer=customer_b(), actor=person("sales2"), order_date=days[0]))
    changed = started(line("PUMP-1", 5, supply="make"), order_date=dt.date(2025, 3, 1))
    applied(changed, more(changed, 8))
    gone = placed(line(supply="make"), order_date=days[0])
    cancel_order(gone, reason="Budget", actor=person("sales_manager"))
    return [*made, changed]


def finished(order: Order) -> None:
    """All of it is performed, as fulfilment reports it."""
    note_shipped(order, {one.pk: one.qty_to_ship for one in order.order_lines}, actor=person("warehouse"))
    finish_order(fresh(order), actor=person("warehouse"))


def in_order(rows: Any) -> list[dict[str, Any]]:
    """Categories of the same net stand in no order of their own."""
    found = list(rows)
    if found and "category" in found[0]:
        found.sort(key=lambda row: (-row["net"], row["category"], row["currency"]))
    return found


def by_documents(report: str, key: str, user: Any, params: dict[str, Any]) -> list[dict[str, Any]]:
    section = next(one for one in services.report_by_key(report).sections if one.key == key)
    kept = [column.key for column in section.columns_for(user)] + ["link"]
    return in_order({name: row[name] for name in kept if name in row} for row in section.rows(user, params))


def by_sums(report: str, key: str, user: Any, params: dict[str, Any]) -> list[dict[str, Any]] | None:
    section = next(one for one in services.report_by_key(report).sections if one.key == key)
    kept = [column.key for column in section.columns_for(user)] + ["link"]
    rows = summed.summed_rows(report, section, user, params)
    return None if rows is None else in_order({name: row[name] for name in kept if name in row} for row in rows)


@pytest.mark.usefixtures("book")
@pytest.mark.parametrize(("report", "key"), SECTIONS)
@pytest.mark.parametrize(
    "params",
    [{}, {"date_from": dt.date(2025, 1, 1), "date_to": dt.date(2025, 1, 31)}, {"currency": "USD"}, {"owner": "simon"}],
)
def test_the_sums_say_what_the_documents_say(report: str, key: str, params: dict[str, Any]) -> None:
    current()
    for who in ("finance", "manager", "sales", "sales2", "sales_manager"):
        user = person(who)
        if services.report_by_key(report).may_run(user):
            assert by_sums(report, key, user, params) == by_documents(report, key, user, params), who


@pytest.mark.usefixtures("book")
def test_who_sees_orders_by_other_things_reads_the_documents() -> None:
    current()
    for params, who in [({}, "pm"), ({"customer": "Nord"}, "finance"), ({"category": "Pumps"}, "finance")]:
        assert by_sums("sales", "by_year", person(who), params) is None


@pytest.mark.usefixtures("book")
def test_a_report_says_where_its_figures_are_from() -> None:
    finance = person("finance")
    before = compute_report("sales", {}, user=finance)["sections"]
    assert before["by_month"]["source"] == "documents"  # nobody has marked the days yet
    current()
    after = compute_report("sales", {}, user=finance)["sections"]
    assert (after["by_month"]["source"], after["by_customer"]["source"]) == ("sums", "documents")
    assert after["by_month"]["rows"] == before["by_month"]["rows"]
    assert (
        sum(Decimal(row["net"]) for row in after["by_month"]["rows"] if row["currency"] == "EUR")
        == (Order.objects.exclude(state="cancelled").filter(currency="EUR").aggregate(sum=Sum("net_total"))["sum"])
    )


def test_events_mark_the_days_and_a_change_is_in_the_next_report(book: list[Order]) -> None:
    current()
    order = book[0]
    cancel_order(order, reason="Budget", actor=person("sales_manager"))
    finance = person("finance")
    section = ("sales", "by_month", finance, {"date_to": dt.date(2025, 1, 31)})
    assert by_sums(*section) is None  # the event waits
    assert by_sums("sales", "by_month", finance, {"date_from": dt.date(2025, 2, 1)}) is None
    work_off()
    assert list(DirtyDay.objects.values_list("day", flat=True)) == [order.order_date]
    assert by_sums(*section) is None  # its day waits
    assert by_sums("sales", "by_month", finance, {"date_from": dt.date(2025, 2, 1)}) is not None
    assert services.refresh_sums() == 1
    assert by_sums(*section) == by_documents(*section)
    assert services.refresh_sums() == 0


def test_whatever_moves_a_margin_marks_the_day_of_its_order() -> None:
    today = business_today()
    order = service_order(order_date=today - dt.timedelta(days=20))
    job = assign(order, staff(), 8, today, today + dt.timedelta(days=6))
    risk = add_risk(
        order, title="Storm", category=RiskCategory.objects.earliest("pk"), probability=2, impact=2, owner=person("pm"), review_on=today,
        actor=person("pm"),
    )  # fmt: skip
    current()
    finance = person("finance")

    def moved() -> bool:
        """Whether the day waits to be made anew; it is made."""
        work_off()
        return services.refresh_sums() > 0

    assert not moved()
    book_hours(job.staff, entries=[Entry(job.pk, today, 60, 0)], actor=job.staff.user)
    assert moved()
    set_cost_rate(job.staff, valid_from=today, rate=Decimal(90), actor=person("manager"))
    assert moved()
    realise_risk(risk, outcome="It came.", days=1, cost=Decimal(5), due=today, actor=person("pm"))
    assert moved()
    resolve_risk(Risk.objects.get(pk=risk.pk), resolution="Done.", days=2, cost=Decimal(9), actor=person("pm"))
    assert moved()
    charge = add_charge(
        order,
        kind="charge",
        net=Decimal(50),
        tax_category="S",
        description="Crane",
        reason="agreed",
        key="c",
        actor=finance,
    )
    accept_charge(charge, decision="right", actor=person("finance2"))
    assert moved()


def test_whatever_moves_a_margin_marks_its_day(book: list[Order]) -> None:
    """A charge that is agreed, a risk that costs something when it happens and more when it is solved."""
    order, finance, pm = book[-1], person("finance"), person("pm")
    section = ("profit", "reasons", finance, {})
    fields = {"probability": 4, "impact": 5, "owner": pm, "review_on": business_today()}
    risk = add_risk(order, title="Storm", actor=pm, **fields)
    charge = add_charge(
        order, kind="penalty", net=Decimal("20.50"), tax_category="S", description="Late", reason="agreed", key="penalty",
        actor=finance,
    )  # fmt: skip
    current()
    acts = [
        lambda: accept_charge(charge, decision="as agreed", actor=person("finance2")),
        lambda: realise_risk(risk, outcome="It came.", days=3, cost=Decimal("55.10"), actor=pm),
        lambda: resolve_risk(risk, resolution="Dried.", days=4, cost=Decimal("60.20"), actor=pm),
    ]
    for act in acts:
        act()
        assert by_sums(*section) is None  # the event waits
        current()
        assert by_sums(*section) == by_documents(*section)
    assert services.check_sums().found == 0


def test_the_rate_of_a_currency_moves_the_material_that_it_converts() -> None:
    order = started(line("SKU-1", 5))
    took(order.lines.get(), priced_in("USD"), order.order_date, 11, "3.00", person("finance"))
    services.mark_all()
    current()
    assert services.check_sums().found == 0
    set_exchange_rate(currency="USD", day=order.order_date, rate=Decimal("0.8"), actor=person("finance"))
    current()
    assert services.check_sums().found == 0
    assert compute_report("profit", {}, user=person("finance"))["sections"]["reasons"]["rows"][0]["amount"] == "-24.00"


def test_what_came_back_and_is_sent_again_costs() -> None:
    order = sent()
    back(order, repair=1)
    answer("repair")
    current()
    again = Rectification.objects.latest("pk")
    send_returned(again, result="mended", cost=Decimal(12), actor=person("warehouse"))
    current()
    assert services.check_sums().found == 0
    assert compute_report("profit", {}, user=person("finance"))["sections"]["reasons"]["rows"][0]["amount"] == "-12.00"


def test_hours_that_were_saved_count_while_the_order_is_performed() -> None:
    """Rejected work is to be done again: what the hours stayed below the plan is not saved yet."""
    today = business_today()
    order = service_order(order_date=today - dt.timedelta(days=20))
    job = assign(order, staff(), 8, today, today + dt.timedelta(days=6))
    set_cost_rate(job.staff, valid_from=today, rate=Decimal(1), actor=person("manager"))
    book_hours(job.staff, entries=[Entry(job.pk, today, 60, 0)], actor=job.staff.user)
    finished(order)
    current()
    rows = compute_report("profit", {}, user=person("finance"))["sections"]["reasons"]["rows"]
    assert [row["reason"] for row in rows] == ["Hours beside the plan"]
    first = order.order_lines[0]
    note_accepted(order, {first.pk: (Decimal(0), first.quantity)}, actor=person("pm"))
    reject_order(fresh(order), actor=person("pm"))
    current()
    assert services.check_sums().found == 0
    assert compute_report("profit", {}, user=person("finance"))["sections"]["reasons"]["rows"] == []


def test_the_night_finds_what_nobody_marked_shows_it_and_mends_it(book: list[Order], client_of: Any) -> None:
    current()
    clean = services.check_sums()
    assert clean.found == 0
    assert clean.days > 30
    DaySum.objects.filter(day=book[2].order_date, kind="order", currency="EUR").update(net=1)
    check = services.check_sums()
    assert check.found == 1
    assert check.differences[0]["figure"] == "net"
    assert Decimal(check.differences[0]["documents"]) == book[2].net_total
    page = client_of(person("finance")).get("/reports/sums/").content.decode()
    assert "02/07/2025" in page or "2025-02-07" in page
    assert client_of(person("sales")).get("/reports/sums/").status_code == 403
    services.refresh_sums()
    assert services.check_sums().found == 0


def test_what_waits_is_no_difference(book: list[Order]) -> None:
    current()
    cancel_order(book[0], reason="Budget", actor=person("sales_manager"))
    assert services.check_sums().found == 0
    work_off()
    assert services.check_sums().found == 0
    assert SumsCheck.objects.count() == 2


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
class TestTwoWorkers:
    """Two workers make the same day anew while an order of it is cancelled."""

    def race(self, book: list[Order]) -> tuple[int, int]:
        """How many days both made together, and how many differences that leaves."""
        services.mark_days({one.order_date for one in book})
        barrier, made = Barrier(2), [0, 0]

        def work(place: int) -> None:
            try:
                barrier.wait()
                made[place] = services.refresh_sums()
            finally:
                connections.close_all()

        threads = [Thread(target=work, args=(place,)) for place in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sum(made), services.check_sums().found

    def test_each_day_is_made_once(self, book: list[Order], monkeypatch: Any) -> None:
        work_off()
        services.refresh_sums()
        days = len({one.order_date for one in book})
        assert [self.race(book) for _round in range(5)] == [(days, 0)] * 5
        real = QuerySet.select_for_update
        free = lambda self, **options: self if self.model is DirtyDay else real(self, **options)  # noqa: E731
        monkeypatch.setattr(QuerySet, "select_for_update", free)
        assert any(self.race(book) != (days, 0) for _round in range(20))  # the lock is what keeps them apart

    def test_a_mark_that_comes_meanwhile_stays(self, book: list[Order]) -> None:
        work_off()
        services.refresh_sums()
        day, marked = book[0].order_date, []
        services.mark_days([day])

        def mark() -> None:
            services.mark_days([day])
            marked.append(True)
            connections.close_all()

        thread = Thread(target=mark)
        real = summing.documents_of

        def slow(days: list[dt.date]) -> Any:
            found = real(days)
            thread.start()  # an order of the day was committed after it was counted
            thread.join(0.3)
            assert marked == []  # its mark waits for this transaction
            return found

        summing.documents_of = slow  # type: ignore[assignment]
        try:
            services.refresh_sums(most=1)
        finally:
            summing.documents_of = real
        thread.join()
        assert list(DirtyDay.objects.values_list("day", flat=True)) == [day]


def test_queries_do_not_grow_with_the_days(book: list[Order]) -> None:
    work_off()
    services.refresh_sums()
    counts = []
    for days in ([book[-1].order_date], [one.order_date for one in book]):
        services.mark_days(days)
        with CaptureQueriesContext(connection) as captured:
            services.refresh_sums()
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 24, counts
