"""Reading what people bring."""

import datetime as dt
import io
import zipfile
from decimal import Decimal

import openpyxl
import pytest

from ordermgmt.lib.importing import (
    BadValue,
    Field,
    FieldMap,
    Layout,
    Outcome,
    Target,
    Unreadable,
    group_rows,
    guess_format,
    map_rows,
    parse_date,
    parse_number,
    plain,
    read_table,
    suggest,
)

TEXT = "名称*;电话;金额\n客户甲;138;1.234,50\n客户乙;139;2,00\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le"])
def test_encodings_are_recognised(encoding: str) -> None:
    table = read_table(TEXT.encode(encoding), "x.csv")
    assert table.headers == ["名称*", "电话", "金额"]
    assert table.rows[0].cells["名称*"] == "客户甲"


def test_western_text_is_not_taken_for_chinese() -> None:
    table = read_table("name;ort\nMüller;Köln\nJäger;Görlitz\n".encode("cp1252"), "x.csv")
    assert table.rows[0].cells["name"] == "Müller"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_are_recognised(delimiter: str) -> None:
    text = "\n".join(delimiter.join(line) for line in (("a", "b", "c"), ("1", "x y", "3"), ("4", "z", "6")))
    assert read_table(text.encode(), "x.csv").layout.delimiter == delimiter


def test_instructions_above_the_header_are_skipped() -> None:
    table = read_table(b"Fill in every column.,,\nname,city,phone\nA,B,1\n", "x.csv")
    assert (table.layout.header_row, table.rows[0].number) == (2, 3)


def test_line_breaks_in_cells_and_headers_twice() -> None:
    table = read_table(b'a,a,\n"x\ny",2,3\n', "x.csv")
    assert table.headers == ["a", "a (2)", "#3"]
    assert plain(table.rows[0].cells["a"]) == "x\ny"


def workbook(*rows: list[object]) -> bytes:
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_xlsx_keeps_numbers_and_dates() -> None:
    table = read_table(workbook(["a", "b", "c"], [0.1, dt.datetime(2026, 1, 2), 12]), "x.xlsx")  # noqa: DTZ001
    assert list(table.rows[0].cells.values()) == [Decimal("0.1"), dt.datetime(2026, 1, 2), Decimal(12)]  # noqa: DTZ001


def test_a_zip_bomb_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 50_000_000)
    with pytest.raises(Unreadable, match="unpacks"):
        read_table(out.getvalue(), "x.xlsx")


@pytest.mark.parametrize(
    ("content", "layout", "sentence"),
    [
        (b"", Layout(), "empty"),
        (b"a,b\n1,2\n", Layout(header_row=9), "no row 9"),
        (workbook(["a"]), Layout(sheet="none"), "no sheet"),
        ("ü".encode("cp1252"), Layout(encoding="utf-8"), "not written in utf-8"),
        (b",".join([b"x"] * 400), Layout(), "300 columns"),
    ],
)
def test_what_does_not_fit_is_said(content: bytes, layout: Layout, sentence: str) -> None:
    with pytest.raises(Unreadable, match=sentence):
        read_table(content, "x.csv", layout)


@pytest.mark.parametrize(
    ("text", "form", "number"),
    [
        ("1,234.50", "1,234.56", "1234.50"), ("1.234,5", "1.234,56", "1234.5"), ("(12.00)", "1234.56", "-12"),
        ("¥ 8", "1234.56", "8"), ("5-", "1234.56", "-5"), ("１２．５", "1234.56", "12.5"), ("0.1", "1234.56", "0.1"),
        ("123456789012345678.123456789", "1234.56", "123456789012345678.123456789"),
    ],
)  # fmt: skip
def test_numbers(text: str, form: str, number: str) -> None:
    assert parse_number(text, form) == Decimal(number)


@pytest.mark.parametrize("text", ["nan", "inf", "1e5", "1,23,4", "12a", "--1", ".", "9" * 60, "1.234,5"])
def test_no_numbers(text: str) -> None:
    with pytest.raises(BadValue):
        parse_number(text, "1,234.56")


@pytest.mark.parametrize(
    ("cell", "form", "day"),
    [
        ("2026-02-28", "", dt.date(2026, 2, 28)), ("28.02.2026", "%d.%m.%Y", dt.date(2026, 2, 28)),
        ("2026年2月8日", "%Y年%m月%d日", dt.date(2026, 2, 8)), (Decimal("45043"), "excel", dt.date(2023, 4, 27)),
        (dt.datetime(2026, 1, 2, 3), "", dt.date(2026, 1, 2)), ("", "", None),  # noqa: DTZ001
    ],
)  # fmt: skip
def test_dates(cell: object, form: str, day: dt.date | None) -> None:
    assert parse_date(cell, form) == day  # type: ignore[arg-type]


@pytest.mark.parametrize("cell", ["2026-02-30", "28.02.2026", "gestern", Decimal(-1), Decimal(10) ** 9])
def test_no_dates(cell: object) -> None:
    with pytest.raises(BadValue):
        parse_date(cell)  # type: ignore[arg-type]


def test_formats_are_guessed_from_all_samples() -> None:
    assert guess_format("date", ["01/02/2026", "13/02/2026"]) == "%d/%m/%Y"
    assert guess_format("number", ["1.234,56", "7,5"]) == "1.234,56"
    assert guess_format("number", ["x"]) == ""


TARGET = Target(
    "things", "Things",
    (
        Field("key", "Key", names=("编号",)), Field("name", "Name", required=True, names=("名称",)),
        Field("price", "Price", kind="number", names=("单价",)), Field("state", "State"),
    ),
    keys=(("key",),), save=lambda _context, _group: Outcome.CREATED,
)  # fmt: skip


def test_columns_are_suggested_in_both_languages() -> None:
    table = read_table('编号,名称*,单价（元）\n1,A,"1,5"\n'.encode(), "x.csv")
    assert {name: one.columns for name, one in suggest(table, TARGET).items()} == {
        "key": ("编号",), "name": ("名称*",), "price": ("单价（元）",)
    }  # fmt: skip
    assert set(suggest(read_table(b"KEY,Name,PRICE\n1,A,2\n", "x.csv"), TARGET)) == {"key", "name", "price"}


def test_bad_cells_are_named_by_row_and_column() -> None:
    table = read_table(b"id,label,cost,st\n1,A,x,Shipped\n1,,2,Lost\n2,B,3,Shipped\n", "x.csv")
    maps = {
        "key": FieldMap(("id",)), "name": FieldMap(("label",)), "price": FieldMap(("cost",)),
        "state": FieldMap(("st",), values={"Shipped": "shipped"}),
    }  # fmt: skip
    rows = list(map_rows(table, TARGET, maps))
    found = [(problem.place, problem.column) for row in rows for problem in row.problems]
    assert found == [("x.csv, row 2", "cost"), ("x.csv, row 3", "label"), ("x.csv, row 3", "st")]
    groups = group_rows(rows, ("key",))
    assert [(group.key, len(group.rows)) for group in groups] == [("1", 2), ("2", 1)]
