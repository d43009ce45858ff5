"""Cash rounding (billing.md, rule 6): what is to be paid is a multiple of the coin, and the difference is `rounding` alone."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction
from django.utils import translation

from billing import services
from billing.models import Instalment, Invoice
from billing.pdf import document_context
from customers.models import Customer
from ordermgmt.company.models import TaxProfile
from ordermgmt.company.services import business_today, edit_tax_profile
from ordermgmt.lib import einvoice
from ordermgmt.lib.invariants import violations
from orders.models import Order
from tests.factories import billing, orders
from tests.factories.orders import person

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture(autouse=True)
def _coins(db, admin):
    profile = TaxProfile.objects.get(pk=orders.draft().tax_profile_id)
    edit_tax_profile(profile, cash_steps={"CHF": "0.05"}, actor=admin)


def _chf(*lines, made=orders.accepted, **header):
    return made(*(lines or [billing.free_line(3, "11.11")]), currency="CHF", **header)


# 3 x 11.11 = 33.33, 19 % of it 6.3327 = 6.33, together 39.66: paid with 39.65, as 39.68 would be with 39.70.
@pytest.mark.parametrize(
    ("price", "tax", "rounding", "due"),
    [("11.11", "6.33", "-0.01", "39.65"), ("11.115", "6.34", "0.01", "39.70"), ("10.00", "5.70", "0", "35.70")],
)
def test_order_document_ledger_and_xml_agree(price, tax, rounding, due):
    order = _chf(billing.free_line(3, price))
    assert (order.tax_total, order.rounding, order.gross_total) == (D(tax), D(rounding), D(due))
    order.tax_profile.e_invoice = "factur-x"
    order.tax_profile.save()
    Customer.objects.update(country="DE")
    order.seller.vat_id, order.seller.address = "DE136695976", "Werkstr. 1\n80331 München"
    order.seller.save()
    invoice = billing.issued(order)
    assert (invoice.tax_total, invoice.rounding, invoice.due) == (D(tax), D(rounding), D(due))
    assert (invoice.grand_total + invoice.rounding, invoice.cash_step) == (invoice.due, D("0.05"))
    assert invoice.instalments.get().amount == D(due)
    xml = services.einvoice_xml(invoice)
    assert einvoice.faults(xml) == []
    document, declared = einvoice.read_document(xml)
    assert (document.rounding, declared["due"], declared["tax_total"]) == (D(rounding), D(due), D(tax))
    entries = services.journal(Customer.objects.all(), end=business_today())
    assert services.balances(entries) == {(order.customer_id, "CHF"): D(due)}
    sides = {
        one.slot[0]: one.amount
        for one in next(iter(services.bookings(Customer.objects.all(), end=business_today()))).postings
    }
    assert sides.get("rounding", D(0)) == -D(rounding)
    assert sides["receivable"] == D(due)
    with translation.override("en"):
        shown = document_context(invoice)
    assert (shown["rounding"], shown["due"], shown["tax"]) == (D(rounding), D(due), D(tax))
    assert list(violations(["M"])) == []


def test_other_currencies_are_paid_to_the_cent():
    order = orders.accepted(billing.free_line(3, "11.11"))
    assert (order.cash_step, order.rounding, order.gross_total) == (0, 0, D("39.66"))
    assert billing.issued(order).due == D("39.66")


def test_parts_add_up_and_each_can_be_paid(finance2):
    order = _chf(billing.free_line(7, "1.03"))  # 7.21 + 1.37 = 8.58, paid with 8.60
    line = order.lines.get()
    for _ in range(6):
        part = services.draft_invoice(order, actor=finance2, quantities={line.pk: D(1)})
        part = services.issue_invoice(part, actor=finance2)
        assert part.due == D("1.25")  # 1.03 + 0.20 = 1.23
    last = billing.issued(order)
    assert (last.due, Order.objects.get(pk=order.pk).invoiced_total) == (D("1.10"), D("8.60"))
    assert list(violations(["M"])) == []


def test_no_part_takes_more_than_is_left(finance2):
    order = _chf(billing.free_line(5, "0.03", tax_category="Z"))  # 0.15; each part alone would be 0.05
    line = order.lines.get()
    dues = []
    for _ in range(5):
        part = services.draft_invoice(order, actor=finance2, quantities={line.pk: D(1)})
        dues.append(services.issue_invoice(part, actor=finance2).due)
    assert dues == [D("0.05"), D("0.05"), D("0.05"), 0, 0]
    assert Order.objects.get(pk=order.pk).invoiced_total == order.gross_total == D("0.15")
    assert list(violations(["M"])) == []


def test_equal_instalments_differ_by_one_coin(sales, finance2):
    order = _chf(billing.free_line(1, "100.02", tax_category="Z"))
    rows = services.equal_rows(order, 3, business_today())
    assert [row.value for row in rows] == [D("33.35"), D("33.35"), D("33.30")]
    services.plan_instalments(order, rows=rows, actor=sales)
    for instalment in Instalment.objects.order_by("seq"):
        invoice = services.bill_instalment(instalment, actor=finance2)
        assert invoice.due == instalment.amount
    assert Order.objects.get(pk=order.pk).invoiced_total == order.gross_total == D("100.00")
    assert list(violations(["M"])) == []


def test_percentages_are_rounded_to_coins_and_odd_amounts_refused(client_of, finance):
    order = _chf(billing.free_line(1, "99.99", tax_category="Z"), made=orders.started)
    day = business_today()
    rows = [services.PlanRow(D(33), day), services.PlanRow(D(67), day + dt.timedelta(days=9))]
    services.plan_instalments(order, rows=rows, method="percent", actor=finance)
    assert list(Instalment.objects.order_by("seq").values_list("amount", flat=True)) == [D("33.00"), D("67.00")]
    sent = {
        "method": "fixed", "rows-TOTAL_FORMS": "2", "rows-INITIAL_FORMS": "0", "rows-0-value": "33.33",
        "rows-0-due_date": day.isoformat(), "rows-1-value": "66.67", "rows-1-due_date": day.isoformat(),
    }  # fmt: skip
    answer = client_of(finance).post(f"/billing/orders/{order.number}/plan/", sent)
    assert answer.status_code == 422
    assert "multiples of 0.05" in answer.content.decode()
    assert Instalment.objects.count() == 2


def test_moved_instalments_are_multiples_too(finance):
    invoice = billing.issued(_chf())
    day = business_today() + dt.timedelta(days=5)
    odd = [services.PlanRow(D("19.83"), day), services.PlanRow(D("19.82"), day)]
    with pytest.raises(Exception, match=r"multiples of 0\.05"):
        services.reschedule_invoice(invoice, rows=odd, reason="asked", version=0, actor=finance)
    even = [services.PlanRow(D("19.85"), day), services.PlanRow(D("19.80"), day)]
    services.reschedule_invoice(invoice, rows=even, reason="asked", version=0, actor=finance)


def test_retention_and_early_discount_can_be_paid(finance2, finance):
    order = _chf(billing.free_line(1, "83.21"))  # 99.02, paid with 99.00
    draft = billing.drafted(order)
    until = business_today() + dt.timedelta(days=90)
    draft = services.edit_draft(
        draft, version=draft.version, retention=(D("5.3"), until), early=(D("2.3"), 10, "included"), actor=finance2
    )
    invoice = services.issue_invoice(draft, actor=finance2)
    kept = invoice.instalments.get(kind="retention")
    assert kept.amount == D("5.25")  # 5.247
    assert (invoice.early.pays, invoice.early.amount) == (D("96.70"), D("2.30"))  # 99.00 - 2.28
    assert invoice.due == D("99.00")


@pytest.mark.parametrize("mode", ["included", "excluded"])
def test_the_early_discount_is_credited_to_the_coin(finance, mode):
    order = _chf(billing.free_line(1, "83.21"), billing.free_line(1, "11.17", tax_category="R"))
    draft = billing.drafted(order)
    draft = services.edit_draft(draft, version=draft.version, early=(D("2.3"), 10, mode), actor=person("finance2"))
    invoice = services.issue_invoice(draft, actor=person("finance2"))
    billing.pay(invoice, invoice.early.pays)
    credit = services.grant_early_discount(invoice, actor=finance)
    assert credit.due % D("0.05") == 0
    assert Invoice.objects.get(pk=invoice.pk).open == 0
    order = Order.objects.get(pk=order.pk)
    assert order.final_gross == order.invoiced_total == order.paid_total
    assert list(violations(["M"])) == []


def test_credit_notes_by_line_and_whole(finance):
    invoice = billing.issued(_chf(billing.free_line(3, "11.11")))
    part = services.credit_invoice(invoice, reason="one", quantities={invoice.lines.get().pk: D(1)}, actor=finance)
    assert (part.rounding, part.due) == (D("-0.02"), D("13.20"))  # 11.11 + 2.11 = 13.22
    rest = services.credit_invoice(Invoice.objects.get(pk=invoice.pk), reason="rest", actor=finance)
    assert part.due + rest.due == invoice.due
    assert Order.objects.get(pk=invoice.order_id).invoiced_total == 0
    assert list(violations(["M"])) == []


def test_charges_keep_the_final_amount_payable(finance, finance_manager):
    order = _chf()
    services.add_charge(
        order, kind="penalty", net=D("1.11"), tax_category="S", description="late", reason="late", key="k",
        actor=finance,
    )  # fmt: skip
    services.accept_charge(order.charges.get(), decision="yes", actor=finance_manager)
    order = Order.objects.get(pk=order.pk)
    assert (order.charges_total, order.final_gross) == (D("-1.30"), D("38.35"))  # 1.11 + 0.21 = 1.32
    invoice = billing.issued(order)
    assert invoice.due == D("38.35")
    billing.pay(invoice)
    content = services.account_content(Order.objects.get(pk=order.pk))
    # 33.33 - 1.11 net, 6.33 - 0.21 tax; the cent that is gone is rounding, not tax.
    assert (content["final_net"], content["final_tax"], content["final_rounding"]) == ("32.22", "6.12", "0.01")
    assert list(violations(["M"])) == []


def test_a_placed_order_keeps_what_was_agreed(admin, finance):
    before = _chf(made=orders.placed)
    draft = orders.draft(billing.free_line(3, "11.11"), currency="CHF")
    edit_tax_profile(before.tax_profile, cash_steps={}, actor=admin)
    before = Order.objects.get(pk=before.pk)
    invoice = billing.drafted(before)
    assert services.rules_now(invoice).cash_step("CHF") == D("0.05")
    assert services.issue_invoice(invoice, actor=person("finance2")).due == before.gross_total == D("39.65")
    orders.services.edit_order(draft, version=draft.version, header={}, lines=None, actor=person("sales"))
    assert Order.objects.get(pk=draft.pk).gross_total == D("39.66")
    with pytest.raises(DatabaseError, match="rounded as it was agreed"), transaction.atomic():
        Order.objects.filter(pk=before.pk).update(cash_step=0)
    assert list(violations(["M"])) == []


def test_by_hand(client_of, finance):
    customer = orders.customer_b()
    customer.currency = "CHF"
    customer.save()
    row = {"description": "Call-out", "quantity": "3", "unit_price": "11.11", "tax_category": "S", "unit": "h"}
    sent = {"header": {"customer": str(customer.pk), "kind": "standard"}, "lines": [row], "key": "1"}
    shown = client_of(finance).post("/billing/entry/preview/", sent, content_type="application/json").json()
    assert shown["total"] == "39.65"
    assert shown["taxes"][-1]["text"] == "Rounding"
    assert shown["taxes"][-1]["amount"] in ("-0.01", "−0.01")
    assert client_of(finance).post("/billing/entry/save/", sent, content_type="application/json").status_code == 200
    invoice = services.issue_invoice(Invoice.objects.get(), actor=finance)
    assert (invoice.rounding, invoice.due) == (D("-0.01"), D("39.65"))
    page = client_of(finance).get(invoice.get_absolute_url()).content.decode()
    assert "Rounding" in page
    assert "39.65" in page
    # A rounding that is given counts first: 39.66 - 0.04 = 39.62 is paid with 39.60.
    given = services.draft_by_hand(
        customer,
        [row | {"quantity": D(3), "unit_price": D("11.11"), "tax_rate": D(19)}],
        rounding=D("-0.04"),
        actor=finance,
    )
    assert (given.rounding, given.due) == (D("-0.06"), D("39.60"))


def test_an_opening_balance_is_taken_over_as_it_is(finance_manager):
    day = business_today() - dt.timedelta(days=40)
    opened = services.open_balance(
        customer=orders.customer_a(), amount=D("12.34"), currency="CHF", issue_date=day, actor=finance_manager,
        source_key="old/1",
    )  # fmt: skip
    assert (opened.due, opened.rounding, opened.cash_step) == (D("12.34"), 0, 0)
    assert list(violations(["M"])) == []


def test_the_order_page_and_its_pdf_show_it(client_of, sales):
    order = _chf(made=orders.placed)
    page = client_of(sales).get(order.get_absolute_url()).content.decode()
    assert "Rounding" in page
    assert "39.65" in page
    row = {"description": "Frame", "quantity": "3", "unit_price": "11.11", "tax_category": "S", "supply": "make"}
    sent = {"header": {"customer": str(order.customer_id), "currency": "CHF"}, "lines": [row]}
    shown = client_of(sales).post("/orders/entry/preview/", sent, content_type="application/json").json()
    assert shown["total"] == "39.65"
    assert shown["taxes"][-1]["text"] == "Rounding"
