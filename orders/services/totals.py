"""Totals of an order, by the one calculation."""

from collections.abc import Sequence
from decimal import Decimal

from ordermgmt.company.services import tax_rates
from ordermgmt.lib.calculation import DocumentInput, LineInput, Totals, calculate
from ordermgmt.lib.money import quantise, total
from orders.models import Order, OrderLine


def totals_of(order: Order, lines: Sequence[OrderLine]) -> Totals:
    """What the order's uncancelled lines come to, as its invoices will compute it."""
    return calculate(
        DocumentInput(
            currency=order.currency,
            tax_rounding="line" if order.tax_profile.tax_rounding == "line" else "group",
            lines=[
                LineInput(
                    quantity=line.due,
                    price=line.unit_price,
                    category=line.tax_category,
                    rate=line.tax_rate,
                    discount_percent=line.discount_percent,
                )
                for line in lines
            ],
        )
    )


def apply_totals(order: Order, lines: Sequence[OrderLine], *, rates: dict[str, Decimal] | None = None) -> None:
    """Sets tax rates and nets of the lines and the totals of the order; saves nothing.

    `rates` (percent per tax category) come from the order's tax profile on the order date; a category without a rate
    keeps the rate its line has.
    """
    if rates is None:
        rates = tax_rates(order.tax_profile, order.order_date)
    for line in lines:
        line.tax_rate = rates.get(line.tax_category, line.tax_rate)
    totals = totals_of(order, lines)
    for line, result in zip(lines, totals.lines, strict=True):
        line.net = result.net
    order.net_total, order.tax_total = totals.tax_basis, totals.tax_total
    order.gross_total = totals.grand_total
    order.cost_total = quantise(total((line.unit_cost or Decimal(0)) * line.due for line in lines), order.currency)
