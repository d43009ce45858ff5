"""What every kind of bank file becomes, and the rules that hold for all of them."""

import datetime as dt
import hashlib
import re
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from ordermgmt.lib.money import exponent, total

#: Above this a file is no statement that somebody looks through.
MAX_ENTRIES = 20_000
_LARGEST = Decimal(10) ** 14
#: What banks write where they have no reference to give.
_NO_REFERENCE = {"", "NONREF", "NOTPROVIDED", "UNKNOWN", "-", "0"}
_RETURNED = re.compile(
    r"\b(r-?transaction|returned|return(?= of| item|ed payment)|bounced|unpaid|rück(?:lastschrift|läufer|buchung|überweisung)"
    r"|retoure|rejet|impay[ée])\b|退票|退汇|退回|冲正",
    re.IGNORECASE,
)


class BankFileRefused(ValueError):
    """A file of which nothing is taken; the text is a sentence for the reader."""


@dataclass(frozen=True)
class Entry:
    """One booked entry: day, signed amount, the bank's own reference, and what tells where it belongs."""

    booked_on: dt.date
    amount: Decimal
    reference: str = ""
    text: str = ""
    name: str = ""
    iban: str = ""
    is_return: bool = False

    @property
    def own_reference(self) -> str:
        """The bank's reference; empty where it only says that there is none."""
        return "" if self.reference.upper() in _NO_REFERENCE else self.reference

    @property
    def bounced(self) -> bool:
        """Money that came in before and goes back: the bank says so, or the text does."""
        return self.amount < 0 and (self.is_return or bool(_RETURNED.search(self.text)))

    def mark(self) -> str:
        """What tells this entry from others of its account: reference and amount, else all that is known of it."""
        if self.own_reference:
            return f"{self.own_reference}|{_plain(self.amount)}"
        return "|".join([self.booked_on.isoformat(), _plain(self.amount), _folded(self.text), _folded(self.name)])


@dataclass(frozen=True)
class Statement:
    """The entries of one account over some days, with the balances that the bank gives (None where it gives none)."""

    account: str
    currency: str
    number: str = ""
    opening: Decimal | None = None
    closing: Decimal | None = None
    entries: list[Entry] = field(default_factory=list)

    def check(self) -> None:
        """Raises BankFileRefused unless currency, amounts and balances make sense together."""
        try:
            places = exponent(self.currency)
        except ValueError as error:
            raise BankFileRefused(_("“%(code)s” is not a currency code.") % {"code": self.currency[:10]}) from error
        for one in self.entries:
            if one.amount == 0 or abs(one.amount) > _LARGEST or round(one.amount, places) != one.amount:
                raise BankFileRefused(
                    _("The entry of %(day)s over %(amount)s is no amount of %(currency)s.")
                    % {
                        "day": date_format(one.booked_on, "SHORT_DATE_FORMAT"),
                        "amount": one.amount,
                        "currency": self.currency,
                    }
                )
        for balance in (self.opening, self.closing):
            if balance is not None and (abs(balance) > _LARGEST or round(balance, places) != balance):
                raise BankFileRefused(
                    _("%(amount)s is no balance in %(currency)s.")
                    % {"amount": _plain(balance)[:40], "currency": self.currency}
                )
        if self.opening is None or self.closing is None:
            self._check_doubles()
            return
        moved = total(one.amount for one in self.entries)
        if self.opening + moved != self.closing:
            raise BankFileRefused(
                _("The statement doesn't add up: %(opening)s and entries of %(moved)s don't make %(closing)s.")
                % {"opening": _plain(self.opening), "moved": _plain(moved), "closing": _plain(self.closing)}
            )

    def _check_doubles(self) -> None:
        """Without balances nothing proves that one reference stands rightly twice."""
        seen = Counter((one.own_reference, one.amount) for one in self.entries if one.own_reference)
        for (reference, amount), count in seen.items():
            if count > 1:
                raise BankFileRefused(
                    _("The entry %(reference)s over %(amount)s stands %(count)s times in the file.")
                    % {"reference": reference[:60], "amount": _plain(amount), "count": count}
                )

    def keys(self) -> list[str]:
        """One key per entry: the same in any file that holds the entry again. Equal entries are counted."""
        seen: Counter[str] = Counter()
        found = []
        for one in self.entries:
            mark = one.mark()
            seen[mark] += 1
            found.append(hashlib.sha256(f"{mark}#{seen[mark]}".encode()).hexdigest())
        return found


def plain_account(text: str) -> str:
    """An account number as it is compared: letters and digits alone, in capitals."""
    return re.sub(r"[^0-9A-Z]", "", text.upper())


def tidy(text: str, most: int) -> str:
    """Text of a file as it is kept: one line, without control characters, not longer than `most`."""
    return re.sub(r"[\s\x00-\x1f\x7f]+", " ", text).strip()[:most]


def _plain(amount: Decimal) -> str:
    return format(amount.normalize(), "f") if amount else "0"


def _folded(text: str) -> str:
    return re.sub(r"\W+", "", text).casefold()
