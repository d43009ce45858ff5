"""What is here, as files that an import takes back: for a move, for a look outside, for mass editing."""

import csv
import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

from ordermgmt.lib.importing import Target, plain, targets
from ordermgmt.lib.tables.exporting import safe_text


def exportable() -> list[Target]:
    """The kinds of objects that can be written, in the order in which they are read back."""
    return [one for one in targets() if one.rows is not None]


def export_folder(folder: Path, only: Iterable[str] = ()) -> dict[str, int]:
    """Writes a CSV file per kind into `folder`; gives the rows of each. `manage.py import_data ordermgmt` reads them.

    Amounts, quantities and dates in the plain forms 1234.56 and YYYY-MM-DD; text that a spreadsheet would take for a
    formula begins with an apostrophe, which the import takes off again.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wanted = set(only)
    return {one.key: _write(one, folder / f"{one.key}.csv") for one in exportable() if not wanted or one.key in wanted}


def _write(chosen: Target, path: Path) -> int:
    assert chosen.rows is not None  # noqa: S101  # only such targets come here
    names = [field.name for field in chosen.fields]
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        for row in chosen.rows():
            writer.writerow([_cell(row.get(name)) for name in names])
            count += 1
    return count


def _cell(value: str | bool | Decimal | dt.date | None) -> str:
    if isinstance(value, str):
        return safe_text(value)
    return str(value) if type(value) is int else plain(value)
