"""Big files hold a row at a time: putting rows in order and writing them keeps neither of them."""

import datetime as dt
import tracemalloc
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django import forms

from reports.services import definitions, quiet, write_whole
from reports.services.definitions import Column, Report, Section
from reports.services.spooling import sorted_on_disk

ROWS, MOST = 8_000, 8_000_000  # held, the rows would take twice as much


def rows(_user: Any, _params: Any) -> Iterator[dict[str, Any]]:
    for number in range(ROWS):
        fields = {f"amount{place}": Decimal(number * place % 977) / 100 for place in range(14)}
        yield {"number": f"SO-{number:08d}", "day": dt.date(2025, 1, 1), "currency": "EUR", **fields}


def worst_first(user: Any, params: Any) -> Iterator[dict[str, Any]]:
    return sorted_on_disk(rows(user, params), lambda row: row["amount7"])


def test_on_disk_it_is_the_order_of_sorted() -> None:
    plain = sorted(rows(None, None), key=lambda row: row["amount7"])
    assert list(worst_first(None, None)) == plain
    few = sorted_on_disk(rows(None, None), lambda row: row["amount7"], run=300, files=4)  # merged again and again
    assert list(few) == plain
    assert list(sorted_on_disk([], str)) == []


@pytest.mark.parametrize("file_format", ["csv", "xlsx", "json"])
def test_a_file_of_many_rows_takes_little_memory(
    db: None, finance: Any, tmp_path: Path, monkeypatch: Any, file_format: str
) -> None:
    columns = (
        Column("number", "Number"), Column("day", "Day", "date"), Column("currency", "Currency"),
        *(Column(f"amount{place}", "Amount", "amount") for place in range(14)),
    )  # fmt: skip
    section = Section("many", "Many", columns, worst_first, "number", "amount7")
    report = Report(key="many", title="Many", summary="", form=forms.Form, sections=(section,), compares=False)
    monkeypatch.setitem(definitions._registry.reports, "many", report)
    target = tmp_path / f"many.{file_format}"
    asked = {"user": finance, "file_format": file_format, "progress": quiet}
    tracemalloc.start()
    try:
        write_whole("many", {}, target, **asked)
        _now, most = tracemalloc.get_traced_memory()
        assert most < MOST
        tracemalloc.reset_peak()
        held = list(rows(None, None))
        assert tracemalloc.get_traced_memory()[1] > MOST  # what the test would see if they were kept
        assert len(held) == ROWS
    finally:
        tracemalloc.stop()
    assert target.stat().st_size > 100_000
