"""What a document contains: lines, deductions, rounding and totals, before anything is written.

An invoice for a part bills price x quantity of that part, rounded. The one that completes an order also carries what
the roundings of the parts left over: per line as an adjustment, of the total as `rounding`. So the documents of an
order add up to the order exactly, whatever way it is split, and each of them by itself follows EN 16931.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Literal

from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from billing.models import DocumentAdjustment, Instalment, Invoice, InvoiceLine
from ordermgmt.company.services import business_today, tax_rules
from ordermgmt.lib.calculation import Adjustment, DocumentInput, LineInput, TaxRules, Totals, calculate, split_by_weight
from ordermgmt.lib.claims import progress_amount
from ordermgmt.lib.money import HUNDRED, ZERO, quantise, unit
from orders.models import Order, OrderLine
from orders.services import rules_of, totals_of

from .charge_lines import billed_gross, charge_lines, open_charges, open_gross

Rate = tuple[str, Decimal]
#: More than this many smallest units, or steps of cash rounding, is no rounding: something else is wrong, and it must show.
MOST_UNITS = 50
_QUANTITY = Decimal("0.000001")


@dataclass
class Composition:
    """A document before it is written."""

    lines: list[InvoiceLine]
    totals: Totals
    completes: bool = False
    deposits: list[Invoice] = field(default_factory=list)
    adjustments: list[DocumentAdjustment] = field(default_factory=list)


def document_totals(
    lines: Iterable[InvoiceLine],
    currency: str,
    rules: TaxRules,
    rounding: Decimal = ZERO,
    *,
    adjustments: Iterable[DocumentAdjustment] = (),
    prepaid: Decimal = ZERO,
) -> Totals:
    """The one calculation over a document's lines, allowances and charges."""
    return calculate(
        DocumentInput(
            currency=currency, lines=[_input(line, rules) for line in lines], rounding=rounding,
            tax_rounding=rules.rounding, price_mode=rules.price_mode, prepaid=prepaid,
            cash_step=rules.cash_step(currency),
            adjustments=[_adjusting(one) for one in adjustments],
        )
    )  # fmt: skip


def line_amount(line: InvoiceLine, currency: str, rules: TaxRules) -> Decimal:
    """What a line comes to in the mode of its prices, rounded."""
    return _input(line, rules).amount(currency)


def rules_now(invoice: Invoice) -> TaxRules:
    """What a draft is calculated by: its order's rules, or those of its seller's tax profile today."""
    if invoice.order is not None:
        return rules_of(invoice.order)
    return tax_rules(invoice.seller.tax_profile, business_today())


def _adjusting(one: DocumentAdjustment) -> Adjustment:
    kind: Literal["allowance", "charge"] = "charge" if one.kind == DocumentAdjustment.Kind.CHARGE else "allowance"
    return Adjustment(kind, amount=one.amount, category=one.tax_category, rate=one.tax_rate)


def _input(line: InvoiceLine, rules: TaxRules) -> LineInput:
    adjustments: tuple[Adjustment, ...] = ()
    if line.adjustment:
        adjustments = (Adjustment("charge" if line.adjustment > 0 else "allowance", amount=abs(line.adjustment)),)
    return LineInput(
        quantity=line.quantity,
        price=line.unit_price,
        category=line.tax_category,
        rate=line.tax_rate,
        discount_percent=line.discount_percent,
        adjustments=adjustments,
        components=rules.authorities(line.tax_category, line.tax_rate),
    )


def fill(composition: Composition) -> Composition:
    """Copies net and tax of each line from the totals onto the line."""
    for line, result in zip(composition.lines, composition.totals.lines, strict=True):
        line.net, line.tax = result.net, result.tax
    return composition


def order_lines_of(order: Order) -> list[OrderLine]:
    """The order's lines with their products, read now."""
    return list(order.lines.select_related("product"))


def compose_standard(order: Order, quantities: Mapping[int, Decimal], progress: Decimal | None = None) -> Composition:
    """A document over so much of each order line (by key), less the instalment invoices that are due to come off.

    With `progress` each line comes to that percentage of its whole, less what is billed of it already.
    """
    order_lines = order_lines_of(order)
    billed = billed_nets(order)
    with translation.override(order.language):
        items = [
            _item(order, line, quantities[line.pk], billed.get(line.pk, ZERO), progress)
            for line in order_lines
            if quantities.get(line.pk, ZERO) > 0
        ]
        # A first pass prices the items, so that the deductions know what is left of the order.
        fill(Composition(items, _totals(order, items)))
        completes = all(line.qty_to_invoice == quantities.get(line.pk, ZERO) for line in order_lines)
        deductions, deposits = _deductions(order, _remaining(order_lines, billed, items))
    charges = open_charges(order) if completes else []
    agreed = charge_lines(charges, rules_of(order))
    if agreed and _totals(order, items + agreed + deductions).due < ZERO:
        charges, agreed = [], []  # the deductions exceed this document: they need a credit note of their own
    lines = items + agreed + deductions
    for position, line in enumerate(lines, start=1):
        line.position = position
    totals = _totals(order, lines)
    left = order.gross_total + billed_gross(order) + open_gross(charges) - order.invoiced_total
    # The last one takes what is left to the cent; none before it takes more, however its rounding falls.
    rounding = left - totals.due if completes or ZERO <= left < totals.due else ZERO
    if rounding and abs(rounding) <= most_rounding(order.currency, rules_of(order)):
        totals = _totals(order, lines, rounding)
    return fill(Composition(lines, totals, completes, deposits))


def most_rounding(currency: str, rules: TaxRules) -> Decimal:
    """So much may be left over by rounding parts; more is a fault and must show."""
    return MOST_UNITS * max(unit(currency), rules.cash_step(currency))


def compose_deposit(order: Order, instalment: Instalment, count: int) -> Composition:
    """A taxed document over an instalment ahead of delivery: its amount, split over the order's tax rates."""
    amount = instalment.amount
    rules = rules_of(order)
    # Several authorities may tax one amount: it is split by category and rate, which each of them shares.
    groups = totals_of(order, order.order_lines, replace(rules, rounding="group") if rules.components else rules).taxes
    shares = split_by_weight(amount, [group.basis + group.tax for group in groups], order.currency)
    lines = []
    with translation.override(order.language):
        words = _("Instalment %(seq)s of %(count)s for order %(order)s")
        if instalment.label:
            words = _("%(label)s: instalment %(seq)s of %(count)s for order %(order)s")
        told = {"label": instalment.label, "seq": instalment.seq, "count": count, "order": order.number}
        for position, (group, share) in enumerate(zip(groups, shares, strict=True), start=1):
            net = quantise(share * HUNDRED / (HUNDRED + group.rate), order.currency)
            price = share if rules.gross else net
            lines.append(
                InvoiceLine(
                    position=position, kind=InvoiceLine.Kind.DEPOSIT, quantity=Decimal(1), unit_price=price,
                    description=words % told, tax_category=group.category, tax_rate=group.rate,
                )
            )  # fmt: skip
    rounding = amount - _totals(order, lines).due
    return fill(Composition(lines, _totals(order, lines, rounding)))


def _totals(order: Order, lines: Iterable[InvoiceLine], rounding: Decimal = ZERO) -> Totals:
    return document_totals(lines, order.currency, rules_of(order), rounding)


def billed_nets(order: Order) -> dict[int, Decimal]:
    """Net already billed per order line, credits taken off."""
    rows = InvoiceLine.objects.filter(
        invoice__order=order, kind=InvoiceLine.Kind.ITEM, order_line__isnull=False
    ).exclude(invoice__state=Invoice.State.DRAFT)
    billed: dict[int, Decimal] = defaultdict(lambda: ZERO)
    for key, kind, net in rows.values_list("order_line_id", "invoice__kind", "net"):
        billed[key or 0] += -net if kind == Invoice.Kind.CREDIT_NOTE else net
    return billed


def progress_quantities(order: Order, percent: Decimal) -> dict[int, Decimal]:
    """What of each order line (by key) is to be billed, so that `percent` of it is: six decimals, never less than none."""
    found = {}
    for line in order_lines_of(order):
        reached = (line.due * percent / HUNDRED).quantize(_QUANTITY)
        wanted = min(reached - (line.due - line.qty_to_invoice), line.qty_to_invoice)
        if wanted > 0:
            found[line.pk] = wanted
    return found


def _item(
    order: Order, line: OrderLine, quantity: Decimal, billed: Decimal, progress: Decimal | None = None
) -> InvoiceLine:
    item = InvoiceLine(
        kind=InvoiceLine.Kind.ITEM, order_line=line, sku=line.product.sku if line.product else "",
        description=line.description, details=_specification(line), unit=line.unit, quantity=quantity,
        unit_price=line.unit_price, discount_percent=line.discount_percent, tax_category=line.tax_category,
        tax_rate=line.tax_rate,
    )  # fmt: skip
    if rules_of(order).gross:
        return item  # what is left over is found out of the prices with tax: on the last document, as rounding
    if progress is not None and quantity < line.qty_to_invoice:
        amount = progress_amount(line.net, progress, billed, order.currency)
        item.adjustment = amount - _totals(order, [item]).line_total
        item.adjustment_reason = _("Rounding of part invoices") if item.adjustment else ""
    elif billed and quantity == line.qty_to_invoice:
        left_over = line.net - billed - _totals(order, [item]).line_total
        if abs(left_over) <= MOST_UNITS * unit(order.currency):
            item.adjustment = left_over
            item.adjustment_reason = _("Rounding of part invoices") if left_over else ""
    return item


def _specification(line: OrderLine) -> str:
    values = line.specification if isinstance(line.specification, dict) else {}
    return ", ".join(f"{key}: {value}" for key, value in values.items() if value not in ("", None))[:500]


def _remaining(
    order_lines: Iterable[OrderLine], billed: Mapping[int, Decimal], items: Iterable[InvoiceLine]
) -> dict[Rate, Decimal]:
    """Net per tax rate that the order still has to bill after these items."""
    now: dict[int | None, Decimal] = {item.order_line_id: item.net for item in items}
    left: dict[Rate, Decimal] = defaultdict(lambda: ZERO)
    for line in order_lines:
        left[(line.tax_category, line.tax_rate)] += line.net - billed.get(line.pk, ZERO) - now.get(line.pk, ZERO)
    return left


def _deductions(order: Order, remaining: Mapping[Rate, Decimal]) -> tuple[list[InvoiceLine], list[Invoice]]:
    """Negative lines for instalment invoices, as late as possible: what the rest of the order can't take any more."""
    lines: list[InvoiceLine] = []
    deposits: dict[int, Invoice] = {}
    covered = {rate: max(ZERO, left) for rate, left in remaining.items()}
    for deposit, rate, left in reversed(_open_deposits(order)):
        later = min(left, covered.get(rate, ZERO))
        covered[rate] = covered.get(rate, ZERO) - later
        if left - later > 0:
            deposits[deposit.pk] = deposit
            price = rules_of(order).priced(left - later, rate[1], order.currency)
            lines.insert(0, _deduction(deposit, rate, price))
    return lines, [deposits[key] for key in sorted(deposits)]


def _deduction(deposit: Invoice, rate: Rate, amount: Decimal) -> InvoiceLine:
    issued = date_format(deposit.issue_date, "SHORT_DATE_FORMAT") if deposit.issue_date else ""
    return InvoiceLine(
        kind=InvoiceLine.Kind.DEDUCTION, deposit=deposit, quantity=Decimal(-1), unit_price=amount,
        description=_("Less instalment invoice %(number)s of %(date)s") % {"number": deposit.number, "date": issued},
        tax_category=rate[0], tax_rate=rate[1],
    )  # fmt: skip


def _open_deposits(order: Order) -> list[tuple[Invoice, Rate, Decimal]]:
    """Net of issued instalment invoices per document and rate that is neither credited nor deducted yet, oldest first."""
    documents = {
        invoice.pk: invoice
        for invoice in Invoice.objects.issued().filter(order=order, kind=Invoice.Kind.DEPOSIT).order_by("pk")
    }
    left: dict[tuple[int, Rate], Decimal] = defaultdict(lambda: ZERO)
    lines = InvoiceLine.objects.filter(invoice__order=order).exclude(kind=InvoiceLine.Kind.ITEM)
    lines = lines.exclude(invoice__state=Invoice.State.DRAFT).select_related("invoice", "original")
    for line in lines:
        sign = -1 if line.invoice.is_credit else 1
        owner = line.original.invoice_id if line.original else line.invoice_id
        key = line.deposit_id if line.kind == InvoiceLine.Kind.DEDUCTION else owner
        if key in documents:
            left[(key or 0, (line.tax_category, line.tax_rate))] += sign * line.net
    return [(documents[key], rate, net) for (key, rate), net in sorted(left.items()) if net > 0]


def same_money(invoice: Invoice, composition: Composition) -> bool:
    """Whether a draft still is what the order asks for now."""
    totals = composition.totals
    return (invoice.due, invoice.tax_total, invoice.tax_basis, invoice.completes) == (
        totals.due, totals.tax_total, totals.tax_basis, composition.completes,
    )  # fmt: skip
