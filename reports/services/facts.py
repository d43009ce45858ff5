"""Facts: the documents that figures are sums over. A section groups them; the page behind a row lists them.

Both read the same rows and add up the same expressions, so a figure and the documents behind it can't differ.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.core.exceptions import EmptyResultSet, ValidationError
from django.db.models import QuerySet

from ordermgmt.lib.tables import Column as ListColumn
from ordermgmt.lib.typed import storable

from .definitions import Row

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

Params = Mapping[str, Any]
Rows = QuerySet[Any]
#: How the values that a row stands for are named in an address.
_BY, _NONE = "by.", "none"
_LARGEST = 2**63 - 1


@dataclass(frozen=True)
class Facts:
    """Documents of one kind.

    `rows` are those that the reader may see and the filters let through; `dims` are expressions to group them by (and
    `dims_of` those that depend on the filters), and `figures` the aggregates over them. `columns` and `link` show one of them in a list. Where amounts are among the
    figures, `currency` is the path to theirs.
    """

    rows: Callable[["User", Params], Rows]
    figures: Mapping[str, Any]
    columns: tuple[ListColumn, ...]
    link: Callable[[Any], str]
    dims: Mapping[str, Any] = field(default_factory=dict)
    dims_of: Mapping[str, Callable[[Params], Any]] = field(default_factory=dict)
    only_now: tuple[str, ...] = ()  # columns that have no past
    in_currency: bool = True
    currency: str = "currency"  # the path to it
    sort: str = "-pk"


@dataclass(frozen=True)
class Group:
    """Facts divided `by` dimensions, in `order`; `show` adds what a row says to people. `address` is report/section."""

    address: str
    facts: Facts
    by: tuple[str, ...]
    order: tuple[str, ...] = ()
    show: Callable[[Row], Row] | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        """What tells the rows of the section apart."""
        return (*self.by, self.facts.currency) if self.facts.in_currency else self.by

    def queryset(self, user: "User", params: Params) -> Rows:
        """The documents of all rows, with their dimensions."""
        dims = {name: one for name, one in self.facts.dims.items() if name in self.by}
        dims |= {name: made(params) for name, made in self.facts.dims_of.items() if name in self.by}
        return self.facts.rows(user, params).annotate(**dims)

    def rows(self, user: "User", params: Params) -> Iterator[Row]:
        """The rows of the section, each with the address of its documents. One query."""
        grouped = self.queryset(user, params).order_by().values(*self.keys).annotate(**self.facts.figures)
        for found in grouped.order_by(*(self.order or self.by), *self.keys[len(self.by) :]).iterator():
            row = _exact(found)
            shown = self.show(row) if self.show else {}
            money = {"currency": row[self.facts.currency]} if self.facts.in_currency else {}
            full = row | money
            yield full | {"link": self.link(params, full)} | shown

    def link(self, params: Params, row: Row) -> str:
        """The page with the documents behind a row: the report's filters, narrowed to the row."""
        values = {name: row["currency"] if name == self.facts.currency else row[name] for name in self.keys}
        pairs = list(asked(params).items())
        pairs += [(f"{_BY}{name}", plain_value(value)) for name, value in values.items() if value is not None]
        pairs += [(_NONE, name) for name, value in values.items() if value is None]
        return f"/reports/behind/{self.address}/?{urlencode(pairs)}"

    def behind(self, user: "User", params: Params, address: Any) -> Rows:
        """The documents that an address of `link` stands for. Raises ValueError for one that is none of ours."""
        chosen: dict[str, Any] = {}
        for name in self.keys:
            if (value := address.get(f"{_BY}{name}")) is not None:
                chosen[name] = value
                if not storable(value):
                    raise ValueError("no database takes such a value")
            elif name in address.getlist(_NONE):
                chosen[f"{name}__isnull"] = True
        try:
            found = self.queryset(user, params).filter(**chosen)
            _check_numbers(found)
        except (ValidationError, TypeError, OverflowError) as error:
            raise ValueError(str(error)) from error
        return found

    def sums(self, documents: Rows) -> list[Row]:
        """The figures of the documents together, a line per currency."""
        rows = documents.order_by()
        if not self.facts.in_currency:
            return [_exact(rows.aggregate(**self.facts.figures)) | {"currency": ""}]
        path = self.facts.currency
        found = rows.values(path).annotate(**self.facts.figures).order_by(path)
        return [_exact(row) | {"currency": row[path]} for row in found]


def _check_numbers(rows: Rows) -> None:
    """Raises ValueError for a year that no calendar has, and for a number that no column holds."""
    try:
        _sql, values = rows.query.sql_with_params()
    except EmptyResultSet:
        return
    if any(isinstance(value, int) and abs(value) > _LARGEST for value in values):
        raise ValueError("no column holds such a number")


def _exact(row: Row) -> Row:
    """SQLite adds binary fractions: amounts to the last decimal that any of them has."""
    return {name: round(value, 6) if isinstance(value, Decimal) else value for name, value in row.items()}


def plain_value(value: Any) -> str:
    """A value as an address holds it."""
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def asked(params: Params) -> dict[str, str]:
    """The report's filters in force, as an address holds them."""
    return {name: plain_value(value) for name, value in params.items() if value and name != "compare"}
