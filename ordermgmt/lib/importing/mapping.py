"""Columns of a table become fields of a target."""

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from .reading import SourceRow, Table
from .targets import Field, Target
from .values import BadValue, Cell, guess_format, parse_date, parse_number, plain

Value = str | Decimal | dt.date | bool | None
_YES = frozenset(("1", "yes", "true", "y", "x", "是", "启用", "有", "真"))
_NO = frozenset(("", "0", "no", "false", "n", "否", "禁用", "无", "假"))


@dataclass(frozen=True)
class Problem:
    """What is wrong with a place of the file: row ("customers.csv, row 12"), column, and a sentence."""

    place: str
    column: str
    sentence: str


@dataclass(frozen=True)
class FieldMap:
    """Where a field comes from: one or more columns joined, or a constant; and how it is read.

    `values` translates what the source says ("Shipped" to "shipped"); with `otherwise` None an unknown word is an error.
    `scale` multiplies a number (a fraction 0.4 means 40 percent); `days` moves a date (a deadline at midnight, 0:00, is
    the end of the day before: -1). `between` takes only what stands after the first of two texts and before the second:
    nothing where the first is not found, all of the rest where the second is not.
    """

    columns: tuple[str, ...] = ()
    join: str = " "
    constant: str | None = None
    form: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    otherwise: str | None = None
    scale: Decimal = Decimal(1)
    between: tuple[str, ...] = ()
    days: int = 0

    @classmethod
    def of(cls, declared: Any) -> "FieldMap":
        """From a profile: a column's name, or an object with the names of this class."""
        if isinstance(declared, str):
            return cls((declared,))
        columns = declared.get("columns") or ([declared["column"]] if declared.get("column") else [])
        return cls(
            tuple(columns),
            join=declared.get("join", " "),
            constant=declared.get("constant"),
            form=declared.get("form", ""),
            values=declared.get("values", {}),
            otherwise=declared.get("otherwise"),
            scale=Decimal(str(declared.get("scale", 1))),
            between=tuple(declared.get("between", ())),
            days=int(declared.get("days", 0)),
        )

    def as_json(self) -> dict[str, Any]:
        """What `of` reads back, without what is empty."""
        full = {"columns": list(self.columns), "join": self.join, "constant": self.constant, "form": self.form}
        rest = {
            "values": dict(self.values),
            "otherwise": self.otherwise,
            "scale": str(self.scale),
            "between": list(self.between),
            "days": self.days,
        }
        plain_values = {"join": " ", "scale": "1"}
        return {key: value for key, value in {**full, **rest}.items() if value and value != plain_values.get(key)}


@dataclass
class Row:
    """One row of the file as fields of the target. `problems` are cells that can't be read."""

    place: str
    values: dict[str, Value]
    headers: dict[str, str]
    problems: list[Problem] = field(default_factory=list)

    def text(self, name: str) -> str:
        """A field as text, "" where the row says nothing."""
        value = self.values.get(name)
        return value if isinstance(value, str) else plain(value)

    def number(self, name: str) -> Decimal | None:
        """A number field."""
        value = self.values.get(name)
        return value if isinstance(value, Decimal) else None

    def date(self, name: str) -> dt.date | None:
        """A date field."""
        value = self.values.get(name)
        return value if isinstance(value, dt.date) else None

    def problem(self, name: str, sentence: str) -> Problem:
        """Something wrong with a field, named by the column it came from."""
        return Problem(self.place, self.headers.get(name, name), sentence)


@dataclass
class Group:
    """The rows that make one object; `key` is what the source calls it."""

    key: str
    rows: list[Row]

    @property
    def first(self) -> Row:
        return self.rows[0]


def map_rows(table: Table, target: Target, maps: Mapping[str, FieldMap]) -> Iterator[Row]:
    """Each row of the table, read by the declared formats. Raises KeyError for a column that isn't there."""
    for one in maps.values():
        for column in one.columns:
            if column not in table.headers:
                raise KeyError(column)
    fields = {name: (target.field(name), one) for name, one in maps.items()}
    for source in table.rows:
        yield _row(table, source, fields)


def _row(table: Table, source: SourceRow, fields: Mapping[str, tuple[Field, FieldMap]]) -> Row:
    place = source.place or _("%(file)s, row %(row)s") % {"file": table.name, "row": source.number}
    row = Row(place, {}, {name: ", ".join(one.columns) or name for name, (_field, one) in fields.items()})
    for name, (declared, one) in fields.items():
        try:
            row.values[name] = _value(declared, one, source.cells)
        except BadValue as error:
            row.problems.append(row.problem(name, str(error)))
            continue
        if declared.required and row.values[name] in ("", None):
            row.problems.append(row.problem(name, _("This must be filled in.")))
    return row


def _value(declared: Field, one: FieldMap, cells: Mapping[str, Cell]) -> Value:
    cell: Cell = one.constant
    if one.columns:
        found = [cells.get(column) for column in one.columns]
        cell = found[0] if len(found) == 1 else one.join.join(text for part in found if (text := plain(part)))
    if one.between:
        cell = _part(plain(cell), *one.between)
    if one.values:
        cell = _translated(one, plain(cell))
    if declared.kind == "date":
        day = parse_date(cell, one.form)
        return day + dt.timedelta(days=one.days) if day else day
    if declared.kind == "number":
        number = parse_number(cell, one.form or "1,234.56")
        return None if number is None else number * one.scale
    if declared.kind == "flag":
        return _flag(plain(cell))
    return plain(cell).replace("\x00", "")


def _part(text: str, start: str, end: str) -> str:
    _before, found, rest = text.partition(start) if start else ("", True, text)
    return rest.partition(end)[0] if found else ""


def _translated(one: FieldMap, text: str) -> str:
    if text in one.values:
        return one.values[text]
    if one.otherwise is not None:
        return one.otherwise
    known = ", ".join(one.values)
    raise BadValue(_("“%(value)s” is not one of: %(known)s.") % {"value": text[:60], "known": known[:200]})


def _flag(text: str) -> bool:
    if text.lower() in _YES:
        return True
    if text.lower() in _NO:
        return False
    raise BadValue(_("“%(value)s” is neither yes nor no.") % {"value": text[:60]})


def group_rows(rows: Iterable[Row], key: tuple[str, ...]) -> list[Group]:
    """Rows that agree in the key fields, in the order of the file. Without a key each row stands for itself."""
    groups: dict[str, Group] = {}
    for place, row in enumerate(rows):
        value = "|".join(row.text(name) for name in key).strip("|")
        own = value or f"#{place}"
        groups.setdefault(own, Group(value, [])).rows.append(row)
    return list(groups.values())


# --- suggestions -----------------------------------------------------------------------------------------------


def _same(header: str) -> str:
    """A header as it is compared: no stars, brackets, units, blanks, case and width."""
    text = unicodedata.normalize("NFKC", header).casefold()
    text = re.sub(r"\([^)]*\)", "", text)
    return re.sub(r"[\W_]+", "", text)


def suggest(table: Table, target: Target) -> dict[str, FieldMap]:
    """The columns that by their names mean fields of the target, with the format their values seem to have."""
    by_name: dict[str, str] = {}
    for header in table.headers:
        by_name.setdefault(_same(header), header)
    taken: set[str] = set()
    found = {}
    for one in target.fields:
        header = next((by_name[name] for name in _names(one) if name in by_name and by_name[name] not in taken), "")
        if header:
            taken.add(header)
            form = guess_format(one.kind, (row.cells.get(header) for row in table.rows[:500]))
            found[one.name] = FieldMap((header,), form=form)
    return found


def _names(one: Field) -> list[str]:
    return [_same(name) for name in (*one.names, one.name, str(one.label))]
