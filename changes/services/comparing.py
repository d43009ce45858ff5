"""What a filled line grid means as operations, and the order before and after them side by side."""

import datetime as dt
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from changes.models import Operation
from inventory.services import validate_specification
from ordermgmt.lib.money import ZERO
from orders.models import Order, OrderLine
from orders.services import LINE, amended

from .operations import amendment_of, present
from .values import HEADER, Op, check_named, plain, typed

Kind = Operation.Kind
#: The grid's fields of a line that is there already, with the operation that changes each.
_GRID = {"description": Kind.TEXT, "quantity": Kind.QUANTITY, "unit_price": Kind.PRICE, "discount_percent": Kind.DISCOUNT,
         "promised_date": Kind.LINE_DATE}  # fmt: skip


def operations_from(order: Order, rows: Sequence[Mapping[str, Any]], header: Mapping[str, Any]) -> list[Op]:
    """The operations that lead from the order to what the grid shows.

    A row that names a `line` is one of the order's; lines without a row go; rows without a line come. `header` may
    hold promised_date, delivery_address, billing_address, payment_plan (parts, first) and terminate (fee); None leaves
    things as they are. With `lines_follow` what was promised for the order's old date moves along to the new one.
    """
    lines = {line.pk: line for line in order.order_lines if line.due > 0}
    if header.get("terminate"):
        return [Op(Kind.TERMINATE, after=plain_mapping(header["terminate"]))]
    operations: list[Op] = []
    shown = set()
    for row in rows:
        key = row.get("line")
        line = lines.get(key) if type(key) is int else None
        if line is not None:
            shown.add(line.pk)
            operations += _edited(line, row)
        elif key:  # a line that is gone by now, or was never the order's: the check of the operations says so
            operations.append(Op(Kind.QUANTITY, key, row.get("quantity")))
        else:
            said = [name for name in LINE if row.get(name) not in (None, "", {})]  # a price of 0 is one, too
            operations.append(Op(Kind.ADD, after={name: plain(row[name]) for name in said}))
    operations += [Op(Kind.REMOVE, pk) for pk in lines if pk not in shown]
    operations += _following(order, [lines[pk] for pk in lines if pk in shown], operations, header)
    for kind in (Kind.PROMISED, Kind.DELIVERY, Kind.BILLING):
        value = plain(header.get(kind))
        if value is not None and value != (present(order, kind, None) or ""):
            operations.append(Op(kind, after=value))
    if header.get("payment_plan"):
        operations.append(Op(Kind.PLAN, after=plain_mapping(header["payment_plan"])))
    return operations


def _following(order: Order, lines: Sequence[OrderLine], written: Sequence[Op], header: Mapping[str, Any]) -> list[Op]:
    """The lines that were promised for the order's old date, on its new one; a date that was typed at a line stays."""
    new, old = plain(header.get(Kind.PROMISED)), order.promised_date
    if not header.get("lines_follow") or not new or old is None or new == plain(old):
        return []
    typed_at = {op.line for op in written if op.kind == Kind.LINE_DATE}
    return [Op(Kind.LINE_DATE, line.pk, new) for line in lines if line.promised_date == old and line.pk not in typed_at]


def plain_mapping(values: Mapping[str, Any]) -> dict[str, Any]:
    """A mapping with plain values."""
    return {key: plain(value) for key, value in values.items()}


def _readable(kind: Kind, line: OrderLine, value: Any) -> Any:
    """What was typed as a plain value; what can't be read stays as it is: the check of the operations says so."""
    if isinstance(value, str):
        value = value.strip()
    if value is None or value == "":
        value = {Kind.LINE_DATE: None, Kind.TEXT: "", Kind.PRICE: ""}.get(kind, "0")
    try:
        return plain(typed(Op(kind, line.pk, value)))
    except ValidationError:
        return plain(value)


def _edited(line: OrderLine, row: Mapping[str, Any]) -> list[Op]:
    found = []
    for name, kind in _GRID.items():
        if name not in row:
            continue
        value = _readable(kind, line, row[name])
        if kind == Kind.TEXT and value == line.description.strip():
            continue
        if value != present(line.order, kind, line):
            found.append(Op(kind, line.pk, value))
    wanted = row.get("specification")
    if wanted not in (None, "") and (wanted or line.specification):
        with suppress(ValidationError):  # what is wrong with it the check of the operations says
            check_named(wanted)
            if line.product is not None:
                wanted = validate_specification(line.product, wanted, complete=False)
        if wanted != line.specification:
            found.append(Op(Kind.SPECIFICATION, line.pk, wanted))
    return found


@dataclass
class Side:
    """A line on one side: what there is, how much of it, at which price (in the order's currency)."""

    text: str
    quantity: Decimal
    unit: str
    price: Decimal
    discount: Decimal
    net: Decimal
    promised: Any
    specification: str


@dataclass
class Pair:
    """A line that changes, before and after; None on a side where it is not there."""

    position: int
    before: Side | None
    after: Side | None
    fields: frozenset[str]

    @property
    def kind(self) -> str:
        """added, removed or changed."""
        return "added" if self.before is None else "removed" if self.after is None else "changed"


@dataclass
class Comparison:
    """The order before and after: lines that change, facts that change, and totals in its currency where they are known."""

    order: Order | None
    after: Order | None
    pairs: list[Pair]
    facts: list[tuple[str, Any, Any]] = field(default_factory=list)
    untouched: int = 0

    @property
    def net(self) -> Decimal:
        """By how much the net total moves."""
        return self.after.net_total - self.order.net_total if self.after and self.order else ZERO


def compare_order(order: Order, operations: Sequence[Op | Operation], *, prices: bool = True) -> Comparison:
    """The order and what the operations make of it, computed in memory by the one calculation; nothing is written.

    Without `prices` no amount is among the facts; the caller shows none of the lines' either.
    """
    rows = list(operations)
    result = amended(order, amendment_of(order, rows))
    old = {line.pk: line for line in order.order_lines}
    pairs, untouched = paired([(old.get(line.pk or 0), line) for line in result.lines])
    header = [op for op in rows if op.kind not in Operation.OF_LINE | {Kind.ADD}]
    facts = [fact_of(order, op, getattr(order, op.kind) if op.kind in HEADER else None, prices=prices) for op in header]
    return Comparison(order, result.order, pairs, facts, untouched)


def paired(lines: Sequence[tuple[OrderLine | None, OrderLine]]) -> tuple[list[Pair], int]:
    """The lines that differ, before and after, and how many there were that stay."""
    pairs, untouched = [], 0
    for was, line in lines:
        if was is not None and was.due <= 0:
            continue
        sides = (_side(was) if was else None, _side(line) if line.due > 0 else None)
        if sides[0] != sides[1]:
            pairs.append(Pair(line.position, *sides, _differing(*sides)))
        else:
            untouched += 1
    return pairs, untouched


def _side(line: OrderLine) -> Side:
    values = line.specification if isinstance(line.specification, dict) else {}
    name = f"{line.product.sku} {line.description}" if line.product else line.description
    return Side(
        name, line.due, line.unit, line.unit_price, line.discount_percent, line.net, line.promised_date,
        ", ".join(f"{key} {value}" for key, value in values.items() if value not in ("", None)),
    )  # fmt: skip


def _differing(before: Side | None, after: Side | None) -> frozenset[str]:
    if before is None or after is None:
        return frozenset()
    return frozenset(name for name, value in vars(before).items() if vars(after)[name] != value)


def fact_of(order: Order, op: Op | Operation, before: Any, *, prices: bool = True) -> tuple[str, Any, Any]:
    """What an operation beside the lines changes, in words: its name, before, after."""
    label = str(Kind(op.kind).label) if op.kind in Kind.values else op.kind
    value = op.after if isinstance(op.after, dict) else {}
    if op.kind == Kind.PROMISED:
        return label, as_day(before), typed(op)
    if op.kind == Kind.PLAN:
        text = _("%(parts)s equal monthly instalments from %(first)s")
        return label, "", text % {"parts": value.get("parts"), "first": value.get("first")}
    if op.kind == Kind.TERMINATE and not prices:
        return label, "", ""
    if op.kind == Kind.TERMINATE:
        return label, "", _("fee %(fee)s %(currency)s") % {"fee": value.get("fee") or "0", "currency": order.currency}
    return label, before, op.after


def as_day(value: Any) -> dt.date | None:
    """A day as an operation or a kept version holds it."""
    return dt.date.fromisoformat(value) if isinstance(value, str) and value else value or None
