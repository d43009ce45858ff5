"""Work of billing that waits for a worker."""

from collections.abc import Callable
from typing import Any

from celery import shared_task
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from billing.models import Invoice, InvoiceMail, Reminder, Settlement, SettlementPaper
from billing.pdf import invoice_pdf, reminder_pdf, settlement_statement
from billing.services import (
    MAIL_JOB,
    PDF_JOB,
    REMINDER_JOB,
    SETTLEMENT_JOB,
    SETTLEMENT_MAIL_JOB,
    as_issued,
    date_defects,
    keep_pdf,
    keep_reminder_pdf,
    keep_settlement_paper,
    note_reminder_sent,
    note_sent,
    note_told,
    propose_penalties,
    propose_reminders,
    settlement_told,
)
from ordermgmt.accounts.services import system_user
from ordermgmt.activity.models import Job
from ordermgmt.activity.services import Rejected, job_handler, send_mail_effect, subscriber
from ordermgmt.company.services import default_seller
from ordermgmt.documents.services import read_file
from ordermgmt.lib.fsm import TransitionRefused
from ordermgmt.lib.pdf import PdfUnavailable
from orders.events import ORDER_ACCEPTED, ORDER_FINISHED, ORDER_REDELIVERED


@subscriber(ORDER_FINISHED, ORDER_REDELIVERED, ORDER_ACCEPTED)
def propose_late_delivery(event: Any) -> None:
    """Everything is delivered: the clause of the order says whether it was late; told twice it changes nothing."""
    if event.root is not None:
        propose_penalties(event.root)


@subscriber(ORDER_ACCEPTED)
def date_the_end_of_defects(event: Any) -> None:
    """The defects period counts from the acceptance; told twice it changes nothing."""
    if event.root is not None:
        date_defects(event.root, actor=system_user())


def _document(invoice: Invoice) -> bytes:
    """The kept PDF, made now if nobody has yet; of a proforma what it would print."""
    try:
        if invoice.is_draft:
            return as_issued(invoice, invoice_pdf)
        if invoice.pdf is None:
            invoice = keep_pdf(invoice, invoice_pdf(invoice), actor=system_user())
    except (PdfUnavailable, TransitionRefused) as error:
        raise Rejected(str(error)) from error
    return read_file(invoice.pdf) if invoice.pdf else b""


@job_handler(MAIL_JOB, label=_("Invoice by mail"))
def send_invoice_mail(job: Job, _progress: Callable[..., None]) -> dict[str, Any]:
    """Sends one mail with the kept PDF; a second run finds it sent and does nothing."""
    mails = InvoiceMail.objects.select_related("invoice__seller", "invoice__customer", "invoice__order", "invoice__pdf")
    mail = mails.get(pk=job.params["mail"])
    invoice = mail.invoice
    if mail.sent_at is None:
        content = _document(invoice)
        name = str(invoice.number or f"proforma-{invoice.pk}")
        with translation.override(invoice.language):
            title = f"{invoice.get_kind_display()} {invoice.number or ''}".strip()
        send_mail_effect(
            key=f"invoice-mail:{mail.pk}", to=mail.to, language=invoice.language, template="billing/invoice",
            context={"invoice": invoice, "title": title, "message": mail.message, "seller": invoice.seller.name},
            attachments=[(f"{name}.pdf", content, "application/pdf")],
        )  # fmt: skip
        note_sent(mail, content, actor=system_user())
    return {"url": invoice.get_absolute_url()}


@job_handler(PDF_JOB, queue="pdf", label=_("Invoice PDF"))
def make_invoice_pdf(job: Job, _progress: Callable[..., None]) -> dict[str, Any]:
    """Makes the PDF of an issued document once; a second run finds it and does nothing (P33)."""
    invoice = Invoice.objects.select_related("seller", "customer", "order", "pdf").get(pk=job.params["invoice"])
    if invoice.pdf is None:
        try:
            content = invoice_pdf(invoice)
        except PdfUnavailable as error:
            raise Rejected(str(error)) from error
        invoice = keep_pdf(invoice, content, actor=system_user())
    return {"file": str(invoice.pdf.public_id) if invoice.pdf else "", "url": invoice.get_absolute_url()}


@shared_task(name="billing.reminders")
def reminders() -> None:
    """Every night: proposes reminders of what is late. People release them."""
    propose_reminders(actor=system_user())


@job_handler(REMINDER_JOB, label=_("Reminder by mail"))
def send_reminder(job: Job, _progress: Callable[..., None]) -> dict[str, Any]:
    """Makes the letter of a released reminder once, keeps it and mails it; a second run finds it sent."""
    reminder = Reminder.objects.select_related("customer", "pdf").get(pk=job.params["reminder"])
    if reminder.sent_at is None and reminder.state == Reminder.State.RELEASED:
        if reminder.pdf is None:
            try:
                content = reminder_pdf(reminder)
            except PdfUnavailable as error:
                raise Rejected(str(error)) from error
            reminder = keep_reminder_pdf(reminder, content, actor=system_user())
        content = read_file(reminder.pdf) if reminder.pdf else b""
        send_mail_effect(
            key=f"reminder:{reminder.pk}", to=reminder.to, language=reminder.language, template="billing/reminder",
            context={"reminder": reminder, "seller": default_seller().name},
            attachments=[(f"reminder-{reminder.customer.number}.pdf", content, "application/pdf")],
        )  # fmt: skip
        note_reminder_sent(reminder, actor=system_user())
    return {"url": reminder.get_absolute_url()}


@job_handler(SETTLEMENT_JOB, queue="pdf", label=_("Settlement statement"))
def make_settlement_paper(job: Job, _progress: Callable[..., None]) -> dict[str, Any]:
    """Makes the settlement statement in one language once; a second run finds it and does nothing."""
    settlement = Settlement.objects.select_related("order__seller").get(pk=job.params["settlement"])
    language = job.params["language"]
    paper = SettlementPaper.objects.filter(settlement=settlement, language=language).select_related("file").first()
    if paper is None:
        try:
            content = settlement_statement(settlement, language)
        except PdfUnavailable as error:
            raise Rejected(str(error)) from error
        stored = keep_settlement_paper(settlement, language, content, actor=system_user())
    else:
        stored = paper.file
    url = f"/billing/orders/{settlement.order.number}/settlement/{language}.pdf"
    return {"file": str(stored.public_id), "url": url}


@job_handler(SETTLEMENT_MAIL_JOB, label=_("Settlement statement by mail"))
def send_settlement_mail(job: Job, _progress: Callable[..., None]) -> dict[str, Any]:
    """Tells the customer that the account is closed, with the kept statement; a second run finds it told."""
    settlement = Settlement.objects.select_related("order__seller", "order__customer").get(pk=job.params["settlement"])
    order = settlement.order
    if not settlement_told(settlement):
        paper = SettlementPaper.objects.select_related("file").get(settlement=settlement, language=order.language)
        send_mail_effect(
            key=f"settlement:{settlement.pk}", to=order.customer.email, language=order.language,
            template="billing/settlement", context={"order": order, "settlement": settlement, "seller": order.seller.name},
            attachments=[(f"settlement-{order.number}.pdf", read_file(paper.file), "application/pdf")],
        )  # fmt: skip
        note_told(settlement, to=order.customer.email, actor=system_user())
    return {"url": f"/billing/orders/{order.number}/settlement/"}
