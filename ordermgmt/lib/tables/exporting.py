"""What a list shows, as CSV or XLSX: the same rows and columns; formulas are neutralised, numbers stay numbers."""

import csv
import datetime as dt
import io
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

import xlsxwriter
from django.utils import formats, timezone
from django.utils.translation import gettext

from .columns import Column

#: More than this is work for the importer's counterpart, not for a page.
MOST_ROWS = 100_000
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#: A spreadsheet set to an East Asian language takes the wide signs for the narrow ones.
_DANGEROUS = (*"=+-@", *"＝＋－＠", "\t", "\r", "\n")


def safe_text(text: str) -> str:
    """The text so that no spreadsheet takes it for a formula: a leading apostrophe where it would."""
    return f"'{text}" if text.startswith(_DANGEROUS) else text


def cap_note() -> str:
    """The last line of an export that would be longer than allowed."""
    shown = formats.number_format(MOST_ROWS, force_grouping=True)
    return gettext("Only the first %(count)s rows are here; narrow the filter to get the others.") % {"count": shown}


def _cell(column: Column, instance: Any) -> Any:
    value = column.raw(instance)
    if isinstance(value, dt.datetime):
        return timezone.localtime(value).replace(tzinfo=None)
    if isinstance(value, bool) or not isinstance(value, int | Decimal | dt.date):
        return column.shown(instance)
    return value


class _Echo:
    """A file that hands back what is written to it, for streaming."""

    def write(self, value: str) -> str:
        return value


def csv_lines(columns: Sequence[Column], rows: Iterable[Any]) -> Iterator[str]:
    """The list line by line, with a byte order mark so that a spreadsheet reads Chinese."""
    writer = csv.writer(_Echo())
    yield "\ufeff" + writer.writerow([safe_text(str(column.label)) for column in columns])
    for number, row in enumerate(rows):
        if number == MOST_ROWS:
            yield writer.writerow([cap_note()])
            return
        yield writer.writerow([_csv_value(_cell(column, row)) for column in columns])


def _csv_value(value: Any) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, dt.date | int):
        return str(value)
    return safe_text(str(value))


def xlsx_bytes(columns: Sequence[Column], rows: Iterable[Any], title: str) -> bytes:
    """The list as one sheet with a frozen head."""
    out = io.BytesIO()
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(out, options)
    sheet = book.add_worksheet("".join(sign for sign in title if sign not in "[]:*?/\\")[:31] or "Sheet")
    styles = {"date": "yyyy-mm-dd", "moment": "yyyy-mm-dd hh:mm"}
    looks = {name: book.add_format({"num_format": style}) for name, style in styles.items()}
    head = book.add_format({"bold": True, "bottom": 1})
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, max(len(columns) - 1, 0), 16)
    for x, column in enumerate(columns):
        sheet.write_string(0, x, str(column.label), head)
    for y, row in enumerate(rows, start=1):
        if y > MOST_ROWS:
            sheet.write_string(y, 0, cap_note())
            break
        for x, column in enumerate(columns):
            _write(sheet, y, x, _cell(column, row), looks)
    book.close()
    return out.getvalue()


def _write(sheet: Any, y: int, x: int, value: Any, looks: dict[str, Any]) -> None:
    if isinstance(value, dt.datetime):
        sheet.write_datetime(y, x, value, looks["moment"])
    elif isinstance(value, dt.date):
        sheet.write_datetime(y, x, value, looks["date"])
    elif isinstance(value, int | Decimal):
        sheet.write_number(y, x, value)
    else:
        sheet.write_string(y, x, str(value))
