"""Charges that come after the last invoice: a debit note, or a credit note by a second person."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _

from billing import events
from billing.models import Instalment, Invoice, InvoiceReference, OrderCharge
from ordermgmt.activity.services import record
from ordermgmt.lib.money import ZERO
from orders.models import Order
from orders.services import note_invoiced, rules_of

from .allocating import lock_instalments
from .base import content_of, lock_orders, refuse, refuse_settled, require
from .charge_lines import charge_lines, open_charges, open_gross
from .composing import Composition, document_totals, fill
from .crediting import lay_credit
from .drafting import write
from .einvoicing import check_einvoice
from .issuing import ask_pdf, finish, issue_invoice, number

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

Charges = Sequence[tuple[OrderCharge, Decimal]]


def _issued(order: Order) -> list[Invoice]:
    """What asked for money of an order and was not cancelled, the latest first."""
    rows = Invoice.objects.filter(order=order, state=Invoice.State.ISSUED).exclude(kind=Invoice.Kind.CREDIT_NOTE)
    return list(rows.order_by("-pk"))


def _compose(order: Order, charges: Charges, *, credit: bool) -> Composition:
    """Lines over the charges; the tax of each is what was agreed, so the document's own rounding goes to `rounding`."""
    rules = rules_of(order)
    lines = charge_lines(charges, rules, credit=credit)
    for position, line in enumerate(lines, start=1):
        line.position = position
    totals = document_totals(lines, order.currency, rules)
    wanted = abs(open_gross(charges))
    if wanted != totals.due:
        totals = document_totals(lines, order.currency, rules, wanted - totals.due)
    return fill(Composition(lines, totals))


def _header(order: Order, charges: Charges, kind: str, actor: "User") -> Invoice:
    return Invoice(
        kind=kind, seller=order.seller, customer=order.customer, order=order, currency=order.currency,
        customer_name=order.customer_name, language=order.language, payment_days=order.payment_days, created_by=actor,
        reason="; ".join(dict.fromkeys(charge.reason for charge, _left in charges))[:300],
    )  # fmt: skip


@transaction.atomic
def bill_charges(order: Order, *, actor: "User") -> Invoice:
    """Issues a debit note over the accepted charges that are on no document.

    Raises TransitionRefused where there is none, or while an invoice of the order is still to come and will carry them.
    """
    require(actor, "billing.issue_invoice")
    order = lock_orders([order.pk])[order.pk]
    refuse_settled([order])
    charges = [(charge, left) for charge, left in open_charges(order) if left > ZERO]
    if not charges:
        raise refuse(_("No accepted charge is without a document."), _page(order), _("Open the charges"))
    invoice = _header(order, charges, Invoice.Kind.DEBIT_NOTE, actor)
    composition = _compose(order, charges, credit=False)
    composition.deposits = _issued(order)[:1]
    write(invoice, composition)
    return issue_invoice(invoice, actor=actor)


@transaction.atomic
def credit_charges(order: Order, *, actor: "User") -> Invoice:
    """Issues a credit note over the accepted deductions that are on no document, laid on what the order has open; what
    was paid beyond that becomes the customer's credit.

    Raises TransitionRefused where there is none, for who issued a document of the order that it corrects or accepted
    one of the deductions, and where the documents come to less.
    """
    require(actor, "billing.credit_invoice")
    instalments = Instalment.objects.filter(invoice__order=order).exclude(invoice__state=Invoice.State.DRAFT)
    rows = lock_instalments(instalments.values_list("pk", flat=True))
    order = lock_orders([order.pk])[order.pk]
    refuse_settled([order])
    charges = [(charge, left) for charge, left in open_charges(order) if left < ZERO]
    if not charges:
        raise refuse(_("No accepted deduction is without a document."), _page(order), _("Open the charges"))
    originals = _originals(order, -open_gross(charges), actor)
    if actor.pk in {charge.decided_by_id for charge, _left in charges}:
        raise refuse(_("You accepted a deduction: somebody else must credit it."), _page(order), _("Open the charges"))
    return credit_order(order, charges, originals, rows, actor)


def credit_order(
    order: Order, charges: Charges, originals: list[Invoice], rows: dict[int, Instalment], actor: "User"
) -> Invoice:
    """Issues a credit note over deductions, laid on the documents that it corrects. All are under lock."""
    credit = _header(order, charges, Invoice.Kind.CREDIT_NOTE, actor)
    credit.payment_days, credit.delivery_date = 0, originals[0].delivery_date
    write(credit, _compose(order, charges, credit=True))
    InvoiceReference.objects.bulk_create(InvoiceReference(invoice=credit, original=one) for one in originals)
    finish(credit, order, actor=actor, on=None)
    kept = {one.pk for one in originals}
    lay_credit(credit, [row for row in rows.values() if row.invoice_id in kept], rows, actor)
    note_invoiced(order, amount=-credit.due, actor=actor)
    check_einvoice(credit)
    number(credit, actor=actor)
    ask_pdf(credit, actor=actor)
    record(
        events.INVOICE_CREDITED, credit, after=content_of(credit), root=order, actor=actor, number=credit.number,
        reason=credit.reason, original=", ".join(str(one.number) for one in originals),
        amount=credit.money(credit.due), currency=credit.currency,
    )  # fmt: skip
    return credit


def _originals(order: Order, amount: Decimal, actor: "User") -> list[Invoice]:
    """The latest documents that together come to the amount, none of them issued by the actor."""
    chosen, left = [], amount
    for invoice in _issued(order):
        if left <= ZERO:
            break
        if invoice.issued_by_id == actor.pk:
            raise refuse(
                _("You issued %(number)s, which this corrects: somebody else must credit it.")
                % {"number": invoice.number},
                invoice.get_absolute_url(), _("Open the invoice"),
            )  # fmt: skip
        chosen.append(invoice)
        left -= invoice.due - invoice.credited
    if left > ZERO:
        raise refuse(
            _("The deductions exceed what is invoiced by %(amount)s %(currency)s: invoice the order first.")
            % {"amount": order.money(left), "currency": order.currency},
            f"/billing/orders/{order.number}/", _("Open the invoices"),
        )  # fmt: skip
    return chosen


def _page(order: Order) -> str:
    return f"/billing/orders/{order.number}/charges/"
