"""Keyset paging: a page costs the same wherever it lies, whatever the table's size."""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Q


@dataclass(frozen=True)
class Page:
    """The rows of a page and the cursors to its neighbours (empty where there is none)."""

    rows: list[Any]
    next: str = ""
    previous: str = ""


@dataclass(frozen=True)
class Sort:
    """The order of a list: by `path`, then by primary key in the same direction; rows without a value come last."""

    path: str
    falling: bool = False
    nullable: bool = False

    def value(self, row: Any) -> Any:
        """The row's place in this order."""
        for part in self.path.split("__"):
            row = getattr(row, part, None) if row is not None else None
        return row

    def apply(self, queryset: models.QuerySet[Any], *, turned: bool = False) -> models.QuerySet[Any]:
        """The rows in this order, or in the opposite one."""
        falling = self.falling != turned
        pk = "-pk" if falling else "pk"
        if self.path == "pk":
            return queryset.order_by(pk)
        if not self.nullable:
            return queryset.order_by(f"-{self.path}" if falling else self.path, pk)
        nulls: dict[str, Any] = {"nulls_first": True} if turned else {"nulls_last": True}
        return queryset.order_by(F(self.path).desc(**nulls) if falling else F(self.path).asc(**nulls), pk)

    def beyond(self, value: Any, pk: int, *, turned: bool = False) -> Q:
        """The rows after (value, pk), or before it."""
        sign = "lt" if self.falling != turned else "gt"
        past_pk = Q(**{f"pk__{sign}": pk})
        if self.path == "pk":
            return past_pk
        if self.nullable and value is None:
            empty = Q(**{f"{self.path}__isnull": True})
            return (empty & past_pk) | ~empty if turned else empty & past_pk
        past = Q(**{f"{self.path}__{sign}": value}) | (Q(**{self.path: value}) & past_pk)
        if self.nullable:
            return past if turned else past | Q(**{f"{self.path}__isnull": True})
        # The first condition alone lets an index bound the scan.
        return Q(**{f"{self.path}__{sign}e": value}) & past


def keyset_page(queryset: models.QuerySet[Any], sort: Sort, *, size: int, after: str = "", before: str = "") -> Page:
    """One page of `queryset`. A cursor that can't be read counts as none."""
    cursor = _decode(before or after)
    if cursor is None:
        return _first_page(queryset, sort, size)
    back = bool(before)
    try:
        rows = list(sort.apply(queryset.filter(sort.beyond(*cursor, turned=back)), turned=back)[: size + 1])
    except (ValidationError, ValueError, TypeError, OverflowError):
        return _first_page(queryset, sort, size)
    more, rows = len(rows) > size, rows[:size]
    if back:
        return _page(rows[::-1], sort, has_next=True, has_previous=more)
    return _page(rows, sort, has_next=more, has_previous=True)


def _first_page(queryset: models.QuerySet[Any], sort: Sort, size: int) -> Page:
    rows = list(sort.apply(queryset)[: size + 1])
    return _page(rows[:size], sort, has_next=len(rows) > size, has_previous=False)


def _page(rows: list[Any], sort: Sort, *, has_next: bool, has_previous: bool) -> Page:
    if not rows:
        return Page(rows)
    following = _encode(sort.value(rows[-1]), rows[-1].pk) if has_next else ""
    return Page(rows, following, _encode(sort.value(rows[0]), rows[0].pk) if has_previous else "")


def _encode(value: Any, pk: int) -> str:
    return base64.urlsafe_b64encode(json.dumps([value, pk], cls=DjangoJSONEncoder).encode()).decode().rstrip("=")


def _decode(cursor: str) -> tuple[Any, int] | None:
    if not cursor:
        return None
    try:
        value, pk = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        sane = isinstance(pk, int) and abs(pk) < 2**63 and isinstance(value, str | int | float | bool | type(None))
    except (ValueError, TypeError, binascii.Error):
        return None
    return (value, pk) if sane and "\x00" not in str(value) else None
