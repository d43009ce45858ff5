"""A real project's plan with its baseline, against figures computed apart from this code."""

import datetime as dt
import json
from io import StringIO

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command

from fulfilment.imports import save_plan
from fulfilment.models import Milestone, MilestoneLink
from fulfilment.services import Step, change_milestone, import_plan, move_milestone
from ordermgmt.company.services import business_today
from ordermgmt.lib.conflict import StaleVersion
from ordermgmt.lib.importing import Context, Group, Refused, Row
from ordermgmt.lib.importing.values import parse_date
from ordermgmt.lib.invariants import violations
from tests.conftest import data_folder
from tests.factories.orders import person, started

pytestmark = pytest.mark.django_db


@pytest.mark.data
def test_lsst(client_of, finance):
    folder = data_folder()
    figures = json.loads((folder / "EXPECTED.json").read_text())["12_lsst_milestones"]
    for expected in ("created", "unchanged"):
        out = StringIO()
        call_command("import_data", "lsst", str(folder / "12_lsst_milestones"), "--format", "json", stdout=out)
        steps = {step["target"]: step for step in json.loads(out.getvalue())["steps"]}
        assert {name: step[expected] for name, step in steps.items()} == dict.fromkeys(steps, 1)
    plan = list(Milestone.objects.filter(order__number="LSST-DM"))
    assert len(plan) == figures["rows_ME"]
    assert sum(1 for one in plan if one.actual) == figures["status_ME"]["Completed"]
    compared = [one.slip for one in plan if one.actual and one.baseline]
    assert len(compared) == figures["ME_with_baseline_and_actual"]
    assert sum(1 for slip in compared if slip > 0) == figures["ME_late"]
    assert sum(1 for slip in compared if slip < 0) == figures["ME_early"]
    assert MilestoneLink.objects.count() == figures["ME_predecessor_links_inside_file"]
    assert list(violations(["T7"])) == []
    page = client_of(finance).get("/fulfilment/orders/LSST-DM/plan/").content.decode()
    assert page.count('<g class="bar') == figures["rows_ME"]


def test_a_circle_and_dates_out_of_order_leave_nothing():
    order = started()
    with pytest.raises(ValidationError, match="circle"):
        import_plan(order, [Step("A", "a"), Step("B", "b")], [("A", "B"), ("B", "A")], actor=person("admin"))
    wrong = Step("A", "a", start=dt.date(2030, 1, 2), forecast=dt.date(2030, 1, 1))
    with pytest.raises(ValidationError, match="starts after"):
        import_plan(order, [wrong], [], actor=person("admin"))
    Milestone.objects.all().delete()
    assert import_plan(order, [Step("A", "a", baseline=dt.date(2030, 1, 1))], [], actor=person("admin")) == (1, 0)
    assert import_plan(order, [Step("A", "b", baseline=dt.date(2031, 1, 1))], [], actor=person("admin")) == (0, 1)
    kept = Milestone.objects.get()
    assert (kept.name, kept.baseline) == ("b", dt.date(2030, 1, 1))
    move_milestone(kept, forecast=business_today(), reason="x", anyway=True, actor=person("pm"))
    import_plan(order, [Step("A", "c", baseline=dt.date(2031, 1, 1))], [], actor=person("admin"))
    assert list(violations(["A3"])) == []


def test_what_a_file_says_wrongly_is_named_by_row():
    order = started()
    context = Context("tests", person("admin"))

    def rows(*values):
        return Group(
            "x", [Row(f"row {n}", {"order": order.number, "name": "n"} | one, {}) for n, one in enumerate(values)]
        )

    for group, sentence in (
        (rows({"order": "NONE", "code": "A"}), "no order"),
        (rows({"code": "A"}, {"code": "A"}), "twice"),
        (rows({"code": "A", "baseline": dt.date(2000, 1, 1)}), "before the order"),
    ):
        with pytest.raises(Refused, match=sentence):
            save_plan(context, group)
    assert not Milestone.objects.exists()
    save_plan(context, rows({"code": "A", "before": "Z, "}))
    assert "1 predecessors" in context.warnings[0].sentence


def test_a_time_of_day_does_not_matter():
    assert parse_date("2/16/2021 8:00:00 AM", "%m/%d/%Y") == dt.date(2021, 2, 16)


def test_a_page_from_before_the_import_does_not_undo_it(pm):
    order, day = started(), business_today() + dt.timedelta(days=3)
    import_plan(order, [Step("A", "Design", forecast=day), Step("B", "Build", forecast=day)], [], actor=pm)
    seen = {one.code: one for one in Milestone.objects.filter(order=order)}
    later = day + dt.timedelta(days=9)
    import_plan(order, [Step("A", "Design", forecast=later), Step("B", "Build", forecast=day)], [("A", "B")], actor=pm)
    for code in "AB":  # the one was moved, the other waits for it now
        with pytest.raises(StaleVersion):
            change_milestone(seen[code], code=code, name="Old", version=seen[code].version, actor=pm)
    assert Milestone.objects.get(order=order, code="A").forecast == later
    versions = list(Milestone.objects.filter(order=order).values_list("version", flat=True))
    import_plan(order, [Step("A", "Design", forecast=later)], [("A", "B")], actor=pm)
    assert list(Milestone.objects.filter(order=order).values_list("version", flat=True)) == versions, "the same again"
    assert not list(violations("TA"))
