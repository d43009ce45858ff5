"""What a document books beside the receivables: revenue and tax by category, deposits, deductions, fees, rounding."""

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db.models import Q

from billing.models import (
    DocumentAdjustment,
    Invoice,
    InvoiceLine,
    InvoiceReference,
    InvoiceTax,
    LedgerAccount,
    OrderCharge,
)
from ordermgmt.lib.money import ZERO

from .chart import Slot

if TYPE_CHECKING:
    from django.db.models import QuerySet

USE = LedgerAccount.Use
_Group = tuple[str, Decimal]  # tax category and rate


@dataclass(frozen=True)
class Part:
    """An amount of a document for one slot, as the document counts it: above zero is what it asks for.

    `booked_at` is the exchange rate of a deposit that is taken off again: it leaves the books as it came in.
    """

    slot: Slot
    amount: Decimal
    tax_category: str = ""
    tax_rate: Decimal | None = None
    booked_at: Decimal | None = None


@dataclass
class DocumentParts:
    """All parts of one document; they add up to what is due."""

    is_credit: bool
    parts: list[Part] = field(default_factory=list)


def parts_of(documents: "QuerySet[Invoice]") -> dict[int, DocumentParts]:
    """The parts of issued documents, by their keys, in a fixed number of queries."""
    within = documents.order_by().values("pk")
    special, fees = _special(within), _fees(within)
    found: dict[int, DocumentParts] = {}
    kinds: dict[int, str] = {}
    for key, kind, prepaid, rounding in documents.values_list("pk", "kind", "prepaid", "rounding"):
        kinds[key] = kind
        found[key] = DocumentParts(kind == Invoice.Kind.CREDIT_NOTE)
        whole = (Part((USE.DEPOSIT, ""), -prepaid), Part((USE.ROUNDING, ""), rounding))
        found[key].parts += [one for one in whole if one.amount]
    for tax in InvoiceTax.objects.filter(invoice__in=within):
        group = special[tax.invoice_id].get((tax.category, tax.rate), [])
        if kinds[tax.invoice_id] == Invoice.Kind.OPENING:
            slot: Slot = (USE.OPENING, "")
        else:
            slot = (USE.LATE_FEE, "") if tax.invoice_id in fees else (USE.REVENUE, tax.category)
        rest = tax.basis - sum((one.amount for one in group), ZERO)
        parts = [
            *group,
            Part(slot, rest, tax.category, tax.rate),
            Part((USE.TAX, tax.category), tax.tax, tax.category, tax.rate),
        ]
        found[tax.invoice_id].parts += [one for one in parts if one.amount]
    return found


def _special(within: "QuerySet[Invoice, Any]") -> dict[int, dict[_Group, list[Part]]]:
    """What of a document's net is not revenue, by its tax group."""
    found: dict[int, dict[_Group, list[Part]]] = defaultdict(lambda: defaultdict(list))
    kind = InvoiceLine.Kind
    early = Q(invoice__kind=Invoice.Kind.CREDIT_NOTE, original=None, kind=kind.ITEM)
    deducted = Q(kind=kind.CHARGE, charge__kind__in=OrderCharge.DEDUCTIONS)
    lines = InvoiceLine.objects.filter(Q(kind__in=[kind.DEPOSIT, kind.DEDUCTION]) | deducted | early)
    rows = lines.filter(invoice__in=within).order_by("pk")
    fields = ("invoice_id", "tax_category", "tax_rate", "net", "kind", "charge__kind", "deposit__base_rate")
    for key, category, rate, net, what, charge, booked_at in rows.values_list(*fields):
        if what in (kind.DEPOSIT, kind.DEDUCTION):
            part = Part((USE.DEPOSIT, ""), net, category, rate, booked_at if what == kind.DEDUCTION else None)
        elif charge == OrderCharge.Kind.PENALTY:
            part = Part((USE.PENALTY, ""), net, category, rate)
        else:
            part = Part((USE.DISCOUNT, ""), net, category, rate)
        found[key][category, rate].append(part)
    allowances = DocumentAdjustment.objects.filter(kind=DocumentAdjustment.Kind.ALLOWANCE, invoice__in=within)
    for one in allowances:
        part = Part((USE.DISCOUNT, ""), one.signed, one.tax_category, one.tax_rate)
        found[one.invoice_id][one.tax_category, one.tax_rate].append(part)
    return found


def _fees(within: "QuerySet[Invoice, Any]") -> set[int]:
    """Debit notes over late interest and reminder fees, and the credit notes over them."""
    is_fee = Q(late_fee__isnull=False) | Q(reminder__isnull=False)
    notes = Invoice.objects.filter(is_fee)
    found = set(notes.filter(pk__in=within).values_list("pk", flat=True))
    notes_over = InvoiceReference.objects.filter(invoice__in=within, invoice__kind=Invoice.Kind.CREDIT_NOTE)
    return found | set(notes_over.filter(original__in=notes.values("pk")).values_list("invoice_id", flat=True))
