"""Charges and deductions on documents: what of them is billed, and the lines that bill the rest."""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from billing.models import Invoice, InvoiceLine, OrderCharge
from ordermgmt.lib.calculation import TaxRules
from ordermgmt.lib.money import HUNDRED, ZERO, quantise, round_to, total
from orders.models import Order


def agreed_charges(order: Order) -> list[OrderCharge]:
    """What was accepted beside the order's lines, oldest first."""
    return list(OrderCharge.objects.agreed().filter(order=order).select_related("order"))


def billed_charges(orders: Iterable[Order]) -> dict[int, Decimal]:
    """Net of each charge (by key) on issued documents, signed as the charge is; what was credited is off again."""
    lines = InvoiceLine.objects.filter(charge__order__in=orders).exclude(invoice__state=Invoice.State.DRAFT)
    found: dict[int, Decimal] = defaultdict(lambda: ZERO)
    for key, kind, net in lines.values_list("charge_id", "invoice__kind", "net"):
        found[key or 0] += -net if kind == Invoice.Kind.CREDIT_NOTE else net
    return found


def billed_gross(order: Order, charges: Iterable[OrderCharge] | None = None) -> Decimal:
    """What the charges on issued documents come to, tax included."""
    billed = billed_charges([order])
    known = agreed_charges(order) if charges is None else charges
    return total(_gross(one, quantise(billed[one.pk], order.currency)) for one in known if billed[one.pk])


def _gross(charge: OrderCharge, net: Decimal) -> Decimal:
    """Net with its tax: of the whole charge exactly what was agreed, of a part its own."""
    if net == charge.signed_net:
        return charge.signed_gross
    currency = charge.order.currency
    return round_to(net + quantise(net * charge.tax_rate / HUNDRED, currency), charge.order.cash_step, currency)


def open_charges(order: Order) -> list[tuple[OrderCharge, Decimal]]:
    """Accepted and not, or no longer, on a document: with the net that is to be billed, negative for a deduction."""
    billed = billed_charges([order])
    found = []
    for charge in agreed_charges(order):
        left = charge.signed_net - quantise(billed[charge.pk], order.currency)
        if left:
            found.append((charge, left))
    return found


def open_gross(charges: Iterable[tuple[OrderCharge, Decimal]]) -> Decimal:
    """What open charges come to, tax included."""
    return total(_gross(charge, left) for charge, left in charges)


def charge_lines(
    charges: Iterable[tuple[OrderCharge, Decimal]], rules: TaxRules, *, credit: bool = False
) -> list[InvoiceLine]:
    """One line per charge, negative where it takes something off the document; a credit note turns the signs."""
    return [
        InvoiceLine(
            kind=InvoiceLine.Kind.CHARGE, charge=charge, quantity=Decimal(1 if (left > ZERO) != credit else -1),
            unit_price=rules.priced(abs(left), charge.tax_rate, charge.order.currency), description=charge.description, details=_details(charge),
            tax_category=charge.tax_category, tax_rate=charge.tax_rate,
        )
        for charge, left in charges
    ]  # fmt: skip


def _details(charge: OrderCharge) -> str:
    """How a penalty came about, as the document prints it."""
    rows = [
        f"{row['position']}: {row['promised']} – {row['actual']}, {row['units']} × {row['rate']} % × {row['basis']}"
        f" = {row['amount']}"
        for row in charge.computation
    ]
    return "; ".join(rows)[:500]
