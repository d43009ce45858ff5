"""A form sent twice is one deed, and a page that was opened before somebody else's change does not undo it."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from fulfilment.models import (
    Acceptance,
    AgreedCriterion,
    CapacityBooking,
    GoodsReturn,
    Milestone,
    Production,
    Rectification,
    Replacement,
    Risk,
    Shipment,
)
from fulfilment.services import (
    LineResult,
    add_milestone,
    add_risk,
    change_milestone,
    complete_rectification,
    record_acceptance,
    report_production,
    review_risk,
    start_rectification,
    take_back_production,
    waive_acceptance,
)
from ordermgmt.activity.models import SentForm
from ordermgmt.company.services import business_today
from ordermgmt.lib.conflict import StaleVersion
from orders.models import Order
from tests.factories import capacity
from tests.factories.fulfilment import examine, fresh, ship
from tests.factories.orders import line, person, started
from tests.factories.staff import on

pytestmark = pytest.mark.django_db


@pytest.fixture
def order() -> Order:
    return started()


def twice(client: Client, url: str, data: dict[str, Any]) -> str:
    """Sends one sheet of a form twice; gives its key."""
    key = str(client.get(url).context["form"]["key"].value())
    for _time in range(2):
        assert client.post(url, data | {"key": key}).status_code == 302
    return key


def risk_fields(**fields: Any) -> dict[str, Any]:
    given = {"title": "Frost", "category_id": "weather", "probability": 2, "impact": 2, "owner": person("pm")}
    return given | {"review_on": business_today()} | fields


class TestTwice:
    def test_hours_are_booked_once(self, client_of: Any, pm: Any, order: Order) -> None:
        url = f"/fulfilment/orders/{order.number}/capacity/do/book/"
        data = {"work_centre": capacity.centre().pk, "hours": "2", "first": str(on(0)), "last": str(on(0))}
        twice(client_of(pm), url, data)
        assert CapacityBooking.objects.get().minutes == 120
        twice(client_of(pm), url, data)  # another sheet books again
        assert CapacityBooking.objects.count() == 2

    def test_a_risk_is_noted_once(self, client_of: Any, pm: Any, order: Order) -> None:
        data = {"title": "Frost", "category": "weather", "probability": "2", "impact": "2", "owner": str(pm.pk)}
        url = f"/fulfilment/orders/{order.number}/risks/do/add_risk/"
        twice(client_of(pm), url, data | {"review_on": str(business_today())})
        assert Risk.objects.get().title == "Frost"

    def test_a_criterion_is_agreed_once(self, client_of: Any, pm: Any, order: Order) -> None:
        key = twice(client_of(pm), f"/orders/{order.number}/do/add_criterion/", {"title": "Width"})
        assert AgreedCriterion.objects.get().title == "Width"
        assert SentForm.objects.get().key.endswith(key)


class TestLate:
    def test_an_older_page_does_not_undo_a_change_of_a_milestone(self, client_of: Any, pm: Any, order: Order) -> None:
        one = add_milestone(order, code="M1", name="Steel", forecast=on(0), actor=pm)
        url = f"/fulfilment/milestones/{one.pk}/do/change/"
        client = client_of(pm)
        page = client.get(url).content.decode()
        assert 'name="version" value="1"' in page
        change_milestone(one, code="M1", name="Steel", owner=person("warehouse"), actor=pm)
        late = {"code": "M1", "name": "Steel here", "kind": "work", "weight": "1", "owner": "", "version": "1"}
        assert client.post(url, late).status_code == 409
        kept = Milestone.objects.get()
        assert (kept.name, kept.owner, kept.version) == ("Steel", person("warehouse"), 2)
        assert client.post(url, late | {"version": "2"}).status_code == 302
        with pytest.raises(StaleVersion):
            change_milestone(one, name="Steel", version=2, actor=pm)

    def test_an_older_page_does_not_undo_a_review(self, client_of: Any, pm: Any, order: Order) -> None:
        risk = add_risk(order, actor=pm, **risk_fields())
        url, client = f"/fulfilment/risks/{risk.pk}/do/review/", client_of(pm)
        assert 'name="version" value="1"' in client.get(url).content.decode()
        review_risk(risk, actor=pm, owner=person("pm2"))
        late = {"title": "Frost", "category": "weather", "probability": "3", "impact": "2", "owner": str(pm.pk)}
        late |= {"review_on": str(business_today()), "version": "1"}
        assert client.post(url, late).status_code == 409
        assert Risk.objects.get().owner == person("pm2")
        with pytest.raises(StaleVersion):
            review_risk(risk, actor=pm, probability=4, version=1)


class TestKeys:
    """A key that a browser sends is none of those that the verbs make themselves."""

    def test_of_a_shipment_is_not_that_of_a_replacement(self, pm: Any) -> None:
        order = started(line(quantity=3))
        ship(order, key="first")
        examine(order, 1)
        task = Rectification.objects.get()
        ship(started(line(quantity=1)), key=f"rectification:{task.pk}")
        start_rectification(task, remedy="replace", owner=pm, due=business_today(), actor=pm)
        complete_rectification(task, result="sent", actor=pm)
        assert Replacement.objects.get().shipment.order == order

    def test_of_an_acceptance_is_not_that_of_a_waiver(self, pm: Any, manager: Any) -> None:
        order = started(line(quantity=3))
        ship(order)
        order = fresh(order)
        results = [LineResult(order.order_lines[0].pk, Decimal(1))]
        record_acceptance(
            order, results=results, signed_by="W", evidence="n", key=f"waived:{order.pk}:{order.version + 1}", actor=pm
        )
        waive_acceptance(order, reason="known", actor=manager)
        assert fresh(order).state == "accepted"

    def test_of_a_report_is_not_that_of_taking_it_back(self, pm: Any) -> None:
        order = started(line(quantity=3, supply="make"))
        first = report_production(order.order_lines[0], quantity=Decimal(1), key="a", actor=pm)
        report_production(order.order_lines[0], quantity=Decimal(1), key=f"reverses:{first.pk}", actor=pm)
        take_back_production(first, reason="counted twice", actor=pm)
        assert fresh(order).order_lines[0].qty_produced == 1

    def test_of_another_order_is_another_deed(self, client_of: Any, pm: Any, warehouse: Any) -> None:
        """A browser may send what it likes: the database does not answer with a fault."""
        orders, today = [started(line(quantity=2, supply="make")) for _n in range(2)], str(business_today())
        for path, who, form in (
            ("/fulfilment/lines/{line}/do/report_made/", pm, {"quantity": "1", "on": today}),
            ("/orders/{number}/do/ship/", warehouse, {"quantity_{line}": "2", "inspected": "on"}),
            ("/orders/{number}/do/return_goods/", warehouse, {"scrap_{line}": "1", "reason": "dented", "on": today}),
            (
                "/orders/{number}/do/record_acceptance/",
                pm,
                {"accepted_{line}": "1", "signed_by": "W", "evidence": "n", "on": today},
            ),
        ):
            for order in orders:
                names = {"line": order.order_lines[0].pk, "number": order.number}
                sent = {name.format(**names): value for name, value in form.items()}
                assert client_of(who).post(path.format(**names), sent | {"key": "same"}).status_code == 302, path
        for model in (Production, Shipment, GoodsReturn, Acceptance):
            assert model.objects.filter(key__endswith=":same").count() == 2
