"""Allowances and charges over a whole document, as somebody writes them: an amount or a percentage, over one tax category or all."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from billing.models import DocumentAdjustment, InvoiceLine
from ordermgmt.lib.calculation import TaxRules, split_by_weight
from ordermgmt.lib.money import HUNDRED, ZERO, quantise, total

from .composing import line_amount

Rate = tuple[str, Decimal]
#: What an allowance or charge may say.
ADJUSTMENT = ("kind", "amount", "base", "percent", "tax_category", "tax_rate", "reason")


def adjustments_of(
    given: Iterable[Mapping[str, Any]], lines: Sequence[InvoiceLine], currency: str, rules: TaxRules
) -> list[DocumentAdjustment]:
    """The rows of a document, one per tax category and rate.

    Of a row that gives a `percent`, the amount is round(base x percent); its `base` is what the lines of its category, or
    all lines, come to unless it is given. A row without `tax_category` is split over the rates of the lines in proportion.
    Raises ValidationError for an amount that is none, and a category that no line has where a base is to be found.
    """
    sums: dict[Rate, Decimal] = {}
    for line in lines:
        key = (line.tax_category, line.tax_rate)
        sums[key] = sums.get(key, ZERO) + line_amount(line, currency, rules)
    found: list[DocumentAdjustment] = []
    for row in given:
        if unknown := set(row) - set(ADJUSTMENT):
            raise TypeError(f"not a field of an allowance or charge: {sorted(unknown)}")
        found += _rows(row, sums, currency)
    return found


def _rows(row: Mapping[str, Any], sums: Mapping[Rate, Decimal], currency: str) -> list[DocumentAdjustment]:
    category, percent = row.get("tax_category") or "", row.get("percent")
    concerned = {key: amount for key, amount in sums.items() if not category or key[0] == category}
    base = row.get("base")
    if percent is not None and base is None:
        base = total(concerned.values())
    amount = row["amount"] if percent is None else quantise((base or ZERO) * percent / HUNDRED, currency)
    if amount is None or amount <= ZERO or quantise(amount, currency) != amount:
        raise ValidationError(
            _("“%(reason)s”: an allowance or charge is an amount above zero in whole units of the currency.")
            % {"reason": row["reason"]}
        )
    if category:
        rate = row.get("tax_rate")
        return [_one(row, (category, ZERO if rate is None else rate), amount, base, percent)]
    if not concerned:
        raise ValidationError(_("Without lines there is nothing to adjust."))
    shares = split_by_weight(amount, list(concerned.values()), currency)
    return [
        _one(row, key, share, part if _exact(part, percent, share, currency) else None, percent)
        for (key, part), share in zip(concerned.items(), shares, strict=True)
        if share
    ]


def _exact(base: Decimal, percent: Decimal | None, share: Decimal, currency: str) -> bool:
    """Whether a share is the percentage of its own base: the largest remainder may have moved it by a unit."""
    return percent is not None and quantise(base * percent / HUNDRED, currency) == share


def _one(
    row: Mapping[str, Any], key: Rate, amount: Decimal, base: Decimal | None, percent: Decimal | None
) -> DocumentAdjustment:
    kind = row["kind"]
    if amount < ZERO:  # the lines of this rate come to less than nothing: what lowers the rest raises them
        kind = {"allowance": "charge", "charge": "allowance"}[kind]
    known = percent is not None and base is not None and amount > ZERO
    return DocumentAdjustment(
        kind=kind, amount=abs(amount), base=base if known else None, percent=percent if known else None,
        tax_category=key[0], tax_rate=key[1], reason=row["reason"],
    )  # fmt: skip
