"""`credit_invoice`: an issued document is corrected by another one, never by a change."""

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _

from billing import events
from billing.models import Allocation, DocumentAdjustment, Instalment, Invoice, InvoiceLine, InvoiceReference, Payment
from customers.services import move_balance
from ordermgmt.activity.services import record
from ordermgmt.company.services import rules_kept
from ordermgmt.lib.calculation import Totals
from ordermgmt.lib.fsm import Blocker, TransitionRefused, check_transition
from ordermgmt.lib.money import ZERO, quantise
from orders.services import note_invoiced

from .adjusting import ADJUSTMENT
from .allocating import lay, lock_instalments
from .base import content_of, refuse, refuse_settled, require, root_of, settled_blockers
from .composing import Composition, document_totals, fill, most_rounding
from .drafting import write
from .einvoicing import check_einvoice
from .issuing import ask_pdf, finish, number

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

_COPIED = (
    "kind", "order_line", "deposit", "charge", "sku", "description", "details", "unit", "unit_price", "discount_percent",
    "tax_category", "tax_rate",
)  # fmt: skip


@transaction.atomic
def credit_invoice(
    invoice: Invoice, *, reason: str, actor: "User", quantities: Mapping[int, Decimal] | None = None, key: str = ""
) -> Invoice:
    """Issues a credit note over all that is left of a document, or over `quantities` by its line key.

    The same `key` twice gives back the first credit note and does nothing (P04).

    It is laid on the document's open instalments; what was paid beyond that becomes the customer's credit again.
    Never above the document, per line nor in total (M6). Raises TransitionRefused for the issuer, for a draft, a
    document that is credited already, a settled order, or a quantity above what is left.
    """
    require(actor, "billing.credit_invoice")
    rows = lock_instalments(invoice.instalments.values_list("pk", flat=True))
    original = Invoice.objects.locked(invoice.pk)
    order = original.order
    if earlier := credit_of(original, key):
        return earlier
    refuse_settled([order])
    _check(original, actor)
    composition = _compose(original, quantities)
    credit = credit_by(original, composition, rows, reason=reason, actor=actor, source_key=_source(original, key))
    original = Invoice.objects.select_related("order", "customer").get(pk=original.pk)
    if original.credited == original.due:
        original.cancel()
        original.version += 1
        original.save(update_fields=["state", "version"])
        record(
            events.INVOICE_CANCELLED, original, root=root_of(original), actor=actor, number=original.number,
            before={"state": "issued"}, after={"state": original.state},
        )  # fmt: skip
    record(
        events.INVOICE_CREDITED, credit, after=content_of(credit), root=root_of(original), actor=actor, number=credit.number, reason=reason,
        original=original.number, amount=credit.money(credit.due), currency=credit.currency,
    )  # fmt: skip
    return credit


def _source(original: Invoice, key: str) -> str | None:
    return f"credit:{original.pk}:{key}" if key else None


def credit_of(original: Invoice, key: str) -> Invoice | None:
    """The credit note that a form with this key made."""
    return Invoice.objects.filter(source_key=_source(original, key)).first() if key else None


def credit_by(
    original: Invoice,
    composition: Composition,
    rows: dict[int, Instalment],
    *,
    reason: str,
    actor: "User",
    source_key: str | None = None,
) -> Invoice:
    """The credit note over a composition, numbered and laid on the document and its instalments, which are locked."""
    order = original.order
    credit = Invoice(
        kind=Invoice.Kind.CREDIT_NOTE, seller=original.seller, customer=original.customer, order=order,
        currency=original.currency, language=original.language, customer_name=original.customer_name,
        reason=reason, delivery_date=original.delivery_date, payment_days=0, created_by=actor, source_key=source_key,
        **{name: getattr(original, name) for name in ("delivery_from", "contract_reference", "buyer_reference")},
    )  # fmt: skip
    write(credit, composition)
    InvoiceReference.objects.create(invoice=credit, original=original)
    finish(credit, order, actor=actor, on=None, rules=rules_kept(original.tax_profile))
    lay_credit(credit, list(rows.values()), rows, actor, reason=str(original.number))
    if order is not None:
        note_invoiced(order, amount=-credit.due, credited=_credited(credit), actor=actor)
    else:
        move_balance(original.customer, original.currency, invoiced=-credit.due)
    check_einvoice(credit)
    number(credit, actor=actor)
    ask_pdf(credit, actor=actor)
    return credit


def issuer_blocked(original: Invoice, actor: "User") -> list[Blocker]:
    """Why this very person can't credit a document, or nobody can; empty when they can."""
    own = original.issued_by_id == actor.pk
    found = [Blocker(_("You issued this document: somebody else must credit it."))] if own else []
    return settled_blockers(original.order) + found


def _check(original: Invoice, actor: "User") -> None:
    if original.is_credit:
        raise refuse(_("A credit note is not credited."))
    check_transition(original.cancel, actor)
    if found := issuer_blocked(original, actor):
        raise TransitionRefused(found)
    if (later := deducted_by(original)) is not None:
        raise refuse(
            _("%(number)s takes it off: credit that first, or nobody could bill the rest of the order.")
            % {"number": later.number},
            later.get_absolute_url(), _("Open the invoice"),
        )  # fmt: skip


def deducted_by(deposit: Invoice) -> Invoice | None:
    """The issued document that takes an instalment off and was not credited itself."""
    lines = InvoiceLine.objects.filter(kind=InvoiceLine.Kind.DEDUCTION, deposit=deposit, credits=None)
    lines = lines.filter(invoice__state=Invoice.State.ISSUED).exclude(invoice__kind=Invoice.Kind.CREDIT_NOTE)
    line = lines.select_related("invoice").order_by("pk").first()
    return line.invoice if line is not None else None


def credited_before(original: Invoice) -> tuple[dict[int, Decimal], dict[int, Decimal]]:
    """Quantity and net that credit notes took of each line, by key."""
    quantity: dict[int, Decimal] = defaultdict(lambda: ZERO)
    net: dict[int, Decimal] = defaultdict(lambda: ZERO)
    rows = InvoiceLine.objects.filter(original__invoice=original).exclude(invoice__state=Invoice.State.DRAFT)
    for key, count, amount in rows.values_list("original_id", "quantity", "net"):
        quantity[key or 0] += count
        net[key or 0] += amount
    return quantity, net


def _compose(original: Invoice, quantities: Mapping[int, Decimal] | None) -> Composition:
    """The credit note's lines. What completes a line or the document takes the exact rest of it."""
    taken, nets = credited_before(original)
    lines, complete = [], True
    for line in original.lines.all():
        left = line.quantity - taken[line.pk]
        wanted = left if quantities is None else quantities.get(line.pk, ZERO)
        if wanted * line.quantity < 0 or abs(wanted) > abs(left):
            raise refuse(
                _("Line %(position)s: %(quantity)s can be credited.")
                % {"position": line.position, "quantity": f"{left.normalize():f}"}
            )
        complete = complete and wanted == left
        if wanted:
            copy = InvoiceLine(
                position=line.position, original=line, quantity=wanted,
                **{name: getattr(line, name) for name in _COPIED},
            )  # fmt: skip
            lines.append(copy)
            if wanted == left and original.tax_profile.get("price_mode") != "gross":
                plain = _totals(original, [copy], []).line_total
                copy.adjustment = line.net - nets[line.pk] - plain
                copy.adjustment_reason = line.adjustment_reason if copy.adjustment else ""
            elif wanted == line.quantity:
                copy.adjustment, copy.adjustment_reason = line.adjustment, line.adjustment_reason
    if not lines:
        raise refuse(_("Nothing is left to credit, or no quantity was given."))
    adjustments = list(original.adjustments.all())
    if (adjustments or original.prepaid) and (any(taken.values()) or not complete):
        raise refuse(_("A document with an allowance, a charge or a deduction as a whole is credited as a whole."))
    return _capped(original, lines, complete, adjustments)


def _capped(
    original: Invoice, lines: list[InvoiceLine], complete: bool, adjustments: list[DocumentAdjustment]
) -> Composition:
    left = original.due - original.credited
    totals = _totals(original, lines, adjustments)
    if complete and abs(totals.due - left) > most_rounding(original.currency, rules_kept(original.tax_profile)):
        raise refuse(
            _("%(amount)s %(currency)s of %(number)s were credited for a deduction: the rest is not credited as a whole.")
            % {
                "amount": original.money(totals.due - left),
                "currency": original.currency,
                "number": original.number,
            },
            original.get_absolute_url(), _("Open the invoice"),
        )  # fmt: skip
    if complete and totals.due != left:
        totals = _totals(original, lines, adjustments, left - totals.due)
    # All of a document over nothing, such as one that was paid before, is taken back by a credit note over nothing.
    if totals.due > left or totals.due < ZERO or (totals.due == ZERO and not complete):
        raise refuse(
            _("Only %(left)s %(currency)s of %(number)s can be credited.")
            % {"left": original.money(left), "currency": original.currency, "number": original.number}
        )
    copies = [DocumentAdjustment(**{name: getattr(one, name) for name in ADJUSTMENT}) for one in adjustments]
    return fill(Composition(lines, totals, adjustments=copies))


def _totals(
    original: Invoice, lines: list[InvoiceLine], adjustments: list[DocumentAdjustment], rounding: Decimal = ZERO
) -> Totals:
    rules = rules_kept(original.tax_profile)
    return document_totals(lines, original.currency, rules, rounding, adjustments=adjustments, prepaid=original.prepaid)


def _credited(credit: Invoice) -> dict[int, Decimal]:
    rows = credit.lines.filter(kind=InvoiceLine.Kind.ITEM, order_line__isnull=False)
    return {key: quantity for key, quantity in rows.values_list("order_line_id", "quantity") if key is not None}


def lay_credit(
    credit: Invoice, among: list[Instalment], rows: dict[int, Instalment], actor: "User", *, reason: str = ""
) -> None:
    """Open instalments first; then payments are taken off the latest ones, and stay as the customer's credit."""
    left = credit.due
    ordered = sorted(among, key=lambda row: (row.due_date, row.pk))
    shares: dict[int, Decimal] = {}
    for row in ordered:
        share = min(row.open, left)
        if share > ZERO:
            shares[row.pk] = share
            left -= share
    for row in reversed(ordered):
        freed = min(row.paid, left)
        if freed > ZERO:
            _free(row, freed, rows, actor, reason)
            shares[row.pk] = shares.get(row.pk, ZERO) + freed
            left -= freed
    lay(rows, shares, credit_note=credit, actor=actor)


def _free(row: Instalment, amount: Decimal, rows: dict[int, Instalment], actor: "User", reason: str) -> None:
    """Takes so much of the payments off an instalment, the latest first."""
    laid: dict[int, Decimal] = defaultdict(lambda: ZERO)
    for key, share in Allocation.objects.filter(instalment=row, payment__isnull=False).values_list(
        "payment_id", "amount"
    ):
        laid[key or 0] += share
    payments = Payment.objects.select_for_update(no_key=True, of=("self",)).select_related("customer")
    for payment in payments.filter(pk__in=laid).order_by("-pk"):
        share = min(quantise(laid[payment.pk], payment.currency), amount)
        if share > ZERO and payment.method == Payment.Method.WRITE_OFF:
            raise refuse(
                _("%(number)s is written off in part: cancel the write-off first.") % {"number": row.invoice},
                payment.get_absolute_url(), _("Open the write-off"),
            )  # fmt: skip
        if share > ZERO:
            lay(rows, {row.pk: -share}, payment=payment, actor=actor, reason=reason)
            payment.version += 1
            payment.save(update_fields=["allocated", "version"])
            amount -= share
