"""An invoice by hand through the line grid, and the board of an order, in Chromium."""

from decimal import Decimal
from typing import Any

import pytest

from billing import services
from billing.models import Invoice
from ordermgmt.accounts.models import User
from ordermgmt.company.services import business_today
from tests.factories import billing as bills
from tests.factories import orders as make
from tests.factories.inventory import make_product

from .test_order_entry import until

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_an_invoice_by_hand_by_keyboard_alone(visitor: Any) -> None:
    make_product("VALVE-1", name="Valve one", list_price=80)
    one = visitor(make.person("finance"))
    page = one.open("/billing/invoices/new/")
    keys = page.keyboard
    until(page, "document.activeElement.closest('.ts-wrapper') !== null")
    keys.type("甲方")
    page.wait_for_selector(".ts-dropdown [data-selectable]")
    keys.press("Enter")
    for _ in range(40):
        if page.evaluate("document.activeElement.dataset.name") == "product":
            break
        keys.press("Tab")
    keys.type("VALVE-1")
    keys.press("Enter")
    until(page, "document.activeElement.dataset.name === 'quantity'")
    keys.type("3")
    keys.press("Enter")
    keys.press("Tab")
    keys.type("Working time")
    keys.press("Tab")
    keys.type("2.5")
    keys.press("Tab")
    keys.press("Tab")
    keys.type("60")
    until(page, "document.getElementById('total-net').textContent === '390.00'")
    one.look()
    keys.press("Control+Enter")
    page.wait_for_url("**/billing/invoices/draft-*/")
    draft = Invoice.objects.get()
    assert draft.tax_basis == Decimal("390.00")
    assert [(line.sku, line.quantity) for line in draft.lines.all()] == [("VALVE-1", 3), ("", Decimal("2.5"))]
    one.look()


@pytest.mark.parametrize(("language", "width"), [("en", 1440), ("zh-hans", 390)])
def test_the_board_from_plan_to_invoice(visitor: Any, language: str, width: int) -> None:
    order = make.placed(bills.free_line(1, "100"))
    finance = make.person("finance")
    rows = [services.PlanRow(Decimal(40), business_today(), deposit=True), services.PlanRow(None, business_today())]
    services.plan_instalments(order, rows=rows, actor=finance)
    User.objects.filter(pk=finance.pk).update(language=language, theme="dark" if width < 500 else "light")
    one = visitor(User.objects.get(pk=finance.pk))
    one.page.set_viewport_size({"width": width, "height": 844})
    page = one.open(f"/billing/orders/{order.number}/board/")
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 1
    page.locator("#column-due").locator("xpath=ancestor::section").locator("button").first.click()
    page.wait_for_url("**/billing/invoices/INV-*/")
    one.look()
    for url in (f"/billing/orders/{order.number}/", f"/billing/orders/{order.number}/plan/", "/billing/",
                "/billing/work/instalments/", "/billing/work/deliveries/", "/billing/invoices/new/"):  # fmt: skip
        page = one.open(url)
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 1, url
