"""Numbers as a browser sends them: whoever sends something else gets a sentence or nothing, never an error."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils import formats

_LONGEST = 100  # of what is no text: a number, or what no field reads
_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)", re.ASCII)
#: The wide signs of Chinese keyboards, other blanks, and the minus of typographers. “²” is no 2: not all of NFKC.
_NARROW = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)} | {
    ord("\N{MINUS SIGN}"): "-",
    **{ord(blank): " " for blank in "\N{IDEOGRAPHIC SPACE}\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}\N{THIN SPACE}"},
}
_SPACED = re.compile(r"[+-]?\d{1,3}([ '’])\d{3}(\1\d{3})*([.,]\d*)?", re.ASCII)
_CONTINENTAL = re.compile(r"[+-]?\d{1,3}(\.\d{3})+,\d*", re.ASCII)


def whole(text: object, *, digits: int = 18) -> int | None:
    """The whole number from 0 on in a text of at most so many digits; None where it is none.

    `str.isdigit()` alone lets “²” through, which `int()` does not read, and numbers that no column holds: 18 digits fit.
    """
    written = str(text if text is not None else "")
    return int(written) if written.isascii() and written.isdigit() and len(written) <= digits else None


def decimal(text: str) -> Decimal | None:
    """The number in a text, as people type it; None where it is none.

    Thousands are grouped as the page shows them to the reader: “1,000” is a thousand, not one. A comma that groups
    nothing is a decimal one: “1,5”. Where there is no doubt other countries' ways are read too: “1 890”, “1’890.00”,
    “1.890,00”, and the wide signs of Chinese keyboards.
    """
    text = text.translate(_NARROW).strip()
    group = re.escape(formats.get_format("THOUSAND_SEPARATOR"))
    if group and re.fullmatch(rf"[+-]?\d{{1,3}}({group}\d{{3}})+(\.\d*)?", text):
        text = re.sub(group, "", text)
    elif _SPACED.fullmatch(text):
        text = re.sub(r"[ '’]", "", text)
    elif _CONTINENTAL.fullmatch(text):
        text = text.replace(".", "")
    text = text.replace(",", ".")
    return Decimal(text) if _PLAIN.fullmatch(text) else None


def storable(text: str) -> bool:
    """Whether a database can keep a text: none keeps NUL, and half of a character (a lone surrogate) is none."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\x00" not in text


def as_sent(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values of a JSON object as a browser's form would send them: text, nothing, or yes and no.

    A date field takes text alone, and no field takes a list or an object: they become a text that none of them reads.
    """
    return {name: _as_sent(value) for name, value in values.items()}


def _as_sent(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if value is None or isinstance(value, str) else str(value)[:_LONGEST]
