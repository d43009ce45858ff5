"""A service order: hours booked on a phone, a low score by link, the consultant replaced, and it is done."""

import datetime as dt
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation
from django.utils.translation import gettext as _t

from fulfilment.models import Assignment, CorrectiveAction, WorkedHours
from fulfilment.services import link_address, save_skill, set_cost_rate
from ordermgmt.accounts.models import User
from ordermgmt.activity.services import work_off
from ordermgmt.company.services import business_today
from ordermgmt.lib.invariants import violations
from tests.factories.orders import line, person, started
from tests.factories.staff import skill, staff

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SIZES = {"desk": (1440, 900), "phone": (360, 740)}


def _seen(one: Any, name: str) -> None:
    """axe, no page wider than the screen, and a picture where somebody asks for them."""
    one.look()
    wide = one.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 1, name
    if folder := os.environ.get("JOURNEY_PICTURES"):
        one.page.screenshot(path=str(Path(folder) / f"service-{name}.png"), full_page=True)


def _confirm(one: Any, button: str, name: str) -> None:
    dialog = one.page.get_by_role("dialog")
    dialog.wait_for()
    _seen(one, name)
    dialog.get_by_role("button", name=button, exact=True).click()
    dialog.wait_for(state="hidden")
    one.page.wait_for_load_state()


@pytest.mark.parametrize(("language", "theme", "size"), [("en", "dark", "desk"), ("zh-hans", "light", "phone")])
def test_a_consultant_is_replaced(visitor: Any, language: str, theme: str, size: str) -> None:
    today = business_today()
    training = skill("培训" if language == "zh-hans" else "Training")
    old, new = staff("consultant", **{training.name: 2}), staff("consultant2", **{training.name: 3})
    set_cost_rate(old, valid_from=today - dt.timedelta(days=90), rate=Decimal("61.37"), actor=person("manager"))
    order = started(line(supply="service"), promised_date=today + dt.timedelta(days=6))
    save_skill(training, name=training.name, products=[order.order_lines[0].product], actor=person("pm"))
    User.objects.update(language=language, theme=theme)
    translation.activate(language)
    width, height = SIZES[size]

    def at(user: User) -> Any:
        one = visitor(user)
        one.page.set_viewport_size({"width": width, "height": height})
        return one

    # The project manager looks who could do it, and takes Carl.
    pm = at(person("pm"))
    pm.open("/fulfilment/staff/")
    _seen(pm, f"staff-{language}-{size}")
    pm.open(f"{order.get_absolute_url()}#staff")
    pm.press(_t("Assign staff"))
    pm.page.locator("[name=line]").select_option(index=1)
    pm.page.locator("[name=hours]").fill("12")
    pm.press(_t("Who could do it"))
    _seen(pm, f"suggested-{language}-{size}")
    pm.page.get_by_role("button", name=_t("Assign %(name)s") % {"name": "Carl Consultant"}).click()
    pm.page.wait_for_url(lambda url: "/staff/" not in url)
    _seen(pm, f"assigned-{language}-{size}")
    one = Assignment.objects.get()
    assert (one.staff, one.skill, one.minutes) == (old, training, 720)

    # Carl books today on a phone: as planned, then corrected.
    carl = visitor(person("consultant"))
    carl.page.set_viewport_size({"width": 360, "height": 740})
    carl.open("/")
    _seen(carl, f"home-{language}")
    carl.page.get_by_role("link", name=_t("My hours"), exact=True).last.click()
    carl.page.wait_for_load_state()
    _seen(carl, f"hours-{language}")
    field = carl.page.locator(f"[name='h-{one.pk}-{today.isoformat()}']")
    box = field.bounding_box()
    assert box["height"] >= 44
    assert box["width"] >= 44
    carl.page.get_by_role("button", name=_t("Book as planned")).first.click()
    carl.page.get_by_text(_t("Your hours are booked.")).wait_for()
    assert WorkedHours.objects.get().minutes == 480
    carl.page.locator(f"[name='h-{one.pk}-{today.isoformat()}']").fill("7:30")
    carl.press(_t("Save hours"))
    carl.page.get_by_text(_t("Your hours are booked.")).wait_for()
    assert WorkedHours.objects.get().minutes == 450
    _seen(carl, f"booked-{language}")
    assert "61" not in carl.page.locator("main").inner_text()

    # The customer is asked by link and is not content.
    pm.open(order.get_absolute_url())
    pm.page.get_by_role("link", name=_t("Ask for feedback")).click()
    _confirm(pm, _t("Ask for feedback"), f"ask-{language}-{size}")
    guest = pm.context.browser.new_page(viewport={"width": 360, "height": 740})
    guest.goto(pm.base + "/" + link_address(order.feedback_links.get()).split("/", 3)[3])
    guest.locator("[name=score][value='1']").check()
    guest.locator("[name=text]").fill("顾问没有准备" if language == "zh-hans" else "Carl was not prepared")
    guest.locator("main button[type=submit]").click()
    guest.wait_for_url("**/thanks/**")
    guest.close()

    # A corrective action: another person in one step, then done.
    pm.open(order.get_absolute_url())
    pm.page.get_by_role("link", name=_t("Replace the person"), exact=True).click()
    dialog = pm.page.get_by_role("dialog")
    dialog.wait_for()
    dialog.locator("[name=first]").fill((today + dt.timedelta(days=1)).isoformat())
    dialog.locator("[name=reason]").fill("客户不满意" if language == "zh-hans" else "the customer asks for it")
    _confirm(pm, _t("Replace the person"), f"replace-{language}-{size}")
    assert Assignment.objects.get(staff=new).minutes == 240
    _seen(pm, f"replaced-{language}-{size}")
    pm.page.get_by_role("link", name=_t("Report as done"), exact=True).click()
    pm.page.get_by_role("dialog").locator("[name=result]").fill("Clara went on")
    _confirm(pm, _t("Report as done"), f"done-{language}-{size}")
    action = CorrectiveAction.objects.get()
    assert (action.state, action.measure) == ("done", "replace")

    work_off()
    clara = at(person("consultant2"))
    clara.open("/activity/notifications/")
    assert order.number in clara.page.content()
    _seen(clara, f"told-{language}-{size}")
    pm.open(new.get_absolute_url())
    _seen(pm, f"person-{language}-{size}")
    assert [str(row) for row in violations(["K", "A3"])] == []
