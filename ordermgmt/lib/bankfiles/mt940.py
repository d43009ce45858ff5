"""MT940, the customer statement of SWIFT, with the dialects of field 86 that banks use."""

import datetime as dt
import re
from collections.abc import Iterator
from decimal import Decimal

from django.utils.translation import gettext as _

from .statement import MAX_ENTRIES, BankFileRefused, Entry, Statement, tidy

_FIELD = re.compile(r"^:(\d{2}[A-Z]?):", re.MULTILINE)
_BALANCE = re.compile(r"([CD])(\d{6})([A-Z]{3})([\d,]{1,15})\s*")
_LINE = re.compile(
    r"(?P<valued>\d{6})(?P<booked>\d{4})?(?P<mark>R?[CD])[A-Z]?(?P<amount>\d[\d,]{0,14})"
    r"(?P<kind>[NFS][A-Z0-9]{3})(?P<own>[^\n]*?)(?://(?P<bank>[^\n]*))?(?:\n(?P<more>.*))?",
    re.DOTALL,
)
#: Returned direct debits and transfers: transaction types of SWIFT, and the codes that field 86 of German banks begins with.
_RETURN_TYPES = {"NRTI", "FRTI", "NRET"}
_RETURN_CODES = {"108", "109", "159"}
_TEXT_PARTS = [f"{number}" for number in (*range(20, 30), *range(60, 64))]
_TAG = re.compile(r"/(EREF|KREF|MREF|CRED|NAME|REMI|IBAN|BIC|CSID|TRTP|TRCD|PREF|MARF|RTRN|USTD|CNTP|ADDR)/")


def looks_like_mt940(text: str) -> bool:
    """Whether a text holds the fields that every such statement has."""
    return ":25:" in text and re.search(r"^:60[FM]:", text, re.MULTILINE) is not None


def read_mt940(text: str) -> list[Statement]:
    """All statements of a file. Raises BankFileRefused where a field can't be read."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    found: list[Statement] = []
    fields: list[tuple[str, str]] = []
    for tag, value in _fields(text):
        if tag == "20" and fields:
            found.append(_statement(fields))
            fields = []
        fields.append((tag, value))
    if fields:
        found.append(_statement(fields))
    if not found:
        raise BankFileRefused(_("This file holds no MT940 statement."))
    return found


def _fields(text: str) -> Iterator[tuple[str, str]]:
    marks = list(_FIELD.finditer(text))
    for place, mark in enumerate(marks):
        end = marks[place + 1].start() if place + 1 < len(marks) else len(text)
        # What ends a message or begins the next one is no part of a field.
        yield (
            mark[1],
            re.split(r"^(?:-\}?|\{\d:).*", text[mark.end() : end], maxsplit=1, flags=re.MULTILINE)[0].strip("\n "),
        )


def _statement(fields: list[tuple[str, str]]) -> Statement:
    first = {tag[:2]: value for tag, value in reversed(fields)}
    for tag in ("25", "60", "62"):
        if tag not in first:
            raise BankFileRefused(_("The statement has no field %(tag)s: it is cut off.") % {"tag": tag})
    opening, currency = _balance(first["60"])
    closing, other = _balance(first["62"])
    if other != currency:
        raise BankFileRefused(
            _("The statement begins in %(one)s and ends in %(other)s.") % {"one": currency, "other": other}
        )
    entries: list[Entry] = []
    last = ""
    for tag, value in fields:
        if tag == "61":
            entries.append(_entry(value))
            if len(entries) > MAX_ENTRIES:
                raise BankFileRefused(_("The file has more than %(most)s entries.") % {"most": MAX_ENTRIES})
        elif tag == "86" and last == "61":
            entries[-1] = _told(entries[-1], value)
        last = tag
    account = first["25"].split("/")[-1].strip()
    account = re.sub(r"(?<=\d)[A-Z]{3}$", "", account)  # some banks append the currency
    return Statement(account, currency, first.get("28", "")[:40], opening, closing, entries)


def _balance(value: str) -> tuple[Decimal, str]:
    match = _BALANCE.fullmatch(value)
    if match is None:
        raise BankFileRefused(_("“%(value)s” is not a balance.") % {"value": value[:40]})
    amount = _amount(match[4])
    return (amount if match[1] == "C" else -amount), match[3]


def _amount(text: str) -> Decimal:
    if text.count(",") != 1 or text.startswith(","):
        raise BankFileRefused(_("“%(value)s” is not an amount.") % {"value": text[:40]})
    whole, _mark, fraction = text.partition(",")
    return Decimal(f"{whole}.{fraction or 0}")


def _day(text: str) -> dt.date:
    try:
        return dt.datetime.strptime(text, "%y%m%d").date()  # noqa: DTZ007  # a day, not a moment
    except ValueError as error:
        raise BankFileRefused(_("“%(value)s” is not a day.") % {"value": text}) from error


def _booked(valued: dt.date, text: str | None) -> dt.date:
    """The booking day has no year: it is the one that lies nearest to the value date."""
    if not text:
        return valued
    days = [
        _day(f"{year % 100:02d}{text}")
        for year in (valued.year - 1, valued.year, valued.year + 1)
        if _is_day(year, text)
    ]
    if not days:
        raise BankFileRefused(_("“%(value)s” is not a day.") % {"value": text})
    return min(days, key=lambda day: abs(day - valued))


def _is_day(year: int, text: str) -> bool:
    try:
        dt.date(year, int(text[:2]), int(text[2:]))
    except ValueError:
        return False
    return True


def _entry(value: str) -> Entry:
    match = _LINE.fullmatch(value)
    if match is None:
        raise BankFileRefused(_("“%(value)s” is not an entry.") % {"value": tidy(value, 60)})
    amount = _amount(match["amount"])
    # RC takes a credit back, RD a debit: the sign is the opposite of the letter.
    credit = match["mark"] in ("C", "RD")
    return Entry(
        booked_on=_booked(_day(match["valued"]), match["booked"]),
        amount=amount if credit else -amount,
        reference=tidy(match["bank"] or "", 100),
        text=tidy(match["more"] or "", 100),
        is_return=match["mark"] == "RC" or match["kind"] in _RETURN_TYPES,
    )


def _told(entry: Entry, value: str) -> Entry:
    """The entry with what field 86 tells."""
    if match := re.match(r"(\d{3})([?])", value):
        told = _numbered(value, match[2])
        told["is_return"] = match[1] in _RETURN_CODES
    elif _TAG.search(value):
        told = _tagged(value)
    else:
        told = {"text": tidy(value.replace("\n", " "), 500)}
    is_return = entry.is_return or bool(told.pop("is_return", False))
    text = told.pop("text", "") or entry.text
    return Entry(
        entry.booked_on,
        entry.amount,
        entry.reference,
        str(text),
        str(told.get("name", "")),
        str(told.get("iban", "")),
        is_return,
    )


def _numbered(value: str, mark: str) -> dict[str, object]:
    """Field 86 as German banks write it: ?20 … ?29 text, ?32 ?33 name, ?31 or ?38 account. Words may be cut between."""
    parts: dict[str, str] = {}
    for piece in value.replace("\n", "").split(mark)[1:]:
        parts[piece[:2]] = parts.get(piece[:2], "") + piece[2:]
    text = "".join(parts.get(number, "") for number in _TEXT_PARTS)
    if "SVWZ+" in text:
        text = re.split(r"(?:ABWA|ABWE|IBAN|BIC|EREF|KREF|MREF|CRED|PURP)\+", text.split("SVWZ+", 1)[1])[0]
    iban = parts.get("38") or parts.get("31", "")
    return {
        "text": tidy(text, 500),
        "name": tidy(parts.get("32", "") + parts.get("33", ""), 140),
        "iban": tidy(iban, 40),
    }


def _tagged(value: str) -> dict[str, object]:
    """Field 86 in words: /NAME/…/IBAN/…/REMI/…"""
    pieces = _TAG.split(value.replace("\n", ""))
    parts = {name: text.strip("/ ") for name, text in zip(pieces[1::2], pieces[2::2], strict=True)}
    text = parts.get("REMI", "") or parts.get("USTD", "") or pieces[0]
    text = re.sub(r"^(?:USTD|STRD)/{1,2}", "", text)
    return {
        "text": tidy(text, 500), "name": tidy(parts.get("NAME", ""), 140), "iban": tidy(parts.get("IBAN", ""), 40),
        "is_return": "RTRN" in parts,
    }  # fmt: skip
