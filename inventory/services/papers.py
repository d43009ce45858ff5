"""A purchase order on paper and its way to the supplier: `ask_paper`, `mail_purchase`, `retry_purchase_mail`."""

import hashlib
import json
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from inventory import events
from inventory.models import PurchaseMail, PurchaseOrder, PurchasePaper
from ordermgmt.activity.models import Job
from ordermgmt.activity.services import enqueue, record
from ordermgmt.documents.models import StoredFile

from .checking import plain, require
from .purchasing import locked_purchase, refuse

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

PAPER_JOB, MAIL_JOB = "inventory.purchase_paper", "inventory.purchase_mail"
_RIGHT = "inventory.order_purchase"
_SENT = (PurchaseOrder.State.ORDERED, PurchaseOrder.State.RECEIVED)


def paper_hash(order: PurchaseOrder) -> str:
    """Names what the supplier reads of the order: another content is another document."""
    rows = order.lines.values_list("position", "description", "unit", "quantity", "unit_price", "net", "needed_by")
    head = (
        order.number, order.supplier.name, order.supplier.language, order.currency, order.ordered_on, order.note,
        order.warehouse_id,
    )  # fmt: skip
    content = [[str(cell) for cell in head], [[_cell(cell) for cell in row] for row in rows]]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _cell(value: Any) -> str:
    return plain(value) if hasattr(value, "normalize") else str(value)


def paper_of(order: PurchaseOrder) -> PurchasePaper | None:
    """The document over the order as it stands now; None while it is not made."""
    return PurchasePaper.objects.filter(order=order, content_hash=paper_hash(order)).select_related("file").first()


def paper_key(order: PurchaseOrder) -> str:
    """The key of the job that makes the document over the present content."""
    return f"{PAPER_JOB}:{order.pk}:{paper_hash(order)[:16]}"


def paper_blocked(order: PurchaseOrder) -> str:
    """Why there is no document of the order, as a sentence; empty where there may be one."""
    return "" if order.state in _SENT else _("Place the order first: the supplier gets what is ordered.")


@transaction.atomic
def ask_paper(order: PurchaseOrder, *, actor: "User") -> PurchaseOrder:
    """Has the document made; asked again after a failure it is tried again. Raises TransitionRefused for a draft."""
    require(actor, _RIGHT)
    order = locked_purchase(order)
    if sentence := paper_blocked(order):
        raise refuse(sentence, order.get_absolute_url())
    enqueue(PAPER_JOB, key=paper_key(order), params={"order": order.pk}, actor=actor, title=order.number)
    return order


def keep_purchase_paper(order: PurchaseOrder, content_hash: str, stored: StoredFile) -> PurchasePaper:
    """Keeps the document, once per content: the one that is kept already wins."""
    kept, _made = PurchasePaper.objects.get_or_create(order=order, content_hash=content_hash, defaults={"file": stored})
    return kept


@transaction.atomic
def mail_purchase(order: PurchaseOrder, *, to: str = "", message: str = "", key: str, actor: "User") -> PurchaseOrder:
    """Asks for a mail with the document to `to`, else to the supplier's address, in the supplier's language.

    A worker sends it after commit, under a Message-ID that follows from the row: tried again it is the same mail. The
    same `key` twice asks once. Raises PermissionDenied, TransitionRefused (a draft, a supplier without an address),
    ValidationError at "to".
    """
    require(actor, _RIGHT)
    order = locked_purchase(order)
    if sentence := paper_blocked(order):
        raise refuse(sentence, order.get_absolute_url())
    to = to.strip() or order.supplier.email
    if not to:
        page = f"{order.supplier.get_absolute_url()}edit/"
        raise refuse(_("The supplier has no e-mail address."), page, _("Edit the supplier"))
    try:
        validate_email(to)
    except ValidationError as error:
        raise ValidationError({"to": error.messages}) from error
    mail, made = PurchaseMail.objects.get_or_create(
        key=f"{order.pk}:{key}", defaults={"order": order, "to": to, "message": message.strip(), "by": actor}
    )
    if made:
        _ask(mail, actor)
        record(events.PURCHASE_MAIL_ASKED, order, actor=actor, number=order.number, to=to)
    return order


def _ask(mail: PurchaseMail, actor: "User") -> None:
    title = _("Mail of %(number)s") % {"number": mail.order.number}
    enqueue(MAIL_JOB, key=f"{MAIL_JOB}:{mail.pk}", params={"mail": mail.pk}, actor=actor, title=title)


@transaction.atomic
def retry_purchase_mail(mail: PurchaseMail, *, actor: "User") -> PurchaseMail:
    """Asks once more for a mail that could not be sent. Raises TransitionRefused where it went out."""
    require(actor, _RIGHT)
    mail = PurchaseMail.objects.select_for_update(no_key=True, of=("self",)).select_related("order").get(pk=mail.pk)
    if mail.sent_at is not None:
        raise refuse(_("This mail was sent already."), mail.order.get_absolute_url())
    _ask(mail, actor)
    return mail


@transaction.atomic
def note_purchase_sent(mail: PurchaseMail, paper: PurchasePaper, *, actor: "User") -> None:
    """Keeps that a mail went out, and with which document. A second call does nothing."""
    mail = PurchaseMail.objects.select_for_update(no_key=True, of=("self",)).select_related("order").get(pk=mail.pk)
    if mail.sent_at is not None:
        return
    mail.sent_at, mail.paper = timezone.now(), paper
    mail.save(update_fields=["sent_at", "paper"])
    record(
        events.PURCHASE_MAILED, mail.order, actor=actor, number=mail.order.number, to=mail.to,
        sha256=paper.file.sha256,
    )  # fmt: skip


def purchase_mails(order: PurchaseOrder) -> list[tuple[PurchaseMail, Job | None]]:
    """The mails of an order, latest first, each with the job that sends it."""
    mails = list(order.mails.select_related("by")[:20])
    jobs = {job.key: job for job in Job.objects.filter(key__in=[f"{MAIL_JOB}:{mail.pk}" for mail in mails])}
    return [(mail, jobs.get(f"{MAIL_JOB}:{mail.pk}")) for mail in mails]
