"""A risk at a browser: noted in the company's words, found by the heat map, mitigated, happened, and asked a change for."""

from typing import Any

import pytest

from changes.models import ChangeRequest
from fulfilment.models import Risk
from ordermgmt.accounts.models import User
from ordermgmt.company.services import business_today
from tests.factories.orders import person, started

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_from_the_first_worry_to_the_change_request(visitor: Any) -> None:
    order, pm, today = started(), person("pm"), str(business_today())
    one = visitor(pm)
    page = one.open("/fulfilment/risks/scale/")
    page.get_by_label("Impact 4", exact=True).fill("Ten days or more")
    page.get_by_label("Impact 4, in Chinese").fill("延误十天以上")
    page.get_by_label("High from").fill("12")
    one.press("Save")
    page = one.open(order.get_absolute_url())
    one.press("Note a risk")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Risk").first.fill("Steel comes late")
    dialog.get_by_label("Category").select_option(label="Supply")
    dialog.get_by_label("Probability").select_option(label="3 – Possible")
    dialog.get_by_label("Impact").select_option(label="4 – Ten days or more")
    dialog.get_by_label("Mitigation", exact=True).fill("Second mill")
    dialog.get_by_label("Mitigation due").fill(today)
    dialog.get_by_label("Review on").fill(today)
    one.look()
    dialog.get_by_role("button", name="Note a risk").click()
    page.get_by_text("3 × 4 = 12").wait_for()
    page = one.open("/fulfilment/risks/")
    page.get_by_label("1 with probability 3 and impact 4").click()
    page.wait_for_url("**probability=3**")
    assert page.locator("#list tbody tr").count() == 1
    page = one.open("/")
    page.get_by_role("link", name="Mitigation done: Steel comes late").click()
    dialog.get_by_label("Probability").select_option(label="2 – Unlikely")
    dialog.get_by_role("button", name="Mitigation done").click()
    page.get_by_text("2 × 4 = 8").wait_for()
    page.get_by_role("link", name="It happened: Steel comes late").click()
    dialog.get_by_label("What happened").fill("The mill burnt down")
    dialog.get_by_label("Solved by").fill(today)
    dialog.get_by_label("Days lost").fill("9")
    dialog.get_by_role("button", name="It happened").click()
    page.get_by_role("link", name="Ask for a change: Steel comes late").click()
    assert "The mill burnt down" in dialog.get_by_label("What and why").input_value()
    dialog.get_by_label("Reason").select_option(label="Unforeseen circumstance")
    dialog.get_by_role("button", name="Ask for a change").click()
    page.wait_for_url("**/changes/CR-**")
    one.look()
    assert ChangeRequest.objects.get().risk == Risk.objects.get()

    User.objects.filter(pk=pm.pk).update(theme="dark", language="zh-hans")
    page.set_viewport_size({"width": 390, "height": 844})
    for address in ("/", "/fulfilment/risks/", "/fulfilment/risks/scale/", "/fulfilment/risks/categories/"):
        page = one.open(address)
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 1, f"{address} is {overflow} px too wide"
    page = one.open("/")
    page.get_by_role("link", name="已解决: Steel comes late").wait_for()
