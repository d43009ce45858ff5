"""`mail_invoice`: the kept PDF goes out once, a failure says why, a mail that came back is on the record."""

import hashlib

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied
from django.core.mail.backends.base import BaseEmailBackend

from billing import services
from billing.models import Invoice, InvoiceMail
from ordermgmt.activity.models import Event, Job
from ordermgmt.activity.services import work_off
from ordermgmt.documents.services import read_file
from ordermgmt.lib.fsm import TransitionRefused
from tests.factories import billing, orders

pytestmark = pytest.mark.django_db


class Refusing(BaseEmailBackend):
    """A mail server that takes nothing."""

    def send_messages(self, email_messages):
        raise ConnectionRefusedError("the mail server is away")


def _url(invoice, verb="mail"):
    return f"{invoice.get_absolute_url()}do/{verb}/"


def test_works(client_of, finance):
    invoice = billing.issued(orders.accepted(language="zh-hans"))
    client = client_of(finance)
    assert client.get(_url(invoice)).status_code == 200
    assert not InvoiceMail.objects.exists()
    data = {"to": "buyer@example.com", "message": "As agreed.", "key": "k1"}
    assert client.post(_url(invoice), data).status_code == 302
    assert client.post(_url(invoice), data).status_code == 302  # sent twice: asked once
    work_off()
    work_off()
    [sent] = mail.outbox
    kept = read_file(Invoice.objects.select_related("pdf").get().pdf)
    assert (sent.to, sent.attachments[0][:2]) == (["buyer@example.com"], (f"{invoice.number}.pdf", kept))
    assert invoice.number in sent.subject
    assert "尊敬的客户" in sent.body
    row = InvoiceMail.objects.get()
    assert row.sha256 == hashlib.sha256(kept).hexdigest()
    assert Event.objects.filter(type="billing.invoice_mailed", root_id=invoice.order_id).count() == 1
    assert "buyer@example.com" in client.get(invoice.get_absolute_url()).content.decode()


def test_another_worker_sends_nothing_more(finance):
    from billing.tasks import send_invoice_mail

    invoice = billing.issued()
    services.mail_invoice(invoice, to="buyer@example.com", actor=finance)
    job = Job.objects.get(kind=services.MAIL_JOB)
    for _ in range(2):
        send_invoice_mail(job, lambda *_: None)
    assert len(mail.outbox) == 1


def test_a_failure_says_why_and_is_tried_again(client_of, finance, settings):
    invoice = billing.issued()
    services.mail_invoice(invoice, to="buyer@example.com", actor=finance)
    working, settings.EMAIL_BACKEND = settings.EMAIL_BACKEND, f"{__name__}.Refusing"
    job = Job.objects.get(kind=services.MAIL_JOB)
    for _ in range(6):
        Job.objects.filter(pk=job.pk).update(due_at="2020-01-01T00:00Z")
        work_off()
    job.refresh_from_db()
    assert (job.state, "server is away" in job.error) == ("failed", True)
    page = client_of(finance).get(invoice.get_absolute_url()).content.decode()
    assert "could not be sent" in page
    settings.EMAIL_BACKEND = working
    row = InvoiceMail.objects.get()
    assert client_of(finance).get(f"/billing/mails/{row.pk}/retry/").status_code == 405
    assert client_of(finance).post(f"/billing/mails/{row.pk}/retry/").status_code == 302
    work_off()
    assert len(mail.outbox) == 1
    with pytest.raises(TransitionRefused, match="sent already"):
        services.retry_mail(row, actor=finance)


def test_a_mail_that_came_back(client_of, finance, sales, sales2):
    invoice = billing.issued()
    services.mail_invoice(invoice, to="gone@example.com", actor=finance)
    row = InvoiceMail.objects.get()
    with pytest.raises(TransitionRefused, match="went out"):
        services.note_bounce(row, reason="x", actor=finance)
    work_off()
    url = f"/billing/mails/{row.pk}/bounced/"
    assert client_of(sales).post(url, {"reason": "x"}).status_code == 403
    assert client_of(finance).post("/billing/mails/99999/bounced/", {"reason": "x"}).status_code == 404
    client_of(finance).post(url, {"reason": ""})
    assert InvoiceMail.objects.get().bounced_at is None
    client_of(finance).post(url, {"reason": "unknown address"})
    assert InvoiceMail.objects.get().bounce_reason == "unknown address"
    assert "unknown address" in client_of(finance).get(invoice.get_absolute_url()).content.decode()


def test_drafts_and_wrong_addresses_are_refused(client_of, finance, sales):
    draft = billing.drafted()
    with pytest.raises(TransitionRefused, match="issue it first"):
        services.mail_invoice(draft, to="a@example.com", actor=finance)
    invoice = services.issue_invoice(draft, actor=orders.person("finance2"))
    assert client_of(finance).post(_url(invoice), {"to": "nobody", "key": "k"}).status_code == 422
    assert client_of(sales).post(_url(invoice), {"to": "a@example.com", "key": "k"}).status_code == 403
    with pytest.raises(PermissionDenied):
        services.mail_invoice(invoice, to="a@example.com", actor=sales)
    invoice.customer.email = ""
    invoice.customer.save()
    with pytest.raises(TransitionRefused, match="no e-mail address"):
        services.mail_invoice(invoice, actor=finance)
    assert not InvoiceMail.objects.exists()


def test_a_proforma_is_sent_and_stays(finance, finance2):
    proforma = services.draft_invoice(orders.placed(), proforma=True, actor=finance)
    services.mail_invoice(proforma, to="a@example.com", actor=finance)
    work_off()
    assert mail.outbox[0].attachments[0][1].startswith(b"%PDF")
    with pytest.raises(TransitionRefused, match="it stays"):
        services.delete_draft(proforma, actor=finance2)


def test_many_at_once_each_to_its_customer(client_of, finance):
    invoice, other = billing.issued(), billing.drafted()
    customer = invoice.customer
    customer.email = "buyer@example.com"
    customer.save()
    data = {"action": "mail", "selected": [invoice.pk, other.pk], "confirmed": "1", "key": "b1"}
    page = client_of(finance).post("/billing/invoices/", data).content.decode()
    assert page.count("Done") == 1
    assert "issue it first" in page
    assert InvoiceMail.objects.get().to == "buyer@example.com"


def test_an_address_longer_than_any_is_refused_at_its_field(client_of, finance):
    invoice = billing.issued()
    long = f"{'a' * 60}@{'.'.join(['b' * 62] * 3)}.{'c' * 4}.de"
    assert len(long) == 257
    answer = client_of(finance).post(_url(invoice), {"to": long, "message": "", "key": "k1"})
    assert answer.status_code == 422
    assert "254" in answer.content.decode()
    assert not InvoiceMail.objects.exists()
