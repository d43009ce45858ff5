"""Plan templates: typed as lines, laid on an order as milestones with dates and dependencies; bad ones get a sentence."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from fulfilment.forms.plan_template import read_steps
from fulfilment.models import CalendarException, Milestone, PlanTemplate
from fulfilment.services import TemplateStep, apply_plan, reach_milestone, save_plan_template
from inventory.models import Product
from ordermgmt.company.services import business_today
from ordermgmt.lib.fsm import TransitionRefused
from ordermgmt.lib.invariants import violations
from tests.factories.orders import cancelled, person, started

pytestmark = pytest.mark.django_db
STEPS = """M1; Drawings released; work; 5; 3
M3; Welded; work; 4; 4; M1, M2
M2; Steel is there; material; 12; 1; M1
M4; Delivered; delivery; 1; 2; M3
"""


def day(days):
    return business_today() + dt.timedelta(days=days)


def template(text=STEPS, **fields):
    fields = {"name": "Frame", "product": None, "kind": "goods", "is_active": True} | fields
    return save_plan_template(None, steps=read_steps(text), actor=person("pm"), **fields)


@pytest.fixture
def order():
    return started(promised_date=day(60))


class TestApplying:
    def test_dates_dependencies_and_weights_follow(self, order):
        monday = day(7 - business_today().weekday())
        apply_plan(order, template=template(), first=monday, owner=person("pm"), actor=person("pm"))
        found = {one.code: one for one in Milestone.objects.filter(order=order)}
        # Five days from a Monday are a Saturday: the next Monday then, and so on.
        assert {code: ((one.start - monday).days, (one.forecast - monday).days) for code, one in found.items()} == {
            "M1": (0, 7), "M2": (7, 21), "M3": (21, 25), "M4": (25, 28),
        }  # fmt: skip
        assert found["M2"].kind == "material"
        assert (found["M2"].baseline - monday).days == 21
        assert set(found["M3"].before.values_list("code", flat=True)) == {"M1", "M2"}
        reach_milestone(found["M1"], actual=day(0), actor=person("pm"))
        assert Milestone.objects.filter(order=order).progress() == 30
        assert list(violations(["T7", "A3"])) == []

    def test_a_holiday_of_the_company_is_no_milestones_day(self, order):
        monday = day(7 - business_today().weekday())
        for ahead, minutes in ((0, 0), (7, 0), (5, 480)):  # two Mondays off, the Saturday between is worked
            CalendarException.objects.create(
                work_centre=None, day=monday + dt.timedelta(days=ahead), minutes=minutes, reason="Spring Festival"
            )
        text = "M1; Released; work; 4; 1\nM2; Welded; work; 1; 1; M1"
        apply_plan(order, template=template(text), first=monday, actor=person("pm"))
        days = Milestone.objects.filter(order=order).order_by("code").values_list("start", "forecast")
        assert [tuple((one - monday).days for one in row) for row in days] == [(1, 5), (5, 8)]

    def test_a_second_time_needs_a_prefix(self, order):
        kept = template()
        apply_plan(order, template=kept, first=day(0), actor=person("pm"))
        with pytest.raises(ValidationError, match="M1, M2, M3, M4 already"):
            apply_plan(order, template=kept, first=day(0), actor=person("pm"))
        apply_plan(order, template=kept, first=day(0), code_prefix="B-", actor=person("pm"))
        assert Milestone.objects.filter(order=order).count() == 8

    def test_an_end_after_the_promise_says_by_how_many_days(self, order):
        kept, monday = template(), day(7 - business_today().weekday())
        late = (monday + dt.timedelta(days=63) - day(60)).days
        with pytest.raises(ValidationError, match=rf"{late} days after the date promised"):
            apply_plan(order, template=kept, first=monday + dt.timedelta(days=35), actor=person("pm"))
        assert not Milestone.objects.exists()
        apply_plan(order, template=kept, first=monday + dt.timedelta(days=35), anyway=True, actor=person("pm"))
        assert Milestone.objects.count() == 4

    def test_who_and_when(self, order):
        kept = template()
        with pytest.raises(PermissionDenied):
            apply_plan(order, template=kept, first=day(0), actor=person("sales"))
        with pytest.raises(ValidationError, match="before the order date"):
            apply_plan(order, template=kept, first=dt.date(2000, 1, 1), actor=person("pm"))
        with pytest.raises(TransitionRefused, match="finished"):
            apply_plan(cancelled(), template=kept, first=day(0), actor=person("pm"))
        with pytest.raises(PermissionDenied):
            save_plan_template(None, name="x", steps=[TemplateStep("A", "a")], actor=person("warehouse"))

    def test_those_for_its_products_stand_first(self, order):
        template(name="A any"), template(name="B service", kind="service")
        template(name="C own", product=Product.objects.get(sku="SKU-1")), template(name="D off", is_active=False)
        assert [one.name for one in PlanTemplate.objects.fitting(order)] == ["C own", "A any", "B service"]


class TestBadInput:
    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("M1", "Line 1: write"),
            ("M1; a\nM2; b; nonsense", "Line 2: “nonsense” is no kind"),
            ("M1; a; work; -3", "Line 1: days and weight"),
            ("M1; a; work; 1.5", "Line 1: days and weight"),
            ("M1; a; work; 1; 1; M1; x", "Line 1: write"),
            ("M1; a; work; 1; 0", "1000"),
            ("M1; a; work; 9999", "M1"),
            ("M1; a; work; 1; 1; M9", "no step with the code M9"),
            ("M1; a; work; 1; 1; M1", "circle: M1"),
            ("M1; a;;1;1; M2\nM2; b;;1;1; M1", "circle: M1, M2"),
            ("M1; a\nM1; b", "twice: M1"),
            ("\n", "1 to 100 steps"),
        ],
    )
    def test_gets_a_sentence_and_nothing_is_written(self, text, sentence):
        with pytest.raises(ValidationError, match=sentence):
            template(text)
        assert not PlanTemplate.objects.exists()


class TestPages:
    def test_made_changed_and_applied_through_the_pages(self, client_of, pm, order):
        client = client_of(pm)
        form = {"name": "Frame", "product": "SKU-1", "kind": "goods", "is_active": "on", "steps": STEPS}
        assert client.get("/fulfilment/plan-templates/new/").status_code == 200
        assert client.post("/fulfilment/plan-templates/new/", form | {"product": "NO"}).status_code == 422
        assert client.post("/fulfilment/plan-templates/new/", form).status_code == 302
        assert client.post("/fulfilment/plan-templates/new/", form).status_code == 422
        kept = PlanTemplate.objects.get()
        page = client.get(f"/fulfilment/plan-templates/{kept.pk}/edit/").content.decode()
        assert "M3; Welded; Work; 4; 4; M1, M2" in page
        edit = f"/fulfilment/plan-templates/{kept.pk}/edit/"
        assert (
            client.post(edit, form | {"steps": STEPS + "M5; Accepted; acceptance; 3", "version": "1"}).status_code
            == 302
        )
        assert client.post(edit, form | {"version": "1"}).status_code == 409
        assert "Frame" in client.get("/fulfilment/plan-templates/").content.decode()
        url = f"/fulfilment/orders/{order.number}/plan/do/apply_template/"
        assert "Frame" in client.get(url).content.decode()
        assert not Milestone.objects.exists()
        far = client.post(url, {"template": kept.pk, "first": "9999-12-31", "anyway": "on"})
        assert (far.status_code, list(far.context["form"].errors)) == (422, ["first"])
        assert client.post(url, {"template": kept.pk, "first": str(day(1))}).status_code == 302
        assert Milestone.objects.filter(order=order).count() == 5
        assert client.post(url, {"template": kept.pk, "first": str(day(1))}).status_code == 422

    def test_rights(self, client_of, sales, order):
        for url in ("", "new/"):
            assert client_of(sales).get(f"/fulfilment/plan-templates/{url}").status_code == 403
        assert client_of(sales).post(f"/fulfilment/orders/{order.number}/plan/do/apply_template/").status_code == 403
