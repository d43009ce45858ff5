"""`draft_by_hand`: a document that bills no order, line by line as somebody writes it."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from billing import events
from billing.models import Invoice, InvoiceLine
from customers.models import Customer
from inventory.models import Product
from ordermgmt.activity.services import record
from ordermgmt.company.models import SellerProfile, TaxRate
from ordermgmt.company.services import TAXED, Proposal, business_today, default_seller, tax_rules
from ordermgmt.lib.calculation import Totals
from ordermgmt.lib.money import ZERO, quantise, round_to
from orders.services import propose_for

from .adjusting import ADJUSTMENT, adjustments_of
from .base import content_of, lock_invoice, refuse, require, root_of
from .composing import Composition, document_totals, fill, rules_now
from .drafting import write
from .early_terms import offer_early

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

#: What a line may say; everything else follows.
LINE = (
    "description", "details", "sku", "unit", "quantity", "unit_price", "discount_percent",
    "adjustment", "adjustment_reason", "tax_category", "tax_rate",
)  # fmt: skip

#: More than any document is over, and few enough digits to be added up.
MOST = Decimal(10) ** 14


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
    seller: SellerProfile | None = None,
    **header: Any,
) -> Invoice:
    """A draft for a customer without an order: lines, and allowances or charges over all of it.

    `seller` is the default one unless another is named.

    `lines` are mappings of LINE fields, `adjustments` as `adjustments_of` reads them. `prepaid` is what was paid before
    and comes off what is due. `header` may give delivery_date, payment_days, note, language and any of REFERENCES.
    `kind` is standard, debit_note (with a `reason` and, as a rule, the `original` document it adds to) or proforma.
    The same `source_key` twice gives back the first draft.
    Raises TransitionRefused without a line, ValidationError for an amount with too many decimals or digits.
    """
    require(actor, "billing.draft_invoice")
    if source_key is not None and (earlier := Invoice.objects.filter(source_key=source_key).first()):
        return earlier
    currency = currency or customer.currency
    _check_prepaid(prepaid, currency)
    _check_kind(kind, customer, original, reason)
    seller = seller or default_seller()
    invoice = Invoice(
        kind=kind, seller=seller, customer=customer, currency=currency, customer_name=customer.name,
        created_by=actor, reason=reason, source_key=source_key,
        **({"language": customer.language, "payment_days": customer.payment_days} | header),
    )  # fmt: skip
    composition = _composed(invoice, lines, original, adjustments, prepaid, rounding)
    try:
        with transaction.atomic():
            write(invoice, composition)
    except IntegrityError:
        # The same form sent twice at once: the other one was faster.
        earlier = Invoice.objects.filter(source_key=source_key).first() if source_key is not None else None
        if earlier is None:
            raise
        return earlier
    offer_early(invoice)
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
    adjustments: Iterable[Mapping[str, Any]] | None = None,
    prepaid: Decimal | None = None,
    **header: Any,
) -> Invoice:
    """Writes a draft without an order anew; allowances and charges over all of it, and what was paid before, stay unless
    they are given.

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
    kept = list(invoice.adjustments.values(*ADJUSTMENT)) if adjustments is None else adjustments
    prepaid = invoice.prepaid if prepaid is None else prepaid
    _check_prepaid(prepaid, invoice.currency)
    write(invoice, _composed(invoice, lines, original, kept, prepaid, ZERO))
    offer_early(invoice)
    record(events.DRAFT_EDITED, invoice, root=root_of(invoice), actor=actor, before=before, after=content_of(invoice))
    return invoice


@dataclass(frozen=True)
class HandTaxing:
    """How lines that name no category are taxed: what is proposed for goods and for services, None as at home."""

    goods: Proposal | None
    services: Proposal | None

    def category(self, product: Product | None, *, service: bool = False) -> str:
        """As the product is at home, or as the customer's country or certificate asks for. `service` says what is
        supplied where the line has no product."""
        category = product.tax_category if product is not None else TaxRate.Category.STANDARD
        if product is not None:
            service = product.kind == Product.Kind.SERVICE
        proposal = self.services if service else self.goods
        return str(proposal.category if proposal is not None and category in TAXED else category)

    def reasons(self, categories: Collection[str]) -> list[str]:
        """Why lines of these categories are not taxed as at home, a sentence each."""
        told = [one.reason for one in (self.goods, self.services) if one is not None and one.category in categories]
        return list(dict.fromkeys(told))


def hand_taxing(customer: Customer | None) -> HandTaxing:
    """What is proposed for a customer today."""
    if customer is None:
        return HandTaxing(None, None)
    profile, today = default_seller().tax_profile, business_today()
    return HandTaxing(*(propose_for(customer, profile, today, service=service) for service in (False, True)))


def hand_totals(
    lines: Iterable[Mapping[str, Any]],
    currency: str,
    *,
    adjustments: Iterable[Mapping[str, Any]] = (),
    prepaid: Decimal = ZERO,
) -> tuple[Totals, list[Decimal]]:
    """What a document would come to now, and the net of each line; nothing is written."""
    written = [InvoiceLine(**_given(line)) for line in lines]
    rules = tax_rules(default_seller().tax_profile, business_today())
    over_all = adjustments_of(adjustments, written, currency, rules) if written else []
    totals = document_totals(written, currency, rules, adjustments=over_all, prepaid=prepaid)
    return totals, [line.net for line in totals.lines]


def _composed(
    invoice: Invoice,
    lines: Iterable[Mapping[str, Any]],
    original: Invoice | None,
    adjustments: Iterable[Mapping[str, Any]],
    prepaid: Decimal,
    rounding: Decimal,
) -> Composition:
    written = [InvoiceLine(position=place, **_given(line)) for place, line in enumerate(lines, start=1)]
    if not written:
        raise refuse(_("The draft has no line."))
    rules = rules_now(invoice)
    over_all = adjustments_of(adjustments, written, invoice.currency, rules)
    if rounding and (step := rules.cash_step(invoice.currency)):
        # A rounding that is given counts before the coin does: what is due can still be paid.
        plain = document_totals(
            written, invoice.currency, replace(rules, cash={}), adjustments=over_all, prepaid=prepaid
        )
        rounding = round_to(plain.due + rounding, step, invoice.currency) - round_to(plain.due, step, invoice.currency)
    totals = document_totals(written, invoice.currency, rules, rounding, adjustments=over_all, prepaid=prepaid)
    _check_size(totals)
    deposits = [original] if original is not None else []
    return fill(Composition(written, totals, deposits=deposits, adjustments=over_all))


def _check_size(totals: Totals) -> None:
    amounts = [line.net for line in totals.lines]
    amounts += [totals.line_total, totals.allowances, totals.charges, totals.grand_total, totals.due]
    if any(abs(amount) >= MOST for amount in amounts):
        raise ValidationError(_("A document comes to less than %(most)s.") % {"most": f"{MOST:,}"})


def _check_prepaid(prepaid: Decimal, currency: str) -> None:
    if quantise(prepaid, currency) != prepaid or prepaid < ZERO:
        raise ValidationError({"prepaid": _("Enter an amount in whole units of the currency, not below zero.")})


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
