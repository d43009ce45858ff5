"""`draft_by_hand`: a document that bills no order, line by line as somebody writes it."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from billing import events
from billing.models import DocumentAdjustment, Invoice, InvoiceLine
from customers.models import Customer
from ordermgmt.activity.services import record
from ordermgmt.company.services import default_seller
from ordermgmt.lib.calculation import Totals
from ordermgmt.lib.money import ZERO, quantise

from .base import content_of, lock_invoice, refuse, require, root_of
from .composing import Composition, document_totals, fill
from .drafting import write

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

#: What a line may say; everything else follows.
LINE = (
    "description", "details", "sku", "unit", "quantity", "unit_price", "discount_percent",
    "adjustment", "adjustment_reason", "tax_category", "tax_rate",
)  # fmt: skip
_ADJUSTMENT = ("kind", "amount", "tax_category", "tax_rate", "reason")


@transaction.atomic
def draft_by_hand(
    customer: Customer,
    lines: Iterable[Mapping[str, Any]],
    *,
    actor: "User",
    currency: str = "",
    adjustments: Iterable[Mapping[str, Any]] = (),
    prepaid: Decimal = ZERO,
    rounding: Decimal = ZERO,
    kind: str = Invoice.Kind.STANDARD,
    original: Invoice | None = None,
    reason: str = "",
    source_key: str | None = None,
    **header: Any,
) -> Invoice:
    """A draft for a customer without an order, of the default seller: lines, and allowances or charges over all of it.

    `lines` are mappings of LINE fields, `adjustments` of kind, amount, tax_category, tax_rate, reason. `prepaid` is
    what was paid before and comes off what is due. `header` may give delivery_date, payment_days, note, language.
    `kind` is standard, debit_note (with a `reason` and, as a rule, the `original` document it adds to) or proforma.
    The same `source_key` twice gives back the first draft.
    Raises TransitionRefused without a line, ValidationError for an amount with too many decimals.
    """
    require(actor, "billing.draft_invoice")
    if source_key is not None and (earlier := Invoice.objects.filter(source_key=source_key).first()):
        return earlier
    currency = currency or customer.currency
    if quantise(prepaid, currency) != prepaid or prepaid < ZERO:
        raise ValidationError({"prepaid": _("Enter an amount in whole units of the currency, not below zero.")})
    _check_kind(kind, customer, original, reason)
    seller = default_seller()
    invoice = Invoice(
        kind=kind, seller=seller, customer=customer, currency=currency, customer_name=customer.name,
        created_by=actor, reason=reason, source_key=source_key,
        **({"language": customer.language, "payment_days": customer.payment_days} | header),
    )  # fmt: skip
    over_all = [DocumentAdjustment(**one) for one in adjustments]
    write(invoice, _composed(invoice, lines, original, over_all, prepaid, rounding))
    record(
        events.PROFORMA_MADE if kind == Invoice.Kind.PROFORMA else events.INVOICE_DRAFTED, invoice,
        root=root_of(invoice), actor=actor, after=content_of(invoice), amount=invoice.money(invoice.due),
        currency=invoice.currency,
    )  # fmt: skip
    return invoice


@transaction.atomic
def rewrite_by_hand(
    invoice: Invoice,
    lines: Iterable[Mapping[str, Any]],
    *,
    version: int,
    customer: Customer,
    actor: "User",
    kind: str = Invoice.Kind.STANDARD,
    original: Invoice | None = None,
    reason: str = "",
    **header: Any,
) -> Invoice:
    """Writes a draft without an order anew; allowances and charges over all of it stay.

    Raises StaleVersion for another version, TransitionRefused once it is issued, ValidationError as `draft_by_hand`.
    """
    require(actor, "billing.draft_invoice")
    invoice, order = lock_invoice(invoice, version=version)
    if not invoice.is_draft or order is not None:
        raise refuse(_("An issued document never changes: issue a credit note."), invoice.get_absolute_url())
    _check_kind(kind, customer, original, reason)
    before = content_of(invoice)
    invoice.customer, invoice.customer_name, invoice.currency = customer, customer.name, customer.currency
    invoice.kind, invoice.reason = kind, reason
    terms = {"language": customer.language, "payment_days": customer.payment_days}
    for name, value in (terms | header).items():
        setattr(invoice, name, value)
    invoice.version += 1
    over_all = [DocumentAdjustment(**values) for values in invoice.adjustments.values(*_ADJUSTMENT)]
    write(invoice, _composed(invoice, lines, original, over_all, invoice.prepaid, ZERO))
    record(events.DRAFT_EDITED, invoice, root=root_of(invoice), actor=actor, before=before, after=content_of(invoice))
    return invoice


def hand_totals(lines: Iterable[Mapping[str, Any]], currency: str) -> tuple[Totals, list[Decimal]]:
    """What lines would come to now, and the net of each; nothing is written."""
    written = [InvoiceLine(**_given(line)) for line in lines]
    totals = document_totals(written, currency, default_seller().tax_profile.tax_rounding)
    return totals, [line.net for line in totals.lines]


def _composed(
    invoice: Invoice,
    lines: Iterable[Mapping[str, Any]],
    original: Invoice | None,
    over_all: list[DocumentAdjustment],
    prepaid: Decimal,
    rounding: Decimal,
) -> Composition:
    written = [InvoiceLine(position=place, **_given(line)) for place, line in enumerate(lines, start=1)]
    if not written:
        raise refuse(_("The draft has no line."))
    mode = invoice.seller.tax_profile.tax_rounding
    totals = document_totals(written, invoice.currency, mode, rounding, adjustments=over_all, prepaid=prepaid)
    deposits = [original] if original is not None else []
    return fill(Composition(written, totals, deposits=deposits, adjustments=over_all))


def _check_kind(kind: str, customer: Customer, original: Invoice | None, reason: str) -> None:
    if kind not in (Invoice.Kind.STANDARD, Invoice.Kind.DEBIT_NOTE, Invoice.Kind.PROFORMA):
        raise TypeError(f"not written by hand: {kind}")
    if kind == Invoice.Kind.DEBIT_NOTE and not reason.strip():
        raise ValidationError({"reason": _("A debit note says why it asks for more.")})
    if original is not None and (original.is_draft or original.is_credit or original.customer_id != customer.pk):
        raise ValidationError({"original": _("Choose an issued invoice of this customer.")})


def _given(line: Mapping[str, Any]) -> dict[str, Any]:
    if unknown := set(line) - set(LINE):
        raise TypeError(f"not a field of a line: {sorted(unknown)}")
    return dict(line)
