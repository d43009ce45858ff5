"""Cells become dates and numbers by a declared format. Numbers never pass through a float where text is there."""

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation

from django.utils.translation import gettext as _

Cell = str | Decimal | dt.datetime | dt.date | bool | None

#: What can be chosen for a date column, unambiguous ones first.
DATE_FORMATS = (
    "%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y/%m/%d", "%Y/%m/%d %H:%M:%S", "%Y.%m.%d", "%Y%m%d",
    "%Y年%m月%d日", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%y", "%d/%m/%y", "%m/%d/%y",
    "%d-%b-%Y", "%d-%b-%y", "%d %b %Y", "%b %d, %Y",
)  # fmt: skip
#: decimal mark and thousands marks
NUMBER_FORMATS = {"1,234.56": (".", ", "), "1.234,56": (",", ". "), "1'234.56": (".", "' "), "1234.56": (".", "")}
_EXCEL_DAY_0 = dt.date(1899, 12, 30)
_LONGEST_NUMBER = 40
_QUOTED = frozenset(f"'{sign}" for sign in "=+-@＝＋－＠")


class BadValue(ValueError):
    """A cell that is not what its column should hold; the text is a sentence for the reader."""


def plain(cell: Cell) -> str:
    """A cell as text: whole numbers without a decimal point, dates in ISO form, outer blanks gone."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "1" if cell else "0"
    if isinstance(cell, Decimal):
        return format(cell.normalize(), "f")
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat(" ", "seconds")
    if isinstance(cell, dt.date):
        return cell.isoformat()
    text = cell.strip().strip("\u3000\ufeff\xa0")
    # Exports put an apostrophe before what a spreadsheet would take for a formula: it is not part of the text.
    return text[1:] if text[:2] in _QUOTED else text


def parse_date(cell: Cell, form: str = "") -> dt.date | None:
    """The day a cell means; None for an empty one. Without a format ISO dates and real Excel dates are understood.

    Raises BadValue.
    """
    if isinstance(cell, dt.datetime):
        return cell.date()
    if isinstance(cell, dt.date):
        return cell
    text = unicodedata.normalize("NFKC", plain(cell))
    if not text:
        return None
    if isinstance(cell, Decimal) and form in ("", "excel"):
        return _excel_day(cell)
    # Some sources write the time of day into part of a column of days: the day is what counts.
    timed = () if "%H" in form else (f"{form} %I:%M:%S %p",)
    for one in (form, *timed) if form else DATE_FORMATS[:2]:
        try:
            return dt.datetime.strptime(text, one).date()  # noqa: DTZ007  # a day, not a moment
        except ValueError:
            continue
    shown = form or "YYYY-MM-DD"
    raise BadValue(_("“%(value)s” is not a date in the form %(form)s.") % {"value": text[:60], "form": readable(shown)})


def _excel_day(number: Decimal) -> dt.date:
    if not 1 <= number < 2_958_466:  # the last day Excel knows is 9999-12-31
        raise BadValue(_("“%(value)s” is not a date.") % {"value": plain(number)[:60]})
    return _EXCEL_DAY_0 + dt.timedelta(days=int(number))


def readable(form: str) -> str:
    """A date format as people write it: %d.%m.%Y is DD.MM.YYYY."""
    parts = {"%Y": "YYYY", "%m": "MM", "%d": "DD", "%y": "YY", "%H": "hh", "%M": "mm", "%S": "ss", "%b": "Mon"}
    for code, letters in parts.items():
        form = form.replace(code, letters)
    return form


def parse_number(cell: Cell, form: str = "1,234.56") -> Decimal | None:
    """The number a cell means; None for an empty one. Thousands marks must stand where they belong.

    Raises BadValue, also for "nan", "1e5" and other things that only a machine calls a number.
    """
    if isinstance(cell, Decimal):
        return cell
    if isinstance(cell, dt.date):
        raise BadValue(_("“%(value)s” is a date, not a number.") % {"value": plain(cell)})
    text = unicodedata.normalize("NFKC", plain(cell))
    if not text:
        return None
    form = form if form in NUMBER_FORMATS else "1,234.56"
    mark, groups = NUMBER_FORMATS[form]
    sign, digits = _unsigned(text)
    whole, _mark, fraction = digits.partition(mark)
    grouped = re.fullmatch(rf"\d{{1,3}}(?:[{re.escape(groups)}]\d{{3}})+", whole) if groups else None
    if grouped:
        whole = re.sub(r"\D", "", whole)
    if not re.fullmatch(r"\d*", whole) or not re.fullmatch(r"\d*", fraction) or not whole + fraction:
        raise BadValue(_("“%(value)s” is not a number in the form %(form)s.") % {"value": text[:60], "form": form})
    if len(whole + fraction) > _LONGEST_NUMBER:
        raise BadValue(_("“%(value)s” has too many digits.") % {"value": text[:60]})
    try:
        return Decimal(f"{sign}{whole or '0'}.{fraction or '0'}")
    except InvalidOperation as error:  # pragma: no cover  # the pattern above leaves nothing else
        raise BadValue(_("“%(value)s” is not a number.") % {"value": text[:60]}) from error


def _unsigned(text: str) -> tuple[str, str]:
    """Sign and digits; "(12.50)", "-12.50", "12.50-" and currency marks are understood."""
    bare = text.strip().lstrip("¥￥$€£").rstrip("%元¥€").strip()
    if bare.startswith("(") and bare.endswith(")"):
        return "-", bare[1:-1]
    if bare.endswith("-"):
        return "-", bare[:-1].strip()
    if bare[:1] in "+-−":
        return ("" if bare[:1] == "+" else "-"), bare[1:].lstrip("¥￥$€£ ")
    return "", bare


def guess_format(kind: str, cells: Iterable[Cell]) -> str:
    """The first format of `kind` ("date" or "number") that every sample fits; "" when none does or none is needed."""
    samples = [cell for cell in cells if isinstance(cell, str) and cell.strip()]
    if not samples or kind not in ("date", "number"):
        return ""
    choices = DATE_FORMATS if kind == "date" else ("1234.56", "1,234.56", "1.234,56", "1'234.56")
    parse = parse_date if kind == "date" else parse_number
    return next((form for form in choices if _fits(parse, samples, form)), "")


def _fits(parse: object, samples: list[str], form: str) -> bool:
    try:
        for sample in samples:
            parse(sample, form)  # type: ignore[operator]
    except BadValue:
        return False
    return True
