"""The board of orders by state: what a column takes, what it says when it doesn't, and how cheaply it stays fresh."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from fulfilment.services import add_risk
from ordermgmt.company.services import business_today
from orders.services import hold_order
from tests.factories.fulfilment import examine, ship
from tests.factories.orders import customer_b, line, person, placed, started

pytestmark = pytest.mark.django_db
BOARD = "/fulfilment/board/"


def text(answer):
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_card_offers_only_the_steps_of_its_state_and_ones_rights(client_of, pm, sales):
    first, second = placed(line(supply="make")), started(line(supply="make", quantity=2))
    page = text(client_of(pm).get(BOARD))
    assert f"{second.number} → Shipped" in page
    assert f"{first.number} → In production" in page
    assert f"{first.number} → Shipped" not in page
    page = text(client_of(sales).get(BOARD))
    assert second.number in page
    assert "data-to" not in page
    ship(second)
    page = text(client_of(pm).get(BOARD))
    assert f"{second.number} → Accepted" in page
    examine(second, 1)
    assert f"{second.number} → Shipped" in text(client_of(pm).get(BOARD))


def test_a_column_that_refuses_says_why(client_of, pm, pm2, sales):
    order = started(line(supply="make"), customer=customer_b(), actor=person("sales2"))
    place = f"{BOARD}{order.number}/to"
    client = client_of(pm)
    for state, sentence in (("accepted", "no step from"), ("in_production", "there already")):
        answer = client.get(f"{place}/{state}/")
        assert answer.status_code == 409
        said = answer.content.decode()
        assert sentence in said
        assert order.number in said
        assert "It may go to: “Shipped”" in said
    assert client.get(f"{place}/shipped/").status_code == 204
    assert client.get(f"{place}/draft/").status_code == 400
    answer = client_of(person("sales2")).get(f"{place}/shipped/")
    assert "not among your rights" in answer.content.decode()
    for stranger in (pm2, sales):
        assert client_of(stranger).get(f"{place}/shipped/").status_code == 404
    assert client.post(f"{place}/shipped/").status_code == 405
    assert client.post(BOARD).status_code == 405


def test_selections(client_of, pm, admin):
    plain, held, risky = (started(line(supply="make")) for _one in range(3))
    hold_order(held, reason="credit", actor=pm)
    for order, probability in ((risky, 5), (plain, 2)):
        add_risk(
            order, title="Steel", owner=pm, probability=probability, impact=3, review_on=business_today(), actor=pm
        )
    client = client_of(pm)
    shown = {"blocked": {held}, "risk": {risky}, "mine": {plain, held, risky}, "late": set(), "waiting": set()}
    for selection, wanted in shown.items():
        page = text(client.get(f"{BOARD}?show={selection}"))
        assert {order for order in (plain, held, risky) if order.number in page} == wanted
    assert client.get(f"{BOARD}?show=other").status_code == 400
    assert client_of(admin).get(BOARD).status_code == 403


def test_nothing_new_costs_one_query_beside_the_session_and_no_card(client_of, pm):
    client = client_of(pm)
    started(line(supply="make"))
    mark = client.get(BOARD).headers["ETag"]
    with CaptureQueriesContext(connection) as seen:
        answer = client.get(BOARD, headers={"X-Board": "1", "If-None-Match": mark})
    assert answer.status_code == 304
    asked = [one["sql"] for one in seen if "activity_event" in one["sql"]]
    assert len(asked) == 1
    assert not [one["sql"] for one in seen if "orders_order" in one["sql"]]
    order = started(line(supply="make"))
    answer = client.get(BOARD, headers={"X-Board": "1", "If-None-Match": mark})
    assert order.number in text(answer)
    assert "<html" not in answer.content.decode()
    assert answer.headers["ETag"] != mark


def test_the_board_costs_the_same_for_one_and_for_many(client_of, pm):
    def cost():
        with CaptureQueriesContext(connection) as seen:
            text(client.get(BOARD))
        return len(seen)

    client = client_of(pm)
    started(line(supply="make"))
    client.get(BOARD)
    few = cost()
    for _number in range(6):
        started(line(supply="make"))
    assert cost() == few
