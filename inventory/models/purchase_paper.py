"""A purchase order on paper, as the supplier gets it, and the mails that brought it there."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .purchase import PurchaseOrder


class PurchasePaper(models.Model):
    """The document over one content of a purchase order; a content that changed gets a document of its own."""

    order = models.ForeignKey(PurchaseOrder, models.PROTECT, related_name="papers")
    content_hash = models.CharField(max_length=64)
    file = models.ForeignKey("documents.StoredFile", models.PROTECT, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["order", "content_hash"], name="purchase_paper_once")]

    def __str__(self) -> str:
        return f"{self.order_id} {self.content_hash[:8]}"


class PurchaseMail(models.Model):
    """One mail with the document to the supplier. Asked for once per `key`; a worker sends it after commit."""

    order = models.ForeignKey(PurchaseOrder, models.PROTECT, related_name="mails")
    to = models.EmailField(_("to"))
    message = models.TextField(_("message"), blank=True)
    key = models.CharField(max_length=160, unique=True, help_text="The same form is sent once.")
    paper = models.ForeignKey(PurchasePaper, models.PROTECT, null=True, blank=True, related_name="mails")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(to=""), name="purchase_mail_has_a_reader"),
            models.CheckConstraint(
                condition=Q(sent_at=None) | Q(paper__isnull=False), name="purchase_mail_sent_with_its_document"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order_id} -> {self.to}"
