"""Deliveries: claimed by one, exactly once for effects in the database, retried, dead with an alarm (Q1, Q2)."""

import datetime as dt

import pytest
import time_machine
from django.utils import timezone

from customers.models import Customer
from ordermgmt.activity.events import EventType, register
from ordermgmt.activity.models import Delivery, Event, Notification, WorkState
from ordermgmt.activity.services import (
    add_comment,
    deliver,
    record,
    retry_delivery,
    subscriber,
    sweep,
    work_off,
    working,
)

FRAGILE = register(EventType("tests.fragile", "was fragile"))
BROKEN = {"now": False}
SEEN: list[int] = []


@subscriber(FRAGILE)
def fragile(event):
    add_comment(event.root, text="an effect", actor=event.actor)
    SEEN.append(event.pk)
    if BROKEN["now"]:
        raise OSError("the disk is full")


@subscriber(FRAGILE, atomic=False)
def outside(event):
    """An effect outside the database."""


@pytest.fixture(autouse=True)
def _whole():
    BROKEN["now"] = False
    SEEN.clear()


@pytest.fixture
def delivery(sales):
    event = record(FRAGILE, Customer.objects.get(owner=sales), actor=sales)
    return Delivery.objects.get(event=event, effect__endswith="fragile")


def comments() -> int:
    return Event.objects.filter(type="activity.commented").count()


def test_works(delivery):
    deliver(delivery.pk)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == (WorkState.DONE, 1)
    assert comments() == 1


def test_second_time_does_nothing(delivery):
    for _again in range(3):
        deliver(delivery.pk)
    assert comments() == 1


def test_claimed_by_another_worker(delivery):
    assert Delivery.objects.claim(delivery.pk, seconds=60)
    deliver(delivery.pk)
    assert comments() == 0
    assert Delivery.objects.claim(delivery.pk, seconds=60) is None


def test_claim_of_a_dead_worker_runs_out(delivery):
    Delivery.objects.claim(delivery.pk, seconds=60)
    with time_machine.travel(timezone.now() + dt.timedelta(seconds=61), tick=True):
        deliver(delivery.pk)
    assert comments() == 1


def test_lost_claim_rolls_the_effect_back(delivery, monkeypatch):
    """Two workers in the same effect, because the first was slow: only one of them commits."""
    real = working._end
    monkeypatch.setattr(working, "_end", lambda *args, **kwargs: False)
    deliver(delivery.pk)
    assert comments() == 0
    monkeypatch.setattr(working, "_end", real)
    with time_machine.travel(timezone.now() + dt.timedelta(seconds=61), tick=True):
        deliver(delivery.pk)
    assert comments() == 1


def test_failure_rolls_back_and_is_tried_again_later(delivery):
    BROKEN["now"] = True
    deliver(delivery.pk)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.error) == (WorkState.QUEUED, "OSError: the disk is full")
    assert delivery.due_at > timezone.now()
    assert comments() == 0
    BROKEN["now"] = False
    deliver(delivery.pk)
    assert comments() == 0  # not due yet
    with time_machine.travel(delivery.due_at + dt.timedelta(seconds=1), tick=True):
        deliver(delivery.pk)
    assert comments() == 1


def kill(delivery: Delivery) -> None:
    """Lets every attempt fail."""
    BROKEN["now"] = True
    for _attempt in range(working.DELIVERY_ATTEMPTS):
        delivery.refresh_from_db()
        with time_machine.travel(delivery.due_at + dt.timedelta(seconds=1), tick=True):
            deliver(delivery.pk)
    delivery.refresh_from_db()


def test_q1_dead_with_an_alarm(delivery, admin, client_of):
    kill(delivery)
    assert delivery.state == WorkState.FAILED
    assert Event.objects.filter(type="activity.delivery_died", subject_id=delivery.pk).count() == 1
    with time_machine.travel(timezone.now() + dt.timedelta(days=1), tick=True):
        work_off()
    assert list(Notification.objects.values_list("user", flat=True)) == [admin.pk]
    page = client_of(admin).get("/activity/operations/").content.decode()
    assert "the disk is full" in page


def test_administrator_retries_what_is_dead(delivery, admin, sales, client_of):
    kill(delivery)
    BROKEN["now"] = False
    path = f"/activity/operations/{delivery.pk}/retry/"
    assert client_of(sales).post(path).status_code == 403
    assert client_of(admin).get(path).status_code == 405
    assert client_of(admin).post(path).status_code == 302
    deliver(delivery.pk)
    delivery.refresh_from_db()
    assert delivery.state == WorkState.DONE
    assert comments() == 1
    assert client_of(admin).post(path).status_code == 404
    retry_delivery(delivery)
    delivery.refresh_from_db()
    assert delivery.state == WorkState.DONE


def test_effect_that_the_code_no_longer_has(delivery):
    Delivery.objects.filter(pk=delivery.pk).update(effect="gone.away")
    deliver(delivery.pk)
    delivery.refresh_from_db()
    assert "gone.away" in delivery.error


def test_sweep_finds_what_no_worker_was_told_of(delivery, monkeypatch):
    told = []
    monkeypatch.setattr(working, "nudge_now", lambda task, pk, queue: told.append((task, pk, queue)))
    assert sweep() == 0  # the page told them a moment ago
    with time_machine.travel(timezone.now() + dt.timedelta(minutes=1), tick=True):
        assert sweep() == 2
        assert ("activity.deliver", delivery.pk, "default") in told
        assert sweep() == 0


def test_sweep_with_a_broken_broker_goes_on_next_time(delivery, monkeypatch):
    def refuse(task, pk, queue):
        raise ConnectionError

    with time_machine.travel(timezone.now() + dt.timedelta(minutes=1), tick=True):
        monkeypatch.setattr(working, "nudge_now", refuse)
        with pytest.raises(ConnectionError):
            sweep()
        monkeypatch.setattr(working, "nudge_now", lambda task, pk, queue: None)
        assert sweep() == 2
