"""The plan at a browser: a bar is dragged, what that breaks is read, and nothing moves before it is confirmed."""

import datetime as dt
from typing import Any

import pytest
from playwright.sync_api import expect

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
    # The keyboard does the same: a week and a day, and what that breaks is read before anything is saved.
    name = page.get_by_role("link", name="M3 Welded and painted")
    name.focus()
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("ArrowRight")
    assert "+8 days" in page.locator("[data-shifted]").inner_text()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Planned")).to_have_value(str(today + dt.timedelta(days=16)))
    assert Milestone.objects.get(code="M3").forecast == today + dt.timedelta(days=8)
    one.look()
    page.keyboard.press("Escape")
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


def test_four_hundred_rows_stay_usable(visitor: Any) -> None:
    order, today, pm = started(), business_today(), person("pm")
    days = [today + dt.timedelta(days=place) for place in range(402)]
    Milestone.objects.bulk_create(
        [
            Milestone(order=order, code=f"M{place}", name=f"Step {place}", owner=pm, start=day, baseline=day, forecast=day)
            for place, day in enumerate(days)
        ]
    )  # fmt: skip
    one = visitor(pm)
    page = one.page
    answer = page.goto(f"{one.base}/fulfilment/orders/{order.number}/plan/")
    assert answer is not None
    assert len(answer.body()) < 402 * 3_500, "what a row weighs"
    assert page.locator("g.bar").count() == 402
    # The last row is in reach of the keyboard, and names and bars scroll together.
    name = page.get_by_role("link", name="M401 Step 401", exact=True)
    name.focus()
    page.keyboard.press("ArrowLeft")
    bar = page.locator("g.bar").nth(401)
    rows = [where for one_of in (name, bar) if (where := one_of.bounding_box())]
    assert abs(rows[0]["y"] - rows[1]["y"]) < 30
    page.keyboard.press("Enter")
    planned = page.get_by_role("dialog").get_by_label("Planned")
    expect(planned).to_have_value(str(days[400]))
    assert not one.problems
