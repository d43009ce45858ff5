"""The timeline: pages, filter, what a reader has no right to, and what it costs."""

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override

from customers.models import Customer
from ordermgmt.activity.events import EventType, register
from ordermgmt.activity.models import Event
from ordermgmt.activity.services import add_comment, record, timeline_of

SECRET_SUM = register(EventType("tests.secret_sum", "received {amount}", permission="billing.view_payment"))
CHANGED = register(EventType("tests.changed", "changed it"))


@pytest.fixture
def customer(sales):
    return Customer.objects.get(owner=sales)


@pytest.fixture
def path(customer):
    return f"/activity/timeline/customers.customer/{customer.pk}/"


def test_works(client_of, sales, customer, path):
    add_comment(customer, text="first", actor=sales)
    answer = client_of(sales).get(path)
    assert answer.status_code == 200
    assert b"first" in answer.content
    assert b"<html" in answer.content
    assert b"<html" not in client_of(sales).get(path, headers={"HX-Request": "true"}).content


def test_post_is_refused(client_of, sales, path):
    assert client_of(sales).post(path).status_code == 405


def test_p20_foreign_timeline_is_not_found(client_of, sales2, customer, path):
    answer = client_of(sales2).get(path)
    assert answer.status_code == 404
    assert customer.name not in answer.content.decode()


@pytest.mark.parametrize("query", ["kind=x", "before=x", "before=99999999999999999999999", "before=-1"])
def test_wrong_query_is_not_found(client_of, sales, path, query):
    assert client_of(sales).get(f"{path}?{query}").status_code == 404


def test_p29_huge_id(client_of, sales):
    assert client_of(sales).get("/activity/timeline/customers.customer/99999999999999999999999999/").status_code == 404


def test_pages_by_key(sales, customer):
    with transaction.atomic():
        made = [record(CHANGED, customer, actor=sales).pk for _number in range(45)]
    first = timeline_of(customer, user=sales)
    second = timeline_of(customer, user=sales, before=first.older)
    third = timeline_of(customer, user=sales, before=second.older)
    shown = [entry.event.pk for page in (first, second, third) for entry in page.entries]
    assert shown[:45] == made[::-1]
    assert third.older is None


def test_filter(sales, customer):
    add_comment(customer, text="said", actor=sales)
    with transaction.atomic():
        record(CHANGED, customer, actor=sales)
    assert {one.event.type for one in timeline_of(customer, user=sales, kind="comments").entries} == {
        "activity.commented"
    }
    assert "activity.commented" not in {
        one.event.type for one in timeline_of(customer, user=sales, kind="changes").entries
    }


def test_amounts_are_hidden_from_whoever_may_not_see_them(sales, finance, customer):
    with transaction.atomic():
        record(SECRET_SUM, customer, actor=finance, amount="1,234.00 EUR")
    assert "tests.secret_sum" in {one.event.type for one in timeline_of(customer, user=finance).entries}
    assert "tests.secret_sum" not in {one.event.type for one in timeline_of(customer, user=sales).entries}


def test_differences_are_for_the_audit_only(sales, manager, customer):
    with transaction.atomic():
        record(CHANGED, customer, actor=sales, before={"name": "A", "x": 1}, after={"name": "B", "x": 1})
    assert timeline_of(customer, user=sales).entries[0].differences == []
    found = timeline_of(customer, user=manager).entries[0].differences
    assert [(one.before, one.after) for one in found] == [("A", "B")]


def test_fixed_number_of_queries(sales, customer):
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            [(entry.event.actor_name, entry.event.message) for entry in timeline_of(customer, user=sales).entries]
        return len(captured)

    add_comment(customer, text="one", actor=sales)
    before = queries()
    for _number in range(15):
        add_comment(customer, text="more", actor=sales)
    assert queries() == before


def test_sentence_in_the_readers_language(sales, customer):
    add_comment(customer, text="x", actor=sales)
    event = Event.objects.get(type="activity.commented")
    with override("zh-hans"):
        assert event.message == "写了评论"
