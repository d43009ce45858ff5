"""Totals of an order, by the one calculation."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from ordermgmt.company.services import tax_rates, tax_rules
from ordermgmt.lib.calculation import DocumentInput, LineInput, TaxRules, Totals, calculate
from ordermgmt.lib.money import MOST, quantise, total
from orders.models import Order, OrderLine


def rules_of(order: Order) -> TaxRules:
    """How the order's documents are calculated; read once per order in hand, profile and day.

    The step of cash rounding is the order's own: a placed order keeps what was agreed when the profile changes.
    """
    kept: dict[Any, TaxRules] = order.__dict__.setdefault("_tax_rules", {})
    key = (order.tax_profile_id, order.order_date, order.currency, order.cash_step)
    if key not in kept:
        cash = {order.currency: order.cash_step} if order.cash_step else {}
        kept[key] = replace(tax_rules(order.tax_profile, order.order_date), cash=cash)
    return kept[key]


def totals_of(order: Order, lines: Sequence[OrderLine], rules: TaxRules | None = None) -> Totals:
    """What the order's uncancelled lines come to, as its invoices will compute it."""
    rules = rules_of(order) if rules is None else rules
    return calculate(
        DocumentInput(
            currency=order.currency,
            tax_rounding=rules.rounding,
            price_mode=rules.price_mode,
            cash_step=rules.cash_step(order.currency),
            lines=[
                LineInput(
                    quantity=line.due,
                    price=line.unit_price,
                    category=line.tax_category,
                    rate=line.tax_rate,
                    discount_percent=line.discount_percent,
                    components=rules.authorities(line.tax_category, line.tax_rate),
                )
                for line in lines
            ],
        )
    )


def check_size(order: Order, lines: Sequence[OrderLine]) -> None:
    """Raises ValidationError where a line, or all of them together, come to more than an amount can hold."""
    if large := [line.position for line in lines if abs(line.net) >= MOST]:
        text = _("Line %(line)s comes to more than an amount can hold: look at quantity and price.")
        raise ValidationError(text % {"line": large[0]})
    if max(total(abs(line.net) for line in lines), abs(order.gross_total), abs(order.cost_total)) >= MOST:
        raise ValidationError(_("The order comes to more than an amount can hold: look at quantities and prices."))


def apply_totals(order: Order, lines: Sequence[OrderLine], *, rates: dict[str, Decimal] | None = None) -> None:
    """Sets tax rates and nets of the lines and the totals of the order; saves nothing.

    `rates` (percent per tax category) come from the order's tax profile on the order date; a category without a rate
    keeps the rate its line has. A draft takes the profile's cash rounding, a placed order keeps its own.
    """
    if rates is None:
        rates = tax_rates(order.tax_profile, order.order_date)
    for line in lines:
        line.tax_rate = rates.get(line.tax_category, line.tax_rate)
    if order.state == Order.State.DRAFT:
        order.cash_step = tax_rules(order.tax_profile, order.order_date).cash_step(order.currency)
    totals = totals_of(order, lines)
    for line, result in zip(lines, totals.lines, strict=True):
        line.net = result.net
    order.net_total, order.tax_total = totals.tax_basis, totals.tax_total
    order.rounding, order.gross_total = totals.rounding, totals.due
    order.cost_total = quantise(total((line.unit_cost or Decimal(0)) * line.due for line in lines), order.currency)
