"""`settle_order` and `reopen_order`: the account closes only when nothing is open."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied

from billing import services
from billing.models import Instalment, LateFee, Settlement, SettlementPaper
from billing.tasks import send_settlement_mail
from customers.models import Customer
from ordermgmt.activity.models import Event, Job
from ordermgmt.activity.services import work_off
from ordermgmt.company.services import business_today
from ordermgmt.documents.services import read_file
from ordermgmt.lib.fsm import TransitionRefused
from orders.models import Order
from tests.factories import billing, orders

pytestmark = pytest.mark.django_db


def _paid():
    order = orders.accepted()
    billing.pay(billing.issued(order))
    return billing.frozen(order)


def _url(order, name="settle"):
    return f"/billing/orders/{order.number}/do/{name}/"


def test_works(client_of, finance):
    order = _paid()
    answer = client_of(finance).post(_url(order), {"version": order.version})
    assert answer.status_code == 302
    order = Order.objects.get(pk=order.pk)
    assert (order.state, order.final_amount) == ("settled", Decimal("119.00"))
    assert Settlement.objects.get().content["open"] == "0.00"


def test_get_settles_nothing(client_of, finance):
    order = _paid()
    client = client_of(finance)
    assert "closes" not in client.get(f"/billing/orders/{order.number}/settlement/").content.decode()
    assert client.get(_url(order)).status_code == 200
    assert Order.objects.get(pk=order.pk).state == "accepted"


def test_a_foreign_order_is_404(client_of, sales2):
    assert client_of(sales2).post(_url(_paid())).status_code == 404


def test_without_the_right_403(client_of, sales):
    order = _paid()
    assert client_of(sales).post(_url(order)).status_code == 403
    with pytest.raises(PermissionDenied):
        services.settle_order(order, actor=sales)


def test_the_second_time_is_refused(finance):
    order = services.settle_order(_paid(), actor=finance)
    with pytest.raises(TransitionRefused):
        services.settle_order(order, actor=finance)


def test_m9_everything_missing_is_listed(client_of, finance):
    order = orders.accepted(orders.line(quantity=2, supply="make"))
    key = order.order_lines[0].pk
    billing.issued(order, quantities={key: Decimal(1)})
    billing.drafted(Order.objects.get(pk=order.pk))
    page = client_of(finance).get(f"/billing/orders/{order.number}/settlement/").content.decode()
    for text in (
        "1 invoice is in draft",
        "Invoiced are 100.00, final are 200.00",
        "1 instalment over 119.00",
        "not drawn up",
    ):
        assert text in page
    with pytest.raises(TransitionRefused) as refused:
        services.settle_order(Order.objects.get(pk=order.pk), actor=finance)
    assert len(refused.value.blockers) == 4


def test_p13_a_placed_order_is_not_settled(client_of, finance):
    order = orders.placed()
    assert client_of(finance).post(_url(order)).status_code == 409
    assert Order.objects.get(pk=order.pk).state == "placed"


def test_a_settled_account_is_closed_until_it_is_reopened(client_of, finance, finance2, finance_manager):
    order = services.settle_order(_paid(), actor=finance)
    invoice = order.invoices.get()
    payment = invoice.instalments.get().allocations.get().payment
    for deed in (
        lambda: services.credit_invoice(invoice, reason="x", actor=finance),
        lambda: services.cancel_payment(payment, reason="x", actor=finance2),
        lambda: services.draft_invoice(order, actor=finance),
    ):
        with pytest.raises(TransitionRefused):
            deed()
    for url in (f"{invoice.get_absolute_url()}do/credit/", f"/billing/orders/{order.number}/plan/"):
        page = client_of(finance2).get(url).content.decode()
        assert "is settled: reopen its account first" in page, url
        assert "Remove the plan" not in page
    assert client_of(finance).post(_url(order, "reopen"), {"reason": "bounced"}).status_code == 403
    assert client_of(finance_manager).post(_url(order, "reopen"), {"reason": "bounced"}).status_code == 302
    assert services.cancel_payment(payment, reason="bounced", actor=finance2).state == "cancelled"
    assert Order.objects.get(pk=order.pk).state == "accepted"


def test_undecided_interest_keeps_the_account_open(finance, finance2):
    """Condition 8: what somebody claims is charged or waived before nothing is open."""
    invoice = billing.issued(orders.accepted())
    services.set_late_fee_policy(actor=orders.person("finance_manager"), start=dt.date(2020, 1, 1), annual=Decimal(10))
    Instalment.objects.filter(invoice=invoice).update(due_date=business_today() - dt.timedelta(days=30))
    services.propose_late_fees(invoice, actor=finance)
    billing.pay(invoice)
    order = billing.frozen(Order.objects.get(pk=invoice.order_id))
    with pytest.raises(TransitionRefused) as refused:
        services.settle_order(order, actor=finance)
    assert [one.link for one in refused.value.blockers] == ["/billing/late-fees/"]
    services.waive_late_fee(LateFee.objects.get(), reason="Goodwill", actor=finance2)
    assert services.settle_order(Order.objects.get(pk=order.pk), actor=finance).state == "settled"


def test_the_customer_is_told_once_with_the_kept_statement(client_of, finance):
    order = _paid()
    Customer.objects.filter(pk=order.customer_id).update(email="buyer@example.com")
    Order.objects.filter(pk=order.pk).update(language="zh-hans")
    services.settle_order(order, actor=finance)
    assert mail.outbox == []
    for _ in range(3):
        work_off()
    (sent,) = mail.outbox
    kept = read_file(SettlementPaper.objects.select_related("file").get(language="zh-hans").file)
    assert (sent.to, sent.attachments[0][:2]) == (["buyer@example.com"], (f"settlement-{order.number}.pdf", kept))
    assert "结算" in sent.subject
    assert "119.00" in sent.body
    send_settlement_mail(Job.objects.get(kind=services.SETTLEMENT_MAIL_JOB), lambda *_: None)
    assert len(mail.outbox) == 1
    assert Event.objects.filter(type="billing.account_told", root_id=order.pk).count() == 1
    page = client_of(finance).get(f"/billing/orders/{order.number}/settlement/").content.decode()
    assert "sent to buyer@example.com" in page


def test_without_an_address_the_page_says_so(client_of, finance):
    order = _paid()
    Customer.objects.filter(pk=order.customer_id).update(email="")
    services.settle_order(order, actor=finance)
    for _ in range(3):
        work_off()
    assert mail.outbox == []
    page = client_of(finance).get(f"/billing/orders/{order.number}/settlement/").content.decode()
    assert "hand the statement over yourself" in page
