"""A day of finance in Chromium: a bank file with an ambiguous entry, a bounced payment, a dispute, a reminder run."""

import datetime as dt
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from billing import services
from billing.models import BankLine, Invoice, Payment, Reminder
from billing.tasks import reminders as nightly
from customers.models import Customer
from ordermgmt.accounts.models import User
from ordermgmt.company.services import business_today
from tests.factories import bank, billing
from tests.factories.customers import customer
from tests.factories.orders import person

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
D = Decimal


def _late(who: Customer, amount: str) -> Invoice:
    due = business_today() - dt.timedelta(days=25)
    return services.open_balance(
        customer=who, amount=D(amount), issue_date=due - dt.timedelta(days=30), due_date=due,
        actor=person("finance_manager"), source_key=f"{who.pk}/{amount}", reference=f"OLD-{amount}",
    )  # fmt: skip


def _as(key: str, language: str, theme: str) -> User:
    User.objects.filter(email=f"{key}@example.com").update(language=language, theme=theme)
    return person(key)


def _seen(one: Any, name: str) -> None:
    """axe, no page wider than the screen, and a picture where somebody asks for them."""
    one.look()
    wide = one.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 1, name
    if folder := os.environ.get("JOURNEY_PICTURES"):
        one.page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


@pytest.mark.parametrize(("language", "width", "theme"), [("en", 1440, "light"), ("zh-hans", 390, "dark")])
def test_a_day_of_finance(visitor: Any, tmp_path: Path, language: str, width: int, theme: str) -> None:
    sure, twin, other = billing.issued(), billing.issued(), billing.issued()
    late = _late(customer(name="Late Payer GmbH", email="late@example.com", language=language), "80.00")
    bank.account()
    content = bank.camt([
        bank.row("119.00", f"Invoice {sure.number}", name="Payer", iban="DE77", ref="1"),
        bank.row("119.00", "for the delivery", name="Somebody", ref="2"),
        bank.row("-119.00", f"Return {sure.number}", name="Payer", iban="DE77", ref="3", back=True),
        bank.row("-4.50", "fee", ref="4"),
    ])  # fmt: skip
    path = tmp_path / "statement.xml"
    path.write_bytes(content)

    one = visitor(_as("finance", language, theme))
    one.page.set_viewport_size({"width": width, "height": 844})
    page = one.open("/billing/bank/")
    page.set_input_files("input[name=file]", path)
    page.locator("main form[enctype] button[type=submit]").click()
    page.wait_for_url("**/billing/bank/lines/**")
    _seen(one, f"bank-lines-{language}")
    # All that is sure, and nothing else.
    page.locator("form[action$='/bank/sure/'] button").click()
    page.wait_for_load_state("networkidle")
    assert Payment.objects.count() == 1
    ambiguous = BankLine.objects.get(reference="2")
    assert ambiguous.state == "open"
    page = one.open(f"/billing/bank/lines/{ambiguous.pk}/")
    page.locator(f"a[href='?customer={twin.customer_id}']").first.click()
    page.wait_for_load_state("networkidle")
    _seen(one, f"bank-line-{language}")
    page.fill(f"input[name=share_{twin.instalments.get().pk}]", "119")
    page.fill(f"input[name=share_{other.instalments.get().pk}]", "")
    page.locator("main form[method=post] button[type=submit]").last.click()
    page.wait_for_url("**/billing/bank/lines/**state=open")
    assert Invoice.objects.get(pk=twin.pk).open == 0
    # A dispute keeps an invoice out of reminders.
    services.note_collection(other, kind="dispute", text="wrong colour", actor=person("finance"))
    one.open("/billing/work/disputed/")
    _seen(one, f"disputed-{language}")
    one.open("/billing/")
    _seen(one, f"home-{language}")

    # Somebody else takes back what bounced, and releases what the night proposed.
    second = visitor(_as("finance2", language, theme))
    second.page.set_viewport_size({"width": width, "height": 844})
    back = BankLine.objects.get(reference="3")
    page = second.open(f"/billing/bank/lines/{back.pk}/")
    _seen(second, f"bounced-{language}")
    page.locator("form[action$='/return/'] button").first.click()  # the best match stands first
    page.wait_for_url("**/billing/payments/**")
    assert Invoice.objects.get(pk=sure.pk).open == D("119.00")
    nightly()
    reminder = Reminder.objects.get()
    assert reminder.customer == late.customer
    page = second.open(reminder.get_absolute_url())
    _seen(second, f"reminder-{language}")
    page.locator("a[href$='/do/release/']").click()
    dialog = page.get_by_role("dialog")
    dialog.locator("form[action*='/do/release/'] .btn-primary[type=submit]").click()
    dialog.wait_for(state="hidden")
    page.wait_for_load_state("networkidle")
    assert Reminder.objects.get().state == "released"
    second.open("/billing/reminders/?state=released")
    _seen(second, f"reminders-{language}")
    for url in ("/billing/bank/", "/billing/bank/accounts/new/", "/billing/collection/notes/", "/billing/differences/"):
        second.open(url)
        _seen(second, url.strip("/").replace("/", "-") + f"-{language}")


def test_the_levels_on_a_phone(visitor: Any) -> None:
    one = visitor(_as("finance_manager", "zh-hans", "light"))
    one.page.set_viewport_size({"width": 390, "height": 844})
    one.open("/billing/reminders/levels/")
    _seen(one, "levels")
