"""Follow-up tasks: the five questions, the start page, reminders once."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from customers.models import Customer
from ordermgmt.activity.models import Event, FollowUp, Notification
from ordermgmt.activity.services import create_followup, finish_followup, remind_due, reopen_followup, work_off


@pytest.fixture
def customer(sales):
    return Customer.objects.get(owner=sales)


@pytest.fixture
def path(customer):
    return f"/activity/tasks/customers.customer/{customer.pk}/new/"


@pytest.fixture
def task(sales, sales_manager, customer):
    return create_followup(
        customer, title="Send the catalogue", due=timezone.localdate(), assignee=sales, actor=sales_manager
    )


def test_works(client_of, sales, customer, path):
    assert client_of(sales).get(path).status_code == 200
    data = {"title": "Ring back", "due": "2026-12-01", "assignee": sales.pk}
    assert client_of(sales).post(path, data).status_code == 302
    task = FollowUp.objects.get()
    assert (task.title, task.due, task.assignee) == ("Ring back", dt.date(2026, 12, 1), sales)
    assert task.root_label == f"{customer.number} {customer.name}"
    assert b"Ring back" in client_of(sales).get(customer.get_absolute_url()).content
    assert b"Ring back" in client_of(sales).get("/activity/tasks/").content
    assert b"Ring back" in client_of(sales).get("/").content


@pytest.mark.parametrize(
    "data", [{}, {"title": "x", "due": "no date", "assignee": ""}, {"title": "x" * 201, "due": "2026-12-01"}]
)
def test_errors_stand_at_their_fields(client_of, sales, path, data):
    assert client_of(sales).post(path, data).status_code == 422
    assert not FollowUp.objects.exists()


def test_foreign_object_is_not_found(client_of, sales2, path):
    assert client_of(sales2).get(path).status_code == 404
    assert client_of(sales2).post(path, {}).status_code == 404


def test_assignee_must_see_the_object(client_of, sales, sales2, customer, path):
    data = {"title": "x", "due": "2026-12-01", "assignee": sales2.pk}
    assert client_of(sales).post(path, data).status_code == 422
    with pytest.raises(ValidationError):
        create_followup(customer, title="x", due=dt.date(2026, 12, 1), assignee=sales2, actor=sales)
    with pytest.raises(PermissionDenied):
        create_followup(customer, title="x", due=dt.date(2026, 12, 1), assignee=sales, actor=sales2)


def test_assignee_hears_of_it_and_the_giver_of_its_end(client_of, sales, sales_manager, task):
    work_off()
    assert Notification.objects.get().user == sales
    for _again in range(2):
        assert client_of(sales).post(f"/activity/tasks/{task.pk}/finish/").status_code == 302
    work_off()
    task.refresh_from_db()
    assert task.done_by == sales
    assert Event.objects.filter(type="activity.followup_done").count() == 1
    assert Notification.objects.filter(user=sales_manager).count() == 1


def test_reopen(client_of, sales, task):
    finish_followup(task, actor=sales)
    for _again in range(2):
        assert client_of(sales).post(f"/activity/tasks/{task.pk}/reopen/", {"back": "/"}).url == "/"
    task.refresh_from_db()
    assert task.done_at is None
    assert Event.objects.filter(type="activity.followup_reopened").count() == 1


@pytest.mark.parametrize("verb", ["finish", "reopen"])
def test_get_and_strangers_are_refused(client_of, sales, sales2, pm, task, verb):
    path = f"/activity/tasks/{task.pk}/{verb}/"
    assert client_of(sales).get(path).status_code == 405
    assert client_of(pm).post(path).status_code == 404
    with pytest.raises(PermissionDenied):
        (finish_followup if verb == "finish" else reopen_followup)(task, actor=sales2)


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example/", "/\\evil.example"])
def test_p30_back_leads_to_our_own_pages(client_of, sales, task, back):
    assert client_of(sales).post(f"/activity/tasks/{task.pk}/finish/", {"back": back}).url == "/activity/tasks/"


def test_reminder_comes_once_by_bell_and_mail(sales, task, mailoutbox):
    assert remind_due() == 1
    assert remind_due() == 0
    work_off()
    assert [mail.to for mail in mailoutbox] == [[sales.email]]
    assert Event.objects.filter(type="activity.followup_due").count() == 1
    assert remind_due(timezone.localdate() + dt.timedelta(days=3)) == 0


def test_no_reminder_before_its_day_nor_when_done(sales, sales_manager, customer):
    later = timezone.localdate() + dt.timedelta(days=2)
    task = create_followup(customer, title="x", due=later, assignee=sales, actor=sales_manager)
    assert remind_due() == 0
    finish_followup(task, actor=sales)
    assert remind_due(later) == 0
