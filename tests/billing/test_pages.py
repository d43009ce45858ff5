"""Every page of billing opens for those who may see it, and its queries do not grow with its rows."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import billing, orders

pytestmark = pytest.mark.django_db
WORK = [f"/billing/work/{tab}/" for tab in ("instalments", "deliveries", "drafts", "overdue", "part-paid", "settle")]


def _life():
    order = orders.accepted()
    invoice = billing.issued(order)
    payment = billing.pay(invoice, "50")
    billing.drafted()
    return order, invoice, payment


def test_pages_open(client_of, finance):
    order, invoice, payment = _life()
    client = client_of(finance)
    for url in (
        "/", "/billing/", "/billing/invoices/", "/billing/invoices/?q=INV&payment=open&state=issued", "/billing/payments/",
        "/billing/payments/?credit=true&q=PAY", invoice.get_absolute_url(), payment.get_absolute_url(),
        f"/billing/orders/{order.number}/", f"/billing/orders/{order.number}/plan/", f"/orders/{order.number}/",
        f"/billing/orders/{order.number}/settlement/", f"/customers/{invoice.customer.number}/",
        f"{invoice.get_absolute_url()}do/credit/", "/billing/invoices/?export=csv", "/billing/payments/?export=csv", "/billing/write-offs/", "/billing/exchange/",
        f"/billing/orders/{order.number}/board/", *WORK,
    ):  # fmt: skip
        assert client.get(url).status_code == 200, url


def test_panels_show_what_is_open(client_of, finance):
    order, invoice, _payment = _life()
    client = client_of(finance)
    for url in (f"/orders/{order.number}/", f"/customers/{invoice.customer.number}/"):
        page = client.get(url).content.decode()
        assert invoice.number in page
        assert "69.00" in page


def test_a_draft_is_made_and_edited_on_pages(client_of, finance):
    order = orders.accepted(orders.line(quantity=2, supply="make"))
    client = client_of(finance)
    answer = client.post(f"/billing/orders/{order.number}/draft/", {"basis": "shipped"})
    draft = order.invoices.get()
    assert answer["Location"] == draft.get_absolute_url()
    assert "Preview" in client.get(answer["Location"]).content.decode()
    key = order.order_lines[0].pk
    data = {"version": draft.version, "payment_days": 10, "language": "en", "note": "", f"line_{key}": "1"}
    assert client.post(f"{draft.get_absolute_url()}edit/", data).status_code == 302
    assert order.invoices.get().due == draft.due / 2
    assert client.post(f"{draft.get_absolute_url()}edit/", data).status_code == 409  # stale
    assert client.post(f"{draft.get_absolute_url()}edit/", data | {f"line_{key}": "3"}).status_code == 422
    assert client.post(f"/billing/orders/{order.number}/draft/", {"basis": "all"}).status_code == 422


@pytest.mark.parametrize("reference", ["draft-x", "draft-99999999999999999999999", "INV-1", "draft-0"])
def test_unknown_documents_are_404(client_of, finance, reference):
    assert client_of(finance).get(f"/billing/invoices/{reference}/").status_code == 404


def test_who_may_not_see_billing(client_of, warehouse, sales2):
    _order, invoice, _payment = _life()
    assert client_of(warehouse).get("/billing/").status_code == 403
    assert client_of(sales2).get(invoice.get_absolute_url()).status_code == 404
    assert invoice.number not in client_of(sales2).get("/billing/invoices/").content.decode()


@pytest.mark.parametrize("url", ["/billing/", "/billing/invoices/", "/billing/payments/", *WORK])
def test_queries_do_not_grow(client_of, finance, url):
    _life()
    client = client_of(finance)
    client.get(url)
    with CaptureQueriesContext(connection) as few:
        client.get(url)
    _life()
    with CaptureQueriesContext(connection) as more:
        client.get(url)
    assert len(more) == len(few)
