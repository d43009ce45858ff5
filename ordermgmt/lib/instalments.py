"""Cutting an amount into instalments and laying payments on them: pure, exact, in the currency's smallest unit."""

import calendar
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from ordermgmt.lib.money import HUNDRED, ZERO, quantise, round_to, split_equally, total


class PlanRefused(ValueError):
    """The terms do not make a plan: they miss the total, or an instalment would not be positive."""


@dataclass(frozen=True)
class Term:
    """How one instalment is found: a percentage of the total or of what is left, a fixed amount, or all that is left.

    Its date is `months` after the base date, counted from the original day and clamped to the month's end, then
    `days`, then a fixed `day` of that month or its end.
    """

    kind: Literal["percent", "percent_rest", "fixed", "balance"]
    value: Decimal = ZERO
    months: int = 0
    days: int = 0
    day: int = 0
    end_of_month: bool = False

    def due(self, base: dt.date) -> dt.date:
        """The day this instalment is due, counted from `base`."""
        day = add_months(base, self.months) + dt.timedelta(days=self.days)
        if self.end_of_month:
            return day.replace(day=_last_day(day))
        return day.replace(day=min(self.day, _last_day(day))) if self.day else day


@dataclass(frozen=True)
class OpenItem:
    """Something that can be paid: its key, when it is due, what is open on it."""

    key: int
    due: dt.date
    open: Decimal


def add_months(day: dt.date, months: int) -> dt.date:
    """`day` so many months on, clamped to the month's end: 31 Jan, 28 Feb, 31 Mar when counted from 31 Jan."""
    month = day.month - 1 + months
    first = day.replace(year=day.year + month // 12, month=month % 12 + 1, day=1)
    return first.replace(day=min(day.day, _last_day(first)))


def amounts(total_amount: Decimal, terms: Sequence[Term], currency: str, cash_step: Decimal = ZERO) -> list[Decimal]:
    """The amounts of a plan; each share is rounded, the balance takes the rest, the sum is exact.

    Percentages are rounded to a multiple of `cash_step` where there is one. Raises PlanRefused where the sum misses the
    total, an instalment is not above zero, or a fixed one is no multiple of the step.
    """
    if sum(term.kind == "balance" for term in terms) > 1:
        raise PlanRefused("only one instalment can be the balance")
    found: list[Decimal] = []
    rest = total_amount
    for term in terms:
        share = ZERO if term.kind == "balance" else _share(term, total_amount, rest, currency, cash_step)
        found.append(share)
        rest -= share
    shares = [rest if term.kind == "balance" else share for term, share in zip(terms, found, strict=True)]
    check_plan(total_amount, shares, cash_step)
    return shares


def equal_amounts(total_amount: Decimal, parts: int, currency: str, cash_step: Decimal = ZERO) -> list[Decimal]:
    """`parts` equal instalments that differ by at most one unit, the first ones carry it. Raises PlanRefused as above."""
    shares = split_equally(total_amount, parts, currency, cash_step)
    check_plan(total_amount, shares, cash_step)
    return shares


def monthly_dates(first: dt.date, parts: int) -> list[dt.date]:
    """One date a month, each counted from the original day."""
    return [add_months(first, place) for place in range(parts)]


def check_plan(total_amount: Decimal, shares: Sequence[Decimal], cash_step: Decimal = ZERO) -> None:
    """Raises PlanRefused unless every share is above zero, can be paid in coins, and they add up to the total exactly."""
    if any(share <= 0 for share in shares):
        raise PlanRefused("every instalment must be above zero")
    if cash_step and any(share % cash_step for share in shares):
        raise PlanRefused(f"every instalment must be a multiple of {cash_step}")
    if total(shares) != total_amount:
        raise PlanRefused(f"the instalments add up to {total(shares)}, not to {total_amount}")


def allocate(amount: Decimal, items: Sequence[OpenItem]) -> tuple[list[tuple[int, Decimal]], Decimal]:
    """Lays `amount` on open items, oldest due first, never above what is open. Returns (key, amount) pairs and the rest."""
    rest, laid = amount, []
    for item in sorted(items, key=lambda one: (one.due, one.key)):
        share = min(rest, item.open)
        if share > 0:
            laid.append((item.key, share))
            rest -= share
    return laid, rest


def _share(term: Term, whole: Decimal, rest: Decimal, currency: str, cash_step: Decimal) -> Decimal:
    if term.kind == "fixed":
        return quantise(term.value, currency)
    base = rest if term.kind == "percent_rest" else whole
    return round_to(base * term.value / HUNDRED, cash_step, currency)


def _last_day(day: dt.date) -> int:
    return calendar.monthrange(day.year, day.month)[1]
