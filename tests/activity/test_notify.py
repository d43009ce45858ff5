"""Who hears of what: scope, preferences, mail in the reader's language, the bell's price."""

import email

import pytest
from django.conf import settings
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import Customer
from ordermgmt.accounts.services import assign_roles
from ordermgmt.activity.events import EventType, register
from ordermgmt.activity.models import Delivery, Notification, Preference
from ordermgmt.activity.services import message_id, record, set_preferences, work_off
from ordermgmt.activity.services.notifying import notify
from ordermgmt.lib.mailfiles import EmailBackend

PEOPLE: list[object] = []
LOUD = register(EventType("tests.loud", "was loud", audience=lambda _event: PEOPLE, channels=("bell", "mail")))
DEAR = register(
    EventType("tests.dear", "cost {amount}", audience=lambda _event: PEOPLE, permission="billing.view_payment")
)


@pytest.fixture
def customer(sales):
    return Customer.objects.get(owner=sales)


@pytest.fixture(autouse=True)
def people(sales, sales2, sales_manager, finance):
    PEOPLE[:] = [sales, sales2, sales_manager, None, sales_manager]
    return PEOPLE


def test_only_those_who_may_see_it_and_not_the_actor(sales, sales_manager, customer):
    record(LOUD, customer, actor=sales)
    work_off()
    assert [one.user for one in Notification.objects.all()] == [sales_manager]


def test_amount_is_told_to_those_who_may_see_it(sales, sales_manager, finance, customer):
    PEOPLE[:] = [sales_manager, finance]
    record(DEAR, customer, actor=sales, amount="9.00")
    work_off()
    assert [one.user for one in Notification.objects.all()] == [finance]


def test_who_lost_the_right_since_is_told_no_more(sales, finance, admin, customer, client_of):
    PEOPLE[:] = [finance]
    set_preferences({DEAR.name: (True, True)}, actor=finance)
    event = record(DEAR, customer, actor=sales, amount="9.00")
    notify(event)
    assign_roles(finance, roles=["warehouse"], actor=admin)
    work_off()
    assert [one for one in mail.outbox if one.to == [finance.email]] == []
    page = client_of(finance).get("/activity/notifications/").content.decode()
    assert "cost 9.00" not in page
    assign_roles(finance, roles=["finance"], actor=admin)
    assert "cost 9.00" in client_of(finance).get("/activity/notifications/").content.decode()


def test_disabled_person_hears_nothing(sales, sales_manager, customer):
    sales_manager.is_active = False
    sales_manager.save()
    PEOPLE[:] = [sales_manager]
    record(LOUD, customer, actor=sales)
    work_off()
    assert not Notification.objects.exists()


@pytest.mark.parametrize(("bell", "by_mail"), [(True, False), (False, True), (False, False)])
def test_preferences_count(sales, sales_manager, customer, mailoutbox, bell, by_mail):
    set_preferences({"tests.loud": (bell, by_mail), "not.there": (True, True)}, actor=sales_manager)
    record(LOUD, customer, actor=sales)
    work_off()
    assert Notification.objects.exists() is bell
    assert bool(mailoutbox) is by_mail
    assert Preference.objects.count() == 1


def test_preferences_page(client_of, sales):
    client = client_of(sales)
    assert client.get("/activity/preferences/").status_code == 200
    assert client.post("/activity/preferences/", {"bell": ["tests.loud"]}).status_code == 302
    one = Preference.objects.get(user=sales, event_type="tests.loud")
    assert (one.bell, one.mail) == (True, False)
    assert not Preference.objects.filter(user=sales, event_type="tests.dear").exists()


def test_mail_in_the_readers_language_with_our_address(sales, sales_manager, customer, mailoutbox):
    sales_manager.language = "zh-hans"
    sales_manager.save()
    event = record(LOUD, customer, actor=sales)
    work_off()
    message = mailoutbox[0]
    assert message.to == [sales_manager.email]
    assert "您好" in message.body
    assert f"{settings.SITE_URL}{customer.get_absolute_url()}" in message.body
    assert message.extra_headers["Message-ID"] == message_id(f"event:{event.pk}:{sales_manager.pk}")
    assert message.alternatives[0][1] == "text/html"


def test_mail_goes_once(sales, sales_manager, customer, mailoutbox):
    record(LOUD, customer, actor=sales)
    work_off()
    work_off()
    assert len(mailoutbox) == 1
    assert Delivery.objects.filter(effect=f"mail:{sales_manager.pk}").count() == 1


def test_p25_name_is_escaped_in_the_mail_and_breaks_no_header(sales, sales_manager, customer, mailoutbox):
    sales.name = '"><img src=x onerror=alert(1)>\nBcc: evil@example.com'
    sales.save()
    record(LOUD, customer, actor=sales)
    work_off()
    message = mailoutbox[0]
    assert "<img" not in message.alternatives[0][0]
    assert "\n" not in message.subject
    assert message.recipients() == [sales_manager.email]


def test_mail_files_hold_one_message_once(tmp_path, settings):
    settings.EMAIL_FILE_PATH = tmp_path
    for _again in range(2):
        one = mail.EmailMessage("Subject", "Text", "a@example.com", ["b@example.com"], headers={"Message-ID": "<1@x>"})
        EmailBackend().send_messages([one])
    (file,) = tmp_path.glob("*.eml")
    assert email.message_from_bytes(file.read_bytes())["Message-ID"] == "<1@x>"
    assert len(list(tmp_path.iterdir())) == 1


def test_open_marks_as_read_and_leads_there(client_of, sales, sales_manager, sales2, customer):
    record(LOUD, customer, actor=sales)
    work_off()
    one = Notification.objects.get()
    path = f"/activity/notifications/{one.pk}/open/"
    assert client_of(sales_manager).get(path).status_code == 405  # R4: reading changes nothing
    assert client_of(sales2).post(path).status_code == 404
    answer = client_of(sales_manager).post(path, follow=True)
    assert answer.redirect_chain[-1][0] == customer.get_absolute_url()
    one.refresh_from_db()
    assert one.read_at is not None


def test_read_all_marks_only_ones_own(client_of, sales, sales_manager, finance, customer):
    PEOPLE[:] = [sales_manager, finance]
    record(LOUD, customer, actor=sales)
    work_off()
    client_of(finance).post("/activity/notifications/read/")
    assert [one.user for one in Notification.objects.unread()] == [sales_manager]


def test_bell_counts_in_one_query(client_of, sales, sales_manager, customer):
    for _number in range(3):
        record(LOUD, customer, actor=sales)
    work_off()
    with CaptureQueriesContext(connection) as captured:
        page = client_of(sales_manager).get("/activity/notifications/").content.decode()
    assert "3 unread notifications" in page
    assert len([one for one in captured if "COUNT" in one["sql"] and "activity_notification" in one["sql"]]) == 1


def test_open_of_a_foreign_object_is_not_found(client_of, sales2, customer):
    assert client_of(sales2).get(f"/activity/open/customers.customer/{customer.pk}/").status_code == 404
