"""The final account: drawn up by one, frozen by another; the eight conditions; a settled account that nothing moves."""

import datetime as dt
import uuid
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, transaction

from billing import services
from billing.models import Allocation, FinalAccount, Instalment, InstalmentPlan, Invoice, OrderCharge
from billing.services.accounting import account_content
from ordermgmt.company.services import business_today
from ordermgmt.lib.fsm import TransitionRefused
from ordermgmt.lib.invariants import violations
from orders.models import Order, OrderAmendment
from orders.services import edit_order, place_order, quote_order
from tests.factories import billing, orders
from tests.factories.orders import person

from .test_charge import add, agreed

pytestmark = pytest.mark.django_db
D = Decimal


def fresh(order):
    return Order.objects.get(pk=order.pk)


def holds():
    assert [str(one) for one in violations() if one.invariant.code[0] in "AMN"] == []


def paid(**given):
    order = orders.accepted()
    billing.pay(billing.issued(order, **given))
    return fresh(order)


def frozen(order):
    return billing.frozen(order)


def settled(order=None):
    return services.settle_order(frozen(order or paid()), actor=person("finance"))


def missing(order):
    return {one.number for one in services.settlement_conditions(fresh(order)) if not one.holds}


def do(order, name):
    return f"/billing/orders/{order.number}/do/{name}/"


class TestFreeze:
    def test_by_a_second_person_on_the_pages(self, client_of, finance, finance2):
        order = paid()
        client, other = client_of(finance), client_of(finance2)
        assert client.get(do(order, "draw-account")).status_code == 200
        assert not FinalAccount.objects.exists()
        assert client.post(do(order, "draw-account"), {}).status_code == 302
        answer = client.post(do(order, "freeze-account"), {})
        assert answer.status_code == 409
        assert "somebody else" in answer.content.decode()
        assert other.get(do(order, "freeze-account")).status_code == 200
        assert other.post(do(order, "freeze-account"), {}).status_code == 302
        account = FinalAccount.objects.get()
        assert (account.state, account.drawn_by, account.frozen_by) == ("frozen", finance, finance2)
        assert (fresh(order).final_amount, account.final_net) == (D("119.00"), D("100.00"))
        assert other.post(do(order, "freeze-account"), {}).status_code == 409
        page = other.get(f"/billing/orders/{order.number}/settlement/").content.decode()
        assert "Frozen by Felix Finance" in page
        holds()

    def test_the_contract_is_what_was_placed(self, sales):
        """Quotations that were kept before it are neither the contract nor changes of it."""
        order = quote_order(orders.draft(orders.line(unit_price=D(1000), supply="make")), actor=sales)
        rows = [orders.line(unit_price=D(100), supply="make")]
        edit_order(order, version=order.version, header={}, lines=rows, actor=sales)
        place_order(fresh(order), actor=sales)
        content = account_content(fresh(order))
        assert (content["contract_net"], content["changes_net"], content["changes"]) == ("100.00", "0.00", [])

    def test_also_for_who_holds_every_right(self, finance_manager, admin):
        order = paid()
        services.draw_account(order, actor=finance_manager)
        with pytest.raises(TransitionRefused, match="somebody else"):
            services.freeze_account(order, actor=finance_manager)
        with pytest.raises(PermissionDenied):
            services.freeze_account(order, actor=admin)
        with pytest.raises(DatabaseError), transaction.atomic():
            FinalAccount.objects.update(frozen_by=finance_manager, state="frozen")

    def test_a_foreign_order_is_404_and_without_the_right_403(self, client_of, sales, sales2):
        order = paid()
        for name in ("draw-account", "freeze-account"):
            assert client_of(sales2).post(do(order, name), {}).status_code == 404
            assert client_of(sales).post(do(order, name), {}).status_code == 403

    def test_not_before_acceptance_nor_with_an_undecided_charge(self, finance, finance2):
        with pytest.raises(TransitionRefused, match="once the order is accepted"):
            services.draw_account(orders.placed(), actor=finance)
        order = paid()
        with pytest.raises(TransitionRefused, match="No final account"):
            services.freeze_account(order, actor=finance2)
        add(order, "penalty", "5")
        services.draw_account(order, actor=finance)
        with pytest.raises(TransitionRefused, match="not decided"):
            services.freeze_account(order, actor=finance2)

    def test_what_moves_afterwards_asks_for_a_new_version(self, finance, finance2):
        order = frozen(paid())
        assert missing(order) == set()
        agreed(order, "charge", "10")
        assert missing(order) == {3, 4}
        services.bill_charges(fresh(order), actor=finance2)
        assert missing(order) == {3, 5}
        services.draw_account(fresh(order), actor=finance2)
        assert fresh(order).final_amount is None
        assert [(one.number, one.state) for one in FinalAccount.objects.all()] == [(2, "drawn"), (1, "replaced")]
        services.freeze_account(fresh(order), actor=finance)
        assert fresh(order).final_amount == D("130.90")
        holds()

    def test_a_frozen_version_never_changes(self):
        order = frozen(paid())
        for change in ({"final_gross": D(1)}, {"content": {}}, {"state": "drawn"}, {"drawn_by": person("admin")}):
            with pytest.raises(DatabaseError), transaction.atomic():
                FinalAccount.objects.filter(order=order).update(**change)
        with pytest.raises(DatabaseError), transaction.atomic():
            FinalAccount.objects.all().delete()


class TestConditions:
    def test_every_one_of_the_eight(self, client_of, finance, finance_manager):
        order = orders.placed()
        assert missing(order) == {1, 3, 4}
        order = orders.accepted()
        invoice = billing.issued(order)
        assert missing(order) == {3, 5}
        payment = billing.pay(invoice, "120")
        assert missing(order) == {3, 6}
        page = client_of(finance).get(f"/billing/orders/{order.number}/settlement/").content.decode()
        assert payment.number in page
        services.refund_credit(payment, amount=D(1), reason="too much", key="r", actor=person("finance2"))
        add(order, "penalty", "5")
        assert missing(order) == {3, 8}
        Order.objects.filter(pk=order.pk).update(open_changes=1)
        assert missing(order) == {2, 3, 8}

    def test_net_is_compared_not_only_the_total(self):
        order = orders.accepted()
        billing.issued(order)
        one = next(one for one in services.settlement_conditions(fresh(order)) if one.number == 4)
        assert (one.holds, one.figure) == (True, "100.00 / 100.00 EUR")

    def test_a_write_off_above_the_tolerance_waits_for_its_approval(self, finance, finance_manager):
        order = orders.accepted()
        invoice = billing.issued(order)
        billing.pay(invoice, "100")
        asked = services.ask_write_off(invoice, amount=D(19), reason="x", key="w", actor=finance)
        assert missing(order) == {3, 5, 7}
        services.approve_write_off(asked, actor=finance_manager)
        order = frozen(order)
        assert missing(order) == set()
        assert services.settle_order(order, actor=finance).state == "settled"
        holds()

    def test_a_retention_stands_apart_only_by_the_contract(self, finance):
        order = orders.accepted()
        day = business_today() + dt.timedelta(days=365)
        draft = billing.drafted(order)
        services.edit_draft(draft, version=draft.version, actor=person("finance2"), retention=(D(5), day))
        invoice = services.issue_invoice(draft, actor=person("finance2"))
        kept = invoice.instalments.get(kind="retention")
        billing.pay(invoice, D("119.00") - kept.amount, allocations={
            invoice.instalments.get(kind="normal").pk: D("119.00") - kept.amount})  # fmt: skip
        assert missing(order) == {3, 5}
        clause = {"rate_percent": D(0), "per": "day", "grace_days": 0, "cap_percent": None, "retention_apart": True}
        services.set_clause(order, actor=finance, **clause)
        order = settled(fresh(order))
        assert (order.state, order.retained_total) == ("settled", D("5.95"))
        holds()
        billing.pay(invoice, kept.amount)
        order = fresh(order)
        assert (order.state, order.paid_total, order.retained_total) == ("settled", D("119.00"), 0)
        holds()


class TestSettled:
    def test_nothing_moves_by_service(self, finance, finance2):
        order = settled()
        invoice = order.invoices.get()
        clause = {"rate_percent": D(1), "per": "day"}
        for deed in (
            lambda: services.credit_invoice(invoice, reason="x", actor=finance),
            lambda: services.draft_invoice(order, actor=finance),
            lambda: services.plan_instalments(order, rows=[], actor=finance),
            lambda: add(order),
            lambda: services.set_clause(order, actor=finance, **clause),
            lambda: services.draw_account(order, actor=finance),
            lambda: services.bill_charges(order, actor=finance),
            lambda: services.credit_charges(order, actor=finance),
            lambda: services.cancel_payment(Allocation.objects.get().payment, reason="x", actor=finance2),
            lambda: services.ask_write_off(invoice, amount=D(1), reason="x", key="k", actor=finance),
        ):
            with pytest.raises(TransitionRefused):
                deed()

    def test_nor_by_sql(self):
        order = orders.accepted()
        agreed(order, "charge", "1")
        billing.pay(billing.issued(fresh(order)))
        order = settled(fresh(order))
        invoice, instalment = order.invoices.get(), Instalment.objects.get()
        row = {"order": order, "version": order.version + 1, "source": "x", "source_id": 1, "actor": person("admin")}
        laid = {"instalment": instalment, "amount": D(1), "by": person("admin"), "on": business_today()}
        charge = {
            "order": order, "kind": "charge", "description": "x", "net": D(1), "tax_category": "S", "tax_rate": D(19),
            "reason": "x", "key": uuid.uuid4().hex, "asked_by": person("finance"),
        }  # fmt: skip
        deeds = (
            lambda: Order.objects.filter(pk=order.pk).update(invoiced_total=1),
            lambda: Order.objects.filter(pk=order.pk).update(gross_total=1, net_total=1, tax_total=0),
            lambda: Order.objects.filter(pk=order.pk).update(final_amount=1),
            lambda: Order.objects.filter(pk=order.pk).update(draft_invoices=1),
            lambda: Order.objects.filter(pk=order.pk).update(open_changes=1),
            lambda: OrderAmendment.objects.create(**row),
            lambda: OrderCharge.objects.create(**charge),
            lambda: OrderCharge.objects.filter(order=order).update(decision="y"),
            lambda: Invoice.objects.filter(pk=invoice.pk).update(state="cancelled"),
            lambda: Invoice.objects.create(
                order=order,
                customer=order.customer,
                seller=order.seller,
                currency="EUR",
                customer_name="x",
                created_by=person("finance"),
            ),
            lambda: Instalment.objects.filter(pk=instalment.pk).update(paid=0),
            lambda: Allocation.objects.create(payment=Allocation.objects.get().payment, **laid),
            lambda: InstalmentPlan.objects.create(order=order, method="fixed", total=1, created_by=person("finance")),
        )
        for place, deed in enumerate(deeds):
            refused = False
            try:
                with transaction.atomic():
                    deed()
            except DatabaseError:
                refused = True
            assert refused, f"deed {place} was let through"
        holds()

    def test_reopening_asks_for_a_new_version(self, client_of, finance, finance_manager):
        order = settled()
        assert client_of(finance).post(do(order, "reopen"), {"reason": "bounced"}).status_code == 403
        assert client_of(finance_manager).post(do(order, "reopen"), {"reason": "bounced"}).status_code == 302
        order = fresh(order)
        assert (order.state, order.final_amount, FinalAccount.objects.get().state) == ("accepted", None, "replaced")
        assert missing(order) == {3}
        order = settled(order)
        assert (order.state, FinalAccount.objects.count(), order.settlements.count()) == ("settled", 2, 2)
        holds()

    def test_the_statement_is_kept_once_in_both_languages(self, client_of, finance):
        from billing.tasks import make_settlement_paper
        from ordermgmt.activity.models import Job

        order = settled()
        client = client_of(finance)
        assert client.get(f"/billing/orders/{order.number}/settlement/en.pdf").status_code == 200  # waits
        for job in Job.objects.filter(kind="billing.settlement_pdf"):
            make_settlement_paper(job, lambda *_a, **_k: None)
            make_settlement_paper(job, lambda *_a, **_k: None)
        assert order.settlements.get().papers.count() == 2
        answer = client.get(f"/billing/orders/{order.number}/settlement/zh-hans.pdf")
        assert answer.headers["Content-Type"] == "application/pdf"
        first = b"".join(answer.streaming_content)
        assert first == b"".join(client.get(f"/billing/orders/{order.number}/settlement/zh-hans.pdf").streaming_content)
        assert client.get(f"/billing/orders/{order.number}/settlement/xx.pdf").status_code == 404


class TestQueue:
    """`To settle` lists what the eight conditions would let through, the freeze apart."""

    def _listed(self, order):
        from billing.views.work import to_settle

        return to_settle(person("finance")).filter(pk=order.pk).exists()

    def test_a_deduction_belongs_to_what_is_invoiced(self):
        order = orders.accepted(billing.free_line(1, "100"))
        agreed(order, "penalty", "10")
        invoice = billing.issued(fresh(order))
        assert not self._listed(order)
        billing.pay(invoice)
        assert fresh(order).invoiced_total == D("107.10")
        assert self._listed(order)

    def test_what_comes_off_is_no_delivery_to_invoice(self):
        from billing.views.work import deliveries_due

        order = orders.accepted(billing.free_line(1, "100"))
        due = deliveries_due(person("finance")).filter(pk=order.pk)
        assert due.exists()
        agreed(order, "penalty", "10")
        billing.issued(fresh(order))
        assert not due.exists()

    def test_a_charge_must_be_billed_first(self):
        order = paid()
        assert self._listed(order)
        agreed(order, "charge", "10")
        assert not self._listed(order)

    def test_a_retention_that_stands_apart_may_be_open(self):
        order = orders.accepted(billing.free_line(1, "100"))
        until = business_today() + dt.timedelta(days=300)
        draft = billing.drafted(order)
        services.edit_draft(draft, version=draft.version, retention=(D(10), until), actor=person("finance2"))
        invoice = services.issue_invoice(Invoice.objects.get(pk=draft.pk), actor=person("finance2"))
        billing.pay(invoice, "107.10")
        assert not self._listed(order)
        services.set_clause(fresh(order), actor=person("finance"), rate_percent=D(0), per="day", grace_days=0,
                            cap_percent=None, retention_apart=True)  # fmt: skip
        assert self._listed(order)
