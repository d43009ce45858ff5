"""One step from what is due to an issued document: an instalment, a delivery; and the board of an order's billing."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from billing.models import Instalment, Invoice
from ordermgmt.company.services import business_today
from ordermgmt.lib.money import ZERO, total
from orders.models import Order

from .base import refuse
from .drafting import draft_invoice, quantities_of
from .issuing import issue_invoice

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


@transaction.atomic
def bill_instalment(instalment: Instalment, *, actor: "User") -> Invoice:
    """Drafts and issues the invoice of a planned instalment in one step.

    Raises TransitionRefused where it is on a document already or the document can't be issued; then nothing is written.
    """
    plan = instalment.plan
    if plan is None:
        raise refuse(_("This instalment is on an invoice already."))
    return issue_invoice(draft_invoice(plan.order, instalment=instalment, actor=actor), actor=actor)


@transaction.atomic
def bill_order(order: Order, *, actor: "User", basis: str = "shipped") -> Invoice:
    """Drafts and issues the invoice over all that is `shipped`, `accepted` or simply not invoiced (`open`), in one step.

    Raises TransitionRefused where nothing is left or the document can't be issued; then nothing is written.
    """
    return issue_invoice(draft_invoice(order, basis=basis, actor=actor), actor=actor)


@transaction.atomic
def bill_proforma(invoice: Invoice, *, actor: "User") -> Invoice:
    """A draft over what a proforma of an order shows, as far as it is not invoiced meanwhile; the proforma stays."""
    if invoice.kind != Invoice.Kind.PROFORMA or invoice.order is None:
        raise refuse(_("Only a proforma of an order becomes an invoice."))
    if not (chosen := quantities_of(invoice)):
        return draft_invoice(invoice.order, actor=actor)
    return draft_invoice(invoice.order, quantities=chosen, actor=actor, note=invoice.note, language=invoice.language)


@dataclass
class Card:
    """One thing on the board: a planned instalment, or a document."""

    label: str
    hint: str | Promise
    amount: Decimal
    url: str = ""
    instalment: int | None = None
    late: bool = False


@dataclass
class BoardColumn:
    """One step of an order's billing with what stands in it."""

    key: str
    title: str
    cards: list[Card] = field(default_factory=list)

    @property
    def sum(self) -> Decimal:
        """What its cards come to."""
        return total(card.amount for card in self.cards)


def invoice_board(order: Order) -> list[BoardColumn]:
    """Where the money of an order stands: planned, to be invoiced now, in draft, open, overdue, paid."""
    today = business_today()
    titles = {
        "planned": pgettext("instalment", "Planned"), "due": _("To invoice now"), "draft": _("Draft"), "open": _("Issued and open"),
        "overdue": _("Overdue"), "paid": _("Paid"),
    }  # fmt: skip
    columns = {key: BoardColumn(key, title) for key, title in titles.items()}
    planned = Instalment.objects.planned().filter(plan__order=order).select_related("milestone").order_by("seq", "pk")
    ready = set(Instalment.objects.to_invoice(today).filter(plan__order=order).values_list("pk", flat=True))
    for one in planned:
        hint = str(one.milestone) if one.milestone else one.get_trigger_display()
        card = Card(one.label or _("Instalment %(seq)s") % {"seq": one.seq}, hint, one.amount, instalment=one.pk)
        columns["due" if one.pk in ready else "planned"].cards.append(card)
    if not planned and (left := _unplanned(order)) > ZERO:
        columns["planned"].cards.append(Card(_("Not planned and not invoiced"), "", left))
    # A document is late when one of its instalments is: its own due date is that of the first, however it was moved.
    late = set(Invoice.objects.overdue(today).filter(order=order).values_list("pk", flat=True))
    for invoice in Invoice.objects.filter(order=order).exclude(kind=Invoice.Kind.PROFORMA).order_by("pk"):
        # What was credited in full asks for nothing and brought nothing: the account lists it.
        if not invoice.is_credit and invoice.state != Invoice.State.CANCELLED:
            column, card = _document(invoice, late=invoice.pk in late)
            columns[column].cards.append(card)
    return list(columns.values())


def _unplanned(order: Order) -> Decimal:
    drafts = Invoice.objects.drafts().filter(order=order)
    in_drafts = total(one.due for one in drafts)
    left: Decimal = order.final_gross - order.invoiced_total - in_drafts
    return left


def _document(invoice: Invoice, *, late: bool) -> tuple[str, Card]:
    card = Card(str(invoice), invoice.get_kind_display(), invoice.due, invoice.get_absolute_url(), late=late)
    if invoice.is_draft:
        return "draft", card
    if invoice.open == 0:
        card.amount = invoice.due - invoice.credited
        return "paid", card
    card.amount = invoice.open
    return "overdue" if late else "open", card
