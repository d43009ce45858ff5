"""The start page as a work queue: every role finds its own work there, nobody somebody else's, at a fixed cost."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from fulfilment.services import add_milestone, add_risk
from inventory.services import confirm_purchase
from ordermgmt.accounts.models import User
from ordermgmt.activity.models import Job
from ordermgmt.company.services import business_today
from orders.services import ask_approval
from tests.factories import billing
from tests.factories.orders import draft, line, person, placed, shipped, started
from tests.factories.purchases import ordered

pytestmark = pytest.mark.django_db


def boxes(client):
    """The titles of the boxes of the start page."""
    answer = client.get("/")
    assert answer.status_code == 200
    return {panel.name for panel, _context in answer.context["boxes"]}, answer.content.decode()


def work():
    """One piece of work for everybody."""
    draft(actor=person("sales"))
    asked = draft(line(quantity=1, discount_percent=40), actor=person("sales"))
    ask_approval(asked, reason="old customer", actor=person("sales"))
    yesterday = business_today() - dt.timedelta(days=1)
    started(line(supply="make"), order_date=yesterday, promised_date=yesterday)
    running = started(line(supply="make"))
    day = business_today()
    add_milestone(running, code="M1", name="Drawings", forecast=day, owner=person("pm"), actor=person("pm"))
    add_risk(running, title="Frost", owner=person("pm"), probability=5, impact=5, review_on=day, actor=person("pm"))
    placed(line(supply="make"))
    shipped()
    arriving = ordered(10)
    confirm_purchase(arriving, dates={arriving.lines.get().pk: day}, actor=person("pm"))
    billing.drafted()
    Job.objects.create(kind="orders.export", title="Export", state="failed", error="no space")
    User.objects.create(email=f"new{User.objects.count()}@example.com", name="Nora New")


QUEUES = {
    "sales": {"orders-drafts", "orders-late"},
    "sales_manager": {"orders-late"},
    "pm": {"orders-to-start", "milestones", "risk-reviews", "to-accept", "watch-risk", "orders-late"},
    "warehouse": {"to-ship", "arriving"},
    "finance": {"orders-approval", "billing"},
    "finance_manager": {"orders-approval", "billing"},
    "manager": {"orders-approval", "watch-risk", "orders-late"},
    "admin": {"failed-work", "joining"},
}


@pytest.mark.parametrize("role", QUEUES)
def test_every_role_finds_its_work(client_of, role):
    client = client_of(person(role))
    before, page = boxes(client)
    assert not (QUEUES[role] - {"billing"}) & before, "nothing waits: no box"
    assert before or "Nothing waits for you." in page
    work()
    found, _page = boxes(client)
    assert QUEUES[role] <= found
    others = set().union(*QUEUES.values()) - QUEUES[role]
    if role == "admin":
        assert not others & found, "administrators have no orders to see to"
    if role == "warehouse":
        assert not {"orders-drafts", "orders-approval", "billing", "risk-reviews"} & found
    with CaptureQueriesContext(connection) as few:
        client.get("/")
    work()
    with CaptureQueriesContext(connection) as many:
        client.get("/")
    assert len(many) == len(few)


def test_the_warehouse_ships_goods_and_no_services(client_of):
    goods, service = started(line(supply="make")), started(line("SVC-1"))
    assert service.kind == "service"
    _boxes, page = boxes(client_of(person("warehouse")))
    assert f"/fulfilment/orders/{goods.number}/ship/" in page
    assert f"/fulfilment/orders/{service.number}/ship/" not in page
    assert f"/fulfilment/orders/{service.number}/ship/" in boxes(client_of(person("pm")))[1]
