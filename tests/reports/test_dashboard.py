"""Dashboards: the reports' own figures, kept per scope, never what one may not see, made once, made anew."""

import datetime as dt
import json
import re
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from fulfilment.models import Risk
from ordermgmt.accounts.models import User
from ordermgmt.activity.models import Job
from ordermgmt.activity.services import work_off
from ordermgmt.company.services import business_today
from ordermgmt.navigation import navigation
from orders.models import Order
from reports import services
from reports.models import DashboardFigures, ReportRun
from reports.services import dashboard_figures
from tests.factories.changes import applied, more
from tests.factories.orders import customer_b, line, person, placed, started

pytestmark = pytest.mark.django_db
PAGE, REFRESH = "/reports/dashboard/", "/reports/dashboard/refresh/"
ROLES = ["manager", "finance", "sales", "pm", "warehouse"]


@pytest.fixture
def book(db: None) -> Order:
    """An order whose margin fell, and one of another department."""
    order = started(line(quantity=5), line("SKU-1", 90, supply="make"))
    applied(order, more(order, 8))
    Risk.objects.create(
        order=order, title="Storm", owner=person("pm"), review_on=dt.date(2026, 1, 1), state="happened",
        outcome="It came.", cost=Decimal(5500),
    )  # fmt: skip
    placed(line(quantity=7, supply="make"), customer=customer_b(), actor=person("sales2"))
    return Order.objects.get(pk=order.pk)


def made(key: str, client: Any) -> dict[str, Any]:
    """The dashboard, asked for at its page and made by the worker."""
    assert client.post(REFRESH, {"show": key}).status_code == 302
    work_off()
    row = DashboardFigures.objects.get(dashboard=key, reader=person(key))
    data: dict[str, Any] = row.data
    return data


@pytest.mark.usefixtures("book")
@pytest.mark.parametrize("key", ROLES)
def test_each_role_has_its_figures_with_tables_and_links(key: str, client_of: Any) -> None:
    client = client_of(person(key))
    first = client.get(PAGE).content.decode()
    assert "has asked for these figures yet" in first
    assert not DashboardFigures.objects.exists()  # looking writes nothing
    data = made(key, client)
    page = client.get(PAGE).content.decode()
    assert page.count("<table") == sum(1 for tile in data["tiles"] if tile["rows"] or tile["kind"] == "figure")
    assert page.count("<canvas") == sum(1 for tile in data["tiles"] if tile["kind"] == "chart" and tile["rows"])
    assert len(data["tiles"]) >= 3
    for address in set(re.findall(r'<td[^>]*><a href="([^"]+)"', page)):
        assert client.get(address.replace("&amp;", "&")).status_code == 200, address


def test_a_figure_is_the_report_s_and_leads_to_its_documents(book: Order, client_of: Any) -> None:
    manager = person("manager")
    client = client_of(manager)
    tiles = {
        (tile["section"], tile["value"]): tile
        for tile in [t | {"section": t["key"]} for t in made("manager", client)["tiles"]]
    }
    figure = tiles["by_month", "net"]["figures"][0]
    assert Decimal(figure["now"]) == book.net_total  # of the manager's department alone
    assert [Decimal(one) for one in figure["line"]][-1] == book.net_total
    listed = client.get(figure["link"]).content.decode()
    assert book.number in listed
    assert Order.objects.exclude(pk=book.pk).filter(state="placed").get().number not in listed
    report = services.compute_report("sales", tiles["by_month", "net"]["raw"], user=manager)
    assert report["sections"]["by_month"]["totals"][0]["net"] == figure["now"]
    lost = tiles["by_order", "difference"]
    assert lost["rows"][0]["number"] == book.number
    assert all(Decimal(row["difference"]) < 0 for row in lost["rows"])
    assert lost["more"] == 0


@pytest.mark.usefixtures("book")
def test_cost_and_margin_are_not_in_what_is_kept_for_those_who_may_not_see_them(client_of: Any) -> None:
    for key in ("sales", "warehouse"):
        text = json.dumps(made(key, client_of(person(key))))
        assert "margin" not in text
        assert '"cost"' not in text
    text = json.dumps(made("warehouse", client_of(person("warehouse"))))
    assert '"net"' not in text
    assert '"amount"' not in text


@pytest.mark.usefixtures("book")
def test_a_right_that_is_lost_closes_the_figures_at_once(client_of: Any) -> None:
    finance = person("finance")
    made("finance", client_of(finance))
    finance.role_assignments.update(role="sales")
    page = client_of(User.objects.get(pk=finance.pk)).get(PAGE).content.decode()
    assert "has asked for these figures yet" in page
    row = DashboardFigures.objects.get()
    assert services.fill_figures(row.pk)  # the worker finds that nobody may see it so any more
    assert not DashboardFigures.objects.exists()
    assert client_of(finance).get(f"{PAGE}?show=finance").status_code == 404


@pytest.mark.usefixtures("book")
def test_two_who_see_the_same_share_the_figures_and_asking_twice_is_once(client_of: Any) -> None:
    for key in ("finance", "finance2", "finance"):
        assert client_of(person(key)).post(REFRESH).status_code == 302
    assert DashboardFigures.objects.count() == 1
    assert Job.objects.filter(kind="reports.dashboard").count() == 1
    work_off()
    assert b"Figures of" in client_of(person("finance2")).get(PAGE).content
    client_of(person("finance2")).post(REFRESH)
    assert Job.objects.filter(kind="reports.dashboard").count() == 2


@pytest.mark.usefixtures("book")
def test_the_worker_makes_old_ones_anew_and_one_worker_at_a_time(client_of: Any) -> None:
    made("finance", client_of(person("finance")))
    assert services.refresh_figures() == 0  # young
    old = timezone.now() - dt.timedelta(minutes=20)
    DashboardFigures.objects.update(made_at=old)
    row = DashboardFigures.objects.get()
    assert DashboardFigures.objects.claim(row.pk, seconds=60)
    assert services.refresh_figures() == 0  # another worker is at it
    DashboardFigures.objects.update(claimed_until=old)  # and was killed
    assert services.refresh_figures() == 1
    row.refresh_from_db()
    assert row.made_at > old
    assert row.claimed_until is None


def test_who_may_not_see_any(client_of: Any) -> None:
    admin = client_of(person("admin"))
    assert admin.get(PAGE).status_code == 403
    assert admin.post(REFRESH).status_code == 403
    client = client_of(person("sales"))
    assert client.get(REFRESH).status_code == 405
    assert client.get(f"{PAGE}?show=finance").status_code == 404
    assert client.post(REFRESH, {"show": "nothing"}).status_code == 404


def test_the_queries_of_the_page_are_few_and_do_not_grow(
    book: Order, client_of: Any, django_assert_max_num_queries: Any
) -> None:
    client = client_of(person("manager"))
    made("manager", client)
    with django_assert_max_num_queries(14):
        client.get(PAGE)


def test_managers_find_it_first(rf: Any) -> None:
    for key, place in (("manager", 0), ("finance", None)):
        request = rf.get("/")
        request.user = person(key)
        urls = [entry["url"] for entry in navigation(request)["navigation"]]
        assert (urls[0] == PAGE) is (place == 0)
        assert PAGE in urls


def test_a_month_without_orders_is_nothing_and_not_missing(db: None) -> None:
    section = {"label_key": "month", "rows": [{"month": "2000-01", "currency": "EUR", "net": "5"}]}
    (found,) = dashboard_figures._figures(section, "net")
    assert found["now"] == "0"
    assert found["change"] == ""
    assert len(found["line"]) == 13
    assert business_today()


def test_the_margin_of_an_order_is_explained_with_its_documents(book: Order, client_of: Any) -> None:
    row, parts = services.variance_of(book, person("manager")) or ({}, [])
    assert sum(part.amount for part in parts) == row["difference"]
    page = client_of(person("manager")).get(book.get_absolute_url()).content.decode()
    assert 'id="margin"' in page
    change = next(part for part in parts if part.key == "changes").documents[0]
    assert f'href="{change[1]}"' in page
    for key in ("sales", "warehouse"):
        assert 'id="margin"' not in client_of(person(key)).get(book.get_absolute_url()).content.decode()
    assert not ReportRun.objects.exists()
