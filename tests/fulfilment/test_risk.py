"""The risks of an order: noted, reviewed when due, and what they cost when they happen."""

import datetime as dt
from decimal import Decimal
from threading import Barrier, Thread

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from changes.models import ChangeReason, ChangeRequest
from fulfilment.models import Risk, RiskCategory, RiskLevel, RiskScale
from fulfilment.services import (
    add_risk,
    close_left_risks,
    close_risk,
    mitigate_risk,
    realise_risk,
    remind_risks,
    resolve_risk,
    review_risk,
    save_risk_category,
)
from ordermgmt.accounts.models import User
from ordermgmt.activity.models import Event
from ordermgmt.company.services import business_today
from ordermgmt.lib.fsm import TransitionRefused
from ordermgmt.lib.invariants import violations
from orders.services import cancel_order
from tests.factories.orders import cancelled, customer_b, person, placed, started

pytestmark = pytest.mark.django_db


def scale(**changed):
    """The form of the scales as it was filled at first, but for what is named."""
    form = {"middle_from": 6, "high_from": 15, "version": 1}
    for one in RiskLevel.objects.all():
        form |= {f"{one.axis}_{one.value}": one.name, f"{one.axis}_{one.value}_zh": one.name_zh}
    return form | changed


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
        assert list(Risk.objects.to_solve()) == [done]
        done = resolve_risk(done, resolution="another mill", days=10, cost=Decimal("900"), actor=person("pm"))
        assert (done.state, done.days, done.cost) == ("resolved", 10, Decimal("900"))
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
            lambda: mitigate_risk(risk, probability=1, impact=1, actor=person("pm")),
            lambda: resolve_risk(risk, resolution="x", days=0, cost=Decimal(0), actor=person("pm")),
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
            {"category_id": "no such one"},
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
        with pytest.raises(ValidationError):
            realise_risk(risk, outcome="x", due=dt.date(2000, 1, 1), actor=person("pm"))
        assert Risk.objects.get().state == "open"
        realise_risk(risk, outcome="x", actor=person("pm"))
        with pytest.raises(ValidationError, match="solved"):
            resolve_risk(risk, resolution=" ", days=0, cost=Decimal(0), actor=person("pm"))
        with pytest.raises(DatabaseError), transaction.atomic():
            Risk.objects.filter(pk=risk.pk).update(resolution="by the way")

    def test_mitigation_is_done_once_and_asked_again_when_it_is_another(self, order):
        due = business_today()
        risk = note(order, probability=4, impact=4, mitigation="second mill", mitigation_due=due)
        assert list(Risk.objects.to_mitigate(due)) == [risk]
        done = mitigate_risk(risk, probability=2, impact=4, actor=person("pm"))
        assert (done.mitigated_on, done.score) == (due, 8)
        assert mitigate_risk(risk, probability=1, impact=1, actor=person("pm")).score == 8
        assert not Risk.objects.to_mitigate(due).exists()
        review_risk(risk, title="Steel comes late again", actor=person("pm"))
        assert Risk.objects.get().mitigated_on == due
        review_risk(risk, mitigation="third mill", actor=person("pm"))
        assert list(Risk.objects.to_mitigate(due)) == [risk]
        with pytest.raises(TransitionRefused, match="Nothing was to be done"):
            mitigate_risk(note(order), probability=1, impact=1, actor=person("pm"))
        assert list(violations(["A3"])) == []

    def test_what_is_left_of_an_order_that_is_over_is_closed(self):
        order = placed()
        open_one, issue = note(order), realise_risk(note(order), outcome="late", actor=person("pm"))
        cancel_order(order, reason="no need", actor=person("sales_manager"))
        for _twice in range(2):
            close_left_risks(order, actor=None)
        assert {one.pk: one.state for one in Risk.objects.all()} == {open_one.pk: "closed", issue.pk: "happened"}
        assert Event.objects.filter(type="fulfilment.risk_closed").count() == 1

    def test_who_may_not_and_a_finished_order(self, order):
        with pytest.raises(PermissionDenied):
            note(order, actor="sales")
        with pytest.raises(TransitionRefused, match="finished"):
            note(cancelled())


class TestReminders:
    def test_whoever_sees_to_it_is_reminded_once_a_day_until_it_is_done(self, order):
        today, later = business_today(), business_today() + dt.timedelta(days=3)
        review = note(order, mitigation="second mill", mitigation_due=today)
        issue = realise_risk(note(order, review_on=later), outcome="late", due=today, actor=person("pm"))
        quiet = note(order, review_on=later)
        assert remind_risks() == 2
        assert remind_risks() == 0
        told = Event.objects.filter(type="fulfilment.risk_asks").order_by("pk")
        assert [(one.subject_id, one.data["asks"]) for one in told] == [
            (review.pk, ["mitigation", "review"]), (issue.pk, ["issue"]),
        ]  # fmt: skip
        assert {one.data["owner_id"] for one in told} == {person("pm").pk}
        assert told[0].message.endswith("what is done against it is due, to be reviewed")
        assert remind_risks(today + dt.timedelta(days=1)) == 2
        resolve_risk(issue, resolution="flown in", days=1, cost=Decimal(0), actor=person("pm"))
        review_risk(review, mitigation="", mitigation_due=None, review_on=later, actor=person("pm"))
        assert remind_risks(today + dt.timedelta(days=2)) == 0
        assert remind_risks(later) == 2
        assert {one.subject_id for one in told.order_by("-pk")[:2]} == {review.pk, quiet.pk}
        assert list(violations(["A3"])) == []

    def test_the_project_manager_steps_in_for_who_has_left(self, client_of, order, pm, pm2):
        assert order.project_manager == pm
        risk = note(order, owner=pm2)
        assert risk.title not in client_of(pm).get("/").content.decode()
        User.objects.filter(pk=pm2.pk).update(is_active=False)
        remind_risks()
        assert Event.objects.get(type="fulfilment.risk_asks").data["owner_id"] == pm.pk
        assert risk.title in client_of(pm).get("/").content.decode()

    @pytest.mark.postgres
    @pytest.mark.django_db(transaction=True)
    def test_two_workers_remind_once(self):
        note(started())
        barrier, told = Barrier(2), []

        def work():
            barrier.wait()
            told.append(remind_risks())
            connections.close_all()

        workers = [Thread(target=work) for _place in range(2)]
        for one in workers:
            one.start()
        for one in workers:
            one.join()
        assert sorted(told) == [0, 1]
        assert Event.objects.filter(type="fulfilment.risk_asks").count() == 1


class TestSettings:
    def test_the_bounds_decide_what_is_high(self, client_of, pm, order):
        risk = note(order, probability=3, impact=4)
        client, url = client_of(pm), "/fulfilment/risks/scale/"
        assert order.number not in client.get("/fulfilment/watch/?show=risk").content.decode()
        page = client.get(url).content.decode()
        assert "Almost certain" in page
        assert "几乎肯定" in page
        assert client.post(url, scale(middle_from=12, high_from=12)).status_code == 422
        assert client.post(url, scale(high_from=26)).status_code == 422
        assert client.post(url, scale(impact_5=" ")).status_code == 422
        assert RiskScale.current().high_from == 15
        assert client.post(url, scale(high_from=12, impact_4="<i>Ten days", impact_4_zh="十天")).status_code == 302
        assert RiskScale.current().level(risk.score) == "high"
        assert client.post(url, scale(high_from=20)).status_code == 409  # opened before that
        assert order.number in client.get("/fulfilment/watch/?show=risk").content.decode()
        listed = client.get("/fulfilment/risks/").content.decode()
        assert '<td class="high"><a href="?state=open&amp;probability=3&amp;impact=4"' in listed
        assert "&lt;i&gt;Ten days" in listed
        User.objects.filter(pk=pm.pk).update(language="zh-hans")
        form = client.get(f"/fulfilment/orders/{order.number}/risks/do/add_risk/").content.decode()
        assert "4 – 十天" in form
        assert "3 – 有可能" in form
        with pytest.raises(DatabaseError), transaction.atomic():
            RiskScale.objects.update(high_from=3)

    def test_categories(self, client_of, pm, sales, order):
        client, url = client_of(pm), "/fulfilment/risks/categories/"
        form = {"code": "customs", "name": "Customs", "name_zh": "海关", "is_active": "on"}
        assert client.post(f"{url}new/", form).status_code == 302
        assert client.post(f"{url}new/", form).status_code == 422  # twice
        customs = RiskCategory.objects.get(code="customs")
        risk = note(order, category_id="customs")
        assert client.post(f"{url}{customs.pk}/edit/", {"code": "other", "name": "Border"}).status_code == 302
        customs.refresh_from_db()
        assert (customs.code, customs.name, customs.is_active) == ("customs", "Border", False)
        assert "Border" in client.get(url).content.decode()
        asked = client.get(f"/fulfilment/orders/{order.number}/risks/do/add_risk/").content.decode()
        assert "Border" not in asked
        assert "Border" in client.get(f"/fulfilment/risks/{risk.pk}/do/review/").content.decode()
        listed = client.get("/fulfilment/risks/?category=customs").content.decode()
        assert risk.title in listed
        stranger = client_of(sales)
        for path in (url, f"{url}new/", f"{url}{customs.pk}/edit/", "/fulfilment/risks/scale/"):
            assert stranger.get(path).status_code == 403, path
        with pytest.raises(PermissionDenied):
            save_risk_category(customs, name="x", actor=sales)
        with pytest.raises(DatabaseError), transaction.atomic():
            customs.delete()


class TestPages:
    def test_noted_and_ended_through_the_pages(self, client_of, pm, order):
        client, url = client_of(pm), f"/fulfilment/orders/{order.number}/risks/do/add_risk/"
        form = {
            "title": "<b>Frost", "category": "weather", "probability": "5", "impact": "4", "owner": str(pm.pk),
            "review_on": str(business_today()), "key": "k",
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
        happened = {
            "outcome": "froze",
            "days": "3",
            "cost": "77.70",
            "due": str(business_today() + dt.timedelta(days=4)),
        }
        assert client.post(f"{address}/realise/", happened).status_code == 302
        assert client.post(f"{address}/close/", {"outcome": "x"}).status_code == 409
        assert "77.70" in client.get(order.get_absolute_url()).content.decode()
        assert f"{address}/resolve/" in client.get("/").content.decode()
        assert 'value="3"' in client.get(f"{address}/resolve/").content.decode()
        solved = {"resolution": "heated", "days": "2", "cost": "70"}
        assert client.post(f"{address}/resolve/", solved).status_code == 302
        assert client.post(f"{address}/resolve/", solved).status_code == 409
        assert f"{address}/resolve/" not in client.get("/").content.decode()

    def test_a_risk_begins_a_change_request(self, client_of, pm, warehouse, order):
        risk = realise_risk(note(order, contingency="other mill"), outcome="mill burnt", actor=person("pm"))
        url = f"/fulfilment/risks/{risk.pk}/do/ask_change/"
        client = client_of(pm)
        assert "Steel comes late. mill burnt. other mill" in client.get(url).content.decode()
        assert client.post(url, {"reason": "", "text": "x"}).status_code == 422
        reason = ChangeReason.objects.get(code="UNFORESEEN")
        answer = client.post(url, {"reason": reason.pk, "text": "Other steel"})
        change = ChangeRequest.objects.get()
        assert answer.headers["Location"] == change.get_absolute_url()
        assert (change.risk, change.order, change.text, change.state) == (risk, order, "Other steel", "draft")
        assert client_of(warehouse).get(url).status_code == 403
        resolve_risk(risk, resolution="done", days=0, cost=Decimal(0), actor=pm)
        assert url not in client.get(order.get_absolute_url()).content.decode()

    def test_a_change_of_what_happened_brings_reason_days_and_cost(self, client_of, pm, sales, order):
        risk = realise_risk(note(order), outcome="mill burnt", days=4, cost=Decimal(250), actor=pm)
        url = f"/fulfilment/risks/{risk.pk}/do/ask_change/"
        reason = ChangeReason.objects.get(code="RISK")
        page = client_of(pm).get(url).content.decode()
        assert f'<option value="{reason.pk}" selected' in page
        assert "mill burnt. 4 days lost. Cost: 250" in page
        assert "Cost: 250" not in client_of(sales).get(url).content.decode()

    def test_what_is_missing_stands_at_its_field(self, client_of, pm, order):
        day = str(business_today())
        data = {"title": "Rain", "probability": 2, "impact": 2, "owner": pm.pk, "review_on": day}
        answer = client_of(pm).post(
            f"/fulfilment/orders/{order.number}/risks/do/add_risk/", data | {"mitigation_due": day}
        )
        form = answer.context["form"]
        assert form.errors["mitigation"] == ["Say what is done until that day."]
        assert not form.non_field_errors()

    def test_noted_from_the_list_for_the_order_that_is_chosen_there(self, client_of, pm, sales, order):
        client = client_of(pm)
        page = client.get("/fulfilment/risks/").content.decode()
        assert 'href="/fulfilment/risks/new/"' in page
        target = f"/fulfilment/orders/{order.number}/risks/do/add_risk/"
        for q in ("", order.number[-5:], "甲方"):
            assert target in client.get("/fulfilment/risks/new/", {"q": q}).content.decode()
        assert target not in client.get("/fulfilment/risks/new/", {"q": "nowhere"}).content.decode()
        hostile = client.get("/fulfilment/risks/new/", {"q": '"><script>\x00'})
        assert hostile.status_code == 200
        assert "<script>\x00" not in hostile.content.decode()
        assert client_of(sales).get("/fulfilment/risks/new/").status_code == 403
        assert 'href="/fulfilment/risks/new/"' not in client_of(sales).get("/fulfilment/risks/").content.decode()

    def test_orders_to_choose_cost_the_same_for_one_and_for_many(self, client_of, pm, order):
        client, counts = client_of(pm), []
        for _time in range(2):
            client.get("/fulfilment/risks/new/")
            with CaptureQueriesContext(connection) as seen:
                client.get("/fulfilment/risks/new/")
            counts.append(len(seen))
            for _more in range(3):
                started()
        assert counts[0] == counts[1]

    def test_the_open_cell_of_the_heat_map_is_marked(self, client_of, pm, order):
        note(order, probability=2, impact=3)
        client = client_of(pm)
        marked = '<a aria-current="true" href="?state=open&amp;probability=2&amp;impact=3"'
        assert marked not in client.get("/fulfilment/risks/").content.decode()
        assert marked in client.get("/fulfilment/risks/?state=open&probability=2&impact=3").content.decode()

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
        for url in ("/", "/fulfilment/risks/", order.get_absolute_url()):
            client.get(url)
            with CaptureQueriesContext(connection) as few:
                client.get(url)
            for place in range(12):
                note(order, title=f"Risk {place}")
            with CaptureQueriesContext(connection) as many:
                assert client.get(url).status_code == 200
            assert len(many) == len(few), url
