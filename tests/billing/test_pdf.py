"""The PDF of an invoice: made once by a job, in the customer's language, kept for ever."""

import io
import time

import pytest
from django.db import DatabaseError, transaction
from pypdf import PdfReader

from billing import services
from billing.models import Invoice
from billing.pdf import invoice_pdf, payment_code
from billing.tasks import make_invoice_pdf
from ordermgmt.activity.models import Job
from ordermgmt.activity.services import work_off
from ordermgmt.documents.models import StoredFile
from ordermgmt.documents.services import read_file
from ordermgmt.lib import pdf
from ordermgmt.lib.invariants import violations
from tests.factories import billing, orders

pytestmark = pytest.mark.django_db


def _text(content):
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)


def _made(**header):
    invoice = billing.issued(orders.accepted(**header))
    work_off()
    return Invoice.objects.select_related("pdf").get(pk=invoice.pk)


@pytest.mark.parametrize(("language", "words"), [("en", ["Invoice", "Amount due"]), ("zh-hans", ["发票", "应付金额"])])
def test_works(client_of, finance, language, words):
    invoice = _made(language=language)
    text = _text(read_file(invoice.pdf))
    for word in [*words, invoice.number, invoice.customer_name, "119.00"]:
        assert word in text
    answer = client_of(finance).get(f"{invoice.get_absolute_url()}pdf/")
    assert b"".join(answer.streaming_content) == read_file(invoice.pdf)
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Disposition"].startswith("attachment")
    answer.close()


def test_ten_lines_are_one_page_and_no_sum_stands_alone():
    """The sums take the last row along, and the foot of the page is on every page: none holds only that."""
    pages = PdfReader(io.BytesIO(invoice_pdf(billing.issued(orders.accepted(*[billing.free_line()] * 10))))).pages
    assert len(pages) == 1
    long = PdfReader(io.BytesIO(invoice_pdf(billing.issued(orders.accepted(*[billing.free_line()] * 30))))).pages
    last = long[-1].extract_text()
    assert len(long) == 2
    assert "Welded frame" in last
    assert "Amount due" in last


def test_an_invoice_in_euro_carries_its_payment_code():
    invoice = billing.issued(orders.accepted())
    seller = {"name": "Werk 1 GmbH", "iban": "DE89 3704 0044 0532 0130 00"}
    code = payment_code(invoice, seller, 1)
    assert code is not None
    assert code.startswith(b"\x89PNG")
    assert payment_code(invoice, seller, 2) is None
    assert payment_code(invoice, seller | {"iban": "DE88 3704 0044 0532 0130 00"}, 1) is None
    invoice.currency = "USD"
    assert payment_code(invoice, seller, 1) is None


def test_a_foreign_pdf_is_404(client_of, sales2):
    assert client_of(sales2).get(f"{_made().get_absolute_url()}pdf/").status_code == 404


def test_while_it_is_made_the_page_waits(client_of, finance):
    invoice = billing.issued()
    client = client_of(finance)
    page = client.get(f"{invoice.get_absolute_url()}pdf/").content.decode()
    assert "is being made" in page
    work_off()
    assert client.get(f"{invoice.get_absolute_url()}pdf/", headers={"HX-Request": "true"})["HX-Redirect"]


def test_p33_the_job_twice_makes_one_file():
    invoice = _made()
    job = Job.objects.get(kind=services.PDF_JOB)
    again = make_invoice_pdf(job, lambda *_args: None)
    assert again["file"] == str(invoice.pdf.public_id)
    services.keep_pdf(invoice, b"another", actor=invoice.issued_by)
    assert StoredFile.objects.filter(kind="invoice").count() == 1
    assert Invoice.objects.get().pdf == invoice.pdf
    with pytest.raises(DatabaseError), transaction.atomic():
        Invoice.objects.update(pdf=None)


def test_p34_with_no_broker_the_page_answers_at_once(client_of, finance2, monkeypatch, on_commit):
    def hung(*_args, **_kwargs):
        time.sleep(30)
        raise OSError("no broker")

    monkeypatch.setattr("celery.app.task.Task.apply_async", hung)
    draft = billing.drafted()
    begun = time.monotonic()
    with on_commit():
        answer = client_of(finance2).post(f"/billing/invoices/{draft.reference}/do/issue/", {"version": draft.version})
    assert answer.status_code == 302
    assert time.monotonic() - begun < 10  # a busy machine renders slowly; the broker would take 30
    work_off()
    assert Invoice.objects.get().pdf is not None


def test_p26_a_hostile_note_is_text():
    draft = billing.drafted()
    note = '<img src="http://127.0.0.1:9/x"><link rel=attachment href="file:///etc/passwd">'
    draft = services.edit_draft(draft, version=draft.version, actor=draft.created_by, note=note)
    content = invoice_pdf(services.issue_invoice(draft, actor=draft.created_by))
    assert "127.0.0.1:9/x" in _text(content)
    assert not PdfReader(io.BytesIO(content)).attachments


def test_a_machine_without_pango_says_so(monkeypatch, client_of, finance):
    def missing(*_args, **_kwargs):
        raise pdf.PdfUnavailable("apt-get install libpango")

    monkeypatch.setattr("billing.tasks.invoice_pdf", missing)
    invoice = billing.issued()
    work_off()
    assert "libpango" in client_of(finance).get(f"{invoice.get_absolute_url()}pdf/").content.decode()


def test_a_credit_note_of_china_is_red(finance):
    from ordermgmt.company.models import SellerProfile, TaxProfile
    from ordermgmt.company.services import ensure_company

    ensure_company()
    SellerProfile.objects.update(tax_profile=TaxProfile.objects.get(code="CN"), tax_id="91110000600037341L")
    invoice = billing.issued(orders.accepted(currency="CNY", language="zh-hans"))
    text = _text(invoice_pdf(invoice))
    assert "壹佰壹拾叁元整" in text
    for word in (
        "购买方",
        "销售方",
        "项目名称",
        "规格型号",
        "税率",
        "税额",
        "价税合计（大写）",
        "备注",
        "开票人",
        "税务平台",
    ):
        assert word in text.replace("\n", ""), word
    credit = services.credit_invoice(invoice, reason="退货", actor=finance)
    text = _text(invoice_pdf(credit))
    assert "红字发票" in text
    assert "-113.00" in text


def test_everything_holds_after_a_life(finance, finance2):
    order = orders.accepted()
    invoice = billing.issued(order)
    billing.pay(invoice, "50")
    services.credit_invoice(invoice, reason="wrong", actor=finance)
    again = billing.issued(order)
    payment = billing.pay(again)
    services.cancel_payment(payment, reason="bounced", actor=finance2)
    billing.drafted()
    work_off()
    found = [str(one) for one in violations(["M", "N", "A3"])]
    assert [one for one in found if not one.startswith("A3") or "billing." in one] == []
