"""The shell of the pages in Chromium: palette, shortcuts, dialogs, drafts, filters, themes."""

import gzip
from typing import Any

import pytest
from playwright.sync_api import expect

from customers.models import Customer
from ordermgmt.accounts.models import User

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def at(visitor: Any) -> Any:
    """Sally at a browser."""
    return visitor(User.objects.get(email="sales@example.com"))


def test_the_palette_is_worked_by_keyboard_alone(at: Any) -> None:
    page = at.open("/")
    page.keyboard.press("Control+k")
    box = page.get_by_role("combobox", name="Search or type a command")
    expect(box).to_be_focused()
    box.fill("甲方")
    option = page.get_by_role("option").filter(has_text="甲方机械")
    expect(option).to_have_attribute("aria-selected", "true")
    at.look()
    page.keyboard.press("Enter")
    page.wait_for_url("**/customers/C*/")
    page.keyboard.press("Control+k")
    page.keyboard.press("Escape")
    expect(page.get_by_role("combobox", name="Search or type a command")).to_be_hidden()


def test_shortcuts_lead_and_explain_themselves(at: Any) -> None:
    page = at.open("/")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    at.look()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("c")
    page.wait_for_url("**/customers/")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/customers/C*/")


def test_an_action_opens_as_a_dialog_and_gives_the_focus_back(at: Any) -> None:
    customer = Customer.objects.get(name="甲方机械有限公司")
    page = at.open(customer.get_absolute_url())
    opener = page.locator("a[data-dialog][href*='/do/']:visible").first
    opener.click()
    dialog = page.locator("#action-dialog")
    expect(dialog).to_be_visible()
    assert page.evaluate("document.activeElement.closest('#action-dialog') !== null")
    at.look()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(opener).to_be_focused()


def test_nothing_typed_is_lost_when_the_session_ends(at: Any) -> None:
    page = at.open("/customers/new/")
    page.locator("#id_name").fill("Typed before the break")
    page.wait_for_timeout(1000)  # kept a moment after the last key; the policy forbids to wait by a script
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(at.base + "/customers/")
    page.goto(at.base + "/customers/new/")
    page.get_by_role("button", name="Bring it back").click()
    expect(page.locator("#id_name")).to_have_value("Typed before the break")
    page.locator("form[data-guard] button[type=submit]").last.click()
    page.wait_for_url("**/customers/C*/")
    at.open("/customers/new/")
    expect(page.get_by_role("button", name="Bring it back")).to_have_count(0)


def test_a_form_sent_after_the_session_ended_is_offered_again(at: Any) -> None:
    page = at.open("/customers/new/")
    page.locator("#id_name").fill("Typed before the end")
    page.wait_for_timeout(800)
    at.context.clear_cookies()
    # Whatever answers, the sign-in page or the sentence about the lost session: what was typed is still there.
    page.locator("form[data-guard] button[type=submit]").last.click()
    page.wait_for_load_state("networkidle")
    at.sign_in(User.objects.get(email="sales@example.com"))
    page = at.open("/customers/new/")
    page.get_by_role("button", name="Bring it back").click()
    expect(page.locator("#id_name")).to_have_value("Typed before the end")


def test_what_is_typed_filters_the_list_its_address_and_its_export(at: Any) -> None:
    page = at.open("/customers/")
    page.locator("#id_q").fill("nothing-is-called-so")
    expect(page.get_by_text("0 found")).to_be_visible()
    assert "q=nothing-is-called-so" in page.url
    assert "q=nothing-is-called-so" in (page.get_by_role("link", name="CSV").get_attribute("href") or "")
    page.get_by_role("link", name="Clear filters").click()
    expect(page.get_by_text("0 found")).to_have_count(0)


@pytest.mark.parametrize(("wish", "shown"), [("dark", "dark"), ("light", "light"), ("system", "light")])
def test_the_theme_stands_before_the_first_paint(at: Any, wish: str, shown: str) -> None:
    User.objects.filter(email="sales@example.com").update(theme=wish)
    page = at.open("/")
    assert page.evaluate("document.documentElement.dataset.bsTheme") == shown


def test_scripts_and_styles_keep_within_their_budget(at: Any) -> None:
    sizes = {"script": 0, "stylesheet": 0}

    def weigh(response: Any) -> None:
        if (kind := response.request.resource_type) in sizes:
            sizes[kind] += len(gzip.compress(response.body()))

    at.page.on("response", weigh)
    at.open("/orders/")
    assert 0 < sizes["script"] < 150_000
    assert 0 < sizes["stylesheet"] < 60_000
