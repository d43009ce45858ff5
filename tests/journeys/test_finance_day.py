"""A day of finance in Chromium, in English on a desk and in Chinese on a phone.

In the morning a deposit is invoiced; the bank's file brings its money, an entry that may mean two invoices, and a payment that
bounced; a dispute is kept and reminders go out. In the afternoon progress is invoiced, credited by a second person, a penalty
for late delivery is decided, the final account is drawn up and frozen, the order settled. Then nothing moves any more.
"""

import datetime as dt
import os
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from billing import services
from billing.models import BankLine, Instalment, Invoice, OrderCharge, Payment, Reminder
from billing.tasks import reminders as nightly
from customers.models import Customer
from ordermgmt.accounts.models import User
from ordermgmt.company.services import business_today
from ordermgmt.lib.invariants import violations
from orders.models import Order
from tests.factories import bank, billing, fulfilment, orders
from tests.factories.customers import customer
from tests.factories.orders import person

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
D = Decimal
CLAUSE = {"rate_percent": D("0.5"), "per": "day", "grace_days": 0, "cap_percent": D(5), "retention_apart": False}


def _late(who: Customer, amount: str) -> Invoice:
    due = business_today() - dt.timedelta(days=25)
    return services.open_balance(
        customer=who, amount=D(amount), issue_date=due - dt.timedelta(days=30), due_date=due,
        actor=person("finance_manager"), source_key=f"{who.pk}/{amount}", reference=f"OLD-{amount}",
    )  # fmt: skip


def as_reader(key: str, language: str, theme: str) -> User:
    """Somebody of the cast, reading in this language."""
    User.objects.filter(email=f"{key}@example.com").update(language=language, theme=theme)
    return person(key)


def seen(one: Any, name: str) -> None:
    """axe, no page wider than the screen, and a picture where somebody asks for them."""
    one.look()
    wide = one.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 1, name
    if folder := os.environ.get("JOURNEY_PICTURES"):
        one.page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


def _verb(one: Any, url: str, name: str, **fields: str) -> None:
    """Opens a page, chooses a verb, fills the dialog in, sends it."""
    page = one.open(url)
    page.locator(f'a[href$="/do/{name}/"]').first.click()
    dialog = page.locator("dialog[open]")
    dialog.wait_for()
    for field, value in fields.items():
        dialog.locator(f'[name="{field}"]').fill(value)
    one.look()
    with page.expect_navigation():
        dialog.locator("button[type=submit]").click()
    one.look()


def _pay(one: Any, invoice: Invoice) -> None:
    wanted = f"customer={invoice.customer.number}&currency=EUR&amount={invoice.open:.2f}&remittance={invoice.number}"
    page = one.open(f"/billing/payments/new/?{wanted}")
    with page.expect_navigation():
        page.locator(".sticky-actions button.btn-primary").click()
    one.look()


def _planned() -> Order:
    """In production, promised ten days ago, 30 % ahead and the rest at acceptance, with a clause about delay."""
    today = business_today()
    header = {"order_date": today - dt.timedelta(days=60), "promised_date": today - dt.timedelta(days=10)}
    order = orders.started(orders.line(quantity=4), **header)
    rows = [
        services.PlanRow(value=D(30), due_date=today, deposit=True, label="Deposit"),
        services.PlanRow(value=D(70), due_date=today + dt.timedelta(days=30), label="Rest"),
    ]
    services.plan_instalments(order, rows=rows, method="percent", actor=person("finance"))
    services.set_clause(Order.objects.get(pk=order.pk), actor=person("finance"), **CLAUSE)
    return Order.objects.get(pk=order.pk)


@dataclass
class Day:
    """Who works today, in which language, and on which order."""

    first: Any
    second: Any
    boss: Any
    order: Order
    language: str

    @property
    def account(self) -> str:
        """The address of the order's account."""
        return f"/billing/orders/{self.order.number}/"

    def fresh(self) -> Order:
        """The order as it is now."""
        return Order.objects.get(pk=self.order.pk)

    def seen(self, one: Any, name: str) -> None:
        """A page of this day."""
        seen(one, f"{name}-{self.language}")


def deposit_invoiced(day: Day) -> Invoice:
    """By one click on the board."""
    page = day.first.open(f"{day.account}board/")
    day.seen(day.first, "board")
    with page.expect_navigation():
        page.locator("form[action$='/bill/'] button.btn-primary").first.click()
    deposit = Invoice.objects.get(order=day.order)
    assert (deposit.kind, deposit.due) == ("deposit", D("142.80"))
    return deposit


def bank_file(day: Day, deposit: Invoice, folder: Path) -> Invoice:
    """What is sure is booked at once, what may mean two waits for a person, what bounced is taken back by somebody else."""
    sure, twin, other = billing.issued(), billing.issued(), billing.issued()
    bank.account()
    path = folder / "statement.xml"
    path.write_bytes(bank.camt([
        bank.row("142.80", f"{deposit.number} deposit", name="Payer", iban="DE77", ref="0"),
        bank.row("119.00", f"Invoice {sure.number}", name="Payer", iban="DE77", ref="1"),
        bank.row("119.00", "for the delivery", name="Somebody", ref="2"),
        bank.row("-119.00", f"Return {sure.number}", name="Payer", iban="DE77", ref="3", back=True),
        bank.row("-4.50", "fee", ref="4"),
    ]))  # fmt: skip
    page = day.first.open("/billing/bank/")
    page.set_input_files("input[name=file]", path)
    page.locator("main form[enctype] button[type=submit]").click()
    page.wait_for_url("**/billing/bank/lines/**")
    day.seen(day.first, "bank-lines")
    page.locator("form[action$='/bank/sure/'] button").click()
    page.wait_for_load_state("networkidle")
    assert Payment.objects.count() == 2
    assert Invoice.objects.get(pk=deposit.pk).open == 0
    ambiguous = BankLine.objects.get(reference="2")
    assert ambiguous.state == "open"
    page = day.first.open(f"/billing/bank/lines/{ambiguous.pk}/")
    page.locator(f"a[href='?customer={twin.customer_id}']").first.click()
    page.wait_for_load_state("networkidle")
    day.seen(day.first, "bank-line")
    page.fill(f"input[name=share_{twin.instalments.get().pk}]", "119")
    page.fill(f"input[name=share_{other.instalments.get().pk}]", "")
    page.locator("main form[method=post] button[type=submit]").last.click()
    page.wait_for_url("**/billing/bank/lines/**state=open")
    assert Invoice.objects.get(pk=twin.pk).open == 0
    back = BankLine.objects.get(reference="3")
    page = day.second.open(f"/billing/bank/lines/{back.pk}/")
    day.seen(day.second, "bounced")
    page.locator("form[action$='/return/'] button").first.click()  # the best match stands first
    page.wait_for_url("**/billing/payments/**")
    assert Invoice.objects.get(pk=sure.pk).open == D("119.00")
    return other


def reminder_run(day: Day, disputed: Invoice, late: Invoice) -> None:
    """A dispute keeps an invoice out of reminders; what the night proposed is released by a person."""
    services.note_collection(disputed, kind="dispute", text="wrong colour", actor=person("finance"))
    day.first.open("/billing/work/disputed/")
    day.seen(day.first, "disputed")
    day.first.open("/billing/")
    day.seen(day.first, "home")
    nightly()
    reminder = Reminder.objects.get()
    assert reminder.customer == late.customer
    page = day.second.open(reminder.get_absolute_url())
    day.seen(day.second, "reminder")
    page.locator("a[href$='/do/release/']").click()
    dialog = page.get_by_role("dialog")
    dialog.locator("form[action*='/do/release/'] .btn-primary[type=submit]").click()
    dialog.wait_for(state="hidden")
    page.wait_for_load_state("networkidle")
    assert Reminder.objects.get().state == "released"
    day.second.open("/billing/reminders/?state=released")
    day.seen(day.second, "reminders")


def progress_credited(day: Day, client_of: Any) -> None:
    """Progress was billed too high: somebody else than who issued it credits it."""
    page = day.first.open(day.account)
    page.select_option("select[name=basis]", "progress")
    page.fill("input[name=percent]", "60")
    with page.expect_navigation():
        page.locator("form:has(select[name=basis]) button[type=submit]").first.click()
    day.seen(day.first, "progress")
    progress = Invoice.objects.get(order=day.order, kind="progress")
    _verb(day.first, progress.get_absolute_url(), "issue")
    url = Invoice.objects.get(pk=progress.pk).get_absolute_url()
    assert client_of(person("finance")).post(f"{url}do/credit/", {"reason": "mine"}).status_code == 409
    _verb(day.second, url, "credit", reason="Half of it only")
    day.seen(day.second, "credited")
    assert Invoice.objects.get(order=day.order, kind="credit_note").references.get().original == progress


def penalty_accepted(day: Day) -> None:
    """Delivered ten days late: the penalty proposes itself, a person decides."""
    fulfilment.ship(day.order)
    fulfilment.examine(day.fresh())
    services.propose_penalties(day.fresh())
    penalty = OrderCharge.objects.get(order=day.order)
    assert (penalty.kind, penalty.net) == ("penalty", D("20.00"))  # 400.00 x 0.5 % x 10 days, at most 5 %
    day.second.open(f"{day.account}charges/")
    day.seen(day.second, "charges")
    _verb(day.second, f"{day.account}charges/", "accept", decision="They were late")


def settled(day: Day) -> Invoice:
    """What is left, less deposit and penalty, and its money; the final account by one, frozen by another; the end."""
    page = day.first.open(day.account)
    with page.expect_navigation():
        page.locator("form:has(select[name=basis]) button[type=submit]").first.click()
    draft = Invoice.objects.drafts().get(order=day.order)
    _verb(day.first, draft.get_absolute_url(), "issue")
    final = Invoice.objects.get(pk=draft.pk)
    day.seen(day.first, "final")
    assert final.kind == "final"
    assert (day.fresh().final_gross, day.fresh().invoiced_total) == (D("452.20"), D("452.20"))
    _pay(day.first, final)
    assert day.fresh().paid_total == D("452.20")
    settlement = f"{day.account}settlement/"
    _verb(day.boss, settlement, "draw-account")
    day.seen(day.boss, "account")
    _verb(day.second, settlement, "freeze-account")
    _verb(day.first, settlement, "settle")
    day.seen(day.first, "settled")
    assert (day.fresh().state, day.fresh().final_amount) == ("settled", D("452.20"))
    return final


def nothing_moves(day: Day, final: Invoice, client_of: Any) -> None:
    """Whatever would change the account is refused, on the page with the sentence that says what to do."""
    before = day.fresh().version, list(Invoice.objects.filter(order=day.order).order_by("pk").values())
    page = day.second.open(final.get_absolute_url())
    page.locator('a[href$="/do/credit/"]').first.click()
    refusal = page.locator("dialog[open] .blockers")
    refusal.wait_for()
    assert f"{day.account}settlement/" in refusal.inner_html()
    assert page.locator("dialog[open] button[type=submit]").is_disabled()
    today = business_today().isoformat()
    payment = Payment.objects.filter(allocations__instalment__invoice=final).distinct().get()
    charge = {"kind": "charge", "net": "1", "tax_category": "S", "description": "x", "reason": "x", "key": "late"}
    plan = {
        "method": "fixed",
        "rows-TOTAL_FORMS": 1,
        "rows-INITIAL_FORMS": 0,
        "rows-0-value": "1",
        "rows-0-due_date": today,
    }
    moved = {"version": 0, "reason": "x", "rows-TOTAL_FORMS": 1, "rows-INITIAL_FORMS": 0, "rows-0-due_date": today}
    asked: dict[str, dict[str, Any]] = {
        f"{day.account}draft/": {"basis": "open"}, f"{day.account}bill/": {"basis": "open"}, f"{day.account}plan/": plan,
        f"{day.account}charges/": {"rate_percent": "9", "per": "day", "grace_days": "0"},
        f"{day.account}do/add-charge/": charge, f"{day.account}do/draw-account/": {}, f"{day.account}do/settle/": {},
        f"{final.get_absolute_url()}do/write-off/": {"amount": "1", "reason": "x", "key": "late"},
        f"{final.get_absolute_url()}reschedule/": moved,
        f"{payment.get_absolute_url()}do/cancel/": {"reason": "bounced"},
    }  # fmt: skip
    for url, data in asked.items():
        # By each of the three, so that it is the account that refuses and no missing right alone.
        for who in ("finance", "finance2", "finance_manager"):
            status = client_of(person(who)).post(url, data).status_code
            # Where nothing can be moved the page of the document says so.
            expected = (302,) if url.endswith("/reschedule/") else (403, 404, 409, 422)
            assert status in expected, (url, who, status)
    for rows in (Invoice.objects.filter(order=day.order), Instalment.objects.filter(invoice__order=day.order)):
        with pytest.raises(DatabaseError), transaction.atomic():
            rows.update(due_date=business_today() + dt.timedelta(days=1))
    after = day.fresh().version, list(Invoice.objects.filter(order=day.order).order_by("pk").values())
    assert after == before
    assert not Instalment.objects.owed().filter(invoice__order=day.order).exists()
    assert list(violations(["M", "N"])) == []


@pytest.mark.parametrize(("language", "width", "theme"), [("en", 1440, "light"), ("zh-hans", 390, "dark")])
def test_a_day_of_finance(visitor: Any, client_of: Any, tmp_path: Path, language: str, width: int, theme: str) -> None:
    late = _late(customer(name="Late Payer GmbH", email="late@example.com", language=language), "80.00")
    people = [visitor(as_reader(key, language, theme)) for key in ("finance", "finance2", "finance_manager")]
    for one in people:
        one.page.set_viewport_size({"width": width, "height": 844})
    day = Day(*people, order=_planned(), language=language)
    deposit = deposit_invoiced(day)
    disputed = bank_file(day, deposit, tmp_path)
    reminder_run(day, disputed, late)
    progress_credited(day, client_of)
    penalty_accepted(day)
    final = settled(day)
    nothing_moves(day, final, client_of)
    for url in ("/billing/bank/", "/billing/bank/accounts/new/", "/billing/collection/notes/", "/billing/differences/"):
        day.second.open(url)
        day.seen(day.second, url.strip("/").replace("/", "-"))


def test_levels_and_accounts_on_a_phone(visitor: Any) -> None:
    one = visitor(as_reader("finance_manager", "zh-hans", "light"))
    one.page.set_viewport_size({"width": 390, "height": 844})
    one.open("/billing/reminders/levels/")
    seen(one, "levels")
    billing.issued()
    page = one.open("/billing/ledger/accounts/")
    seen(one, "ledger-accounts")
    with page.expect_navigation():
        page.locator("main form[method=post] button[type=submit]").click()
    seen(one, "ledger")
    with page.expect_download() as saved:
        page.locator("a[href*='export=bookings']").click()
    assert "revenue:S" in Path(saved.value.path()).read_text("utf-8-sig")
