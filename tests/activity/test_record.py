"""record(): transaction, registry, append-only (A2), outbox in the same transaction (P35, Q6)."""

import pytest
from django.db import DatabaseError, transaction

from customers.models import Customer
from ordermgmt.activity.events import EventType, all_types, register
from ordermgmt.activity.models import Delivery, Event, Job
from ordermgmt.activity.services import enqueue, job_handler, record, snapshot, subscriber, work_off

NOTED = register(EventType("tests.noted", "noted {what}"))
UNKNOWN = EventType("tests.unknown", "not registered")
HEARD: list[int] = []


@subscriber(NOTED)
def hear(event):
    HEARD.append(event.pk)


@job_handler("tests.nothing")
def nothing(job, progress):
    return None


@pytest.fixture
def customer(sales):
    return Customer.objects.get(owner=sales)


@pytest.mark.django_db(transaction=True)
def test_refuses_outside_a_transaction(sales, customer):
    with pytest.raises(RuntimeError):
        record(NOTED, customer, actor=sales)


def test_refuses_an_unregistered_type(sales, customer):
    with pytest.raises(KeyError):
        record(UNKNOWN, customer, actor=sales)


def test_a3_refuses_the_values_of_another_row(sales, customer):
    with pytest.raises(ValueError, match="values of row"):
        record(NOTED, customer, actor=sales, after={"id": customer.pk + 1}, what="it")


def test_a_name_is_taken_once():
    with pytest.raises(ValueError, match=r"tests\.noted"):
        register(EventType("tests.noted", "something else"))


def test_keeps_only_what_differs(sales, customer):
    event = record(NOTED, customer, actor=sales, before={"a": 1, "b": 2}, after={"a": 1, "b": 3}, what="b")
    assert (event.before, event.after) == ({"b": 2}, {"b": 3})
    assert event.message == "noted b"


def test_sentence_bears_missing_data(sales, customer):
    assert record(NOTED, customer, actor=sales).message == "noted …"


@pytest.mark.parametrize("deed", [lambda rows: rows.update(source="x"), lambda rows: rows.delete()])
def test_a2_append_only_in_the_database(sales, customer, deed):
    event = record(NOTED, customer, actor=sales)
    with pytest.raises(DatabaseError), transaction.atomic():
        deed(Event.objects.filter(pk=event.pk))
    assert Event.objects.filter(pk=event.pk).exists()


def test_a5_no_secret_in_a_snapshot(sales):
    assert "password" not in snapshot(sales)


def test_p35_rollback_sends_nothing(sales, customer):
    before = Event.objects.count()

    @transaction.atomic
    def deed() -> None:
        record(NOTED, customer, actor=sales)
        enqueue("tests.nothing", actor=sales)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        deed()
    assert Event.objects.count() == before
    assert not Delivery.objects.filter(effect__endswith="hear").exists()
    assert not Job.objects.exists()
    assert work_off() == 0


def test_subscriber_hears_once(sales, customer):
    HEARD.clear()
    event = record(NOTED, customer, actor=sales)
    work_off()
    work_off()
    assert [event.pk] == HEARD


def test_every_event_sentence_formats():
    for one in all_types():
        Event(type=one.name, data={}).message  # noqa: B018
        assert one.plain_message
