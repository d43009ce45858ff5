"""The orders that need an eye: who is on which list, with the reason, at the same cost for one and for many."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from fulfilment.models import Risk
from fulfilment.services import (
    Wanted,
    add_milestone,
    add_risk,
    plan_needs,
    propose,
    purchase_needs_of,
    reach_milestone,
    realise_risk,
    resolve_risk,
)
from fulfilment.services.capacity import day_text
from ordermgmt.company.services import business_today
from orders.services import hold_order
from tests.factories.boms import conveyor
from tests.factories.fulfilment import ship
from tests.factories.orders import customer_b, line, person, placed, started
from tests.factories.purchases import offers, supplier

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


def test_a_risk_that_happened_is_a_reason_until_it_is_solved(client_of, pm):
    order = make()
    risk = add_risk(order, title="Steel price", owner=pm, probability=2, impact=2, review_on=day(0), actor=pm)
    client = client_of(pm)
    assert order.number not in text(client.get(f"{WATCH}?show=risk"))
    realise_risk(risk, outcome="it rose", due=day(5), days=10, actor=pm)
    page = text(client.get(f"{WATCH}?show=risk"))
    assert order.number in page
    assert "happened: Steel price, 10 days lost" in page
    resolve_risk(Risk.objects.get(), resolution="bought elsewhere", days=10, cost=0, actor=pm)
    assert order.number not in text(client.get(f"{WATCH}?show=risk"))


def test_a_delivery_after_the_promise_is_told_beside_the_material(client_of, pm):
    order = started(line(supply="make"), promised_date=day(10))
    steel = step(order, "S", 12, kind="material")
    step(order, "D", 20, kind="delivery", before=[steel])
    step(order, "X", 22, kind="acceptance")
    for show in ("risk", "material"):
        page = text(client_of(pm).get(f"{WATCH}?show={show}"))
        assert "waits for material: S Step S" in page
        assert "D Step D is planned after the promise" in page
        assert "X Step X" not in page


def test_material_that_comes_in_time_is_told_too(client_of, pm):
    goods, who = conveyor(), supplier()
    for name in ("steel", "motor", "round", "bolt"):
        offers(who, goods[name], 1, lead_days=3 if name == "steel" else 2)
    order = started(line("B-CONV", supply="make"), promised_date=day(30))
    plan_needs(order)
    wanted = [Wanted(one.product, who, one.missing, one.missing) for one in propose(pm, order) if one.offers]
    purchase_needs_of(wanted, order=order, actor=pm)
    page = text(client_of(pm).get(f"{WATCH}?show=material"))
    assert order.number in page
    assert f"4 materials are on order, the last for {day_text(day(3))}" in page


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
