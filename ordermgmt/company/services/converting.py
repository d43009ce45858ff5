"""Amounts of one currency in another, at the company's dated rates."""

import datetime as dt
from bisect import bisect_right
from collections.abc import Iterable
from decimal import Decimal

from ordermgmt.company.models import ExchangeRate

from .asking import default_seller

_PLACES = Decimal("0.000001")  # as prices and costs are kept


class DayRates:
    """What currencies are worth on one day; asks once per currency, and only where two differ."""

    def __init__(self, day: dt.date) -> None:
        self.day = day
        self._known: dict[str, Decimal | None] = {}

    def convert(self, amount: Decimal, given: str, wanted: str) -> Decimal | None:
        """`amount` in the other currency, with six decimals; None where a rate was never set."""
        if given == wanted or not amount:
            return amount
        of_given, of_wanted = self._worth(given), self._worth(wanted)
        return (amount * of_given / of_wanted).quantize(_PLACES) if of_given and of_wanted else None

    def _worth(self, currency: str) -> Decimal | None:
        """Of one unit in the company's own currency: the last rate of the day or before, else the first one after."""
        if currency not in self._known:
            self._known[currency] = Decimal(1) if currency == default_seller().currency else self._rate(currency)
        return self._known[currency]

    def _rate(self, currency: str) -> Decimal | None:
        rates = ExchangeRate.objects.filter(currency=currency)
        later = rates.filter(day__gt=self.day).order_by("day").values_list("rate", flat=True)
        return rates.on(currency, self.day) or later.first()


class DatedRates:
    """As `DayRates`, for amounts of many days: all rates of some currencies, read in one query."""

    def __init__(self, currencies: Iterable[str]) -> None:
        self._own = default_seller().currency
        self._known: dict[str, tuple[list[dt.date], list[Decimal]]] = {}
        rows = ExchangeRate.objects.filter(currency__in=set(currencies) - {self._own}).order_by("day")
        for currency, day, rate in rows.values_list("currency", "day", "rate"):
            days, rates = self._known.setdefault(currency, ([], []))
            days.append(day)
            rates.append(rate)

    def convert(self, amount: Decimal, given: str, wanted: str, day: dt.date) -> Decimal | None:
        """`amount` of a day in the other currency, not rounded; None where a rate was never set."""
        of_given, of_wanted = self._worth(given, day), self._worth(wanted, day)
        return amount if given == wanted else amount * of_given / of_wanted if of_given and of_wanted else None

    def _worth(self, currency: str, day: dt.date) -> Decimal | None:
        if currency == self._own:
            return Decimal(1)
        days, rates = self._known.get(currency, ([], []))
        return rates[max(0, bisect_right(days, day) - 1)] if rates else None
