"""Booking work centres: over what is free, above it only with a reason, once under many hands; it moves with the plan."""

import datetime as dt
from decimal import Decimal
from threading import Barrier, Thread

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connections, transaction
from django.db.models import F, Sum

from fulfilment.models import CapacityBooking, CentreDay
from fulfilment.services import (
    add_exception,
    add_milestone,
    book_capacity,
    book_needs,
    follow_promise,
    move_milestone,
    reach_milestone,
    release_booking,
    release_order,
    remove_milestone,
    save_centre,
)
from fulfilment.services.capacity import day_text, order_needs
from ordermgmt.activity.models import Event
from ordermgmt.company.services import business_today
from ordermgmt.lib.fsm import TransitionRefused
from ordermgmt.lib.invariants import violations
from tests.factories import capacity as make
from tests.factories.orders import cancelled, line, made, person, placed, started


def on(days, weeks=1):
    return make.monday(weeks) + dt.timedelta(days=days)


def book(order, centre, hours, first, last=None, **fields):
    return book_capacity(
        order, work_centre=centre, hours=Decimal(hours), first=first, last=last, actor=person("pm"), **fields
    )


def laid(order):
    return {one.day: one.minutes // 60 for one in CapacityBooking.objects.filter(order=order)}


@pytest.mark.django_db
class TestRefusals:
    def test_a_centre_that_is_out_of_use_is_said_on_the_page(self, client_of, pm):
        centre, order = make.centre(), started()
        make.routing(centre)
        save_centre(centre, shifts=[], code="WELD", name="Centre WELD", stations=1, is_active=False, actor=pm)
        url = f"/fulfilment/orders/{order.number}/capacity/do/book_needs/"
        page = client_of(pm).post(url, {"first": str(on(0))})
        assert page.status_code == 422
        assert page.context["form"].non_field_errors() == ["Centre WELD is not in use."]

    def test_no_reason_books_more_than_a_day_can_hold(self):
        centre = make.centre()
        make.routing(centre, unit=9999)
        order = started(line(quantity=900_000_000, supply="make"))
        with pytest.raises(ValidationError, match="hours too many"):
            book_needs(order, first=on(0), last=on(4), reason="whatever it takes", actor=person("pm"))
        assert laid(order) == {}


@pytest.mark.django_db
class TestBooking:
    def test_work_lies_over_what_is_free_and_skips_the_weekend(self):
        centre, order = make.centre(), started()
        book(order, centre, 20, on(3))
        assert laid(order) == {on(3): 8, on(4): 8, on(0, 2): 4}
        other = started()
        book(other, centre, 6, on(0, 2))
        assert laid(other) == {on(0, 2): 4, on(1, 2): 2}
        assert list(violations(["K1"])) == []

    def test_too_much_is_refused_with_who_has_the_time_and_booked_only_for_a_reason(self):
        centre, first, second = make.centre(), started(), started()
        book(first, centre, 6, on(0), on(0))
        with pytest.raises(ValidationError) as refused:
            book(second, centre, 5, on(0), on(0))
        said = " ".join(refused.value.messages)
        assert "2 of the 5 hours free" in said
        assert "3 hours too many" in said
        assert first.number in said
        assert laid(second) == {}
        book(second, centre, 5, on(0), on(0), reason="night shift agreed")
        day = CentreDay.objects.get(day=on(0))
        assert (day.booked, day.capacity, day.overload) == (660, 480, 180)
        assert CapacityBooking.objects.get(order=second).reason == "night shift agreed"
        release_booking(CapacityBooking.objects.get(order=first), actor=person("pm"))
        assert CentreDay.objects.get(day=on(0)).overload == 0
        assert list(violations(["K1", "A3"])) == []

    @pytest.mark.parametrize(("last", "when"), [(5, "on {0}"), (6, "from {0} to {1}")])
    def test_on_days_without_working_time_that_is_the_reason(self, last, when):
        when = when.format(day_text(on(5)), day_text(on(6)))
        with pytest.raises(ValidationError) as refused:
            book(started(), make.centre(), 8, on(5), on(last))
        assert refused.value.messages == [f"Centre WELD has no working time {when}: none of the 8 hours has a place."]

    def test_the_database_holds_the_capacity_of_a_day(self):
        centre = make.centre()
        book(started(), centre, 8, on(0), on(0))
        with pytest.raises(IntegrityError), transaction.atomic():
            CentreDay.objects.filter(day=on(0)).update(booked=F("booked") + 1)

    def test_what_the_products_ask_for_is_booked_in_turn(self):
        weld, paint = make.centre("WELD"), make.centre("PAINT")
        make.routing(paint, position=2, unit="0.5")
        make.routing(weld, position=1, setup=2, unit=2)
        order = started(line(quantity=7, supply="make"))
        assert [(one.centre.code, one.needed) for one in order_needs(order)] == [("WELD", 960), ("PAINT", 210)]
        book_needs(order, first=on(0), actor=person("pm"))
        assert {(one.work_centre.code, one.day): one.minutes for one in CapacityBooking.objects.all()} == {
            ("WELD", on(0)): 480, ("WELD", on(1)): 480, ("PAINT", on(1)): 210,
        }  # fmt: skip
        with pytest.raises(TransitionRefused, match="is booked"):
            book_needs(order, first=on(0), actor=person("pm"))
        assert all(one.open == 0 for one in order_needs(order))

    def test_it_does_not_fit_before_the_promise(self):
        make.routing(make.centre(), unit=10)
        order = started(line(quantity=9, supply="make"))
        with pytest.raises(ValidationError, match="hours too many"):
            book_needs(order, first=on(0), last=on(4), actor=person("pm"))
        book_needs(order, first=on(0), last=on(4), reason="weekend agreed", actor=person("pm"))
        assert laid(order) == {on(n): 18 for n in range(5)}

    @pytest.mark.parametrize(
        ("change", "sentence"),
        [
            ({"hours": Decimal(0)}, "more than 0"),
            ({"hours": Decimal(-3)}, "more than 0"),
            ({"hours": Decimal(99999)}, "at most"),
            ({"first": dt.date(2000, 1, 1)}, "first day"),
            ({"first": dt.date(2999, 1, 1)}, "first day"),
            ({"last": dt.date(2000, 1, 1)}, "last day"),
        ],
    )
    def test_bad_input_gets_a_sentence_and_nothing_is_written(self, change, sentence):
        fields = {"work_centre": make.centre(), "hours": Decimal(1), "first": on(0), "last": on(1)} | change
        with pytest.raises(ValidationError, match=sentence):
            book_capacity(started(), actor=person("pm"), **fields)
        assert not CapacityBooking.objects.exists()

    def test_who_and_when(self):
        centre, order = make.centre(), started()
        with pytest.raises(PermissionDenied):
            book_capacity(order, work_centre=centre, hours=Decimal(1), first=on(0), actor=person("sales"))
        for wrong in (made(), cancelled()):
            with pytest.raises(TransitionRefused, match="placed orders"):
                book(wrong, centre, 1, on(0))
        stranger = add_milestone(placed(), code="X", name="X", forecast=on(1), actor=person("pm"))
        with pytest.raises(ValidationError, match="same order"):
            book(order, centre, 1, on(0), milestone=stranger)
        shut = make.centre("SHUT", weekdays=0)
        with pytest.raises(ValidationError, match="no free time"):
            book(order, shut, 1, on(0))
        book(order, centre, 1, on(0))
        booking = CapacityBooking.objects.get()
        release_booking(booking, actor=person("pm"))
        with pytest.raises(TransitionRefused, match="gone"):
            release_booking(booking, actor=person("pm"))

    def test_an_order_that_ends_gives_back_what_is_to_come(self):
        centre, order = make.centre(), started()
        book(order, centre, 12, on(0))
        assert release_order(order, actor=None) == 2
        assert release_order(order, actor=None) == 0
        assert list(violations(["K1"])) == []


@pytest.mark.django_db
class TestMovingWithThePlan:
    @pytest.fixture
    def welded(self):
        order = started(promised_date=business_today() + dt.timedelta(days=60))
        return add_milestone(order, code="M1", name="Welded", start=on(0), forecast=on(1), actor=person("pm"))

    def test_bookings_move_with_their_milestone(self, welded):
        centre = make.centre()
        book(welded.order, centre, 16, on(0), on(1), milestone=welded)
        move_milestone(welded, start=on(2), forecast=on(3), reason="steel late", actor=person("pm"))
        assert laid(welded.order) == {on(2): 8, on(3): 8}
        assert list(violations(["K1"])) == []

    def test_a_move_that_overloads_says_so_before_and_is_saved_only_anyway(self, welded):
        centre, other = make.centre(), started()
        book(welded.order, centre, 16, on(0), on(1), milestone=welded)
        book(other, centre, 8, on(2), on(2))
        with pytest.raises(ValidationError, match="8 hours too many"):
            move_milestone(welded, start=on(2), forecast=on(3), reason="steel late", actor=person("pm"))
        assert laid(welded.order) == {on(0): 8, on(1): 8}
        move_milestone(welded, start=on(2), forecast=on(3), reason="steel late", anyway=True, actor=person("pm"))
        assert laid(welded.order).keys() == {on(2), on(3)}
        assert sum(laid(welded.order).values()) == 16
        assert CapacityBooking.objects.exclude(reason="").exists()
        assert list(violations(["K1"])) == []

    def test_an_overload_that_moves_stays_together_in_the_window_with_its_reason(self, welded):
        centre, pm = make.centre(), person("pm")
        book(started(), centre, 32, on(0), on(3))
        book(started(), centre, 80, on(0, 2), on(4, 3))
        book(welded.order, centre, 8, on(1), on(1), milestone=welded, reason="Customer insists")
        move = {"start": on(0, 2), "forecast": on(4, 3), "reason": "x", "actor": pm}
        move_milestone(welded, anyway=True, **move)
        row = CapacityBooking.objects.get(order=welded.order)
        assert (row.day, row.minutes, row.reason) == (on(1, 2), 480, "Customer insists; x")
        move_milestone(welded, anyway=True, **move | {"start": on(3, 2)})
        row = CapacityBooking.objects.get(order=welded.order)
        assert (row.day, row.reason) == (on(4, 2), "Customer insists; x")
        assert list(violations(["K1"])) == []

    def test_hours_before_their_milestone_begins_move_into_its_window(self, welded):
        centre = make.centre()
        book(welded.order, centre, 8, on(0), on(0), milestone=welded)
        CapacityBooking.objects.update(day=on(0) - dt.timedelta(days=1))
        CentreDay.objects.update(day=on(0) - dt.timedelta(days=1))
        move_milestone(welded, start=on(1), forecast=on(2), reason="x", actor=person("pm"))
        assert laid(welded.order) == {on(1): 8}

    def test_its_own_bookings_do_not_stand_in_its_way(self, welded):
        centre = make.centre()
        book(welded.order, centre, 16, on(0), on(1), milestone=welded)
        move_milestone(welded, start=on(1), forecast=on(2), reason="a day later", actor=person("pm"))
        assert laid(welded.order) == {on(1): 8, on(2): 8}

    def test_the_promise_takes_them_along(self):
        order = started(promised_date=business_today() + dt.timedelta(days=60))
        one = add_milestone(
            order, code="D", name="Packed", kind="delivery", start=on(0), forecast=on(0), actor=person("pm")
        )
        book(order, make.centre(), 8, on(0), on(0), milestone=one)
        follow_promise(order, days=7, reason="CR-1", actor=person("pm"))
        assert laid(order) == {on(0, 2): 8}

    def test_reached_or_removed_it_gives_them_back(self, welded):
        centre = make.centre()
        book(welded.order, centre, 8, on(0), on(0), milestone=welded)
        reach_milestone(welded, actual=business_today(), actor=person("pm"))
        assert laid(welded.order) == {}
        other = add_milestone(welded.order, code="M2", name="Painted", forecast=on(4), actor=person("pm"))
        book(welded.order, centre, 8, on(0), on(0), milestone=other)
        remove_milestone(other, actor=person("pm"))
        assert laid(welded.order) == {}
        assert list(violations(["K1"])) == []

    def test_a_holiday_on_booked_days_is_named_and_saved_only_anyway(self, welded):
        centre = make.centre()
        book(welded.order, centre, 8, on(0), on(0), milestone=welded)
        closed = {"work_centre": None, "day": on(0), "reason": "Festival", "actor": person("pm")}
        with pytest.raises(ValidationError, match="8 hours above its capacity"):
            add_exception(**closed)
        add_exception(anyway=True, **closed)
        day = CentreDay.objects.get(day=on(0))
        assert (day.capacity, day.booked, day.overload) == (0, 480, 480)


@pytest.mark.django_db
class TestMovingWithTheMaterial:
    """Hours that are booked for no milestone wait for the material of their order."""

    @pytest.fixture
    def planned(self):
        order = started(promised_date=business_today() + dt.timedelta(days=90))
        pm = person("pm")
        steel = add_milestone(order, code="M3", name="Steel", kind="material", forecast=on(0), actor=pm)
        add_milestone(order, code="M4", name="Built", start=on(1), forecast=on(4), before=[steel], actor=pm)
        return steel

    def test_hours_that_would_lie_before_it_move_and_what_they_overtake_does_too(self, planned):
        weld, paint, order = make.centre("WELD"), make.centre("PAINT"), planned.order
        book(order, weld, 8, on(1), on(1))
        book(order, paint, 8, on(2), on(2))
        book(order, paint, 4, on(0, 6), on(0, 6))
        move_milestone(planned, forecast=on(0, 2), reason="steel late", follow=True, actor=person("pm"))
        rows = CapacityBooking.objects.filter(order=order).values_list("work_centre__code", "day", "minutes")
        assert set(rows) == {("WELD", on(1, 2), 480), ("PAINT", on(2, 2), 480), ("PAINT", on(0, 6), 240)}
        event = Event.objects.get(type="fulfilment.bookings_moved")
        assert event.data["name"] == "M3 Steel"
        assert list(violations(["K1"])) == []

    def test_hours_that_lay_before_the_old_day_come_after_the_new_one(self, planned):
        centre = make.centre()
        move_milestone(planned, forecast=on(0, 2), reason="late", follow=True, actor=person("pm"))
        book(planned.order, centre, 16, on(1))
        move_milestone(planned, forecast=on(2, 3), reason="later", follow=True, actor=person("pm"))
        assert laid(planned.order) == {on(2, 3): 8, on(3, 3): 8}

    def test_what_stays_possible_stays(self, planned):
        centre = make.centre()
        book(planned.order, centre, 8, on(3), on(3))
        move_milestone(planned, forecast=on(2), reason="late", follow=True, actor=person("pm"))
        assert laid(planned.order) == {on(3): 8}

    def test_too_little_time_before_the_delivery_is_said_before_and_saved_only_anyway(self, planned):
        centre, order, pm = make.centre(), planned.order, person("pm")
        add_milestone(order, code="M5", name="Delivered", kind="delivery", forecast=on(1, 2), actor=pm)
        book(order, centre, 24, on(0), on(2))
        with pytest.raises(ValidationError, match="8 hours too many"):
            move_milestone(planned, forecast=on(0, 2), reason="late", follow=True, actor=pm)
        assert laid(order) == {on(n): 8 for n in range(3)}
        move_milestone(planned, forecast=on(0, 2), reason="late", follow=True, anyway=True, actor=pm)
        assert sum(laid(order).values()) == 24
        assert laid(order).keys() == {on(0, 2), on(1, 2)}
        assert list(violations(["K1"])) == []

    def test_material_that_is_there_holds_nothing_back(self, planned):
        order, pm = planned.order, person("pm")
        more = add_milestone(order, code="M6", name="Motor", kind="material", forecast=on(4), actor=pm)
        reach_milestone(planned, actual=business_today(), actor=pm)
        book(order, make.centre(), 8, on(3), on(3))
        move_milestone(more, forecast=on(1, 2), reason="late", actor=pm)
        assert laid(order) == {on(3): 8}

    def test_the_plan_says_what_is_booked_before_it_can_be_worked(self, planned, client_of, pm):
        order, url = planned.order, f"/fulfilment/orders/{planned.order.number}/plan/"
        move_milestone(planned, forecast=on(4), reason="late", follow=True, actor=pm)
        book(order, make.centre(), 16, on(0))
        page = client_of(pm).get(url).content.decode()
        said = f"Centre WELD is booked before “M3 Steel” on {day_text(on(4))}: 8 h on {day_text(on(0))}, 8 h on"
        assert page.count(said) == 1
        assert 'href="#capacity"' in page
        for one in CapacityBooking.objects.all():
            release_booking(one, actor=pm)
        assert "is booked before" not in client_of(pm).get(url).content.decode()

    def test_nothing_is_booked_for_a_milestone_before_it_begins(self, planned):
        built = planned.order.milestones.get(code="M4")
        with pytest.raises(ValidationError, match="“M4 Built” begins on") as refused:
            book(planned.order, make.centre(), 8, on(0), milestone=built)
        assert list(refused.value.message_dict) == ["first"]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def race(self, work):
        """Both works at the same moment in threads of their own; gives what each came to."""
        barrier, results = Barrier(2), [None, None]

        def run(place):
            try:
                results[place] = work(place, barrier) or "booked"
            except (ValidationError, IntegrityError) as error:
                results[place] = error
            finally:
                connections.close_all()

        threads = [Thread(target=run, args=(place,)) for place in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results

    def test_of_two_planners_one_wins_and_the_other_reads_why(self):
        centre, orders = make.centre(), [started(), started()]
        pm, pm2 = person("pm"), person("pm2")

        def work(place, barrier):
            barrier.wait()
            book_capacity(
                orders[place], work_centre=centre, hours=Decimal(6), first=on(0), last=on(0), actor=(pm, pm2)[place]
            )

        results = self.race(work)
        (lost,) = [one for one in results if one != "booked"]
        winner = orders[results.index("booked")]
        assert isinstance(lost, ValidationError)
        assert winner.number in " ".join(lost.messages)
        assert CapacityBooking.objects.aggregate(sum=Sum("minutes"))["sum"] == 360
        assert list(violations(["K1"])) == []

    def test_control_without_lock_and_rule_both_would_book(self):
        centre, orders = make.centre(), [started(), started()]

        def work(place, barrier):
            taken = CapacityBooking.objects.filter(work_centre=centre, day=on(0)).aggregate(sum=Sum("minutes"))["sum"]
            barrier.wait()
            if 480 - (taken or 0) >= 360:
                CapacityBooking.objects.create(order=orders[place], work_centre=centre, day=on(0), minutes=360)

        assert self.race(work) == ["booked", "booked"]
        assert CapacityBooking.objects.aggregate(sum=Sum("minutes"))["sum"] == 720

    def test_without_the_lock_the_database_still_refuses_the_second(self):
        centre = make.centre()
        CentreDay.objects.create(work_centre=centre, day=on(0), capacity=480)

        def work(place, barrier):
            free = CentreDay.objects.get(day=on(0)).free
            barrier.wait()
            if free >= 360:
                CentreDay.objects.filter(day=on(0)).update(booked=F("booked") + 360)

        assert sorted(isinstance(one, IntegrityError) for one in self.race(work)) == [False, True]
        assert CentreDay.objects.get(day=on(0)).booked == 360
