"""What finance keeps and what waits for it: rates by month, accounts of the ledger, a bank file, disputes, reminders."""

import datetime as dt
import random
from decimal import Decimal

from billing.models import Invoice
from billing.services import (
    keep_bank_account,
    note_collection,
    propose_reminders,
    proposed_accounts,
    read_statement_file,
    set_exchange_rate,
    set_late_fee_policy,
    set_ledger_accounts,
)
from ordermgmt.accounts.services import system_user
from ordermgmt.company.services import business_today

from .base_data import RATES, Company
from .lives import Life

_IBAN = "DE02120300000000202051"


def bookkeeping(company: Company) -> Life:
    """The accounts once; every four weeks the rates, which go up and down a little."""
    # Dice of its own: the orders of the year stay as they are.
    boss, chance = company.people["finance.manager"], random.Random(11)  # noqa: S311  # dice of a demo
    set_ledger_accounts(proposed_accounts(), seen={}, actor=boss)
    set_late_fee_policy(start=business_today(), annual=Decimal(9), actor=boss, grace_days=5)
    while True:
        for currency, per_unit in RATES.items():
            if currency != "EUR":
                moved = Decimal(chance.randint(970, 1030)) / 1000
                rate = (moved / per_unit).quantize(Decimal("0.000001"))
                set_exchange_rate(currency=currency, day=business_today(), rate=rate, actor=boss)
        yield 28


def leave_collection(company: Company) -> None:
    """What a clerk finds in the morning: a bank file of yesterday, a dispute, a promise, letters to release."""
    today, clerk = business_today(), company.people["finance"]
    open_ones = Invoice.objects.issued().filter(open__gt=0, currency="EUR").exclude(kind=Invoice.Kind.CREDIT_NOTE)
    rows = list(open_ones.order_by("due_date", "pk")[:4])
    account = keep_bank_account(name="Main account", number=_IBAN, currency="EUR", actor=clerk)
    yesterday = today - dt.timedelta(days=1)
    lines = ["Booking date;Amount;Remittance;Name;IBAN;Reference"]
    for place, one in enumerate(rows[:2], start=1):
        # The first one names its invoice, the second one nothing.
        text = f"Invoice {one.number}" if place == 1 else "for your delivery"
        lines.append(f"{yesterday};{one.open:.2f};{text};{one.customer_name};;BANK-{today:%y%m%d}-{place}")
    lines.append(f"{yesterday};-12.40;account fee;;;BANK-{today:%y%m%d}-9")
    read_statement_file("\n".join(lines).encode(), "statement.csv", account=account, actor=clerk)
    late = [one for one in rows[2:] if one.due_date and one.due_date < today]
    for place, one in enumerate(late):
        if place:
            note_collection(one, kind="promise", text="Their bookkeeper pays this week.", actor=clerk,
                            promised_on=today + dt.timedelta(days=4))  # fmt: skip
        else:
            note_collection(one, kind="dispute", text="They miss two parts of the delivery.", actor=clerk,
                            follow_up_on=today)  # fmt: skip
    propose_reminders(actor=system_user())
