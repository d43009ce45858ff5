"""An order from entry to settlement, in Chromium, by the people who do it; once in English and once in Chinese."""

import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import pypdf
import pytest
from django.core.management import call_command
from playwright.sync_api import expect

from billing.models import Invoice
from customers.services import add_address, create_customer
from ordermgmt.accounts.models import User
from ordermgmt.activity.services.working import work_off
from orders.models import Order

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def person(key: str) -> User:
    return User.objects.get(email=f"{key}@example.com")


def act(one: Any, order: str, name: str, **fields: str) -> None:
    """Does one verb on the order's page, in the dialog."""
    page = one.open(f"/orders/{order}/")
    link = page.locator(f'a[href$="/do/{name}/"]').first
    if not link.is_visible():
        page.locator(".page-header [data-bs-toggle=dropdown]").click()
    link.click()
    dialog = page.locator("dialog[open]")
    dialog.wait_for()
    for field, value in fields.items():
        box = dialog.locator(f'[name="{field}"]')
        if box.evaluate("e => e.tagName") == "SELECT":
            box.select_option(value)
        elif box.get_attribute("type") == "checkbox":
            box.check()
        else:
            box.fill(value)
    one.look()
    with page.expect_navigation():
        dialog.locator("button[type=submit]").click()
    one.look()


def enter(one: Any) -> str:
    """Sales types an order by keyboard: two products from stock and a service."""
    page = one.open("/orders/new/")
    page.locator("#id_customer-ts-control").press_sequentially("Nord")
    page.locator(".ts-dropdown .option", has_text="Nordwerk").first.wait_for()
    page.keyboard.press("Enter")
    for number, (sku, quantity) in enumerate([("SKU-1", "4"), ("SKU-2", "12.5"), ("SVC-1", "8")]):
        row = page.locator("#grid-rows tr.grid-row").nth(number)
        row.locator("[data-name=product]").click()
        row.locator("[data-name=product]").press_sequentially(sku)
        page.locator("#grid-options [role=option]", has_text=sku).first.wait_for()
        page.keyboard.press("Enter")
        row.locator("[data-name=quantity]").fill(quantity)
        page.keyboard.press("Enter")
    page.locator("#total-gross", has_text="1").wait_for()
    page.locator("#order-entry button[type=submit]").click()
    page.wait_for_url("**/orders/SO-*/")
    one.look()
    return page.url.rstrip("/").rsplit("/", 1)[-1]


def line_fields(number: str, prefix: str) -> dict[str, str]:
    return {line.description: f"{prefix}_{line.pk}" for line in Order.objects.get(number=number).lines.all()}


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_from_entry_to_settlement(visitor: Any, language: str) -> None:
    User.objects.update(language=language)
    customer = create_customer(actor=person("sales"), name="Nordwerk GmbH", language=language)
    add_address(
        customer, actor=person("sales"), kind="billing", line1="Hafenstraße 1", city="Hamburg", postcode="20457"
    )

    sales = visitor(person("sales"))
    number = enter(sales)
    order = Order.objects.get(number=number)
    assert (order.net_total, order.gross_total) == (Decimal("1196.25"), Decimal("1423.54"))

    page = sales.open(f"/billing/orders/{number}/plan/")
    page.locator("[name$=parts]").fill("2")
    page.locator("[name$=first]").first.fill("2027-02-28")
    page.locator("button[name=preview]").click()
    page.wait_for_load_state()
    sales.look()
    page.locator(".sticky-actions button.btn-primary").click()
    page.wait_for_load_state()
    act(sales, number, "place")
    assert Order.objects.get(number=number).state == "placed"

    pm = visitor(person("pm"))
    act(pm, number, "assign", project_manager=str(person("pm").pk))
    act(pm, number, "schedule", promised_date="2027-01-29")
    act(pm, number, "start")
    names = line_fields(number, "quantity")
    act(pm, number, "deliver", **{names["Installation"]: "8"})

    warehouse = visitor(person("warehouse"))
    steel = names["不锈钢管 Steel pipe"]
    act(warehouse, number, "ship", **{names["Pump P100"]: "3", steel: "0", "inspected": "on", "carrier": "DHL"})
    assert Order.objects.get(number=number).state == "in_production"
    assert "100.00" not in warehouse.page.content()
    act(warehouse, number, "ship", inspected="on")
    assert Order.objects.get(number=number).state == "shipped"

    act(pm, number, "record_acceptance", signed_by="K. Petersen", evidence="Signed sheet of today")
    assert Order.objects.get(number=number).state == "accepted"

    finance = visitor(person("finance"))
    page = finance.open(f"/billing/orders/{number}/")
    page.locator(f'form[action$="/billing/orders/{number}/draft/"] button[type=submit]').first.click()
    page.wait_for_load_state()
    finance.look()
    while (
        Invoice.objects.filter(order__number=number, state="draft").exists()
        or Order.objects.get(number=number).invoiced_total < order.gross_total
    ):
        draft = Invoice.objects.filter(order__number=number, state="draft").first()
        if draft is None:
            page = finance.open(f"/billing/orders/{number}/")
            page.locator(f'form[action$="/billing/orders/{number}/draft/"] button[type=submit]').first.click()
            page.wait_for_load_state()
            continue
        page = finance.open(draft.get_absolute_url())
        page.locator('a[href$="/do/issue/"]').first.click()
        with page.expect_navigation():
            page.locator("dialog[open] button[type=submit]").click()
        finance.look()
    work_off()
    invoice = Invoice.objects.filter(order__number=number).order_by("pk").first()
    assert invoice is not None
    with page.expect_download() as download:
        page.evaluate(
            "url => { const a = document.createElement('a'); a.href = url; a.download = ''; document.body.append(a); a.click(); }",
            f"{invoice.get_absolute_url()}pdf/",
        )
    data = Path(download.value.path()).read_bytes()
    text = "\n".join(part.extract_text() for part in pypdf.PdfReader(io.BytesIO(data)).pages)
    assert invoice.number in text
    assert ("发票" if language == "zh-hans" else "Invoice") in text
    assert "Nordwerk GmbH" in text

    page = finance.open(f"/billing/payments/new/?customer={customer.number}&currency=EUR")
    for amount, first in (("500", "500"), ("1423.54", "711.77")):  # the suggestion follows what is typed
        page.locator("[name=amount]").fill(amount)
        page.locator("[name=amount]").press("Tab")
        expect(page.locator("#shares input.num").first).to_have_value(first)
    page.locator(".sticky-actions button.btn-primary").click()
    page.wait_for_load_state()
    finance.look()
    assert Order.objects.get(number=number).paid_total == Decimal("1423.54")

    page = finance.open(f"/billing/orders/{number}/settlement/")
    finance.look()
    page.locator('a[href$="/do/draw-account/"]').first.click()
    with page.expect_navigation():
        page.locator("dialog[open] button[type=submit]").click()
    colleague = visitor(person("finance2"))
    other = colleague.open(f"/billing/orders/{number}/settlement/")
    other.locator('a[href$="/do/freeze-account/"]').first.click()
    with other.expect_navigation():
        other.locator("dialog[open] button[type=submit]").click()
    colleague.look()
    page = finance.open(f"/billing/orders/{number}/settlement/")
    page.locator('a[href$="/do/settle/"]').first.click()
    with page.expect_navigation():
        page.locator("dialog[open] button[type=submit]").click()
    finance.look()
    assert Order.objects.get(number=number).state == "settled"
    call_command("check_invariants")
