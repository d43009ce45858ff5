"""Shares and days as reports show them."""

import datetime as dt
from decimal import Decimal

_TENTH = Decimal("0.1")
_DAY = dt.timedelta(days=1)


def share(part: int | Decimal, whole: int | Decimal) -> Decimal | None:
    """Percent, to one decimal; None of nothing."""
    return (Decimal(part) * 100 / whole).quantize(_TENTH) if whole else None


def days_of(length: dt.timedelta | None) -> Decimal | None:
    """A length of time in days, to one decimal."""
    if length is None:
        return None
    return (Decimal(length // dt.timedelta(seconds=1)) / Decimal(_DAY // dt.timedelta(seconds=1))).quantize(_TENTH)


def mean_of(value: float | Decimal | None, places: int = 2) -> Decimal | None:
    """An average of whole numbers to so many decimals: no amount is averaged."""
    return None if value is None else Decimal(str(value)).quantize(Decimal(1).scaleb(-places))
