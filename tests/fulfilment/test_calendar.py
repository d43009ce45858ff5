"""The calendar of milestones and promised dates, and its private address: read without a session, renewed, revoked."""

import datetime as dt
import hashlib

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from fulfilment.models import CalendarFeed, Milestone
from fulfilment.services import add_milestone, renew_feed, revoke_feed
from fulfilment.services.feeding import Entry, ics
from ordermgmt.accounts.models import RoleAssignment, User
from ordermgmt.company.services import business_today
from tests.factories.orders import cancelled, customer_b, person, placed, started

pytestmark = pytest.mark.django_db


def day(days):
    return business_today() + dt.timedelta(days=days)


def path(link):
    return link[link.index("/fulfilment/") :]


class TestPage:
    def test_month_and_week_show_what_one_sees(self, client_of, sales, pm):
        order = started(promised_date=day(3))
        foreign = placed(customer=customer_b(), actor=person("sales2"), promised_date=day(3))
        gone = cancelled(promised_date=day(3))
        add_milestone(order, code="M1", name="Welded <b>", forecast=day(2), owner=pm, actor=pm)
        for query in (f"?day={day(3)}", f"?view=week&day={day(3)}"):
            page = client_of(sales).get(f"/fulfilment/calendar/{query}").content.decode()
            assert f"{order.number} promised" in page
            assert foreign.number not in page
            assert gone.number not in page
            assert "<b>" not in page
        page = client_of(pm).get(f"/fulfilment/calendar/?mine=yes&day={day(2)}&view=week").content.decode()
        assert "Welded &lt;b&gt;" in page
        assert "Welded" not in client_of(sales).get(f"/fulfilment/calendar/?mine=yes&day={day(2)}").content.decode()

    def test_hostile_addresses_show_today(self, client_of, sales):
        for query in ("?day=x", "?day=0001-01-01", "?day=9999-12-31", "?day=%00", "?view=%00&mine=%00"):
            assert client_of(sales).get(f"/fulfilment/calendar/{query}").status_code == 200

    def test_queries_do_not_grow_and_a_full_day_is_cut(self, client_of, pm):
        client, order = client_of(pm), started()
        add_milestone(order, code="M1", name="x", forecast=day(0), actor=pm)
        client.get("/fulfilment/calendar/")
        with CaptureQueriesContext(connection) as few:
            client.get("/fulfilment/calendar/")
        Milestone.objects.bulk_create(
            [Milestone(order=order, code=f"X{n}", name=f"Step {n}", forecast=day(0)) for n in range(40)]
        )
        with CaptureQueriesContext(connection) as many:
            page = client.get("/fulfilment/calendar/").content.decode()
        assert len(many) == len(few)
        assert "36 more" in page


class TestFeed:
    def test_without_a_session_only_what_its_owner_sees(self, sales, pm):
        order = started(promised_date=day(5))
        foreign = placed(customer=customer_b(), actor=person("sales2"))
        add_milestone(order, code="M1", name="Welded, painted; done", forecast=day(2), actor=pm)
        address = path(renew_feed(actor=sales))
        before = list(CalendarFeed.objects.values())
        answer = Client().get(address)
        assert list(CalendarFeed.objects.values()) == before  # R4: reading changes nothing
        text = answer.content.decode()
        assert answer["Content-Type"].startswith("text/calendar")
        assert "no-store" in answer["Cache-Control"]
        unfolded = text.replace("\r\n ", "")
        assert f"SUMMARY:{order.number} promised · 甲方机械有限公司" in unfolded
        assert "Welded\\, painted\\; done" in unfolded
        assert f"DTSTART;VALUE=DATE:{day(2):%Y%m%d}" in text
        assert foreign.number not in text
        assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))

    def test_kept_as_a_digest(self, sales):
        token = path(renew_feed(actor=sales)).split("/")[3]
        kept = CalendarFeed.objects.get()
        assert kept.token_digest == hashlib.sha256(token.encode()).hexdigest()
        with connection.cursor() as cursor:
            cursor.execute("SELECT data, after FROM activity_event WHERE type = 'fulfilment.feed_renewed'")
            assert token not in str(cursor.fetchall())

    def test_renewed_and_revoked_the_old_address_is_dead(self, client_of, sales):
        client = client_of(sales)
        assert client.get("/fulfilment/calendar/address/").status_code == 405
        first = renew_feed(actor=sales)
        page = client.post("/fulfilment/calendar/address/")
        assert "no-store" in page["Cache-Control"]
        second = page.context["link"]
        assert second in page.content.decode()
        assert second not in client.get("/fulfilment/calendar/").content.decode()
        assert Client().get(path(first)).status_code == 404
        assert Client().get(path(second)).status_code == 200
        assert client.post("/fulfilment/calendar/address/revoke/").status_code == 302
        assert Client().get(path(second)).status_code == 404
        assert revoke_feed(actor=sales) is False

    def test_whoever_is_disabled_or_sees_no_orders_gives_nothing(self, client_of, sales, admin):
        link = path(renew_feed(actor=sales))
        User.objects.filter(pk=sales.pk).update(is_active=False)
        assert Client().get(link).status_code == 404
        User.objects.filter(pk=sales.pk).update(is_active=True)
        RoleAssignment.objects.filter(user=sales).delete()
        assert Client().get(link).status_code == 404
        assert client_of(admin).post("/fulfilment/calendar/address/").status_code == 403

    def test_guesses_find_nothing_and_nothing_is_written_by_others(self):
        for guess in ("x", "%00", "a" * 43, "..%2f"):
            assert Client().get(f"/fulfilment/feed/{guess}/plan.ics").status_code == 404
        assert Client().post(f"/fulfilment/feed/{'a' * 43}/plan.ics").status_code == 405

    def test_nothing_typed_ends_its_line(self):
        one = Entry("k", day(0), "milestone", "a\r\nEND:VCALENDAR\nx", "后端" * 60, "/x/", "open")
        text = ics([one], "Plan")
        assert text.count("END:VCALENDAR") == 2
        assert text[-17:] == "\r\nEND:VCALENDAR\r\n"
        assert "a END:VCALENDAR x" in text.replace("\r\n ", "")
