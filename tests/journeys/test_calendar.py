"""The calendar at a browser: seven days stand beside each other, a phone shows a list, the address is shown once."""

import datetime as dt
from typing import Any

import pytest

from fulfilment.forms.plan_template import read_steps
from fulfilment.models import Milestone
from fulfilment.services import apply_plan, save_plan_template
from ordermgmt.accounts.models import User
from ordermgmt.company.services import business_today
from tests.factories.orders import person, started

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
STEPS = "M1; Drawings released; work; 5\nM2; Steel is there; material; 12; 1; M1\nM3; Delivered; delivery; 4; 2; M2"


def test_read_at_the_desk_and_on_a_phone_and_given_to_a_calendar_program(visitor: Any) -> None:
    pm, today = person("pm"), business_today()
    steps = read_steps(STEPS)
    kept = save_plan_template(None, name="Frame", product=None, kind="goods", is_active=True, steps=steps, actor=pm)
    for n in range(7):
        order = started(promised_date=today + dt.timedelta(days=60 + n))
        apply_plan(order, template=kept, first=today, owner=pm, anyway=True, actor=pm)
    one = visitor(pm)
    drawings = Milestone.objects.filter(order=order, name="Drawings released").get()
    page = one.open(f"/fulfilment/calendar/?day={drawings.forecast}")
    boxes = [cell.bounding_box() for cell in page.locator(".day-grid tbody tr").first.locator("td").all()]
    assert len(boxes) == 7
    assert len({round(box["y"]) for box in boxes}) == 1
    assert all(box["width"] > 100 for box in boxes)
    one.press("2 more")  # seven steps of that name on one day, five have room
    page.wait_for_url("**view=week**")
    one.look()
    one.press("Make a private address")
    one.look()
    link = page.get_by_label("Private address").input_value()
    answer = page.request.get(one.base + link[link.index("/fulfilment/") :], headers={"Cookie": ""})
    assert answer.text().count("BEGIN:VEVENT") == 28
    pages = ["/fulfilment/calendar/", f"/fulfilment/orders/{order.number}/plan/do/apply_template/"]
    pages.append(f"/fulfilment/plan-templates/{kept.pk}/edit/")
    User.objects.filter(pk=pm.pk).update(theme="dark", language="zh-hans")
    one.page.set_viewport_size({"width": 390, "height": 844})
    for path in pages:
        page = one.open(path)
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 1, f"{path} is {overflow} px too wide"
