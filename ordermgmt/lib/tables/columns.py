"""One column of a list: how it is read, shown, sorted and exported."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils import formats, timezone
from django.utils.functional import Promise
from django.utils.html import conditional_escape, format_html
from django.utils.translation import gettext as _

from ordermgmt.lib.templatetags.ui import amount, badge, quantity


@dataclass(frozen=True)
class Column:
    """A column of a list page.

    `key` names it in the address. `path` is the attribute path that is shown and, with underscores, the ORM path it is
    sorted by (`customer.name`); `value(instance)` replaces the path where a column is computed (then it can't be
    sorted). `kind` is text, amount, quantity, count, percent, date, datetime, bool or badge; an amount names the
    attribute that holds its currency. `permission` hides the column from everybody else, in page and export alike.
    A column that may be empty and is sorted needs `nullable`.
    """

    key: str
    label: str | Promise
    path: str = ""
    kind: str = "text"
    currency: str = "currency"
    sortable: bool = True
    nullable: bool = False
    permission: str = ""
    value: Callable[[Any], Any] | None = None
    link: Callable[[Any], str] | None = None
    default: bool = True

    @property
    def order_path(self) -> str:
        """The ORM path that the column is sorted by; empty where it can't be."""
        return (self.path or self.key).replace(".", "__") if self.sortable and self.value is None else ""

    @property
    def numeric(self) -> bool:
        """Whether figures stand right-aligned."""
        return self.kind in ("amount", "quantity", "count", "percent")

    @property
    def linked(self) -> bool:
        """Whether the column brings its own link; a template would call `link` itself."""
        return self.link is not None

    @property
    def css(self) -> str:
        """How a cell is set."""
        if self.numeric:
            return "num"
        return "nowrap" if self.kind in ("date", "datetime", "badge") else ""

    def raw(self, instance: Any) -> Any:
        """The value itself, as sorting and export need it."""
        if self.value is not None:
            return self.value(instance)
        found = instance
        for part in (self.path or self.key).split("."):
            found = getattr(found, part, None) if found is not None else None
        return found

    def shown(self, instance: Any) -> str:
        """The value as the reader's text, with the choice's label instead of its code."""
        value = self.raw(instance)
        if value is None or value == "":
            return ""
        return _SHOW.get(self.kind, _text)(self, instance, value)

    def cell(self, instance: Any) -> str:
        """The value as HTML."""
        text = self.shown(instance)
        if self.kind == "badge" and text:
            text = badge(str(self.raw(instance)), text)
        if self.link is not None and text and (url := self.link(instance)):
            return format_html('<a href="{}">{}</a>', url, text)
        return conditional_escape(text)


def _text(column: Column, instance: Any, value: Any) -> str:
    if column.value is not None:
        return str(value)
    name = column.path or column.key
    if (label := getattr(instance, f"{name}_label", None)) is not None:  # what this one calls it, e.g. a service
        return str(label)
    display = getattr(instance, f"get_{name}_display", None)
    return str(display()) if display is not None else str(value)


def _money(column: Column, instance: Any, value: Decimal) -> str:
    currency = getattr(instance, column.currency)
    return f"{amount(value, currency)} {currency}"


def _moment(_column: Column, _instance: Any, value: dt.datetime) -> str:
    return formats.date_format(timezone.localtime(value), "SHORT_DATETIME_FORMAT")


_SHOW: dict[str, Callable[[Column, Any, Any], str]] = {
    "amount": _money,
    "quantity": lambda _column, _instance, value: quantity(value),
    "percent": lambda _column, _instance, value: f"{quantity(value)} %",
    "count": lambda _column, _instance, value: formats.number_format(value, force_grouping=True),
    "date": lambda _column, _instance, value: formats.date_format(value, "SHORT_DATE_FORMAT"),
    "datetime": _moment,
    "bool": lambda _column, _instance, value: _("Yes") if value else _("No"),
}
