"""What is owed beside the price: interest, penalties, discounts for paying early, retention, gain and loss. Pure, exact.

Every function takes and gives decimals and dates; each claim is rounded once, half up, to the currency's unit.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from typing import Literal

from ordermgmt.lib.money import HUNDRED, ZERO, quantise, round_to, total


@dataclass(frozen=True)
class InterestRate:
    """From a day on: a fraction a day (`daily`), or per cent a year (`annual`) over 365 or 360 days."""

    start: dt.date
    daily: Decimal | None = None
    annual: Decimal = ZERO

    def fraction(self, year_days: int) -> Decimal:
        """What one day costs per unit of money."""
        return self.annual / HUNDRED / year_days if self.daily is None else self.daily


@dataclass(frozen=True)
class InterestPolicy:
    """Dated rates, days of grace, the most that is charged, and a fee that a claim costs at once."""

    rates: Sequence[InterestRate]
    year_days: int = 365
    grace_days: int = 0
    cap: Decimal | None = None
    flat_fee: Decimal = ZERO


def late_interest(
    amount: Decimal,
    due: dt.date,
    as_of: dt.date,
    payments: Iterable[tuple[dt.date, Decimal]],
    policy: InterestPolicy,
    currency: str,
) -> Decimal:
    """Simple interest from the day after `due` to `as_of` inclusive, on what is open that day, rounded once.

    A payment lowers what is open from the day after it came. Within the grace nothing is charged; after it the days
    count from the due date. The cap holds for interest and fee together.
    """
    if (as_of - due).days <= policy.grace_days:
        return quantise(ZERO, currency)
    paid = list(payments)
    edges = {due, as_of} | {day for day, _ in paid} | {rate.start - dt.timedelta(days=1) for rate in policy.rates}
    days = sorted(day for day in edges if due <= day <= as_of)
    interest = ZERO
    for before, until in pairwise(days):
        open_amount = amount - total(share for day, share in paid if day <= before)
        rate = _rate_on(before + dt.timedelta(days=1), policy)
        interest += max(open_amount, ZERO) * rate * (until - before).days
    claim = quantise(interest, currency)
    if claim > ZERO:
        claim += quantise(policy.flat_fee, currency)
    return claim if policy.cap is None else min(claim, quantise(policy.cap, currency))


def _rate_on(day: dt.date, policy: InterestPolicy) -> Decimal:
    valid = [rate for rate in policy.rates if rate.start <= day]
    return max(valid, key=lambda rate: rate.start).fraction(policy.year_days) if valid else ZERO


def liquidated_damages(
    basis: Decimal, percent_per_day: Decimal, days: int, cap_percent: Decimal | None, currency: str
) -> Decimal:
    """min(round(basis x % x days), round(basis x cap)): the agreed penalty for late delivery, never below nothing."""
    claim = quantise(basis * percent_per_day * max(days, 0) / HUNDRED, currency)
    return claim if cap_percent is None else min(claim, quantise(basis * cap_percent / HUNDRED, currency))


def early_payment(
    untaxed: Decimal, tax: Decimal, percent: Decimal, mode: Literal["included", "excluded"], currency: str
) -> Decimal:
    """What pays a document in time: the discount is taken off the total (`included`) or off the net amount alone."""
    base = untaxed + tax if mode == "included" else untaxed
    return untaxed + tax - quantise(base * percent / HUNDRED, currency)


def final_cost(
    contract: Decimal,
    *,
    changes: Iterable[Decimal],
    charges: Iterable[Decimal],
    penalties: Iterable[Decimal],
    discounts: Iterable[Decimal],
) -> Decimal:
    """Net: contract + applied changes + extra charges - penalties - discounts (SET-1)."""
    return contract + total(changes) + total(charges) - total(penalties) - total(discounts)


def retained(gross: Decimal, percent: Decimal, currency: str, cash_step: Decimal = ZERO) -> tuple[Decimal, Decimal]:
    """Payable now and kept back: the document is billed in full, payable now = gross - retention."""
    kept = round_to(gross * percent / HUNDRED, cash_step, currency)
    return gross - kept, kept


def progress_amount(line_total: Decimal, cumulative_percent: Decimal, billed: Decimal, currency: str) -> Decimal:
    """round(total x cumulative %) - already billed: what a progress invoice bills of one line now."""
    return quantise(line_total * cumulative_percent / HUNDRED, currency) - billed


@dataclass
class BaseBalance:
    """An amount in a foreign currency, booked in the base currency at one rate.

    Each share takes its part of the booked amount; the one that empties it takes all the rest, and a share that comes
    back whole brings what it took: so nothing ever stays over.
    """

    left: Decimal
    booked: Decimal
    rate: Decimal
    base: str
    taken: dict[int, tuple[Decimal, Decimal]] = field(default_factory=dict)

    @classmethod
    def of(cls, amount: Decimal, rate: Decimal, currency: str, base: str) -> "BaseBalance":
        """The whole of an amount."""
        left = quantise(amount, currency)
        return cls(left, quantise(left * rate, base), rate, base)

    def move(self, amount: Decimal, by: int = 0) -> Decimal:
        """What a share of `by` takes in the base currency; below zero for one that `by` gives back."""
        had, had_booked = self.taken.get(by, (ZERO, ZERO))
        if amount == self.left:
            moved = self.booked
        elif amount == -had:
            moved = -had_booked
        else:
            moved = quantise(amount * self.rate, self.base)
        self.taken[by] = (had + amount, had_booked + moved)
        self.left, self.booked = self.left - amount, self.booked - moved
        return moved


def base_amounts(
    payments: Sequence[tuple[Decimal, Decimal]], amount: Decimal, rate: Decimal, base: str
) -> list[tuple[Decimal, Decimal]]:
    """What each payment of a document clears in the base currency, and its gain (loss: negative).

    `payments` are (amount in the document's currency, rate of its day); `amount` was booked at `rate`.
    """
    balance, found = BaseBalance(amount, quantise(amount * rate, base), rate, base), []
    for share, day_rate in payments:
        cleared = balance.move(share)
        found.append((cleared, quantise(share * day_rate, base) - cleared))
    return found


AGEING = (("not_due", 0), ("d1_30", 30), ("d31_60", 60), ("d61_90", 90))


def ageing_bucket(due: dt.date, as_of: dt.date) -> str:
    """not_due, d1_30, d31_60, d61_90 or d91_plus: by days since the due date; the due day itself is not late."""
    days = (as_of - due).days
    return next((name for name, most in AGEING if days <= most), "d91_plus")


def ageing(items: Iterable[tuple[dt.date, Decimal]], as_of: dt.date, currency: str) -> dict[str, Decimal]:
    """Open amounts by bucket at a day; their total is the total of the items."""
    sums = dict.fromkeys([name for name, _ in AGEING] + ["d91_plus"], quantise(ZERO, currency))
    for due, amount in items:
        sums[ageing_bucket(due, as_of)] += amount
    return sums


def reminder_level(
    days_late: int, sent: int, thresholds: Sequence[int], *, open_amount: Decimal, disputed: bool
) -> int:
    """The level of the notice to send now, 0 for none: one above the last one sent, once its days are over.

    Paid closes, disputed holds; levels are never skipped, however late it is.
    """
    if open_amount <= ZERO or disputed or sent >= len(thresholds):
        return 0
    return sent + 1 if days_late >= thresholds[sent] else 0
