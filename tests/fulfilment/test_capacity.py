"""Work centres: their calendars, load by week with its days and orders, and what products ask of them."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from fulfilment.forms.capacity import read_shifts
from fulfilment.models import CalendarException, RoutingStep, WorkCentre
from fulfilment.services import add_exception, book_capacity, load, remove_exception, save_centre
from fulfilment.services.capacity import capacities
from tests.factories import capacity as make
from tests.factories.orders import customer_b, person, placed, started

pytestmark = pytest.mark.django_db


def on(days, weeks=1):
    return make.monday(weeks) + dt.timedelta(days=days)


def able(centre, days):
    return capacities([centre], on(days), on(days))[centre.pk, on(days)] / 60


class TestCalendar:
    def test_shifts_nights_stations_holidays_and_exceptions(self):
        shifts = [(0, dt.time(6), dt.time(14)), (0, dt.time(14), dt.time(22)), (4, dt.time(22), dt.time(6))]
        centre = save_centre(None, code="CNC", name="Milling", stations=2, shifts=shifts, actor=person("pm"))
        assert [able(centre, n) for n in (0, 1, 4)] == [32, 0, 16]
        holiday = add_exception(work_centre=None, day=on(0), reason="Festival", actor=person("pm"))
        add_exception(work_centre=centre, day=on(4), hours_open=Decimal("2.5"), reason="Repair", actor=person("pm"))
        assert [able(centre, n) for n in (0, 4)] == [0, 5]
        add_exception(work_centre=centre, day=on(0), hours_open=Decimal(4), reason="Extra", actor=person("pm"))
        assert able(centre, 0) == 8
        remove_exception(holiday[0], actor=person("pm"))
        with pytest.raises(ValidationError, match="gone"):
            remove_exception(holiday[0], actor=person("pm"))

    @pytest.mark.parametrize(
        "shifts",
        [
            [(0, dt.time(6), dt.time(14)), (0, dt.time(13), dt.time(22))],
            [(0, dt.time(22), dt.time(6)), (1, dt.time(5), dt.time(9))],
            [(6, dt.time(22), dt.time(6)), (0, dt.time(5), dt.time(9))],
        ],
    )
    def test_shifts_that_overlap_are_refused(self, shifts):
        with pytest.raises(ValidationError, match="overlap"):
            save_centre(None, code="CNC", name="Milling", shifts=shifts, actor=person("pm"))
        assert not WorkCentre.objects.exists()

    @pytest.mark.parametrize(
        ("fields", "sentence"),
        [
            ({"hours_open": Decimal(25)}, "0 to 24"),
            ({"hours_open": Decimal(-1)}, "0 to 24"),
            ({"day": dt.date(2000, 1, 1)}, "over"),
            ({"last": dt.date(2999, 1, 1)}, "60 days"),
            ({"reason": ""}, "blank"),
        ],
    )
    def test_bad_exceptions_get_a_sentence(self, fields, sentence):
        given = {"work_centre": None, "day": on(0), "reason": "x", "actor": person("pm")} | fields
        with pytest.raises(ValidationError, match=sentence):
            add_exception(**given)
        assert not CalendarException.objects.exists()

    def test_no_exception_at_the_end_of_the_calendar(self, client_of, pm):
        form = {"day": "9999-12-31", "hours_open": "0", "reason": "Festival"}
        page = client_of(pm).post("/fulfilment/capacity/exceptions/new/", form)
        assert (page.status_code, list(page.context["form"].errors)) == (422, ["day"])
        assert not CalendarException.objects.exists()

    def test_a_day_has_one_exception_and_needs_the_right(self):
        add_exception(work_centre=None, day=on(0), reason="x", actor=person("pm"))
        with pytest.raises(ValidationError, match="already"):
            add_exception(work_centre=None, day=on(0), reason="y", actor=person("pm"))
        with pytest.raises(PermissionDenied):
            add_exception(work_centre=None, day=on(1), reason="x", actor=person("warehouse"))

    @pytest.mark.parametrize("text", ["8-16", "25:00-26:00", "08:00", "x", "08:00-16:60", "08:00-16:00 09:00-10:00"])
    def test_what_is_no_shift_is_named(self, text):
        with pytest.raises(ValidationError, match="is no shift"):
            read_shifts(text)

    def test_shifts_as_typed(self):
        found = read_shifts(" 06:00 – 14:00，14:00-22:00; ")
        assert found == [(dt.time(6), dt.time(14)), (dt.time(14), dt.time(22))]


class TestLoad:
    def test_by_week_and_the_worst_day(self):
        centre, order = make.centre(), started()
        book = {"work_centre": centre, "actor": person("pm")}
        book_capacity(order, hours=Decimal(20), first=on(0), last=on(4), **book)
        book_capacity(order, hours=Decimal(4), first=on(0, 2), last=on(0, 2), **book)
        book_capacity(order, hours=Decimal(6), first=on(0, 2), last=on(0, 2), reason="rush", **book)
        (row,) = load(on(0), 3)
        assert [(w.percent, w.level) for w in row.weeks] == [(50, "good"), (25, "over"), (0, "idle")]

    def test_the_page_leads_to_days_and_orders(self, client_of, pm, sales):
        centre = make.centre()
        order, foreign = started(), placed(customer=customer_b(), actor=person("sales2"))
        for one in (order, foreign):
            book_capacity(one, work_centre=centre, hours=Decimal(4), first=on(0), last=on(0), actor=person("pm"))
        page = client_of(sales).get(f"/fulfilment/capacity/?from={on(0)}&weeks=4").content.decode()
        assert f"/fulfilment/capacity/{centre.pk}/?from={on(0)}" in page
        assert "20 %" in page
        week = client_of(sales).get(f"/fulfilment/capacity/{centre.pk}/?from={on(0)}").content.decode()
        assert f"/fulfilment/orders/{order.number}/plan/" in week
        assert f"/fulfilment/orders/{foreign.number}/plan/" not in week
        assert "乙方" not in week
        assert "Give back" not in week
        assert "Give back" in client_of(pm).get(f"/fulfilment/capacity/{centre.pk}/?from={on(0)}").content.decode()

    def test_hostile_addresses_show_this_week(self, client_of, pm):
        centre = make.centre()
        for query in ("?from=x", "?from=0001-01-01", "?from=9999-12-31", "?weeks=999", "?from=%00&weeks=%00"):
            assert client_of(pm).get(f"/fulfilment/capacity/{query}").status_code == 200
            assert client_of(pm).get(f"/fulfilment/capacity/{centre.pk}/{query}").status_code == 200
        assert client_of(pm).get("/fulfilment/capacity/999999/").status_code == 404

    def test_queries_do_not_grow_with_centres_bookings_and_weeks(self, client_of, pm):
        client = client_of(pm)
        first = make.centre()
        urls = ["/fulfilment/capacity/?weeks=4", f"/fulfilment/capacity/{first.pk}/?from={on(0)}"]
        order = started()
        book_capacity(order, work_centre=first, hours=Decimal(1), first=on(0), last=on(0), actor=pm)
        plan = f"/fulfilment/orders/{order.number}/plan/"

        def counted(url):
            client.get(url)
            with CaptureQueriesContext(connection) as caught:
                assert client.get(url).status_code == 200
            return len(caught)

        few = [counted(url) for url in (*urls, plan)]
        for n in range(12):
            centre = make.centre(f"C{n}")
            book_capacity(order, work_centre=centre, hours=Decimal(60), first=on(0), actor=pm)
            book_capacity(started(), work_centre=first, hours=Decimal(2), first=on(0), actor=pm)
        many = [counted(url) for url in (*urls, plan)]
        assert many[:2] == few[:2]
        assert many[2] <= few[2] + 1  # the centres that no product asks for
        assert counted("/fulfilment/capacity/?weeks=26") == few[0]


class TestPages:
    def test_a_centre_with_shifts_is_set_up_and_changed(self, client_of, pm):
        client = client_of(pm)
        form = {"code": "WELD", "name": "Welding", "stations": "2", "is_active": "on"}
        form |= {f"day_{n}": "06:00-14:00, 14:00-22:00" for n in range(5)}
        assert client.get("/fulfilment/capacity/new/").status_code == 200
        response = client.post("/fulfilment/capacity/new/", form)
        centre = WorkCentre.objects.get()
        assert response["Location"] == f"/fulfilment/capacity/{centre.pk}/"
        assert able(centre, 0) == 32
        twice = client.post("/fulfilment/capacity/new/", form)
        assert twice.status_code == 422
        wrong = client.post(f"/fulfilment/capacity/{centre.pk}/edit/", form | {"day_0": "early", "version": "1"})
        assert wrong.status_code == 422
        assert "is no shift" in wrong.content.decode()
        page = client.get(f"/fulfilment/capacity/{centre.pk}/edit/").content.decode()
        assert "06:00-14:00, 14:00-22:00" in page
        changed = client.post(f"/fulfilment/capacity/{centre.pk}/edit/", form | {"stations": "1", "version": "1"})
        assert changed.status_code == 302
        assert able(centre.__class__.objects.get(), 0) == 16
        stale = client.post(f"/fulfilment/capacity/{centre.pk}/edit/", form | {"version": "1"})
        assert stale.status_code == 409

    def test_exceptions_and_routing(self, client_of, pm):
        client, centre = client_of(pm), make.centre()
        made = client.post(
            "/fulfilment/capacity/exceptions/new/",
            {"day": str(on(0)), "last": str(on(2)), "hours_open": "0", "reason": "Festival"},
        )
        assert made.status_code == 302
        assert CalendarException.objects.count() == 3
        one = CalendarException.objects.first()
        assert "Festival" in client.get("/fulfilment/capacity/exceptions/").content.decode()
        assert client.post(f"/fulfilment/capacity/exceptions/{one.pk}/do/remove/").status_code == 302
        step = {"product": "SKU-1", "position": "1", "work_centre": centre.pk, "setup_hours": "1", "unit_hours": "0.25"}
        for wrong in ({"product": "NONE"}, {"setup_hours": "-1"}, {"setup_hours": "0", "unit_hours": "0"}):
            assert client.post("/fulfilment/capacity/routing/new/", step | wrong).status_code == 422
        assert client.post("/fulfilment/capacity/routing/new/", step).status_code == 302
        kept = RoutingStep.objects.get()
        assert kept.minutes(Decimal(3)) == 105
        assert "SKU-1" in client.get("/fulfilment/capacity/routing/?q=WELD").content.decode()
        assert "SKU-1" in client.get(f"/fulfilment/capacity/routing/{kept.pk}/edit/").content.decode()
        again = client.post(f"/fulfilment/capacity/routing/{kept.pk}/edit/", step | {"unit_hours": "0.5"})
        assert again.status_code == 302
        assert client.post(f"/fulfilment/capacity/routing/{kept.pk}/do/remove/").status_code == 302
        assert not RoutingStep.objects.exists()

    def test_booked_from_the_plan_with_the_overload_said_before(self, client_of, pm):
        client, centre, order = client_of(pm), make.centre(), started()
        url = f"/fulfilment/orders/{order.number}/capacity/do/book/"
        form = {"work_centre": centre.pk, "hours": "10", "first": str(on(0)), "last": str(on(0)), "key": "k"}
        assert client.get(url).status_code == 200
        refused = client.post(url, form)
        assert refused.status_code == 422
        assert "2 hours too many" in refused.content.decode()
        assert client.post(url, form | {"reason": "rush"}).status_code == 302
        plan = client.get(f"/fulfilment/orders/{order.number}/plan/").content.decode()
        assert "rush" in plan
        booking = order.bookings.get()
        release = f"/fulfilment/capacity/bookings/{booking.pk}/do/release/"
        assert client.get(release).status_code == 200
        assert order.bookings.exists()
        assert client.post(release).status_code == 302
        assert client.post(release).status_code == 404

    def test_rights(self, client_of, sales, finance, warehouse):
        centre, order = make.centre(), started()
        assert client_of(finance).get("/fulfilment/capacity/").status_code == 403
        assert client_of(finance).get(f"/fulfilment/capacity/{centre.pk}/").status_code == 403
        assert client_of(warehouse).get("/fulfilment/capacity/").status_code == 200
        for url in ("new/", f"{centre.pk}/edit/", "exceptions/", "exceptions/new/", "routing/", "routing/new/"):
            assert client_of(sales).get(f"/fulfilment/capacity/{url}").status_code == 403
        book = f"/fulfilment/orders/{order.number}/capacity/do/book/"
        assert client_of(sales).post(book, {}).status_code == 403
        assert (
            "capacity-title" not in client_of(finance).get(f"/fulfilment/orders/{order.number}/plan/").content.decode()
        )
