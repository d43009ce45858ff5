"""What the worker does for inventory."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from inventory import events
from inventory.models import PurchaseMail, PurchaseOrder, PurchasePaper
from inventory.pdf import purchase_paper
from inventory.services import keep_purchase_paper, note_purchase_sent, paper_hash, paper_key, paper_of
from inventory.services.papers import MAIL_JOB, PAPER_JOB
from ordermgmt.accounts.services import system_user
from ordermgmt.activity.services import enqueue, job_handler, send_mail_effect, subscriber
from ordermgmt.company.services import default_seller
from ordermgmt.documents.services import read_file, store_file


def _paper(order: PurchaseOrder, actor: Any) -> PurchasePaper:
    """The document over the order as it stands now, made where there is none yet."""
    kept = paper_of(order)
    if kept is not None:
        return kept
    named = paper_hash(order)
    stored = store_file(
        purchase_paper(order), name=f"{order.number}.pdf", kind="purchase-order", actor=actor,
        content_type="application/pdf",
    )  # fmt: skip
    return keep_purchase_paper(order, named, stored)


@subscriber(events.PURCHASE_ORDERED)
def make_the_document(event: Any) -> None:
    """What is ordered is put on paper at once; told twice it is one job."""
    order = PurchaseOrder.objects.select_related("supplier").filter(pk=event.subject_id).first()
    if order is not None:
        enqueue(PAPER_JOB, key=paper_key(order), params={"order": order.pk}, actor=event.actor, title=order.number)


@job_handler(PAPER_JOB, queue="pdf", label=_("Purchase order"))
def make_purchase_paper(job: Any, progress: Any) -> dict[str, Any] | None:
    """Makes the document of a purchase order once per content; run again it finds the one that is kept."""
    order = PurchaseOrder.objects.select_related("supplier", "warehouse").get(pk=job.params["order"])
    paper = _paper(order, job.requested_by)
    return {"file": str(paper.file.public_id), "url": order.get_absolute_url()}


@job_handler(MAIL_JOB, queue="pdf", label=_("Purchase order by mail"))
def send_purchase_mail(job: Any, progress: Any) -> dict[str, Any] | None:
    """Sends the document to the supplier; a second run finds it sent and does nothing."""
    mails = PurchaseMail.objects.select_related("order__supplier", "order__warehouse")
    mail = mails.get(pk=job.params["mail"])
    order = mail.order
    if mail.sent_at is None:
        paper = _paper(order, mail.by)
        send_mail_effect(
            key=f"purchase-mail:{mail.pk}", to=mail.to, language=order.supplier.language,
            template="inventory/purchase",
            context={"order": order, "message": mail.message, "seller": default_seller().name},
            attachments=[(f"{order.number}.pdf", read_file(paper.file), "application/pdf")],
        )  # fmt: skip
        note_purchase_sent(mail, paper, actor=system_user())
    return {"url": order.get_absolute_url()}
