"""A kept result as JSON, CSV, XLSX or PDF: the same figures as the page."""

import csv
import datetime as dt
import io
import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import xlsxwriter
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from xlsxwriter.utility import xl_col_to_name

from ordermgmt.lib.pdf import render_pdf
from ordermgmt.lib.tables.exporting import safe_text

FORMATS = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}

_ROWS_ON_PAPER = 200
#: A sheet ends after 1,048,576 rows, and drops what comes after them without a word: head, totals and notes have theirs.
_ROWS_ON_A_SHEET = 1_048_000

Lines = Sequence[dict[str, Any]]


def to_json(result: dict[str, Any]) -> bytes:
    """The whole result, readable."""
    return json.dumps(result, ensure_ascii=False, indent=2).encode()


def _chosen(result: dict[str, Any], section: str) -> dict[str, Any]:
    sections = result["sections"]
    return {section: sections[section]} if section in sections else sections


def to_csv(result: dict[str, Any], section: str = "") -> bytes:
    """One section, or all below each other, with a byte order mark so that a spreadsheet reads Chinese."""
    out = io.StringIO()
    writer = csv.writer(out)
    for part in _chosen(result, section).values():
        writer.writerow([part["title"]])
        writer.writerow([column["label"] for column in part["columns"]])
        for row in part["rows"]:
            writer.writerow(csv_line(part["columns"], row))
        if part.get("more"):
            writer.writerow([left_out_note(part["more"])])
        writer.writerow([])
    return ("﻿" + out.getvalue()).encode()


def csv_line(columns: list[dict[str, Any]], row: dict[str, Any]) -> list[Any]:
    """The cells of a row of plain values."""
    return [_csv_cell(row.get(column["key"]), column["kind"]) for column in columns]


def _csv_cell(value: Any, kind: str) -> Any:
    return (
        value
        if kind in ("amount", "count", "year", "percent", "number")
        else safe_text("" if value is None else str(value))
    )


class Sheet:
    """One section as a sheet: numbers are numbers, days are days, sums are formulas over what stands above them.

    Rows are written one after the other, so that a book in constant memory holds no more than one of them.
    """

    def __init__(self, book: Any, name: str, columns: list[dict[str, Any]]) -> None:
        self.columns, self.rows, self.cut = columns, 0, 0
        self.sheet = book.add_worksheet(name)
        self.formats = {
            "amount": book.add_format({"num_format": "#,##0.00"}),
            "percent": book.add_format({"num_format": "0.00"}),
            "number": book.add_format({"num_format": "0.##"}),
            "date": book.add_format({"num_format": "yyyy-mm-dd"}),
            "count": book.add_format({"num_format": "0"}),
        }
        self.sums = book.add_format({"bold": True, "top": 1, "num_format": "#,##0.00"})
        self.counts = book.add_format({"bold": True, "top": 1, "num_format": "0"})
        self.sheet.freeze_panes(1, 0)
        head = book.add_format({"bold": True, "bottom": 1})
        for x, column in enumerate(columns):
            self.sheet.set_column(x, x, 40 if column["key"] == "why" else 16)
            self.sheet.write_string(0, x, column["label"], head)

    def add(self, row: dict[str, Any]) -> None:
        """One more row of plain values; of those that no sheet holds only the number is kept."""
        if self.rows == _ROWS_ON_A_SHEET:
            self.cut += 1
            return
        self.rows += 1
        for x, column in enumerate(self.columns):
            self._cell(self.rows, x, row.get(column["key"]), column["kind"])

    def close(self, totals: Lines, more: int = 0, before: Lines = ()) -> None:
        """The totals below the rows; where `more` rows are not here they are figures, as no formula could be right.

        Those of the period `before` stand below them, as figures.
        """
        more += self.cut
        for offset, line in enumerate(totals, start=1):
            self._total(self.rows + offset, line, whole=not more)
        below = self.rows + len(totals) + 2
        if before:
            self.sheet.write_string(below, 0, _("Period before"))
            for offset, line in enumerate(before, start=1):
                self._total(below + offset, line, whole=False)
            below += len(before) + 2
        if more:
            self.sheet.write_string(below, 0, left_out_note(more))

    def _cell(self, y: int, x: int, value: Any, kind: str) -> None:
        if value is None or value == "" or kind == "text":
            self.sheet.write_string(y, x, "" if value is None else str(value))
        elif kind == "date":
            self.sheet.write_datetime(y, x, dt.datetime.fromisoformat(value), self.formats["date"])
        elif kind in self.formats:
            self.sheet.write_number(y, x, Decimal(value), self.formats[kind])
        else:
            self.sheet.write_number(y, x, value)

    def _total(self, y: int, line: dict[str, Any], *, whole: bool) -> None:
        """One line per currency; SUMIF keeps the currencies apart where there are several."""
        keys = [column["key"] for column in self.columns]
        last = self.rows + 1
        for x, column in enumerate(self.columns):
            if column["kind"] not in ("amount", "count"):
                self.sheet.write_string(y, x, line["currency"] if column["key"] == "currency" else "", self.counts)
                continue
            style, value = self.sums if column["kind"] == "amount" else self.counts, Decimal(line[column["key"]])
            if not whole:
                self.sheet.write_number(y, x, value, style)
                continue
            cells = f"{xl_col_to_name(x)}2:{xl_col_to_name(x)}{last}"
            formula = f"=SUM({cells})"
            if "currency" in keys:
                of = xl_col_to_name(keys.index("currency"))
                formula = f'=SUMIF({of}2:{of}{last},"{line["currency"]}",{cells})'
            self.sheet.write_formula(y, x, formula, style, value)


def left_out_note(more: int) -> str:
    """What stands below rows that are not all of them."""
    return ngettext(
        "%(more)d more row is in the totals and not here.", "%(more)d more rows are in the totals and not here.", more
    ) % {"more": more}


def sheet_name(title: str, used: set[str]) -> str:
    """At most 31 characters, none that a spreadsheet forbids, and none twice."""
    base = "".join(" " if sign in "[]:*?/\\" else sign for sign in title)[:28] or "-"
    name = base if base not in used else f"{base} {len(used)}"
    used.add(name)
    return name


def to_xlsx(result: dict[str, Any], section: str = "") -> bytes:
    """One sheet per section with a head that stays, and totals as formulas."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    used: set[str] = set()
    for part in _chosen(result, section).values():
        sheet = Sheet(book, sheet_name(part["title"], used), part["columns"])
        for row in part["rows"]:
            sheet.add(row)
        sheet.close(part["totals"], part.get("more", 0), part.get("before", ()))
    book.close()
    return out.getvalue()


def to_pdf(result: dict[str, Any], section: str = "", *, language: str = "en") -> bytes:
    """The tables on paper; of long ones the first rows, with a word about the rest. Raises PdfUnavailable."""
    parts = [part | {"shown": part["rows"][:_ROWS_ON_PAPER]} for part in _chosen(result, section).values()]
    for part in parts:
        part["left_out"] = len(part["rows"]) - len(part["shown"]) + part.get("more", 0)
    context = {"result": result, "sections": parts, "seller": {"name": ""}}
    return render_pdf("reports/pdf/report.html", context, language=language, stylesheet="pdf/report.css")


def export(result: dict[str, Any], file_format: str, section: str = "", *, language: str = "en") -> bytes:
    """The result in one of FORMATS. Raises KeyError for another."""
    writers = {
        "json": lambda: to_json(result),
        "csv": lambda: to_csv(result, section),
        "xlsx": lambda: to_xlsx(result, section),
        "pdf": lambda: to_pdf(result, section, language=language),
    }
    return writers[file_format]()
