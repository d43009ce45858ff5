"""Hours: booked by whoever worked them, corrected until locked, cost of the order for who may see it, once a day has 24."""

import datetime as dt
from decimal import Decimal
from threading import Barrier, Thread

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, connections, transaction
from django.db.models import Sum

from changes.services.impact import impact_of
from fulfilment.models import HoursLock, WorkedHours
from fulfilment.services import Entry, book_hours, hours_cost, lock_hours, set_cost_rate
from fulfilment.views.hours import read_hours
from ordermgmt.activity.models import Event
from ordermgmt.company.services import business_today
from ordermgmt.lib.invariants import violations
from orders.services import cancel_order
from reports.services import compute_report
from tests.factories.orders import line, person, placed, started
from tests.factories.staff import assign, on, service_order, staff

PATH = "/fulfilment/hours/"


def ago(days):
    return business_today() - dt.timedelta(days=days)


def old_order(**header):
    return service_order(order_date=ago(20), **header)


def work(assignment, minutes, day=None, seen=0):
    entry = Entry(assignment.pk, day or business_today(), minutes, seen)
    return book_hours(assignment.staff, entries=[entry], actor=assignment.staff.user)


def whole():
    assert [str(one) for one in violations(["K", "A3"])] == []


@pytest.fixture
def job():
    today = business_today()
    return assign(old_order(), staff(), 8, today, today + dt.timedelta(days=6))


@pytest.mark.django_db
class TestBooking:
    def test_set_corrected_and_sent_twice(self, job):
        for _twice in range(2):
            work(job, 450)
        work(job, 480, seen=450)
        row = WorkedHours.objects.get()
        assert (row.minutes, row.order, row.staff) == (480, job.order, job.staff)
        assert Event.objects.filter(type="fulfilment.hours_booked").count() == 2
        work(job, 0, seen=480)
        assert WorkedHours.objects.get().minutes == 0
        whole()

    def test_only_ones_own(self, job):
        entry = Entry(job.pk, business_today(), 60)
        with pytest.raises(PermissionDenied):
            book_hours(job.staff, entries=[entry], actor=person("pm"))
        other = staff("consultant2")
        with pytest.raises(PermissionDenied):
            book_hours(other, entries=[entry], actor=other.user)
        assert not WorkedHours.objects.exists()

    @pytest.mark.parametrize(
        ("days", "minutes", "sentence"),
        [(-1, 60, "not come"), (30, 60, "before the order"), (0, 1441, "24 hours"), (0, -1, "24 hours")],
    )
    def test_bad_input_gets_a_sentence_and_nothing_is_written(self, job, days, minutes, sentence):
        with pytest.raises(ValidationError, match=sentence):
            work(job, minutes, ago(days))
        assert not WorkedHours.objects.exists()

    def test_a_day_has_24_hours_over_all_orders(self, job):
        second = assign(old_order(), job.staff, 1, business_today(), business_today() + dt.timedelta(days=6))
        work(job, 900)
        with pytest.raises(ValidationError, match="a day has 24"):
            work(second, 600)
        with pytest.raises(DatabaseError), transaction.atomic():
            WorkedHours.objects.create(
                assignment=second, order=second.order, staff=second.staff, day=business_today(), minutes=541
            )
        whole()

    def test_a_page_that_is_old_does_not_overwrite(self, job):
        work(job, 60)
        with pytest.raises(ValidationError, match="1 h stand there now"):
            work(job, 120, seen=0)
        assert WorkedHours.objects.get().minutes == 60

    def test_an_order_that_is_over_takes_none(self):
        order = placed(line(supply="service"))
        one = assign(order, staff(), 1, business_today(), business_today())
        cancel_order(order, reason="changed their mind", actor=person("sales_manager"))
        with pytest.raises(ValidationError, match="is over"):
            work(one, 60)

    @pytest.mark.parametrize(
        ("text", "minutes"), [("7.5", 450), ("7,25", 435), ("7:20", 440), ("7：30", 450), ("", 0), ("24", 1440), (".5", None),
                              ("25", None), ("-1", None), ("1e3", None), ("７", None), ("7:75", None), ("x", None)],
    )  # fmt: skip
    def test_what_is_typed(self, text, minutes):
        if minutes is None:
            with pytest.raises(ValueError, match=r".*"):
                read_hours(text)
        else:
            assert read_hours(text) == minutes


@pytest.mark.django_db
class TestLocking:
    def test_locked_hours_stay_whatever_path_a_write_comes_by(self, job):
        work(job, 60)
        with pytest.raises(PermissionDenied):
            lock_hours(until=business_today(), actor=person("pm"))
        with pytest.raises(ValidationError, match="not come"):
            lock_hours(until=ago(-1), actor=person("manager"))
        lock_hours(until=business_today(), actor=person("manager"))
        with pytest.raises(ValidationError, match="already"):
            lock_hours(until=business_today(), actor=person("manager"))
        with pytest.raises(ValidationError, match="locked"):
            work(job, 120, seen=60)
        row = WorkedHours.objects.get()
        for deed in (
            lambda: WorkedHours.objects.update(minutes=1),
            lambda: WorkedHours.objects.all().delete(),
            lambda: WorkedHours.objects.create(
                assignment=job, order=job.order, staff=job.staff, day=ago(1), minutes=60
            ),
            lambda: HoursLock.objects.all().delete(),
            lambda: HoursLock.objects.update(until=ago(9)),
        ):
            with pytest.raises(DatabaseError), transaction.atomic():
                deed()
        row.refresh_from_db()
        assert row.minutes == 60
        with pytest.raises(ValidationError, match="opened again"):
            lock_hours(until=ago(7), actor=person("manager"))
        lock_hours(until=ago(7), reason="Clara was ill", actor=person("manager"))
        work(job, 120, seen=60)
        whole()


@pytest.mark.django_db
class TestCost:
    def test_the_rate_of_the_day_until_the_hours_are_locked(self, job):
        rate = {"staff": job.staff, "actor": person("manager")}
        work(job, 60, ago(3))
        assert hours_cost([job.order_id]) == {}
        set_cost_rate(valid_from=ago(10), rate=Decimal(50), **rate)
        set_cost_rate(valid_from=ago(1), rate=Decimal("80.10"), **rate)
        work(job, 90)
        assert hours_cost([job.order_id]) == {job.order_id: Decimal(50) + Decimal("120.15")}
        lock_hours(until=ago(2), actor=person("manager"))
        set_cost_rate(valid_from=ago(10), rate=Decimal(60), **rate)
        set_cost_rate(valid_from=ago(1), rate=Decimal(70), **rate)
        assert hours_cost([job.order_id]) == {job.order_id: Decimal(50) + Decimal(105)}
        with pytest.raises(PermissionDenied):
            set_cost_rate(job.staff, valid_from=ago(1), rate=Decimal(1), actor=person("pm"))
        with pytest.raises(ValidationError, match="below zero"):
            set_cost_rate(job.staff, valid_from=ago(5), rate=Decimal(-1), actor=person("manager"))
        whole()

    def test_it_flows_into_the_profit_of_the_order_above_what_its_lines_reckon_with(self, finance):
        order = started(line(supply="service"), order_date=ago(20))
        planned = order.order_lines[0].unit_cost.quantize(Decimal("0.01"))
        today = business_today()
        one = assign(order, staff(), 1, today, today)
        set_cost_rate(one.staff, valid_from=ago(30), rate=planned, actor=person("manager"))

        def row():
            rows = compute_report("profit", {}, user=finance)["sections"]["by_order"]["rows"]
            return next(row for row in rows if row["number"] == order.number)

        work(one, 60)
        assert Decimal(row()["hours"]) == 0
        margin = Decimal(row()["margin"])
        work(one, 150, seen=60)
        assert Decimal(row()["hours"]) == planned * Decimal("1.5")
        assert Decimal(row()["margin"]) == margin - planned * Decimal("1.5")
        assert "Hours beside the plan" in row()["why"]

    @pytest.mark.parametrize(("currency", "compared"), [("EUR", True), ("USD", False)])
    def test_the_order_says_what_is_in_no_cost_and_compares_one_currency(self, client_of, manager, currency, compared):
        order = started(line(supply="service", unit_cost=Decimal(50)), order_date=ago(20), currency=currency)
        today = business_today()
        work(assign(order, staff(), 2, today, today), 90)
        page = client_of(manager).get(order.get_absolute_url()).content.decode()
        assert "1.5 h of somebody without a cost rate are not in it" in page
        assert ("the service lines reckon with" in page) is compared

    def test_a_change_says_what_is_spent_already_by_what_was_worked_not_planned(self, job):
        assert impact_of(job.order, []).worked == 0
        work(job, 450)
        assert impact_of(job.order, []).worked == 450


@pytest.mark.django_db
class TestThePage:
    def test_a_week_on_the_page_booked_as_planned_corrected_and_refused(self, client_of, consultant, pm, finance):
        today = business_today()
        one = assign(old_order(), staff(), 4, today, today)
        client = client_of(consultant)
        page = client.get(PATH).content.decode()
        name = f"h-{one.pk}-{today.isoformat()}"
        assert f'name="{name}"' in page
        assert one.order.number in page
        assert client.post(PATH, {name: "", f"{name}-seen": "0", "planned": str(one.pk)}).status_code == 302
        assert WorkedHours.objects.get().minutes == 240
        assert client.post(PATH, {name: "7:45", f"{name}-seen": "240"}).status_code == 302
        assert WorkedHours.objects.get().minutes == 465
        answer = client.post(PATH, {name: "<b>9</b>", f"{name}-seen": "465"})
        assert answer.status_code == 422
        assert answer.content.decode().count("is no time") == 2, "above and at its field"
        assert f'id="{name}-error"' in answer.content.decode()
        assert "&lt;b&gt;9" in answer.content.decode()
        foreign = assign(old_order(), staff("consultant2"), 4, today, today)
        client.post(PATH, {f"h-{foreign.pk}-{today.isoformat()}": "5"})
        assert not WorkedHours.objects.filter(assignment=foreign).exists()
        assert client_of(finance).get(PATH).status_code == 403
        assert "not set up as staff" in client_of(pm).get(PATH).content.decode()
        assert client.get(PATH, {"from": "x"}).status_code == 200
        assert client.delete(PATH).status_code == 405

    def test_queries_do_not_grow_with_assignments(self, client_of, consultant, django_assert_max_num_queries):
        who, today = staff(), business_today()
        client = client_of(consultant)
        client.get(PATH)
        for _more in range(5):
            assign(old_order(), who, 1, today, today + dt.timedelta(days=6))
        with django_assert_max_num_queries(20):
            client.get(PATH)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_hours_and_their_lock_at_once_never_leave_hours_behind_the_lock():
    job = assign(old_order(), staff(), 8, business_today(), on(6))
    barrier, results = Barrier(2), {}

    def run(name, deed):
        try:
            barrier.wait()
            deed()
            results[name] = "done"
        except ValidationError as error:
            results[name] = " ".join(error.messages)
        finally:
            connections.close_all()

    manager = person("manager")
    deeds = {"work": lambda: work(job, 60), "lock": lambda: lock_hours(until=business_today(), actor=manager)}
    threads = [Thread(target=run, args=one) for one in deeds.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results["lock"] == "done"
    written = WorkedHours.objects.aggregate(sum=Sum("minutes"))["sum"]
    assert (results["work"], written) in (("done", 60), (results["work"], None))
    if written is None:
        assert "locked" in results["work"]
