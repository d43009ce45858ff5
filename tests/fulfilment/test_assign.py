"""Assigning staff: over their free time, never twice at once, once under many hands; it moves with the plan."""

import datetime as dt
from decimal import Decimal
from threading import Barrier, Thread, get_ident
from threading import Event as Signal
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, IntegrityError, connection, connections, transaction
from django.db.models import F, Sum
from django.test.utils import CaptureQueriesContext

from fulfilment.models import Assignment, CapacityBooking, CentreDay
from fulfilment.services import (
    add_absence,
    add_exception,
    add_milestone,
    assign_staff,
    assigning,
    booking,
    follow_promise,
    laying,
    move_milestone,
    moving,
    planning,
    reach_milestone,
    release_assignment,
    release_booking,
    release_order,
    remove_milestone,
    replace_staff,
    save_staff,
    suggest,
)
from ordermgmt.activity.models import Event
from ordermgmt.activity.services import work_off
from ordermgmt.company.services import business_today
from ordermgmt.lib.fsm import TransitionRefused
from ordermgmt.lib.invariants import violations
from tests.factories.capacity import EIGHT
from tests.factories.orders import cancelled, customer_b, made, person, placed, started
from tests.factories.staff import assign, on, service_order, skill, staff


def laid(assignment):
    return {one.day: one.minutes // 60 for one in CapacityBooking.objects.filter(assignment=assignment)}


def whole():
    assert [str(one) for one in violations(["K", "A3"])] == []


@pytest.mark.django_db
class TestAssigning:
    def test_work_lies_over_free_time_and_two_orders_never_share_an_hour(self):
        who = staff(weekdays=5)
        first = assign(service_order(), who, 20, on(3), on(4, 2))
        assert laid(first) == {on(3): 8, on(4): 8, on(0, 2): 4}
        second = assign(service_order(), who, 6, on(0, 2), on(4, 2))
        assert laid(second) == {on(0, 2): 4, on(1, 2): 2}
        whole()

    def test_too_much_is_refused_with_who_has_the_time_whatever_the_reason(self):
        who, order = staff(), service_order()
        assign(order, who, 6, on(0), on(0))
        with pytest.raises(ValidationError) as refused:
            assign(service_order(), who, 5, on(0), on(0))
        said = " ".join(refused.value.messages)
        assert "Carl Consultant has 2 of the 5 hours free" in said
        assert order.number in said
        assert Assignment.objects.count() == 1
        whole()

    def test_sent_twice_it_is_one(self):
        who, order, key = staff(), service_order(), uuid4().hex
        assert assign(order, who, 4, on(0), on(0), key=key) == assign(order, who, 4, on(0), on(0), key=key)
        assert CapacityBooking.objects.count() == 1

    @pytest.mark.parametrize(
        ("change", "sentence"),
        [
            ({"hours": Decimal(0)}, "more than 0"),
            ({"hours": Decimal(-1)}, "more than 0"),
            ({"first": dt.date(2000, 1, 1)}, "first day"),
            ({"last": dt.date(2000, 1, 1)}, "last day"),
        ],
    )
    def test_bad_input_gets_a_sentence_and_nothing_is_written(self, change, sentence):
        fields = {"staff": staff(), "hours": Decimal(1), "first": on(0), "last": on(1), "key": "k"} | change
        with pytest.raises(ValidationError, match=sentence):
            assign_staff(service_order(), actor=person("pm"), **fields)
        assert not Assignment.objects.exists()

    def test_who_for_what_and_when(self):
        who, order = staff(), service_order()
        with pytest.raises(PermissionDenied):
            assign(order, who, 1, on(0), on(0), actor=person("sales"))
        for wrong in (made(), cancelled()):
            with pytest.raises(TransitionRefused, match="placed orders"):
                assign(wrong, who, 1, on(0), on(0))
        stranger = add_milestone(placed(), code="X", name="X", forecast=on(1), actor=person("pm"))
        with pytest.raises(ValidationError, match="same order"):
            assign(order, who, 1, on(0), on(0), milestone=stranger)
        for foreign in (service_order(), started()):
            with pytest.raises(ValidationError, match="service line"):
                assign(order, who, 1, on(0), on(0), line=foreign.order_lines[0])
        assert assign(order, who, 1, on(0), on(0), line=order.order_lines[0]).what == order.order_lines[0].description
        resting = staff("consultant2")
        save_staff(
            resting, user=resting.user, shifts=[(0, *EIGHT)], levels={}, is_active=False, actor=person("pm")
        )  # fmt: skip
        with pytest.raises(ValidationError, match="can be assigned"):
            assign(order, resting, 1, on(0), on(0))

    def test_taken_off_the_time_is_free_and_both_sides_are_told(self):
        who, order = staff(), service_order()
        one = assign(order, who, 8, on(0), on(0))
        with pytest.raises(TransitionRefused, match="assignment of a person"):
            release_booking(CapacityBooking.objects.get(), actor=person("pm"))
        release_assignment(one, actor=person("pm"))
        with pytest.raises(TransitionRefused, match="to come"):
            release_assignment(one, actor=person("pm"))
        assign(service_order(), who, 8, on(0), on(0))
        told = Event.objects.filter(root_type="fulfilment.staffmember", root_id=who.pk).values_list("type", flat=True)
        assert {"fulfilment.work_given", "fulfilment.work_taken"} <= set(told)
        work_off()
        assert {one.event.type for one in person("consultant").notifications.all()} >= {
            "fulfilment.work_given", "fulfilment.work_taken",
        }  # fmt: skip
        whole()


@pytest.mark.django_db
class TestTheDatabase:
    """What no path can do, a shell and a bulk update included."""

    @pytest.fixture
    def full(self):
        return assign(service_order(), staff(), 8, on(0), on(0))

    def refused(self, deed):
        with pytest.raises(DatabaseError), transaction.atomic():
            deed()

    def test_no_day_above_its_calendar_and_no_overload(self, full):
        day = CentreDay.objects.filter(work_centre=full.staff.calendar, day=on(0))
        self.refused(lambda: day.update(booked=F("booked") + 1))
        self.refused(lambda: day.update(booked=F("booked") + 1, overload=1))
        self.refused(
            lambda: CentreDay.objects.create(
                work_centre=full.staff.calendar, day=on(1), capacity=0, booked=60, overload=60
            )
        )

    def test_no_booking_that_the_day_does_not_count(self, full):
        order, calendar = full.order, full.staff.calendar
        book = {"order": order, "work_centre": calendar, "minutes": 60}
        rows = CapacityBooking.objects
        self.refused(lambda: rows.create(assignment=full, day=on(0), **book))
        self.refused(lambda: rows.create(assignment=full, day=on(5), **book))
        self.refused(lambda: rows.bulk_create([CapacityBooking(assignment=full, day=on(0), **book)]))
        self.refused(lambda: rows.create(day=on(0), **book))
        self.refused(lambda: rows.filter(assignment=full).update(minutes=600))
        self.refused(lambda: rows.filter(assignment=full).update(day=on(1)))

    def test_no_booking_of_another_person_or_order(self, full):
        other = assign(service_order(), staff("consultant2"), 4, on(0), on(0))
        CentreDay.objects.filter(work_centre=other.staff.calendar).update(booked=300)
        book = {"work_centre": other.staff.calendar, "minutes": 60, "day": on(0)}
        self.refused(lambda: CapacityBooking.objects.create(order=full.order, assignment=full, **book))
        self.refused(lambda: CapacityBooking.objects.create(order=full.order, assignment=other, **book))
        CapacityBooking.objects.create(order=other.order, assignment=other, **book)


@pytest.mark.django_db
class TestMovingWithThePlan:
    @pytest.fixture
    def step(self):
        order = service_order(promised_date=business_today() + dt.timedelta(days=90))
        return add_milestone(order, code="M1", name="Workshop", start=on(0), forecast=on(1), actor=person("pm"))

    def test_assignments_move_with_their_milestone_and_the_person_is_told(self, step):
        one = assign(step.order, staff(), 16, on(0), on(1), milestone=step)
        move_milestone(step, start=on(2), forecast=on(3), reason="customer asks", actor=person("pm"))
        assert laid(one) == {on(2): 8, on(3): 8}
        one.refresh_from_db()
        assert (one.first, one.last) == (on(2), on(3))
        assert Event.objects.filter(type="fulfilment.work_moved").count() == 1
        whole()

    def test_where_there_is_no_time_the_move_says_so_and_anyway_leaves_the_work_missing(self, step):
        who = staff()
        one = assign(step.order, who, 16, on(0), on(1), milestone=step)
        assign(service_order(), who, 8, on(2), on(2))
        moved = {"start": on(2), "forecast": on(3), "reason": "customer asks", "actor": person("pm")}
        with pytest.raises(ValidationError, match="8 hours too many"):
            move_milestone(step, **moved)
        assert laid(one) == {on(0): 8, on(1): 8}
        move_milestone(step, anyway=True, **moved)
        assert laid(one) == {on(3): 8}
        assert Event.objects.get(type="fulfilment.assignment_short").data["hours"] == "8"
        whole()
        # Moved on, what is missing is looked for again.
        move_milestone(step, start=on(3), forecast=on(4), reason="later", actor=person("pm"))
        assert laid(one) == {on(3): 8, on(4): 8}
        whole()

    def test_two_pieces_of_one_person_do_not_share_an_hour_when_they_move(self, step):
        who = staff()
        for _piece in range(2):
            assign(step.order, who, 8, on(0), on(1), milestone=step)
        with pytest.raises(ValidationError, match="8 hours too many"):
            move_milestone(step, start=on(2), forecast=on(2), reason="shorter", actor=person("pm"))
        move_milestone(step, start=on(2), forecast=on(3), reason="later", actor=person("pm"))
        assert CapacityBooking.objects.aggregate(sum=Sum("minutes"))["sum"] == 960
        whole()

    def test_the_promise_takes_them_along_without_ever_booking_twice(self):
        order, who = service_order(promised_date=business_today() + dt.timedelta(days=90)), staff()
        step = add_milestone(
            order, code="D", name="Handover", kind="delivery", start=on(0), forecast=on(0), actor=person("pm")
        )
        one = assign(order, who, 8, on(0), on(0), milestone=step)
        other = assign(service_order(), who, 8, on(0, 2), on(0, 2))
        follow_promise(order, days=7, reason="CR-1", actor=person("pm"))
        assert laid(one) == {}
        assert laid(other) == {on(0, 2): 8}
        assert Event.objects.filter(type="fulfilment.assignment_short").exists()
        whole()

    def test_reached_removed_or_over_gives_back_what_is_to_come(self, step):
        who = staff()
        one = assign(step.order, who, 8, on(0), on(0), milestone=step)
        reach_milestone(step, actual=business_today(), actor=person("pm"))
        one.refresh_from_db()
        assert (laid(one), one.minutes) == ({}, 0)
        other = add_milestone(step.order, code="M2", name="Training", forecast=on(4), actor=person("pm"))
        two = assign(step.order, who, 8, on(0), on(0), milestone=other)
        remove_milestone(other, actor=person("pm"))
        two.refresh_from_db()
        assert (laid(two), two.minutes, two.milestone) == ({}, 0, None)
        three = assign(step.order, who, 8, on(0), on(0))
        assert release_order(step.order, actor=None) == 1
        assert release_order(step.order, actor=None) == 0
        three.refresh_from_db()
        assert three.minutes == 0
        whole()


@pytest.mark.django_db
class TestAbsences:
    def test_an_absence_on_booked_days_is_named_and_with_it_the_work_goes(self):
        who = staff()
        one = assign(service_order(), who, 16, on(0), on(1))
        off = {"day": on(0), "last": on(0), "reason": "Leave", "actor": person("pm")}
        with pytest.raises(PermissionDenied):
            add_absence(who, **(off | {"actor": person("sales")}))
        with pytest.raises(ValidationError, match="8 hours above its capacity"):
            add_absence(who, **off)
        add_absence(who, anyway=True, **off)
        with pytest.raises(ValidationError, match="already"):
            add_absence(who, anyway=True, **off)
        assert laid(one) == {on(1): 8}
        with pytest.raises(ValidationError, match="no working time on"):
            assign(service_order(), who, 1, on(0), on(0))
        assert Event.objects.filter(type__in=["fulfilment.assignment_short", "fulfilment.work_off"]).count() == 2
        whole()

    def test_a_holiday_of_the_company_holds_for_people_too(self):
        who = staff()
        one = assign(service_order(), who, 8, on(0), on(0))
        add_exception(work_centre=None, day=on(0), reason="Festival", anyway=True, actor=person("pm"))
        assert laid(one) == {}
        day = CentreDay.objects.get(work_centre=who.calendar, day=on(0))
        assert (day.capacity, day.booked, day.overload) == (0, 0, 0)
        whole()

    def test_a_shorter_week_too(self):
        who = staff()
        one = assign(service_order(), who, 16, on(0), on(1))
        week = {"user": who.user, "shifts": [(1, *EIGHT)], "levels": {}, "actor": person("pm")}
        with pytest.raises(ValidationError, match="above its capacity"):
            save_staff(who, **week)
        save_staff(who, reason="part time", **week)
        assert laid(one) == {on(1): 8}
        whole()


@pytest.mark.django_db
class TestSuggestions:
    def test_skill_then_time_then_level_then_the_customer_each_with_the_reason(self):
        asked = skill()
        expert, able, busy, other = (
            staff("consultant", Commissioning=3), staff("consultant2", Commissioning=2),
            staff("warehouse", Commissioning=3), staff("warehouse2"),
        )  # fmt: skip
        order = service_order()
        assign(service_order(customer=customer_b(), actor=person("sales2")), busy, 8, on(0), on(0))
        assign(service_order(), able, 1, on(9), on(9))
        day = on(0)
        with CaptureQueriesContext(connection) as queries:
            found = suggest(order, minutes=480, first=day, last=day, skill=asked)
        assert [one.staff for one in found] == [expert, able, busy, other]
        assert len(queries) == 6, "\n".join(one["sql"] for one in queries)
        assert [one.fits for one in found] == [True, True, False, False]
        told = [one.told(asked) for one in found]
        assert told[0] == "Commissioning: expert · 8 h free"
        assert told[1] == "Commissioning: works alone · 8 h free · knows the customer from 1 order"
        assert told[2] == "Commissioning: expert · 0 h free of 8"
        assert told[3] == "lacks Commissioning · 8 h free"
        assert expert not in [one.staff for one in suggest(order, minutes=1, first=on(0), last=on(0), without=expert)]


@pytest.mark.django_db
class TestReplacing:
    def test_all_that_is_to_come_moves_in_one_step_and_everyone_is_told(self):
        old, new, order = staff(), staff("consultant2"), service_order()
        step = add_milestone(order, code="M1", name="Workshop", forecast=on(1), actor=person("pm"))
        with_plan = assign(order, old, 16, on(0), on(1), milestone=step)
        plain, elsewhere = assign(order, old, 8, on(3), on(4)), assign(service_order(), old, 8, on(5), on(5))
        with pytest.raises(PermissionDenied):
            replace_staff(order, old=old, new=new, first=on(0), reason="x", actor=person("sales"))
        with pytest.raises(ValidationError, match="Say why"):
            replace_staff(order, old=old, new=new, first=on(0), reason=" ", actor=person("pm"))
        made = replace_staff(order, old=old, new=new, first=on(1), reason="not prepared", actor=person("pm"))
        assert [(one.replaces, laid(one), one.milestone) for one in made] == [
            (with_plan, {on(1): 8}, step), (plain, {on(3): 8}, None),
        ]  # fmt: skip
        assert laid(with_plan) == {on(0): 8}
        assert laid(elsewhere) == {on(5): 8}
        with pytest.raises(TransitionRefused, match="nothing to come"):
            replace_staff(order, old=old, new=new, first=on(1), reason="again", actor=person("pm"))
        work_off()
        assert order.owner.notifications.filter(event__type="fulfilment.staff_replaced").exists()
        assert person("consultant").notifications.filter(event__type="fulfilment.work_taken").exists()
        assert person("consultant2").notifications.filter(event__type="fulfilment.work_given").exists()
        whole()

    def test_who_has_no_time_replaces_nobody_and_nothing_moves(self):
        old, new, order = staff(), staff("consultant2"), service_order()
        one = assign(order, old, 16, on(0), on(1))
        assign(service_order(), new, 8, on(1), on(1))
        with pytest.raises(ValidationError, match="Clara Consultant has 8 of the 16 hours free"):
            replace_staff(order, old=old, new=new, first=on(0), reason="x", actor=person("pm"))
        assert laid(one) == {on(0): 8, on(1): 8}
        whole()

    def test_what_has_to_be_done_first_finds_its_day(self):
        old, new, order = staff(), staff("consultant2"), service_order()
        block = assign(service_order(), old, 8, on(0), on(0))
        later = assign(order, old, 8, on(0), on(1))  # lies on the second day, could lie on the first
        release_assignment(block, actor=person("pm"))
        urgent = assign(order, old, 8, on(0), on(0))
        assert (laid(later), laid(urgent)) == ({on(1): 8}, {on(0): 8})
        made = replace_staff(order, old=old, new=new, first=on(0), reason="x", actor=person("pm"))
        assert [laid(one) for one in made] == [{on(1): 8}, {on(0): 8}]
        whole()

    def test_work_that_moves_is_not_what_takes_the_time(self):
        old, new, order, other = staff(), staff("consultant2"), service_order(), service_order()
        assign(order, old, 32, on(0), on(3))
        assign(order, old, 8, on(4), on(4))
        assign(other, new, 8, on(0), on(0))
        with pytest.raises(ValidationError) as refused:
            replace_staff(order, old=old, new=new, first=on(0), reason="x", actor=person("pm"))
        said = " ".join(refused.value.messages)
        assert "Clara Consultant has 32 of the 40 hours free" in said
        assert f"{other.number} (8 h)" in said
        assert order.number not in said
        whole()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def race(self, work):
        """Both works at the same moment in threads of their own; gives what each came to."""
        barrier, results = Barrier(2), [None, None]

        def run(place):
            try:
                results[place] = work(place, barrier) or "booked"
            except (ValidationError, IntegrityError, TransitionRefused) as error:
                results[place] = error
            finally:
                connections.close_all()

        threads = [Thread(target=run, args=(place,)) for place in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results

    def test_of_two_planners_one_gets_the_person_and_the_other_reads_why(self):
        who, orders = staff(), [service_order(), service_order()]
        planners = [person("pm"), person("pm2")]

        def work(place, barrier):
            barrier.wait()
            assign(orders[place], who, 6, on(0), on(0), actor=planners[place])

        results = self.race(work)
        (lost,) = [one for one in results if one != "booked"]
        assert isinstance(lost, ValidationError)
        assert orders[results.index("booked")].number in " ".join(lost.messages)
        assert CapacityBooking.objects.aggregate(sum=Sum("minutes"))["sum"] == 360
        whole()

    def test_control_what_only_looks_first_books_twice_where_no_rule_stands(self):
        """The same check then write on a work centre, whose bookings the database does not count: both win."""
        from tests.factories import capacity as make

        centre, orders = make.centre(), [service_order(), service_order()]

        def work(place, barrier):
            taken = CapacityBooking.objects.filter(work_centre=centre, day=on(0)).aggregate(sum=Sum("minutes"))["sum"]
            barrier.wait()
            if 480 - (taken or 0) >= 360:
                CapacityBooking.objects.create(order=orders[place], work_centre=centre, day=on(0), minutes=360)

        assert self.race(work) == ["booked", "booked"]

    def test_without_the_locks_the_database_still_refuses_the_second(self):
        one, two = (assign(service_order(), who, 1, on(1), on(1)) for who in [staff()] * 2)
        calendar = one.staff.calendar
        CentreDay.objects.update_or_create(work_centre=calendar, day=on(0), defaults={"capacity": 480})

        def work(place, barrier):
            free = CentreDay.objects.get(work_centre=calendar, day=on(0)).free
            barrier.wait()
            assert free >= 360
            chosen = (one, two)[place]
            with transaction.atomic():
                CentreDay.objects.filter(work_centre=calendar, day=on(0)).update(booked=F("booked") + 360)
                CapacityBooking.objects.create(
                    order=chosen.order, assignment=chosen, work_centre=calendar, day=on(0), minutes=360
                )

        assert sorted(isinstance(one, IntegrityError) for one in self.race(work)) == [False, True]
        assert CapacityBooking.objects.filter(day=on(0)).aggregate(sum=Sum("minutes"))["sum"] == 360

    @pytest.mark.parametrize("given_back", ["order", "assignment", "milestone"])
    def test_what_an_absence_took_is_not_given_back_again(self, monkeypatch, given_back):
        """The order's side has read its bookings and comes to the calendar after the absence is entered."""
        who, (kept, ended) = staff(), (service_order(), service_order())
        assign(kept, who, 4, on(0), on(0))
        milestone = add_milestone(ended, code="M1", name="Visit", forecast=on(0), actor=person("pm"))
        taken = assign(ended, who, 4, on(0), on(0), milestone=milestone)
        reached, entered, real = Signal(), Signal(), laying.lock_centres

        absent = []  # the thread of the absence, which does not wait for itself

        def late(centres):
            if get_ident() not in absent:
                reached.set()
                assert entered.wait(20)
            real(centres)

        for module in (laying, booking, assigning, moving, planning):
            monkeypatch.setattr(module, "lock_centres", late)

        def work(place, barrier):
            barrier.wait()
            if place:
                absent.append(get_ident())
                assert reached.wait(20)
                try:
                    add_absence(who, day=on(0), hours_open=Decimal(4), reason="ill", anyway=True, actor=person("pm"))
                finally:
                    entered.set()
            elif given_back == "order":
                release_order(ended, actor=person("pm"))
            elif given_back == "assignment":
                release_assignment(taken, actor=person("pm"))
            else:
                move_milestone(milestone, forecast=on(1), reason="later", actor=person("pm"))

        assert self.race(work) == ["booked", "booked"]
        day = CentreDay.objects.get(work_centre=who.calendar, day=on(0))
        assert (day.booked, CapacityBooking.objects.get(day=on(0)).order) == (240, kept)
        whole()

    def test_two_replacements_at_once_are_one(self):
        old, order = staff(), service_order()
        others = [staff("consultant2"), staff("warehouse")]
        assign(order, old, 8, on(0), on(0))

        def work(place, barrier):
            barrier.wait()
            replace_staff(order, old=old, new=others[place], first=on(0), reason="x", actor=person("pm"))

        results = self.race(work)
        assert sorted(isinstance(one, TransitionRefused) for one in results) == [False, True]
        assert CapacityBooking.objects.aggregate(sum=Sum("minutes"))["sum"] == 480
        whole()
