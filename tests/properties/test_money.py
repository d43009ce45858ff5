"""Whatever finance does, in whatever order: ageing, ledger, statement, customer page and the queues say the same.

The suite runs a small profile; `HYPOTHESIS_EXAMPLES` and `HYPOTHESIS_STEPS` ask for more (60 × 30 before a release).
"""

import datetime as dt
import os
import uuid
from collections import Counter
from decimal import Decimal
from typing import Any
from unittest import mock

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from billing import services
from billing.models import Instalment, Invoice, Payment, Reminder, WriteOff
from billing.pdf import statement_context
from customers.models import Customer, CustomerBalance
from customers.services import edit_terms
from ordermgmt.accounts.services import system_user
from ordermgmt.company.models import ExchangeRate
from ordermgmt.company.services import business_today, default_seller, edit_tax_profile
from ordermgmt.lib.fsm import TransitionRefused
from ordermgmt.lib.invariants import violations
from ordermgmt.lib.money import ZERO, quantise
from orders.models import Order
from tests.factories import billing, orders
from tests.factories.orders import person

pytestmark = pytest.mark.django_db

cents = st.integers(1, 30_000).map(lambda value: Decimal(value) / 100)
MONEY = ["M1", "M3", "M4", "M6", "M7", "M9", "N2", "N3", "N5"]
VERBS = {
    "issue_invoice", "credit_invoice", "allocate_credit", "cancel_payment", "refund_credit", "ask_write_off",
    "approve_write_off", "refuse_write_off", "grant_early_discount", "bill_charges", "credit_charges",
    "release_reminder", "bill_instalment", "reschedule_invoice",
}  # fmt: skip
picks = st.integers(0, 1000)
COIN = Decimal("0.05")


class Finance(RuleBasedStateMachine):
    """Invoices, payments, credits, reversals, refunds and everything that a refusal may stop."""

    done: Counter[str] = Counter()  # what went through in all examples: a verb that never does proves nothing

    def __init__(self) -> None:
        super().__init__()
        self.block = transaction.atomic()
        self.block.__enter__()
        terms = [services.LevelTerms(5, Decimal("2.50"), 4), services.LevelTerms(9, Decimal("7.50"), 4)]
        services.set_reminder_levels(terms, actor=person("finance_manager"))
        Customer.objects.filter(pk=orders.customer_a().pk).update(email="payer@example.com")
        edit_tax_profile(default_seller().tax_profile, cash_steps={"CHF": "0.05"}, actor=person("admin"))
        day = business_today() - dt.timedelta(days=9)
        services.set_exchange_rate(currency="CHF", day=day, rate=Decimal("1.0437"), actor=person("finance"))

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.block.__exit__(None, None, None)

    def _pick(self, rows: Any, pick: int) -> Any:
        found = list(rows.order_by("pk"))
        return found[pick % len(found)] if found else None

    @rule(quantity=st.integers(1, 9), price=cents)
    def invoice(self, quantity: int, price: Decimal) -> None:
        billing.issued(orders.accepted(billing.free_line(quantity, price)))

    @rule(price=cents, percent=st.integers(5, 95), deposit=st.booleans())
    def planned(self, price: Decimal, percent: int, deposit: bool) -> None:
        """A plan of two, the first one billed ahead or not; then both are billed."""
        order = orders.started(billing.free_line(3, price), billing.free_line(1, price, tax_category="R"))
        rows = [
            services.PlanRow(value=Decimal(percent), due_date=business_today(), deposit=deposit),
            services.PlanRow(value=Decimal(100 - percent), due_date=business_today() + dt.timedelta(days=9)),
        ]
        self._try(services.plan_instalments, order, rows=rows, method="percent", actor=person("finance"))
        for one in Instalment.objects.planned().filter(plan__order=order).order_by("seq"):
            self._try(services.bill_instalment, one, actor=person("finance2"))

    @rule(pick=picks, first=st.integers(1, 99))
    def moved(self, pick: int, first: int) -> None:
        invoice = self._pick(Invoice.objects.issued().exclude(kind="credit_note"), pick)
        left = invoice and sum((one.amount for one in services.movable(invoice)), ZERO)
        if invoice is not None and left:
            share = quantise(left * first / 100, invoice.currency)
            if invoice.cash_step:
                share -= share % invoice.cash_step  # a part that can't be paid in coins is refused
            day = business_today() + dt.timedelta(days=5)
            rows = [
                services.PlanRow(value=value, due_date=day + dt.timedelta(days=place))
                for place, value in enumerate((share, left - share))
                if value
            ]
            self._try(
                services.reschedule_invoice, invoice, rows=rows, reason="asked for", version=invoice.reschedules.count(),
                actor=person("finance"),
            )  # fmt: skip

    @rule(quantity=st.integers(1, 9), price=cents, rates=st.lists(st.integers(500, 1500), min_size=2, max_size=2))
    def foreign(self, quantity: int, price: Decimal, rates: list[int]) -> None:
        """A document in dollars; the rate that payments of it meet may be another one."""
        today = business_today()
        for days, rate in zip((2, 0), rates, strict=True):
            if not ExchangeRate.objects.filter(currency="USD", day=today - dt.timedelta(days=days)).exists():
                services.set_exchange_rate(
                    currency="USD", day=today - dt.timedelta(days=days), rate=Decimal(rate) / 1000,
                    actor=person("finance"),
                )  # fmt: skip
        order = orders.accepted(billing.free_line(quantity, price, tax_category="Z"), currency="USD")
        billing.issued(order)

    @rule(prices=st.lists(cents, min_size=1, max_size=3), percent=st.integers(1, 99), parts=st.integers(1, 4))
    def in_coins(self, prices: list[Decimal], percent: int, parts: int) -> None:
        """In francs, where what is to be paid is a multiple of 0.05: in equal instalments, then piece by piece."""
        order = orders.started(*(billing.free_line(parts, one) for one in prices), currency="CHF")
        if order.gross_total >= 2 * COIN:
            rows = services.equal_rows(order, 2, business_today())
            self._try(services.plan_instalments, order, rows=rows, actor=person("finance"))
        first = Instalment.objects.planned().filter(plan__order=order).first()
        if first is not None and percent % 2:
            self._try(services.bill_instalment, first, actor=person("finance2"))
        for _ in range(parts):
            fresh = Order.objects.get(pk=order.pk)
            pieces = {line.pk: min(line.qty_to_invoice, Decimal(1)) for line in fresh.order_lines}
            if any(pieces.values()):
                draft = services.draft_invoice(fresh, quantities=pieces, actor=person("finance2"))
                self._try(services.issue_invoice, draft, actor=person("finance2"))
        assert all(one.due % COIN == 0 for one in Invoice.objects.filter(order=order))

    @rule(pick=picks, amount=cents, days=st.integers(0, 2), kept=st.booleans())
    def payment(self, pick: int, amount: Decimal, days: int, kept: bool) -> None:
        """Laid on what its text names, or kept as the customer's credit until somebody lays it on something."""
        invoice = self._pick(Invoice.objects.issued(), pick)
        if invoice is not None:
            services.record_payment(
                customer=invoice.customer, amount=amount, currency=invoice.currency,
                received_on=business_today() - dt.timedelta(days=days),
                key=uuid.uuid4().hex, actor=person("finance"), remittance=str(invoice.number),
                allocations={} if kept else None,
            )  # fmt: skip

    @rule(pick=picks, amount=cents)
    def allocation(self, pick: int, amount: Decimal) -> None:
        payment = self._pick(Payment.objects.with_credit(), pick)
        owed = payment and self._pick(Instalment.objects.owed().filter(customer=payment.customer), pick)
        if payment is not None and owed is not None:
            amount = min(amount, payment.unallocated, owed.open) if pick % 3 else amount
            self._try(services.allocate_credit, payment, allocations={owed.pk: amount}, actor=person("finance"))

    @rule(pick=picks)
    def reversal(self, pick: int) -> None:
        payment = self._pick(Payment.objects.all(), pick)
        if payment is not None:
            self._try(services.cancel_payment, payment, reason="bounced", actor=person("finance2"))

    @rule(pick=picks, amount=cents)
    def refund(self, pick: int, amount: Decimal) -> None:
        payment = self._pick(Payment.objects.with_credit(), pick)
        if payment is not None:
            amount = min(amount, payment.unallocated) if pick % 2 else amount
            self._try(
                services.refund_credit, payment, amount=amount, reason="overpaid", key=uuid.uuid4().hex,
                actor=person("finance2"),
            )  # fmt: skip

    @rule(pick=picks, share=st.none() | st.integers(1, 9))
    def credit_note(self, pick: int, share: int | None) -> None:
        invoice = self._pick(Invoice.objects.issued(), pick)
        if invoice is not None:
            quantities = None if share is None else {line.pk: Decimal(share) for line in invoice.lines.all()}
            self._try(services.credit_invoice, invoice, reason="wrong", quantities=quantities, actor=person("finance"))

    @rule(pick=picks, amount=cents, at_once=st.booleans())
    def write_off(self, pick: int, amount: Decimal, at_once: bool) -> None:
        invoice = self._pick(Invoice.objects.issued(), pick)
        if invoice is not None:
            amount = min(amount, invoice.open) if pick % 3 else amount
            actor = person("finance2" if invoice.issued_by == person("finance") else "finance")
            self._try(
                services.ask_write_off, invoice, amount=amount, reason="insolvent", key=uuid.uuid4().hex, actor=actor,
            )  # fmt: skip
            if at_once:
                self._decide(pick, agreed=True)

    @rule(pick=picks, agreed=st.booleans())
    def decision(self, pick: int, agreed: bool) -> None:
        self._decide(pick, agreed)

    def _decide(self, pick: int, agreed: bool) -> None:
        one = self._pick(WriteOff.objects.waiting(), pick)
        if one is not None and agreed:
            self._try(services.approve_write_off, one, actor=person("manager"))
        elif one is not None:
            self._try(services.refuse_write_off, one, remark="they will pay", actor=person("manager"))

    @rule(price=cents, percents=st.lists(st.integers(1, 100), min_size=1, max_size=3))
    def progress(self, price: Decimal, percents: list[int]) -> None:
        order = orders.started(billing.free_line(3, price), billing.free_line(1, "0.05", tax_category="R"))
        for percent in sorted(percents):
            fresh = Order.objects.get(pk=order.pk)
            self._try(services.draft_invoice, fresh, percent=Decimal(percent), actor=person("finance2"))
            for draft in Invoice.objects.drafts().filter(order=order):
                self._try(services.issue_invoice, draft, actor=person("finance2"))

    @rule(pick=picks, amount=cents)
    def debit_note(self, pick: int, amount: Decimal) -> None:
        original = self._pick(Invoice.objects.issued().exclude(kind="credit_note"), pick)
        if original is not None:
            line = {"description": "Fee", "quantity": 1, "unit_price": amount, "tax_category": "O", "tax_rate": ZERO}
            note = services.draft_by_hand(
                original.customer, [line], kind="debit_note", original=original, reason="late",
                currency=original.currency, actor=person("finance2"),
            )  # fmt: skip
            services.issue_invoice(note, actor=person("finance2"))

    @rule(quantity=st.integers(1, 9), price=cents, percent=st.integers(1, 40), excluded=st.booleans())
    def paid_early(self, quantity: int, price: Decimal, percent: int, excluded: bool) -> None:
        order = orders.accepted(billing.free_line(quantity, price), billing.free_line(1, price, tax_category="R"))
        edit_terms(
            order.customer, early_percent=Decimal(percent), early_days=9,
            early_mode="excluded" if excluded else "included", actor=person("finance"),
        )  # fmt: skip
        invoice = billing.issued(Order.objects.get(pk=order.pk))
        if invoice.early.pays > ZERO:
            billing.pay(invoice, invoice.early.pays, allocations={invoice.instalments.get().pk: invoice.early.pays})
            self._try(services.grant_early_discount, invoice, actor=person("finance"))
            assert services.earned(Invoice.objects.get(pk=invoice.pk)) == ZERO

    @rule(pick=picks, net=cents, kind=st.sampled_from(["charge", "penalty", "discount"]))
    def charge(self, pick: int, net: Decimal, kind: str) -> None:
        order = self._pick(Order.objects.all(), pick)
        if order is not None:
            made = services.add_charge(
                order, kind=kind, net=net, tax_category="S", description="agreed", reason="agreed",
                key=uuid.uuid4().hex, actor=person("finance"),
            )  # fmt: skip
            services.accept_charge(made, decision="yes", actor=person("finance_manager"))
            verb = services.bill_charges if kind == "charge" else services.credit_charges
            self._try(verb, order, actor=person("finance"))

    @rule(pick=picks)
    def reminder(self, pick: int) -> None:
        today = business_today() + dt.timedelta(days=60)
        services.propose_reminders(actor=system_user(), today=today)
        one = self._pick(Reminder.objects.proposed(), pick)
        if one is not None:
            with mock.patch("billing.services.reminding.business_today", return_value=today):
                self._try(services.release_reminder, one, actor=person("finance"))

    def _try(self, verb: Any, *given: Any, **named: Any) -> None:
        """A refusal is an answer too: it must have written nothing, which the invariants see."""
        try:
            with transaction.atomic():
                verb(*given, **named)
        except (TransitionRefused, ValidationError):
            return
        self.done[verb.__name__] += 1

    @invariant()
    def everything_agrees(self) -> None:
        today, everybody = business_today(), Customer.objects.all()
        rows = list(services.aged_receivables(today, everybody))
        open_by = {(row.customer.pk, row.currency): row.open for row in rows if row.open}
        balance_by = {(row.customer.pk, row.currency): row.balance for row in rows if row.balance}
        kept = {(one.customer_id, one.currency): one.open for one in CustomerBalance.objects.all() if one.open}
        assert open_by == kept  # the customer page
        entries = services.journal(everybody, end=today)
        assert balance_by == services.balances(entries)  # the ledger
        assert balance_by == services.balances_at(today, everybody)  # the same, added up by the database
        controls = services.control_totals(everybody, end=today)
        assert sum((one.amount for one in controls), ZERO) == sum(balance_by.values(), ZERO)
        self._books(entries)
        owed = sum(Instalment.objects.owed().values_list("open", flat=True), ZERO)
        assert owed == sum(open_by.values(), ZERO)  # the queues
        for row in rows:
            (account,) = [
                one
                for one in statement_context(row.customer, today.replace(day=1), today)["accounts"]
                if one["currency"] == row.currency
            ]
            assert account["balance"] == row.balance
            assert sum((one.amount for one in account["items"]), ZERO) == row.open
        assert list(violations(MONEY)) == []

    def _books(self, entries: Any) -> None:
        """The double entry balances, its receivables are the ledger, and what is closed leaves no base amount over."""
        receivable: Counter[Any] = Counter()
        in_base: Counter[Any] = Counter()
        for one in services.bookings(Customer.objects.all(), end=business_today()):
            assert one.balanced, (one.entry.key, one.postings)
            assert one.rated, one.entry.key
            for side in one.postings:
                if side.slot[0] == "receivable":
                    receivable[one.entry.customer_id, one.entry.currency] += side.amount
                    in_base[one.entry.customer_id, one.entry.currency] += side.base
        assert {key: amount for key, amount in receivable.items() if amount} == services.balances(entries)
        for account, base in in_base.items():
            if account[1] == "EUR":
                assert base == receivable[account]
            elif not Instalment.objects.owed().filter(customer=account[0], currency=account[1]).exists():
                free = Payment.objects.with_credit().filter(customer=account[0], currency=account[1])
                assert free.exists() or base == ZERO, (account, base)


def test_money_is_conserved() -> None:
    large = settings(
        max_examples=int(os.environ.get("HYPOTHESIS_EXAMPLES", "3")),
        stateful_step_count=int(os.environ.get("HYPOTHESIS_STEPS", "8")),
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
        derandomize=True,
        phases=[Phase.generate],
    )
    Finance.done.clear()
    run_state_machine_as_test(Finance, settings=large)
    assert Finance.done["issue_invoice"]
    if "HYPOTHESIS_EXAMPLES" in os.environ:
        assert set(Finance.done) >= VERBS, Finance.done
