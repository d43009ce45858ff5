"""Ten lines by keyboard alone, and a paste with two bad rows, in Chromium."""

from typing import Any

import pytest

from inventory.models import Product
from orders import services
from orders.models import Order, OrderTemplate
from tests.factories import orders as make
from tests.factories.inventory import make_product


def until(page: Any, question: str) -> None:
    """Waits until the page answers yes. (Playwright's own waiting needs eval, which our policy forbids.)"""
    for _ in range(200):
        if page.evaluate(question):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"never came true: {question}")


pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_ten_lines_by_keyboard_alone(visitor: Any) -> None:
    for place in range(10):
        make_product(f"KEY-{place}", name=f"Valve {place}", list_price=100 + place)
    one = visitor(make.person("sales"))
    page = one.open("/orders/new/")
    keys = page.keyboard
    until(page, "document.activeElement.closest('.ts-wrapper') !== null")
    keys.type("甲方")
    page.wait_for_selector(".ts-dropdown [data-selectable]")
    keys.press("Enter")
    until(page, "document.querySelector('[name=billing_address]').value !== ''")
    for _ in range(40):  # on with the tab key until the grid
        if page.evaluate("document.activeElement.dataset.name") == "product":
            break
        keys.press("Tab")
    for place in range(10):
        keys.type(f"KEY-{place}")
        keys.press("Enter")
        until(page, "document.activeElement.dataset.name === 'quantity'")
        keys.type(str(place + 1))
        if place < 9:
            keys.press("Enter")
    keys.press("Control+Enter")
    page.wait_for_url("**/orders/SO-*/")
    order = Order.objects.get()
    assert [(line.product.sku, line.quantity) for line in order.order_lines] == [
        (f"KEY-{place}", place + 1) for place in range(10)
    ]
    # the sum of (100 + n) x (n + 1) for n from 0 to 9
    assert order.net_total == 5500 + 330
    one.look()
    one.press("Place order")
    page.get_by_role("dialog").get_by_role("button", name="Place order").wait_for()


def test_a_new_customer_and_a_template_without_leaving_the_order(visitor: Any) -> None:
    known = make.draft(make.line("SKU-1", 3), make.line("SVC-1"))
    services.save_template(known, actor=make.person("sales"), name="Pump set")
    one = visitor(make.person("sales"))
    page = one.open("/orders/new/")
    keys = page.keyboard
    until(page, "document.activeElement.closest('.ts-wrapper') !== null")
    # Somebody who is nearly called so is known: the first press asks, the second is an answer.
    name = make.customer_a().name
    keys.type(f"{name} ")
    page.locator(".ts-dropdown .create").click()
    page.get_by_text("There is").wait_for()
    page.locator("#id_customer-ts-control").fill("Neue Kundin AG")
    page.locator(".ts-dropdown .create").click()
    until(page, "document.querySelector('[name=customer]').value !== ''")
    page.select_option("#template-choice", label="Pump set")
    until(page, "document.querySelectorAll('tr.grid-row').length === 2")
    one.look()
    page.get_by_text("Saved", exact=True).wait_for()
    order = Order.objects.get(customer__name="Neue Kundin AG")
    assert [(line.product.sku, line.quantity) for line in order.order_lines] == [("SKU-1", 3), ("SVC-1", 1)]
    one.open(f"/orders/templates/{OrderTemplate.objects.get().pk}/")
    one.open("/orders/templates/")


def test_paste_with_two_bad_rows(visitor: Any) -> None:
    one = visitor(make.person("sales"))
    order = make.made()
    page = one.open(f"/orders/{order.number}/edit/")
    page.get_by_role("button", name="Paste from a spreadsheet").click()
    page.fill("#paste-text", "SKU-1\t2\t95\nNOPE\t1\t5\nSVC-1\t1.5\nSKU-1\t1.5\t100")
    page.click("[data-paste-check]")
    page.get_by_text("2 rows are good, 2 rows are not.").wait_for()
    assert "There is no product NOPE" in page.inner_text("#paste-rows")
    assert "whole units" in page.inner_text("#paste-rows")
    one.look()
    page.click("[data-paste-take]")
    assert page.input_value("#paste-left-text") == "NOPE\t1\t5\nSKU-1\t1.5\t100"
    page.get_by_text("Saved", exact=True).wait_for()
    lines = Order.objects.get(pk=order.pk).order_lines
    assert [(line.description, line.quantity) for line in lines][1:] == [("Pump P100", 2), ("Installation", 1.5)]


def test_two_tabs_show_both_versions(visitor: Any) -> None:
    """P15: the second tab sees its own values beside the saved ones, and keeps what it typed."""
    one = visitor(make.person("sales"))
    order = make.made()
    page = one.open(f"/orders/{order.number}/edit/")
    other = one.context.new_page()
    other.goto(f"{one.base}/orders/{order.number}/edit/")
    other.fill("[data-name=quantity]", "7")
    other.keyboard.press("Control+s")
    other.get_by_text("Saved", exact=True).wait_for()
    page.fill("[data-name=quantity]", "3")
    page.keyboard.press("Control+s")
    page.get_by_role("dialog", name="Two versions of this draft").wait_for()
    shown = page.inner_text("#conflict-rows")
    assert "3 pcs" in shown
    assert "7 pcs" in shown
    page.click("[data-conflict=mine]")
    page.get_by_text("Saved", exact=True).wait_for()
    assert Order.objects.get(pk=order.pk).order_lines[0].quantity == 3
    assert Product.objects.filter(sku="SKU-1").exists()


@pytest.mark.parametrize("state", ["draft", "placed", "accepted"])
def test_order_pages_have_no_fault(visitor: Any, state: str) -> None:
    one = visitor(make.person("sales"))
    order = make.BY_STATE[state]()
    one.open(f"/orders/{order.number}/")
    one.open("/orders/")
    if state == "draft":
        one.open(f"/orders/{order.number}/edit/")
