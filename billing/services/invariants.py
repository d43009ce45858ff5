"""What must always hold about money (quality.md, M and N). Sums are exact: they are made in Decimals, not by SQLite."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal

from django.db.models import F, Q

from billing import events
from billing.models import (
    Allocation,
    DocumentAdjustment,
    Instalment,
    Invoice,
    InvoiceLine,
    InvoiceTax,
    OrderCharge,
    Payment,
    Refund,
)
from customers.models import CustomerBalance
from ordermgmt.activity.models import Event
from ordermgmt.company.services import rules_kept
from ordermgmt.documents.models import NumberSeries
from ordermgmt.lib.calculation import TaxRules
from ordermgmt.lib.invariants import invariant
from ordermgmt.lib.money import ZERO
from orders.models import Order

from .charge_lines import billed_gross
from .composing import document_totals, rules_now

_Sums = dict[int, Decimal]


def _sums(rows: Iterable[tuple[int | None, Decimal]]) -> _Sums:
    found: _Sums = defaultdict(lambda: ZERO)
    for key, amount in rows:
        found[key or 0] += amount
    return found


@invariant("M1", "a document's sums are what the calculation makes of its lines")
def _recalculated() -> Iterator[str]:
    lines: dict[int, list[InvoiceLine]] = defaultdict(list)
    for line in InvoiceLine.objects.order_by("invoice", "position").iterator():
        lines[line.invoice_id].append(line)
    adjustments: dict[int, list[DocumentAdjustment]] = defaultdict(list)
    for one in DocumentAdjustment.objects.iterator():
        adjustments[one.invoice_id].append(one)
    taxes = _sums(InvoiceTax.objects.values_list("invoice_id", "tax"))
    for invoice in Invoice.objects.select_related("order__tax_profile", "seller__tax_profile").iterator():
        totals = document_totals(
            lines[invoice.pk], invoice.currency, _rules(invoice), adjustments=adjustments[invoice.pk],
            prepaid=invoice.prepaid,
        )  # fmt: skip
        due = totals.due - totals.rounding + invoice.rounding  # which holds what gross prices leave over
        if (due, totals.tax_total) != (invoice.due, invoice.tax_total) or taxes[invoice.pk] != invoice.tax_total:
            yield f"{invoice}: kept {invoice.due} with tax {invoice.tax_total}, calculated {due}, {totals.tax_total}"
        if invoice.cash_step and invoice.due % invoice.cash_step:
            yield f"{invoice}: {invoice.due} is no multiple of {invoice.cash_step}"


def _rules(invoice: Invoice) -> TaxRules:
    """What a document was calculated by; a draft by what its profile says now."""
    return rules_kept(invoice.tax_profile) if invoice.tax_profile else rules_now(invoice)


@invariant("M3", "what an order was invoiced, less credits, is what its documents say and at most its total")
def _invoiced() -> Iterator[str]:
    documents = Invoice.objects.issued().filter(order__isnull=False)
    sums = _sums((one.order_id, one.signed_due) for one in documents.iterator())
    charges = OrderCharge.objects.agreed().select_related("order")
    most = _sums((one.order_id, max(one.signed_gross, ZERO)) for one in charges.iterator())
    agreed = _sums((one.order_id, one.signed_gross) for one in charges.iterator())
    for order in Order.objects.filter(Q(pk__in=list(sums)) | ~Q(invoiced_total=0)):
        if order.invoiced_total != sums.get(order.pk, ZERO) or order.invoiced_total > (
            order.gross_total + most[order.pk]
        ):
            yield f"{order}: {order.invoiced_total} of {order.gross_total}, documents {sums.get(order.pk, ZERO)}"
    for order in Order.objects.filter(Q(pk__in=list(agreed)) | ~Q(charges_total=0)):
        if order.charges_total != agreed[order.pk]:
            yield f"{order}: charges {order.charges_total}, rows {agreed[order.pk]}"


@invariant("M4", "payments lie on documents as the allocations say, never above what is open")
def _allocated() -> Iterator[object]:
    paid = _sums(Allocation.objects.filter(payment__isnull=False).values_list("instalment_id", "amount"))
    credited = _sums(Allocation.objects.filter(payment=None).values_list("instalment_id", "amount"))
    per_invoice: dict[int, list[Decimal]] = defaultdict(lambda: [ZERO, ZERO, ZERO])
    for one in Instalment.objects.iterator():
        if (one.paid, one.credited) != (paid[one.pk], credited[one.pk]) or one.paid + one.credited > one.amount:
            yield f"instalment {one.pk}: paid {one.paid}, credited {one.credited} of {one.amount}"
        for place, amount in enumerate((one.amount, one.paid, one.credited)):
            per_invoice[one.invoice_id or 0][place] += amount
    for invoice in Invoice.objects.issued().exclude(kind=Invoice.Kind.CREDIT_NOTE).iterator():
        if per_invoice[invoice.pk] != [invoice.due, invoice.paid, invoice.credited]:
            yield f"{invoice}: instalments {per_invoice[invoice.pk]}, document {invoice.due}, {invoice.paid}"
    yield from _used_up()


def _used_up() -> Iterator[str]:
    """What of a payment is laid on documents or given back is what its counter says."""
    laid = _sums(Allocation.objects.filter(payment__isnull=False).values_list("payment_id", "amount"))
    for payment_id, amount in Refund.objects.values_list("payment_id", "amount"):
        laid[payment_id] += amount
    for payment in Payment.objects.iterator():
        if payment.allocated != laid[payment.pk] or payment.allocated > payment.amount:
            yield f"{payment}: allocated {payment.allocated}, rows {laid[payment.pk]}"


@invariant("M5", "an order's plan adds up to what it says, each instalment above zero")
def _planned() -> Iterator[object]:
    yield from Instalment.objects.filter(amount__lte=0)
    open_rows = Instalment.objects.filter(plan__is_active=True, invoice=None)
    left = _sums(open_rows.values_list("plan__order_id", "amount"))
    on_documents = Instalment.objects.filter(invoice__order__isnull=False)
    rows = list(on_documents.values_list("invoice__order_id", "amount", "credited"))
    fixed, credited = _sums((key, amount) for key, amount, _ in rows), _sums((key, less) for key, _, less in rows)
    for order in Order.objects.filter(plans__is_active=True, planned_amount=F("gross_total")).exclude(state="draft"):
        if not left[order.pk]:
            continue
        planned = left[order.pk] + fixed[order.pk] - credited[order.pk] - billed_gross(order)
        # What was credited may be in no instalment until somebody plans it anew; the order's account says so.
        if not planned <= order.planned_amount <= planned + credited[order.pk]:
            yield f"{order}: planned {order.planned_amount}, instalments {planned}"


@invariant("M6", "credits never exceed their document, per line neither")
def _credits() -> Iterator[object]:
    yield from Invoice.objects.filter(credited__gt=F("due"))
    quantities = _sums(
        InvoiceLine.objects.filter(original__isnull=False, invoice__kind=Invoice.Kind.CREDIT_NOTE)
        .exclude(invoice__state=Invoice.State.DRAFT)
        .values_list("original_id", "quantity")
    )
    for line in InvoiceLine.objects.filter(pk__in=list(quantities)):
        if abs(quantities[line.pk]) > abs(line.quantity):
            yield line


@invariant("M7", "what is open is the same on customer, order and documents")
def _open_amounts() -> Iterator[str]:
    documents: dict[tuple[int, str], list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])
    for one in Invoice.objects.issued().iterator():
        sums = documents[one.customer_id, one.currency]
        sums[0] += one.signed_due
        sums[1] += one.paid
    for balance in CustomerBalance.objects.iterator():
        found = documents.pop((balance.customer_id, balance.currency), [ZERO, ZERO])
        if found != [balance.invoiced, balance.paid]:
            yield f"balance {balance}: invoiced {balance.invoiced}, paid {balance.paid}, documents {found}"
    yield from (f"customer {key}: documents {sums}, no balance" for key, sums in documents.items() if any(sums))
    paid = _sums(Invoice.objects.issued().filter(order__isnull=False).values_list("order_id", "paid"))
    for order in Order.objects.filter(Q(pk__in=list(paid)) | ~Q(paid_total=0)):
        if order.paid_total != paid[order.pk]:
            yield f"{order}: paid {order.paid_total}, documents {paid[order.pk]}"


@invariant("M8", "a kept PDF is the one that was made (its bytes are checked with all files)")
def _pdfs() -> Iterator[str]:
    kept = Event.objects.filter(type=events.PDF_KEPT.name).values_list("subject_id", "after")
    made = {key: (after or {}).get("sha256") for key, after in kept}
    for invoice in Invoice.objects.filter(pdf__isnull=False).select_related("pdf").iterator():
        if invoice.pdf is not None and made.get(invoice.pk) != invoice.pdf.sha256:
            yield f"{invoice}: its PDF is not the one that was made"


@invariant("M9", "a settled order has nothing open")
def _settled() -> Iterator[object]:
    settled = Order.objects.filter(state=Order.State.SETTLED)
    owed = _sums(Instalment.objects.owed().filter(invoice__order__in=settled).values_list("invoice__order_id", "open"))
    for order in settled.filter(Q(pk__in=list(owed)) | ~Q(retained_total=0)):
        if owed[order.pk] != order.retained_total:
            yield f"{order}: open {owed[order.pk]}, retained by contract {order.retained_total}"
    yield from Invoice.objects.drafts().filter(order__in=settled)


@invariant("N2", "document numbers are 1, 2, 3 … without a hole, and the counter is the last one")
def _gaps() -> Iterator[str]:
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    rows = Invoice.objects.filter(sequence__isnull=False).values_list("series", "period", "sequence")
    for series, period, sequence in rows.iterator():
        found[series, period].append(sequence or 0)
    for (series, period), numbers in found.items():
        counter = NumberSeries.objects.filter(key=series, period=period).values_list("last", flat=True).first()
        if sorted(numbers) != list(range(1, len(numbers) + 1)) or counter != len(numbers):
            yield f"series {series} {period}: {len(numbers)} documents up to {max(numbers)}, counter {counter}"


@invariant("N3", "a draft has no number")
def _numbered_drafts() -> Iterable[object]:
    return Invoice.objects.drafts().filter(number__isnull=False)


@invariant("N5", "in a series a later number has no earlier date")
def _dates() -> Iterator[str]:
    last: dict[tuple[str, str], tuple[object, str]] = {}
    rows = Invoice.objects.filter(sequence__isnull=False).exclude(kind=Invoice.Kind.OPENING)
    for one in rows.order_by("series", "period", "sequence").iterator():
        key = (one.series, one.period)
        if key in last and one.issue_date is not None and one.issue_date < last[key][0]:  # type: ignore[operator]
            yield f"{one} of {one.issue_date} comes after {last[key][1]} of {last[key][0]}"
        last[key] = (one.issue_date, str(one))
