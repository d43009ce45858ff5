"""The risks of an order: noted, reviewed when due, and what they cost when they happen."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from fulfilment.models import Risk
from fulfilment.services import add_risk, close_risk, realise_risk, review_risk
from ordermgmt.activity.models import Event
from ordermgmt.company.services import business_today
from ordermgmt.lib.fsm import TransitionRefused
from ordermgmt.lib.invariants import violations
from tests.factories.orders import cancelled, customer_b, person, started

pytestmark = pytest.mark.django_db


def note(order, actor="pm", **fields):
    fields = {"title": "Steel comes late", "owner": person("pm"), "review_on": business_today()} | fields
    return add_risk(order, actor=person(actor), **fields)


@pytest.fixture
def order():
    return started()


class TestServices:
    def test_noted_reviewed_and_happened(self, order):
        risk = note(order, probability=4, impact=5)
        assert risk.score == 20
        later = business_today() + dt.timedelta(days=9)
        assert list(Risk.objects.to_review(business_today())) == [risk]
        review_risk(risk, probability=2, review_on=later, actor=person("pm"))
        assert not Risk.objects.to_review(business_today()).exists()
        assert Risk.objects.open().heat() == {(2, 5): 1}
        done = realise_risk(risk, outcome="mill burnt", days=12, cost=Decimal("850.50"), actor=person("pm"))
        assert (done.state, done.days, done.cost) == ("happened", 12, Decimal("850.50"))
        event = Event.objects.filter(type="fulfilment.risk_happened").get()
        assert "850" not in str(event.data)
        assert list(violations(["A3"])) == []
        assert Risk.objects.open().heat() == {}

    def test_it_ends_once(self, order):
        risk = close_risk(note(order), outcome="arrived", actor=person("pm"))
        for again in (
            lambda: close_risk(risk, outcome="x", actor=person("pm")),
            lambda: realise_risk(risk, outcome="x", actor=person("pm")),
            lambda: review_risk(risk, probability=1, actor=person("pm")),
        ):
            with pytest.raises(TransitionRefused):
                again()
        with pytest.raises(DatabaseError), transaction.atomic():
            Risk.objects.filter(pk=risk.pk).update(state="open")

    @pytest.mark.parametrize(
        "fields",
        [
            {"probability": 6},
            {"impact": 0},
            {"title": ""},
            {"review_on": dt.date(2000, 1, 1)},
            {"mitigation_due": dt.date(2099, 1, 1)},
        ],
    )
    def test_bad_input_writes_nothing(self, order, fields):
        with pytest.raises(ValidationError):
            note(order, **fields)
        assert not Risk.objects.exists()

    def test_outcome_and_cost_are_checked(self, order):
        risk = note(order)
        with pytest.raises(ValidationError):
            close_risk(risk, outcome=" ", actor=person("pm"))
        with pytest.raises(ValidationError):
            realise_risk(risk, outcome="x", cost=Decimal(-1), actor=person("pm"))
        assert Risk.objects.get().state == "open"

    def test_who_may_not_and_a_finished_order(self, order):
        with pytest.raises(PermissionDenied):
            note(order, actor="sales")
        with pytest.raises(TransitionRefused, match="finished"):
            note(cancelled())


class TestPages:
    def test_noted_and_ended_through_the_pages(self, client_of, pm, order):
        client, url = client_of(pm), f"/fulfilment/orders/{order.number}/risks/do/add_risk/"
        form = {
            "title": "<b>Frost", "category": "weather", "probability": "5", "impact": "4", "owner": str(pm.pk),
            "review_on": str(business_today()),
        }  # fmt: skip
        assert client.get(url).status_code == 200
        assert not Risk.objects.exists()
        assert client.post(url, form | {"probability": "7"}).status_code == 422
        assert client.post(url, form).status_code == 302
        risk = Risk.objects.get()
        page = client.get("/").content.decode()
        assert "&lt;b&gt;Frost" in page
        assert "<b>Frost" not in page
        listed = client.get("/fulfilment/risks/?probability=5&impact=4&review=due&mine=yes&q=frost").content.decode()
        assert "&lt;b&gt;Frost" in listed
        assert "?state=open&amp;probability=5&amp;impact=4" in listed
        address = f"/fulfilment/risks/{risk.pk}/do"
        assert client.get(f"{address}/review/").status_code == 200
        assert client.post(f"{address}/realise/", {"outcome": "froze", "days": "3", "cost": "77.70"}).status_code == 302
        assert client.post(f"{address}/close/", {"outcome": "x"}).status_code == 409
        assert "77.70" in client.get(order.get_absolute_url()).content.decode()

    def test_rights_and_the_hidden_cost(self, client_of, sales, sales2, warehouse, order):
        risk = realise_risk(note(order), outcome="late", cost=Decimal("8765.43"), actor=person("pm"))
        foreign = note(started(customer=customer_b(), actor=sales2), title="Other people's")
        for client in (client_of(sales), client_of(warehouse)):
            page = client.get(order.get_absolute_url()).content.decode()
            assert "Steel comes late" in page
            assert "8765" not in page.replace(",", "")
        client = client_of(sales)
        assert client.post(f"/fulfilment/risks/{risk.pk}/do/close/", {}).status_code == 403
        assert client.get(f"/fulfilment/risks/{foreign.pk}/do/close/").status_code == 404
        assert "Other people" not in client.get("/fulfilment/risks/").content.decode()

    def test_queries_do_not_grow(self, client_of, pm, order):
        client = client_of(pm)
        note(order)
        for url in ("/fulfilment/risks/", order.get_absolute_url()):
            client.get(url)
            with CaptureQueriesContext(connection) as few:
                client.get(url)
            for place in range(12):
                note(order, title=f"Risk {place}")
            with CaptureQueriesContext(connection) as many:
                assert client.get(url).status_code == 200
            assert len(many) == len(few), url
