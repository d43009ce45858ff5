"""The life of a change at a browser: sales asks, the project manager judges, managers approve, the customer agrees, it is
applied, the warehouse acknowledges. The same pages in Chinese, in the dark, on a phone."""

import re
from typing import Any

import pytest
from django.utils import translation
from django.utils.translation import gettext as _t
from django.utils.translation import pgettext

from billing.services import draft_invoice
from changes.models import ChangeReason, ChangeRequest
from inventory.models import Reservation
from ordermgmt.accounts.models import User
from ordermgmt.company.services import business_today
from orders.models import Order
from tests.factories.changes import fresh
from tests.factories.orders import line, person, started

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def _judge(page: Any, button: str) -> None:
    page.get_by_role("link", name=button).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name=button).click()
    dialog.wait_for(state="hidden")
    page.wait_for_load_state()


def _confirm(page: Any, button: str, fill: dict[str, str] | None = None) -> None:
    page.get_by_role("link", name=button, exact=True).click()
    dialog = page.get_by_role("dialog")
    for label, text in (fill or {}).items():
        dialog.get_by_label(label, exact=True).fill(text)
    dialog.get_by_role("button", name=button, exact=True).click()
    dialog.wait_for(state="hidden")
    page.wait_for_load_state()


def _saved(page: Any) -> None:
    page.locator("#save-state", has_text=re.compile("^Saved$")).wait_for()


def test_a_draft_keeps_itself(visitor: Any) -> None:
    """What is typed is there again without anybody having saved it: at first only words, then an operation."""
    order = started(line(quantity=5, supply="make"))
    page = visitor(person("sales")).open(f"/changes/orders/{order.number}/new/")
    page.get_by_label("Reason", exact=True).select_option(label=str(ChangeReason.objects.get(code="SCOPE")))
    page.get_by_label("What and why").fill("They think of more.")
    _saved(page)
    page.reload()
    assert page.get_by_label("What and why").input_value() == "They think of more."
    page.locator("[data-name=quantity]").first.fill("-6")
    page.locator(".row-error", has_text="above zero").wait_for()
    page.locator("[data-name=quantity]").first.fill("7")
    page.locator(".g-net", has_text="700.00").first.wait_for()
    page.locator("#save-state", has_text="Not saved yet").wait_for()
    _saved(page)
    page.reload()
    assert page.locator("[data-name=quantity]").first.input_value() == "7"
    change = ChangeRequest.objects.get()
    assert (change.state, change.text, change.operations.get().after) == ("draft", "They think of more.", "7")


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_life_of_a_change(visitor: Any, language: str) -> None:
    translation.activate(language)
    User.objects.update(language=language)
    order = started(line(quantity=5), line("SKU-1", 10, supply="make"))
    draft = draft_invoice(order, actor=person("finance"))
    seller = visitor(person("sales"))
    page = seller.open(order.get_absolute_url())
    page.get_by_role("link", name=_t("Ask for a change")).click()
    page.wait_for_url("**/new/")
    page.get_by_label(_t("Reason"), exact=True).select_option(label=str(ChangeReason.objects.get(code="SCOPE")))
    page.get_by_label(_t("What and why")).fill("Three more, and a crane.")
    page.locator("[data-name=quantity]").first.fill("8")
    page.locator("#compare ins").first.wait_for()
    page.get_by_role("button", name=_t("Add line")).click()
    row = page.locator("tr.grid-row").last
    row.locator("[data-name=description]").fill("Crane")
    row.locator("[data-name=quantity]").fill("1")
    row.locator("[data-name=unit_price]").fill("1000")
    row.locator("[data-name=supply]").select_option("make")
    page.locator("#compare", has_text="Crane").wait_for()
    seller.look()
    page.get_by_role("button", name=_t("Save and open")).click()
    page.wait_for_url("**/changes/CR-*/")
    seller.look()
    _confirm(page, _t("Submit"))
    change = ChangeRequest.objects.get()
    url = change.get_absolute_url()
    assert change.state == "submitted"

    manager_of_project = visitor(person("pm"))
    page = manager_of_project.open(url)
    for button in (_t("Judge the cost"), _t("Judge the schedule"), _t("Judge the quality")):
        _judge(page, button)
    manager_of_project.look()
    for key in ("manager", "finance", "finance_manager"):
        one = visitor(person(key))
        page = one.open(url)
        if page.get_by_role("link", name=_t("Approve"), exact=True).count():
            _confirm(page, _t("Approve"))
            one.look()
    assert fresh(change).state == "approved"
    page = seller.open(url)
    given_by = pgettext("consent", "Given by")
    words = {given_by: "Mr Wang", _t("Given on"): str(business_today()), _t("Evidence"): "Letter of today"}
    _confirm(page, _t("Record the customer's consent"), words)
    page = manager_of_project.open(url)
    _confirm(page, _t("Apply the change"))
    after = Order.objects.get(pk=order.pk)
    assert fresh(change).state == "applied"
    assert [one.quantity for one in after.order_lines] == [8, 10, 1]
    assert Reservation.objects.get(holder_id=after.order_lines[0].pk).quantity == 8
    draft.refresh_from_db()
    assert draft.due == after.gross_total

    store = visitor(person("warehouse"))
    page = store.open("/")
    page.get_by_role("link", name=change.number).first.click()
    page.wait_for_url(f"**{url}")
    _confirm(page, _t("I know of this change"))
    assert Order.objects.get(pk=order.pk).unread_changes == 0
    store.open(order.get_absolute_url())

    translation.activate("zh-hans")
    User.objects.filter(email="pm@example.com").update(language="zh-hans", theme="dark")
    page = manager_of_project.open(url)
    page.get_by_text(_t("Applied")).first.wait_for()
    manager_of_project.page.set_viewport_size({"width": 390, "height": 844})
    for narrow in (
        url,
        "/changes/",
        "/changes/rules/",
        order.get_absolute_url(),
        f"/changes/orders/{order.number}/new/",
    ):
        page = manager_of_project.open(narrow)
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 1, f"{narrow} is {overflow} px too wide"
