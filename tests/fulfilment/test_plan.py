"""The plan of an order: added, moved with a warning, reached in turn; a baseline that stays and no circle."""

import datetime as dt
import re
from itertools import pairwise

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from fulfilment.models import Milestone, MilestoneLink
from fulfilment.services import (
    add_milestone,
    change_milestone,
    move_milestone,
    reach_milestone,
    remove_milestone,
    reopen_milestone,
)
from ordermgmt.activity.models import Event
from ordermgmt.company.services import business_today
from ordermgmt.lib.fsm import TransitionRefused
from ordermgmt.lib.invariants import violations
from tests.factories.fulfilment import examine, fresh, ship
from tests.factories.orders import cancelled, customer_b, person, placed, started

pytestmark = pytest.mark.django_db


def day(days):
    return business_today() + dt.timedelta(days=days)


def step(order, code, days=5, before=(), **fields):
    fields = {"name": f"Step {code}", "forecast": day(days)} | fields
    return add_milestone(order, code=code, before=before, actor=person("pm"), **fields)


@pytest.fixture
def order():
    return started()


class TestServices:
    def test_progress_follows_the_weights(self, order):
        first = step(order, "A", 0, weight=3)
        step(order, "B", 5, weight=1)
        assert Milestone.objects.filter(order=order).progress() == 0
        reach_milestone(first, actual=day(0), actor=person("pm"))
        assert Milestone.objects.filter(order=order).progress() == 75
        remove_milestone(Milestone.objects.get(code="B"), actor=person("pm"))
        assert list(violations(["A3"])) == []
        assert Milestone.objects.none().progress() is None

    def test_moving_keeps_the_baseline_and_the_database_holds_it(self, order):
        one = move_milestone(step(order, "A", 5), forecast=day(8), reason="steel late", actor=person("pm"))
        assert (one.baseline, one.forecast, one.slip) == (day(5), day(8), 3)
        with pytest.raises(DatabaseError), transaction.atomic():
            Milestone.objects.filter(pk=one.pk).update(baseline=day(9))

    def test_a_move_that_breaks_something_says_what_and_is_saved_only_anyway(self, order):
        first = step(order, "A", 2)
        second = step(order, "B", 5, [first])
        turn = "“B Step B” begins on .*, before “A Step A”, which comes first, on "
        with pytest.raises(ValidationError, match=turn):
            move_milestone(first, forecast=day(6), reason="x", actor=person("pm"))
        with pytest.raises(ValidationError, match=turn):
            move_milestone(second, forecast=day(1), reason="x", actor=person("pm"))
        with pytest.raises(ValidationError, match="promised to the customer"):
            move_milestone(second, forecast=day(20), reason="x", actor=person("pm"))
        assert Milestone.objects.get(pk=second.pk).forecast == day(5)
        moved = move_milestone(second, forecast=day(20), reason="agreed", anyway=True, actor=person("pm"))
        assert moved.forecast == day(20)

    def test_what_follows_moves_along_by_working_days(self):
        order = started(promised_date=day(90))
        monday = day(7 - business_today().weekday())

        def on(days):
            return monday + dt.timedelta(days=days)

        first = step(order, "A", forecast=on(3))  # Thursday
        second = step(order, "B", start=on(3), forecast=on(4), before=[first])
        step(order, "C", forecast=on(9), before=[second])
        done = step(order, "D", forecast=on(0))
        step(order, "E", forecast=on(4))
        reach_milestone(done, actual=day(0), actor=person("pm"))
        kept = dict(Milestone.objects.values_list("code", "baseline"))
        with pytest.raises(ValidationError, match=r"“B Step B” begins on .* before “A Step A”"):
            move_milestone(first, forecast=on(7), reason="late", actor=person("pm"))
        move_milestone(first, forecast=on(7), reason="late", follow=True, actor=person("pm"))  # two working days
        rows = Milestone.objects.filter(order=order).order_by("code").values_list("code", "start", "forecast")
        assert [(code, start and (start - monday).days, (end - monday).days) for code, start, end in rows] == [
            ("A", None, 7), ("B", 7, 8), ("C", None, 11), ("D", None, 0), ("E", None, 4),
        ]  # fmt: skip
        assert dict(Milestone.objects.values_list("code", "baseline")) == kept
        assert Event.objects.filter(type="fulfilment.milestone_moved").count() == 3
        with pytest.raises(ValidationError, match="promised to the customer"):  # of the last that follows
            move_milestone(first, forecast=day(88), reason="late", follow=True, actor=person("pm"))
        assert Milestone.objects.get(pk=first.pk).forecast == on(7)
        assert list(violations(["A3", "T7"])) == []

    def test_each_sentence_of_a_move_names_its_milestone(self, client_of, pm, order):
        promised = (order.promised_date - business_today()).days
        first = step(order, "A", promised - 4)
        step(order, "B", promised - 2, [first])
        third = step(order, "C", promised - 1, [first])
        step(order, "D", promised - 1, [third])
        form = {"forecast": str(day(promised + 3)), "reason": "late", "follow": "on"}
        page = client_of(pm).post(f"/fulfilment/milestones/{first.pk}/do/move/", form).content.decode()
        for code in "ABCD":
            assert re.search(rf"“{code} Step {code}” comes \d+ days? after the date promised", page)
        assert "It is" not in page
        page = client_of(pm).post(f"/fulfilment/milestones/{third.pk}/do/move/", form | {"follow": ""}).content.decode()
        assert re.search("“D Step D” begins on [^,]+, before “C Step C”, which comes first", page)

    def test_what_is_out_of_turn_is_marked(self, client_of, pm, order):
        first = step(order, "A", 2)
        second = step(order, "B", 5, [first])
        url = f"/fulfilment/orders/{order.number}/plan/"
        page = client_of(pm).get(url).content.decode()
        assert "bar broken" not in page
        move_milestone(first, forecast=day(6), reason="x", anyway=True, actor=pm)
        page = client_of(pm).get(url).content.decode()
        assert page.count("bar broken") == 1
        assert "before “A Step A”, which comes first" in page
        move_milestone(second, forecast=day(20), reason="x", anyway=True, actor=pm)
        page = client_of(pm).get(url).content.decode()
        assert page.count("bar broken") == 1
        assert "6 days after the date promised" in page

    def test_no_circle_over_any_number_of_steps(self, order):
        a = step(order, "A")
        b = step(order, "B", before=[a])
        c = step(order, "C", before=[b])
        with pytest.raises(ValidationError, match="circle"):
            change_milestone(a, before=[c], actor=person("pm"))
        with pytest.raises(ValidationError, match="circle"):
            change_milestone(a, before=[a], actor=person("pm"))
        assert list(violations(["T7"])) == []
        MilestoneLink.objects.bulk_create([MilestoneLink(before=c, after=a)])
        assert len(list(violations(["T7"]))) == 3

    def test_what_comes_first_is_of_the_same_order(self, order):
        a, stranger = step(order, "A"), step(placed(), "X")
        with pytest.raises(ValidationError, match="same order"):
            change_milestone(a, before=[stranger], actor=person("pm"))
        with pytest.raises(DatabaseError), transaction.atomic():
            MilestoneLink.objects.create(before=stranger, after=a)

    @pytest.mark.parametrize(
        ("fields", "sentence"),
        [
            ({"forecast": dt.date(2000, 1, 1)}, "before the order date"),
            ({"start": dt.date(2999, 1, 1)}, "starts after"),
            ({"weight": 0}, "1 to 1000"),
            ({"name": ""}, "blank"),
        ],
    )
    def test_bad_input_gets_a_sentence_and_nothing_is_written(self, order, fields, sentence):
        with pytest.raises(ValidationError, match=sentence):
            step(order, "A", **fields)
        assert not Milestone.objects.exists()

    def test_a_code_is_there_once(self, order):
        step(order, "A")
        with pytest.raises(ValidationError, match="has this code"):
            step(order, "A")

    def test_reached_in_turn_and_taken_back_in_turn(self, order):
        first = step(order, "A", 1)
        second = step(order, "B", 2, [first])
        with pytest.raises(TransitionRefused, match="comes first"):
            reach_milestone(second, actual=day(0), actor=person("pm"))
        for wrong in (day(1), dt.date(2000, 1, 1)):
            with pytest.raises(ValidationError, match="between"):
                reach_milestone(first, actual=wrong, actor=person("pm"))
        reach_milestone(first, actual=day(0), actor=person("pm"))
        reach_milestone(second, actual=day(0), actor=person("pm"))
        assert reach_milestone(first, actual=day(0), actor=person("pm")).actual == day(0)
        for refused in (
            lambda: move_milestone(first, forecast=day(3), reason="x", actor=person("pm")),
            lambda: remove_milestone(first, actor=person("pm")),
            lambda: reopen_milestone(first, reason="x", actor=person("pm")),
        ):
            with pytest.raises(TransitionRefused):
                refused()
        assert reopen_milestone(second, reason="not tested", actor=person("pm")).actual is None
        with pytest.raises(TransitionRefused, match="not reached"):
            reopen_milestone(second, reason="again", actor=person("pm"))

    def test_its_owner_reports_it_and_nobody_else_who_does_not_plan(self, order):
        own, other = step(order, "A", owner=person("warehouse")), step(order, "B")
        reach_milestone(own, actual=day(0), actor=person("warehouse"))
        with pytest.raises(PermissionDenied):
            reach_milestone(other, actual=day(0), actor=person("warehouse"))

    def test_the_plan_of_a_finished_order_stays(self):
        with pytest.raises(TransitionRefused, match="finished"):
            step(cancelled(), "A")

    def test_material_is_needed_by_its_milestone(self, order):
        late = step(order, "S", 6, kind=Milestone.Kind.MATERIAL)
        early = step(order, "T", 3, kind=Milestone.Kind.MATERIAL)
        step(order, "W", 1)
        assert list(Milestone.objects.needed_by(order)) == [early, late]
        remove_milestone(late, actor=person("pm"))
        assert list(Milestone.objects.late(day(4))) == [Milestone.objects.get(code="W"), early]


class TestPages:
    def address(self, milestone, name="move"):
        return f"/fulfilment/milestones/{milestone.pk}/do/{name}/"

    def test_planned_through_the_page(self, client_of, pm, order):
        client = client_of(pm)
        form = {"code": "M1", "name": "Welded", "kind": "work", "weight": "2", "forecast": str(day(4))}
        url = f"/fulfilment/orders/{order.number}/plan/do/add_milestone/"
        assert client.get(url).status_code == 200
        assert not Milestone.objects.exists()
        response = client.post(url, form)
        assert response["Location"] == f"/fulfilment/orders/{order.number}/plan/"
        again = client.post(url, form)
        assert again.status_code == 422
        assert "Welded" in again.content.decode()
        one = Milestone.objects.get()
        assert client.get(self.address(one, "change")).status_code == 200
        client.post(self.address(one, "change"), {"code": "M1", "name": "Welded well", "kind": "work", "weight": "5"})
        assert Milestone.objects.get().name == "Welded well"
        assert "Welded well" in client.get(order.get_absolute_url()).content.decode()

    def test_a_drag_shows_what_it_breaks_and_saves_nothing(self, client_of, pm, order):
        one, client = step(order, "A", 5), client_of(pm)
        page = client.get(f"{self.address(one)}?by=20").content.decode()
        assert "promised to the customer" in page
        assert str(day(25)) in page
        assert "promised" not in client.get(f"{self.address(one)}?by=1").content.decode()
        for hostile in ("99999", "-99999", "%00", "x", "９"):
            assert client.get(f"{self.address(one)}?by={hostile}").status_code == 200
        assert Milestone.objects.get().forecast == day(5)
        form = {"forecast": str(day(25)), "reason": "agreed"}
        assert client.post(self.address(one), form).status_code == 422
        assert client.post(self.address(one), form | {"anyway": "on"}).status_code == 302
        assert Milestone.objects.get().forecast == day(25)

    def test_dates_turned_round_are_said_at_the_start(self, client_of, pm, order):
        one, client = step(order, "A", 5), client_of(pm)
        dates = {"start": str(day(6)), "forecast": str(day(4))}
        added = {"code": "B", "name": "B", "kind": "work", "weight": "1"} | dates
        for url, form in (
            (self.address(one), dates | {"reason": "x"}),
            (f"/fulfilment/orders/{order.number}/plan/do/add_milestone/", added),
        ):
            shown = client.post(url, form)
            assert shown.status_code == 422
            assert shown.context["form"].errors == {"start": ["It starts after it is planned to be reached."]}

    @pytest.mark.parametrize("weight", ["-5", "0", "1001", "99999999"])
    def test_a_weight_out_of_bounds_gets_one_sentence(self, client_of, pm, order, weight):
        url = f"/fulfilment/orders/{order.number}/plan/do/add_milestone/"
        form = {"code": "B", "name": "B", "kind": "work", "weight": weight, "forecast": str(day(4))}
        shown = client_of(pm).post(url, form)
        assert shown.context["form"].errors == {"weight": ["The weight is a whole number from 1 to 1000."]}

    def test_rights(self, client_of, sales, sales2, warehouse, order):
        one = step(order, "A")
        foreign = step(placed(customer=customer_b(), actor=sales2), "B")
        assert client_of(sales).get(f"/fulfilment/orders/{order.number}/plan/").status_code == 200
        assert client_of(sales).post(self.address(one), {}).status_code == 403
        assert client_of(sales).get(self.address(foreign)).status_code == 404
        assert client_of(sales).get(f"/fulfilment/orders/{foreign.order.number}/plan/").status_code == 404
        assert "Step B" not in client_of(sales).get("/fulfilment/milestones/").content.decode()
        client = client_of(warehouse)
        assert "/do/reach/" not in client.get(f"/fulfilment/orders/{order.number}/plan/").content.decode()
        assert client.post(self.address(one, "reach"), {"actual": str(day(0))}).status_code == 403

    def test_own_milestones_stand_on_the_start_page_and_in_the_list(self, client_of, warehouse, order):
        step(order, "A", owner=warehouse)
        client = client_of(warehouse)
        assert "Step A" in client.get("/").content.decode()
        assert "Step A" in client.get("/fulfilment/milestones/?mine=yes&status=open&q=Step").content.decode()
        assert "Step A" not in client.get("/fulfilment/milestones/?status=late").content.decode()

    def test_after_the_acceptance_nothing_of_it_is_work_any_more(self, client_of, pm):
        order = started()
        step(order, "A", 0, owner=pm)
        Milestone.objects.update(forecast=day(-3))
        url, client = f"/fulfilment/orders/{order.number}/plan/", client_of(pm)
        page = client.get(url).content.decode()
        assert "bar late" in page
        ship(order)
        examine(order)
        assert fresh(order).state == "accepted"
        assert "Step A" not in client.get("/").content.decode()
        for status in ("open", "late"):
            assert "Step A" not in client.get(f"/fulfilment/milestones/?status={status}").content.decode()
        page = client.get(url).content.decode()
        assert "bar late" not in page
        assert "nobody&#x27;s work any more" in page or "nobody's work any more" in page

    def test_queries_do_not_grow_with_the_plan(self, client_of, pm, order):
        client, url = client_of(pm), f"/fulfilment/orders/{order.number}/plan/"
        step(order, "M0")
        client.get(url)
        with CaptureQueriesContext(connection) as few:
            client.get(url)
        plan = [
            Milestone(order=order, code=f"X{n}", name=f"<b>{n}", forecast=day(n % 90), baseline=day(n % 80))
            for n in range(400)
        ]
        made = Milestone.objects.bulk_create(plan)
        MilestoneLink.objects.bulk_create([MilestoneLink(before=a, after=b) for a, b in pairwise(made)])
        with CaptureQueriesContext(connection) as many:
            response = client.get(url)
        assert len(many) == len(few)
        text = response.content.decode()
        assert text.count('<g class="bar') == 401
        assert "<b>7" not in text


@pytest.mark.parametrize("key", ["1" * 30, "x", "²", "-1"])
def test_what_is_no_step_comes_before_none(client_of, pm, order, key):
    form = {"code": "M1", "name": "Steel", "kind": "work", "weight": "1", "before": key}
    page = client_of(pm).post(f"/fulfilment/orders/{order.number}/plan/do/add_milestone/", form)
    assert (page.status_code, list(page.context["form"].errors)) == (422, ["before"])
    assert not Milestone.objects.exists()


class TestEndOfTheCalendar:
    """ "31 Dec 9999" is how people write that they do not know a day."""

    FAR = "9999-12-31"

    def test_no_step_is_planned_there(self, client_of, pm, order):
        url = f"/fulfilment/orders/{order.number}/plan/do/add_milestone/"
        form = {"code": "M1", "name": "Steel", "kind": "work", "weight": "1", "forecast": self.FAR}
        page = client_of(pm).post(url, form)
        assert page.status_code == 422
        assert "31 Dec 2999 is the last" in page.context["form"].errors["forecast"][0]
        assert not Milestone.objects.exists()

    def test_none_is_moved_there_with_what_follows(self, client_of, pm, order):
        first = step(order, "M1", 3)
        step(order, "M2", 6, before=[first])
        url = f"/fulfilment/milestones/{first.pk}/do/move/"
        form = {"forecast": self.FAR, "start": self.FAR, "reason": "later", "follow": "on", "anyway": "on"}
        page = client_of(pm).post(url, form)
        assert page.status_code == 422
        assert set(page.context["form"].errors) == {"start", "forecast"}
        assert Milestone.objects.get(code="M1").forecast == day(3)

    def test_a_promise_there_leaves_the_plan_readable(self, client_of, pm):
        order = started(promised_date=dt.date(9999, 12, 31))
        step(order, "M1")
        assert client_of(pm).get(f"/fulfilment/orders/{order.number}/plan/").status_code == 200
