"""The orders that need an eye: who is on which list, with the reason, at the same cost for one and for many."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from fulfilment.services import add_milestone, add_risk, reach_milestone
from ordermgmt.company.services import business_today
from orders.services import hold_order
from tests.factories.fulfilment import ship
from tests.factories.orders import customer_b, line, person, placed, started

pytestmark = pytest.mark.django_db
WATCH = "/fulfilment/watch/"


def day(days):
    return business_today() + dt.timedelta(days=days)


def text(answer):
    assert answer.status_code == 200
    return answer.content.decode()


def step(order, code, days, **fields):
    return add_milestone(order, code=code, name=f"Step {code}", forecast=day(days), actor=person("pm"), **fields)


def make():
    return started(line(supply="make"))


def test_each_list_has_its_orders_and_says_why(client_of, pm):
    late = started(line(supply="make"), order_date=day(-30), promised_date=day(-3))
    held, risky, slipping, bare = (make() for _ in range(4))
    hold_order(held, reason="no drawings", actor=pm)
    add_risk(risky, title="Steel price", owner=pm, probability=5, impact=4, review_on=day(0), actor=pm)
    step(slipping, "M9", 20)
    waiting = make()
    ship(waiting)
    material = make()
    drawings = step(material, "A", 1)
    step(material, "S", 5, kind="material", before=[drawings])
    client = client_of(pm)
    wanted = {
        "late": (late, "3 days late"), "blocked": (held, "on hold: no drawings"), "risk": (risky, "high risk: Steel price"),
        "waiting": (waiting, "acceptance is open"),
    }  # fmt: skip
    for show, (order, why) in wanted.items():
        page = text(client.get(f"{WATCH}?show={show}"))
        assert order.number in page
        assert why in page
        assert bare.number not in page
    assert "M9 Step M9 is planned after the promise" in text(client.get(f"{WATCH}?show=risk"))
    assert material.number not in text(client.get(f"{WATCH}?show=material"))
    reach_milestone(drawings, actual=day(0), actor=pm)
    assert "waits for material: S Step S" in text(client.get(f"{WATCH}?show=material"))
    assert material.number in text(client.get("/fulfilment/board/?show=material"))
    assert bare.number in text(client.get(f"{WATCH}?show=mine"))
    assert late.number in text(client.get(f"{WATCH}?show=nonsense"))
    exported = b"".join(client.get(f"{WATCH}?show=late&export=csv").streaming_content).decode()
    assert late.number in exported
    assert "3 days late" in exported


def test_the_start_page_of_a_manager_and_a_project_manager(client_of, pm, manager, sales):
    order = make()
    step(order, "S", 5, kind="material")
    add_risk(order, title="Steel price", owner=pm, probability=5, impact=4, review_on=day(0), actor=pm)
    for reader in (pm, manager):
        page = text(client_of(reader).get("/"))
        assert "waits for material: S Step S" in page
        assert "high risk: Steel price" in page
    assert "high risk: Steel price" not in text(client_of(sales).get("/"))


def test_only_what_one_sees_and_not_without_the_right(client_of, sales, admin):
    foreign = placed(customer=customer_b(), actor=person("sales2"))
    hold_order(foreign, reason="x", actor=person("pm"))
    assert foreign.number not in text(client_of(sales).get(f"{WATCH}?show=blocked"))
    assert client_of(admin).get(WATCH).status_code == 403


def test_it_costs_the_same_for_one_and_for_many(client_of, pm):
    client = client_of(pm)

    def cost(url):
        client.get(url)
        with CaptureQueriesContext(connection) as seen:
            text(client.get(url))
        return len(seen)

    def one():
        order = make()
        step(order, "S", 40, kind="material")
        add_risk(order, title="x", owner=pm, probability=5, impact=4, review_on=day(0), actor=pm)

    one()
    urls = [f"{WATCH}?show=risk", f"{WATCH}?show=material", "/", "/fulfilment/board/?show=risk"]
    few = [cost(url) for url in urls]
    for _ in range(5):
        one()
    assert [cost(url) for url in urls] == few
