"""CSV, XLS and XLSX become a `Table`. What can't be read is refused with a sentence, before it costs memory."""

import csv
import datetime as dt
import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import openpyxl
import xlrd
from django.utils.translation import gettext as _

from .values import Cell, plain

MAX_BYTES = 30 * 1024 * 1024
MAX_ROWS = 200_000
MAX_COLUMNS = 300
_MAX_ENTRIES = 2_000
_MAX_UNPACKED = 300 * 1024 * 1024
_MAX_RATIO = 200
_LOOK_AT = 20
ENCODINGS = ("utf-8-sig", "utf-16", "gb18030", "cp1252", "big5", "shift_jis")
DELIMITERS = (",", ";", "\t", "|")


class Unreadable(ValueError):
    """A file that can't be read as a table; the text is a sentence for the reader."""


@dataclass(frozen=True)
class Layout:
    """How a file is laid out. Empty means: guess. `header_row` counts from 1."""

    sheet: str = ""
    encoding: str = ""
    delimiter: str = ""
    header_row: int = 0


@dataclass(frozen=True)
class SourceRow:
    """One row under the header: its number in the file (from 1) and its cells by header. `place` names it to people."""

    number: int
    cells: dict[str, Cell]
    place: str = ""


@dataclass(frozen=True)
class Table:
    """What was read: `layout` as it was taken, the sheets to choose from, headers, and the rows under them."""

    name: str
    layout: Layout
    sheets: list[str]
    headers: list[str]
    rows: list[SourceRow] = field(repr=False)

    def samples(self, header: str, count: int = 5) -> list[str]:
        """The first values that are there in a column."""
        found = (plain(row.cells.get(header)) for row in self.rows[:200])
        return [text for text in found if text][:count]


def read_table(content: bytes, name: str, layout: Layout | None = None) -> Table:
    """Reads a file. Raises Unreadable where it is none of the three kinds, too large, or its layout doesn't fit."""
    layout = layout or Layout()
    if not content.strip():
        raise Unreadable(_("The file is empty."))
    if len(content) > MAX_BYTES:
        raise Unreadable(_("The file is larger than %(limit)s MB.") % {"limit": MAX_BYTES // 1024 // 1024})
    if content.startswith(b"PK\x03\x04"):
        sheets, lines, layout = _xlsx(content, layout)
    elif content.startswith(b"\xd0\xcf\x11\xe0"):
        sheets, lines, layout = _xls(content, layout)
    else:
        sheets, lines, layout = _csv(content, layout)
    return _table(name, layout, sheets, lines)


def _table(name: str, layout: Layout, sheets: list[str], lines: list[list[Cell]]) -> Table:
    header_row = layout.header_row or _guess_header(lines)
    if header_row > len(lines):
        raise Unreadable(_("There is no row %(row)s.") % {"row": header_row})
    headers = _headers(lines[header_row - 1])
    rows = []
    for number, line in enumerate(lines[header_row:], start=header_row + 1):
        if any(plain(cell) for cell in line):
            cells = dict(zip(headers, [*line, *[None] * (len(headers) - len(line))], strict=False))
            rows.append(SourceRow(number, cells))
    return Table(name, replace(layout, header_row=header_row), sheets, headers, rows)


def _headers(line: Sequence[Cell]) -> list[str]:
    """Unique names: a column without one is called by its number, a second of the same name gets one too."""
    seen: Counter[str] = Counter()
    headers = []
    for place, cell in enumerate(line, start=1):
        text = re.sub(r"\s+", " ", plain(cell))[:100] or f"#{place}"
        seen[text] += 1
        headers.append(text if seen[text] == 1 else f"{text} ({seen[text]})")
    return headers


def _guess_header(lines: list[list[Cell]]) -> int:
    """The first row that is about as wide as the table and holds only texts: instructions above it are narrow."""
    top = lines[:_LOOK_AT]
    widths = [sum(1 for cell in line if plain(cell)) for line in top]
    wanted = max(1, max(widths, default=1) * 0.6)
    for place, (line, width) in enumerate(zip(top, widths, strict=True), start=1):
        if width >= wanted and all(isinstance(cell, str) for cell in line if plain(cell)):
            return place
    return 1


# --- text ------------------------------------------------------------------------------------------------------


def _csv(content: bytes, layout: Layout) -> tuple[list[str], list[list[Cell]], Layout]:
    encoding = layout.encoding or _guess_encoding(content)
    try:
        text = content.decode(encoding)
    except (UnicodeDecodeError, LookupError) as error:
        raise Unreadable(_("The file is not written in %(encoding)s.") % {"encoding": encoding}) from error
    if (
        sum(1 for sign in text[:5000] if sign < " " and sign not in "\t\r\n") > len(text[:5000]) // 100
        or "\x00" in text
    ):
        raise Unreadable(_("This is not a table: use CSV, XLS or XLSX."))
    delimiter = layout.delimiter or _guess_delimiter(text)
    csv.field_size_limit(1_000_000)
    lines: list[list[Cell]] = []
    try:
        for line in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            lines.append([*line])
            _check_size(len(lines), len(line))
    except csv.Error as error:
        raise Unreadable(_("Row %(row)s can't be read.") % {"row": len(lines) + 1}) from error
    return [], lines, replace(layout, encoding=encoding, delimiter=delimiter)


def _guess_encoding(content: bytes) -> str:
    if content.startswith(b"\xef\xbb\xbf"):
        return "utf-8-sig"
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    even, odd = content[:4000:2].count(0), content[1:4000:2].count(0)
    if max(even, odd) > len(content[:4000]) // 5:
        return "utf-16-le" if odd > even else "utf-16-be"
    for encoding in ("utf-8", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding == "utf-8" or _looks_chinese(text):
            return encoding
    return "cp1252"


def _looks_chinese(text: str) -> bool:
    """Whether what lies outside ASCII reads as common Chinese, and not as Latin letters taken for pairs."""
    strange = [letter for letter in text[:20000] if ord(letter) > 127]
    chinese = sum(1 for letter in strange if "\u4e00" <= letter <= "\u9fff" or "\u3000" <= letter <= "\u303f")
    pairs = re.findall(r"[\u4e00-\u9fff]{2,}", text[:20000])
    return bool(pairs) and chinese >= 0.7 * len(strange)


def _guess_delimiter(text: str) -> str:
    """The mark that cuts the first rows into the same number of parts, and into most of them."""
    best, best_score = ",", 0.0
    for mark in DELIMITERS:
        sample = csv.reader(io.StringIO(text[:20000], newline=""), delimiter=mark)
        try:
            widths = Counter(len(line) for _place, line in zip(range(_LOOK_AT), sample, strict=False) if line)
        except csv.Error:
            continue
        width, count = max(widths.items(), key=lambda one: (one[0] > 1, one[1], one[0]), default=(1, 0))
        score = (width > 1) * (count + width / 1000)
        if score > best_score:
            best, best_score = mark, score
    return best


# --- workbooks -------------------------------------------------------------------------------------------------


def _number(value: float) -> Decimal:
    """A spreadsheet's number: it keeps 15 digits, what lies beyond is noise of its arithmetic."""
    return Decimal(format(value, ".15g"))


def _check_size(rows: int, columns: int) -> None:
    if rows > MAX_ROWS or columns > MAX_COLUMNS:
        limits = {"rows": MAX_ROWS, "columns": MAX_COLUMNS}
        raise Unreadable(_("A table may have %(rows)s rows and %(columns)s columns.") % limits)


def _pick(names: list[str], wanted: str) -> str:
    if wanted and wanted not in names:
        raise Unreadable(_("There is no sheet “%(name)s”.") % {"name": wanted})
    if not names:
        raise Unreadable(_("The workbook has no sheet."))
    return wanted or names[0]


def _xls(content: bytes, layout: Layout) -> tuple[list[str], list[list[Cell]], Layout]:
    try:
        with xlrd.open_workbook(file_contents=content, on_demand=True, logfile=io.StringIO()) as book:
            name = _pick(book.sheet_names(), layout.sheet)
            sheet = book.sheet_by_name(name)
            _check_size(sheet.nrows, sheet.ncols)
            lines = [[_xls_cell(cell, book.datemode) for cell in sheet.row(place)] for place in range(sheet.nrows)]
            return book.sheet_names(), lines, replace(layout, sheet=name)
    except Unreadable:
        raise
    except Exception as error:  # xlrd raises whatever a broken file makes it stumble over
        raise Unreadable(_("The workbook is damaged or protected.")) from error


def _xls_cell(cell: Any, datemode: int) -> Cell:
    if cell.ctype == xlrd.XL_CELL_NUMBER:
        return _number(cell.value)
    if cell.ctype == xlrd.XL_CELL_DATE:
        try:
            moment: dt.datetime = xlrd.xldate_as_datetime(cell.value, 1 if datemode else 0)
        except (ValueError, OverflowError):
            return _number(cell.value)
        return moment
    if cell.ctype == xlrd.XL_CELL_BOOLEAN:
        return bool(cell.value)
    return str(cell.value) if cell.ctype == xlrd.XL_CELL_TEXT else None


def _xlsx(content: bytes, layout: Layout) -> tuple[list[str], list[list[Cell]], Layout]:
    _check_archive(content)
    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        try:
            names = [sheet.title for sheet in book.worksheets]
            name = _pick(names, layout.sheet)
            lines = list(_xlsx_lines(book[name]))
        finally:
            book.close()
    except Unreadable:
        raise
    except Exception as error:  # whatever a broken file makes the reader stumble over
        raise Unreadable(_("The workbook is damaged or protected.")) from error
    return names, lines, replace(layout, sheet=name)


def _check_archive(content: bytes) -> None:
    """Refuses a zip bomb by what its directory says; reading stops at the row limit besides."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
    except zipfile.BadZipFile as error:
        raise Unreadable(_("The workbook is damaged or protected.")) from error
    unpacked = sum(entry.file_size for entry in entries)
    bomb = unpacked > _MAX_UNPACKED or unpacked > max(_MAX_RATIO * len(content), 5_000_000)
    if len(entries) > _MAX_ENTRIES or bomb:
        raise Unreadable(_("The workbook unpacks to more than can be read."))


def _xlsx_lines(sheet: Any) -> Iterator[list[Cell]]:
    empty = 0
    for number, line in enumerate(sheet.iter_rows(values_only=True), start=1):
        cells = [_xlsx_cell(value) for value in line]
        while cells and cells[-1] is None:
            cells.pop()
        _check_size(number - empty, len(cells))
        empty = empty + 1 if not cells else 0
        if empty > 1000:  # formatted far below the last value
            return
        yield cells


def _xlsx_cell(value: Any) -> Cell:
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, dt.datetime | dt.date):
        return value
    return str(value)
