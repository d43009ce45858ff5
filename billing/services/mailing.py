"""`mail_invoice`: a document goes to the customer by mail, with the PDF that is kept; `note_bounce`: it came back."""

import hashlib
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from billing import events
from billing.models import Invoice, InvoiceMail
from ordermgmt.activity.models import Job
from ordermgmt.activity.services import enqueue, record

from .base import refuse, require, root_of

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

MAIL_JOB = "billing.invoice_mail"


@transaction.atomic
def mail_invoice(invoice: Invoice, *, actor: "User", to: str = "", message: str = "", key: str = "") -> Invoice:
    """Asks for a mail with the kept PDF of an issued document (or of a proforma) to `to`, else to the customer.

    A worker sends it after commit, with a Message-ID that follows from the row: tried again it is the same mail. The
    same `key` twice asks once. Raises TransitionRefused for a draft and for a customer without an address,
    ValidationError for an address that is none, PermissionDenied without the right.
    """
    require(actor, "billing.mail_invoice")
    invoice = Invoice.objects.locked(invoice.pk)
    if invoice.is_draft and invoice.kind != Invoice.Kind.PROFORMA:
        raise refuse(_("A draft is not sent: issue it first."), invoice.get_absolute_url(), _("Open the draft"))
    to = to.strip() or invoice.customer.email
    if not to:
        page = f"/customers/{invoice.customer.number}/edit/"
        raise refuse(_("The customer has no e-mail address."), page, _("Edit the customer"))
    try:
        validate_email(to)
    except ValidationError as error:
        raise ValidationError({"to": error.messages}) from error
    mail, made = InvoiceMail.objects.get_or_create(
        key=f"{invoice.pk}:{key or to}", defaults={"invoice": invoice, "to": to, "message": message, "by": actor}
    )
    if made:
        _ask(mail, actor)
        record(events.MAIL_ASKED, invoice, root=root_of(invoice), actor=actor, number=str(invoice), to=to)
    return invoice


def _ask(mail: InvoiceMail, actor: "User") -> None:
    title = _("Mail of %(number)s") % {"number": mail.invoice}
    enqueue(MAIL_JOB, key=f"{MAIL_JOB}:{mail.pk}", params={"mail": mail.pk}, actor=actor, title=title)


@transaction.atomic
def retry_mail(mail: InvoiceMail, *, actor: "User") -> InvoiceMail:
    """Asks once more for a mail that could not be sent. Raises TransitionRefused where it went out."""
    require(actor, "billing.mail_invoice")
    mail = InvoiceMail.objects.select_for_update(no_key=True, of=("self",)).select_related("invoice").get(pk=mail.pk)
    if mail.sent_at is not None:
        raise refuse(_("This mail was sent already."), mail.invoice.get_absolute_url(), _("Open the invoice"))
    _ask(mail, actor)
    return mail


@transaction.atomic
def note_sent(mail: InvoiceMail, content: bytes, *, actor: "User") -> InvoiceMail:
    """Keeps that a mail went out, with the hash of the document in it. A second call does nothing."""
    mail = InvoiceMail.objects.select_for_update(no_key=True, of=("self",)).get(pk=mail.pk)
    if mail.sent_at is None:
        mail.sent_at, mail.sha256 = timezone.now(), hashlib.sha256(content).hexdigest()
        mail.save(update_fields=["sent_at", "sha256"])
        invoice = Invoice.objects.select_related("order", "customer").get(pk=mail.invoice_id)
        record(
            events.INVOICE_MAILED, invoice, root=root_of(invoice), actor=actor, after={"sha256": mail.sha256},
            number=str(invoice), to=mail.to,
        )  # fmt: skip
    return mail


@transaction.atomic
def note_bounce(mail: InvoiceMail, *, reason: str, actor: "User") -> InvoiceMail:
    """Keeps that a mail came back, and why. Raises TransitionRefused where it never went out or is noted already."""
    require(actor, "billing.mail_invoice")
    mail = InvoiceMail.objects.select_for_update(no_key=True, of=("self",)).get(pk=mail.pk)
    if mail.sent_at is None or mail.bounced_at is not None:
        raise refuse(_("Only a mail that went out can come back, and only once."))
    mail.bounced_at, mail.bounce_reason = timezone.now(), reason
    mail.save(update_fields=["bounced_at", "bounce_reason"])
    invoice = Invoice.objects.select_related("order", "customer").get(pk=mail.invoice_id)
    record(
        events.MAIL_BOUNCED, invoice, root=root_of(invoice), actor=actor, number=str(invoice), to=mail.to, reason=reason
    )
    return mail


def mails_with_jobs(invoice: Invoice) -> list[tuple[InvoiceMail, Job | None]]:
    """The mails of a document, latest first, each with the job that sends it."""
    mails = list(invoice.mails.select_related("by")[:20])
    jobs = {job.key: job for job in Job.objects.filter(key__in=[f"{MAIL_JOB}:{mail.pk}" for mail in mails])}
    return [(mail, jobs.get(f"{MAIL_JOB}:{mail.pk}")) for mail in mails]
