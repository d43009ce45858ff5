"""What waits too long is called to mind: an approval, a judgement, an acknowledgement; each at most once a day."""

import datetime as dt

import pytest
from django.utils import timezone

from changes.models import ChangeRequest
from changes.services import acknowledge_change, apply_change, approve_change, next_step, remind_changes
from changes.tasks import remind
from ordermgmt.activity.models import Event, Notification
from ordermgmt.activity.services import work_off
from ordermgmt.company.services import business_today
from tests.factories.changes import agreed, applied, assessed, fresh, more, submitted
from tests.factories.orders import line, person, started

pytestmark = pytest.mark.django_db


@pytest.fixture
def order():
    return started(line(quantity=10, supply="make"), line("SKU-1", 90, supply="make"))


def told(kind):
    """Who was told of events of a kind."""
    work_off()
    rows = Notification.objects.filter(event__type=f"changes.{kind}")
    return sorted(rows.values_list("user__email", flat=True))


def reminders(kind):
    return Event.objects.filter(type=f"changes.{kind}").count()


def test_an_approval_that_is_due(order):
    change = assessed(order, more(order, 20))  # a manager within three days, then finance
    today = business_today()
    assert remind_changes(today + dt.timedelta(days=2)) == 0
    due = today + dt.timedelta(days=3)
    assert remind_changes(due) == 1
    assert remind_changes(due) == 0
    assert told("step_due") == ["manager@example.com"]
    assert remind_changes(due + dt.timedelta(days=1)) == 1
    approve_change(fresh(change), actor=person("manager"))
    assert remind_changes(due + dt.timedelta(days=1)) == 1  # now finance is asked
    assert "pm@example.com" not in told("step_due")
    assert {"finance@example.com", "finance2@example.com"} <= set(told("step_due"))


def test_a_wished_date_that_comes_near(order):
    today = business_today()
    change = submitted(order, more(order, 11), wished_date=today + dt.timedelta(days=5))
    assert remind_changes(today) == 0
    assert remind_changes(today + dt.timedelta(days=3)) == 1
    assert remind_changes(today + dt.timedelta(days=3)) == 0
    assert {"pm@example.com", "finance@example.com"} <= set(told("unjudged"))
    assert fresh(change).state == "submitted"


def test_an_applied_change_that_somebody_does_not_know(order):
    change = applied(order, more(order, 11))
    assert remind_changes() == 0
    ChangeRequest.objects.filter(pk=change.pk).update(applied_at=timezone.now() - dt.timedelta(days=2))
    acknowledge_change(change, actor=person("finance"))
    remind()
    remind()
    assert reminders("unread") == 1
    assert "warehouse@example.com" in told("unread")
    assert "finance@example.com" not in told("unread")


def test_the_list_narrowed_to_what_waits_for_me(client_of, manager, sales, order):
    change = assessed(order, more(order, 11))
    assert change.number in client_of(manager).get("/changes/?waiting=me").content.decode()
    assert change.number not in client_of(sales).get("/changes/?waiting=me").content.decode()


def test_consent_and_acknowledgement_wait_for_somebody_too(client_of, sales, finance, warehouse, pm, order):
    change = assessed(order, more(order, 60))
    while (step := next_step(fresh(change))) is not None:
        approve_change(fresh(change), actor=person(step.role))

    def waits(user):
        return change.number in client_of(user).get("/changes/?waiting=me").content.decode()

    assert (waits(sales), waits(finance), waits(warehouse)) == (True, False, False)
    agreed(change)
    assert (waits(sales), waits(pm)) == (False, True)
    apply_change(fresh(change), actor=pm)
    assert (waits(warehouse), waits(pm)) == (True, False)
    acknowledge_change(change, actor=warehouse)
    assert not waits(warehouse)
