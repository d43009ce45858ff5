"""Money, quantities and rates: exact decimals, rounded half up and away from zero, never a float.

Amounts are stored with 4 decimals and quantised to the currency's ISO 4217 exponent (JPY 0, EUR 2, KWD 3);
quantities and unit prices have 6 decimals; rates are percentages with 6 decimals.
"""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

import iso4217
from django.db import models

if TYPE_CHECKING:
    _Decimal = models.DecimalField[Any, Any]
else:
    _Decimal = models.DecimalField

ZERO = Decimal(0)
HUNDRED = Decimal(100)
#: An amount is kept with 19 digits, 4 of them decimals: it is below this.
MOST = Decimal(10) ** 15


#: Codes withdrawn from ISO 4217 that documents of the past still carry, with their decimals.
WITHDRAWN = {"BGN": 2, "DEM": 2, "EEK": 2, "FRF": 2, "HRK": 2, "LTL": 2, "LVL": 2}


@cache
def exponent(currency: str) -> int:
    """Decimals of one unit of `currency` (ISO 4217 minor unit). Raises ValueError for a code that is none."""
    if currency in WITHDRAWN:
        return WITHDRAWN[currency]
    try:
        value = iso4217.Currency(currency).exponent
    except ValueError as error:
        raise ValueError(f"{currency!r} is not an ISO 4217 currency code") from error
    return 2 if value is None else value


@cache
def unit(currency: str) -> Decimal:
    """The smallest amount of `currency`: 0.01 for EUR, 1 for JPY, 0.001 for KWD."""
    return Decimal(1).scaleb(-exponent(currency))


def quantise(amount: Decimal, currency: str) -> Decimal:
    """`amount` rounded half up, away from zero, to the currency's exponent."""
    return amount.quantize(unit(currency), rounding=ROUND_HALF_UP)


def round_to(amount: Decimal, step: Decimal, currency: str) -> Decimal:
    """`amount` rounded half up, away from zero, to a multiple of `step`; without a step to the currency's exponent.

    Where cash has no coin below 0.05, amounts to be paid are multiples of it.
    """
    if not step:
        return quantise(amount, currency)
    return quantise((amount / step).quantize(Decimal(1), rounding=ROUND_HALF_UP) * step, currency)


def total(amounts: Iterable[Decimal]) -> Decimal:
    """The sum as a Decimal, also of nothing."""
    return sum(amounts, ZERO)


def split_equally(amount: Decimal, parts: int, currency: str, cash_step: Decimal = ZERO) -> list[Decimal]:
    """`amount` in `parts` shares that differ by at most one unit; the first shares carry the difference.

    100.00 in 3 gives 33.34, 33.33, 33.33 (billing.md, instalments); with a `cash_step` of 0.05, 33.35, 33.35, 33.30.
    Raises ValueError for fewer than one part.
    """
    if parts < 1:
        raise ValueError("an amount is split into at least one part")
    step = cash_step or unit(currency)
    units = int(round_to(amount, cash_step, currency) / step)
    sign = -1 if units < 0 else 1
    base, rest = divmod(abs(units), parts)
    return [sign * (base + (1 if place < rest else 0)) * step for place in range(parts)]


class AmountField(_Decimal):
    """An amount of money with 4 stored decimals; its currency stands in a column beside it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", 19)
        kwargs.setdefault("decimal_places", 4)
        super().__init__(*args, **kwargs)


class QuantityField(_Decimal):
    """A quantity in the product's unit, 6 decimals."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", 19)
        kwargs.setdefault("decimal_places", 6)
        super().__init__(*args, **kwargs)


class PriceField(QuantityField):
    """A price for one unit, 6 decimals, not yet an amount."""


class RateField(_Decimal):
    """A percentage, 6 decimals: 19 means 19 %."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", 12)
        kwargs.setdefault("decimal_places", 6)
        super().__init__(*args, **kwargs)
