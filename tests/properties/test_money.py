"""Whatever finance does, in whatever order: ageing, ledger, statement, customer page and the queues say the same.

A few steps in the suite; `MONEY_EXAMPLES` and `MONEY_STEPS` make it as large as one likes.
"""

import os
import uuid
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from billing import services
from billing.models import Instalment, Invoice, Payment, WriteOff
from billing.pdf import statement_context
from customers.models import Customer, CustomerBalance
from ordermgmt.company.services import business_today
from ordermgmt.lib.fsm import TransitionRefused
from ordermgmt.lib.invariants import violations
from ordermgmt.lib.money import ZERO
from orders.models import Order
from tests.factories import billing, orders
from tests.factories.orders import person

pytestmark = pytest.mark.django_db

cents = st.integers(1, 30_000).map(lambda value: Decimal(value) / 100)
MONEY = ["M1", "M3", "M4", "M6", "M7", "M9", "N2", "N3", "N5"]
picks = st.integers(0, 1000)


class Finance(RuleBasedStateMachine):
    """Invoices, payments, credits, reversals, refunds and everything that a refusal may stop."""

    def __init__(self) -> None:
        super().__init__()
        self.block = transaction.atomic()
        self.block.__enter__()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.block.__exit__(None, None, None)

    def _pick(self, rows: Any, pick: int) -> Any:
        found = list(rows.order_by("pk"))
        return found[pick % len(found)] if found else None

    @rule(quantity=st.integers(1, 9), price=cents)
    def invoice(self, quantity: int, price: Decimal) -> None:
        billing.issued(orders.accepted(billing.free_line(quantity, price)))

    @rule(pick=picks, amount=cents)
    def payment(self, pick: int, amount: Decimal) -> None:
        invoice = self._pick(Invoice.objects.issued(), pick)
        if invoice is not None:
            services.record_payment(
                customer=invoice.customer, amount=amount, currency=invoice.currency, received_on=business_today(),
                key=uuid.uuid4().hex, actor=person("finance"), remittance=str(invoice.number),
            )  # fmt: skip

    @rule(pick=picks, amount=cents)
    def allocation(self, pick: int, amount: Decimal) -> None:
        payment = self._pick(Payment.objects.all(), pick)
        owed = self._pick(Instalment.objects.owed(), pick)
        if payment is not None and owed is not None:
            self._try(services.allocate_credit, payment, allocations={owed.pk: amount}, actor=person("finance"))

    @rule(pick=picks)
    def reversal(self, pick: int) -> None:
        payment = self._pick(Payment.objects.all(), pick)
        if payment is not None:
            self._try(services.cancel_payment, payment, reason="bounced", actor=person("finance2"))

    @rule(pick=picks, amount=cents)
    def refund(self, pick: int, amount: Decimal) -> None:
        payment = self._pick(Payment.objects.all(), pick)
        if payment is not None:
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

    @rule(pick=picks, amount=cents)
    def write_off(self, pick: int, amount: Decimal) -> None:
        invoice = self._pick(Invoice.objects.issued(), pick)
        if invoice is not None:
            self._try(
                services.ask_write_off, invoice, amount=amount, reason="insolvent", key=uuid.uuid4().hex,
                actor=person("finance"),
            )  # fmt: skip

    @rule(pick=picks, agreed=st.booleans())
    def decision(self, pick: int, agreed: bool) -> None:
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

    def _try(self, verb: Any, *given: Any, **named: Any) -> None:
        """A refusal is an answer too: it must have written nothing, which the invariants see."""
        try:
            with transaction.atomic():
                verb(*given, **named)
        except TransitionRefused:
            return

    @invariant()
    def everything_agrees(self) -> None:
        today, everybody = business_today(), Customer.objects.all()
        rows = services.aged_receivables(today, everybody)
        open_by = {(row.customer.pk, row.currency): row.open for row in rows if row.open}
        balance_by = {(row.customer.pk, row.currency): row.balance for row in rows if row.balance}
        kept = {(one.customer_id, one.currency): one.open for one in CustomerBalance.objects.all() if one.open}
        assert open_by == kept  # the customer page
        entries = services.journal(everybody, end=today)
        assert balance_by == services.balances(entries)  # the ledger
        assert sum((one.amount for one in services.controls(entries)), ZERO) == sum(balance_by.values(), ZERO)
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


def test_money_is_conserved() -> None:
    large = settings(
        max_examples=int(os.environ.get("MONEY_EXAMPLES", "3")),
        stateful_step_count=int(os.environ.get("MONEY_STEPS", "8")),
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
        derandomize=True,
        phases=[Phase.generate],
    )
    run_state_machine_as_test(Finance, settings=large)
