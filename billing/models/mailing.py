"""Documents that were sent by mail, each with whom it went to and what came of it."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .invoice import Invoice


class InvoiceMail(models.Model):
    """One mail with the kept PDF of a document. Asked for once per `key`; a worker sends it after commit."""

    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="mails")
    to = models.EmailField(_("to"))
    message = models.TextField(_("message"), blank=True)
    key = models.CharField(max_length=160, unique=True, help_text="The same form is sent once.")
    sha256 = models.CharField(max_length=64, blank=True, help_text="Of the PDF that went out.")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    bounced_at = models.DateTimeField(_("came back"), null=True, blank=True)
    bounce_reason = models.CharField(_("why it came back"), max_length=300, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(to=""), name="invoice_mail_has_a_reader"),
            models.CheckConstraint(
                condition=Q(sent_at=None) | ~Q(sha256=""), name="invoice_mail_sent_with_its_document"
            ),
            models.CheckConstraint(
                condition=Q(bounced_at=None) | Q(sent_at__isnull=False), name="invoice_mail_bounces_once_sent"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.invoice_id} -> {self.to}"
