"""The plan at a browser: a bar is dragged, what that breaks is read, and nothing moves before it is confirmed."""

import datetime as dt
from typing import Any

import pytest

from fulfilment.models import Milestone
from fulfilment.services import add_milestone, add_risk, reach_milestone
from ordermgmt.accounts.models import User
from ordermgmt.company.services import business_today
from tests.factories.orders import person, started

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_bar_is_dragged_on_the_desk_and_read_in_chinese_on_a_phone(visitor: Any) -> None:
    order, today, pm = started(), business_today(), person("pm")
    steps: list[Milestone] = []
    for place, name in enumerate(["Drawings released", "Steel is there", "Welded and painted", "Delivered"]):
        days = dt.timedelta(days=4 * place)
        steps.append(
            add_milestone(
                order, actor=pm, code=f"M{place + 1}", name=name, owner=pm, start=today + days,
                forecast=today + days, before=steps[-1:],
            )
        )  # fmt: skip
    reach_milestone(steps[0], actual=today, actor=pm)
    address = f"/fulfilment/orders/{order.number}/plan/"
    one = visitor(pm)
    page = one.open(address)
    box = page.locator("g.bar").nth(3).bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 5, box["y"] + 8)
    page.mouse.down()
    page.mouse.move(box["x"] + 205, box["y"] + 8, steps=5)
    page.mouse.up()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("promised to the customer").wait_for()
    one.look()
    assert Milestone.objects.get(code="M4").forecast == today + dt.timedelta(days=12)
    dialog.get_by_label("Reason").fill("paint is late")
    dialog.get_by_label("Save in spite of what it breaks").check()
    dialog.get_by_role("button", name="Move").click()
    page.get_by_text("1 after the baseline").wait_for()
    moved = Milestone.objects.get(code="M4")
    assert moved.forecast is not None
    assert moved.baseline is not None
    assert moved.forecast > moved.baseline
    for probability, impact in ((5, 4), (3, 3), (1, 2)):
        add_risk(
            order, actor=pm, title=f"Risk {probability}", owner=pm, probability=probability, impact=impact, review_on=today
        )  # fmt: skip
    page = one.open("/fulfilment/risks/")
    page.get_by_label("1 with probability 5 and impact 4").click()
    page.wait_for_url("**probability=5**")
    assert page.locator("#list tbody tr").count() == 1
    one.open(order.get_absolute_url())
    User.objects.filter(pk=pm.pk).update(theme="dark", language="zh-hans")
    one.page.set_viewport_size({"width": 390, "height": 844})
    for narrow in (address, "/fulfilment/risks/", order.get_absolute_url()):
        page = one.open(narrow)
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 1, f"{narrow} is {overflow} px too wide"
