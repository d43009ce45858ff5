"""What a filled line grid means as operations, and the order before and after them side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from changes.models import Operation
from inventory.services import validate_specification
from orders.models import Order, OrderLine
from orders.services import amended

from .operations import Op, amendment_of, plain, present, row_product, typed

Kind = Operation.Kind
#: The grid's fields of a line that is there already, with the operation that changes each.
_GRID = {"description": Kind.TEXT, "quantity": Kind.QUANTITY, "unit_price": Kind.PRICE, "discount_percent": Kind.DISCOUNT,
         "promised_date": Kind.LINE_DATE}  # fmt: skip
_ADDED = ("product", "description", "quantity", "unit", "unit_price", "discount_percent", "tax_category", "supply",
          "promised_date", "specification")  # fmt: skip


def operations_from(order: Order, rows: Sequence[Mapping[str, Any]], header: Mapping[str, Any]) -> list[Op]:
    """The operations that lead from the order to what the grid shows.

    A row that names a `line` is one of the order's; lines without a row go; rows without a line come. `header` may
    hold promised_date, delivery_address, billing_address, payment_plan (parts, first) and terminate (fee); None leaves
    things as they are.
    """
    lines = {line.pk: line for line in order.order_lines if line.due > 0}
    if header.get("terminate"):
        return [Op(Kind.TERMINATE, after=plain_mapping(header["terminate"]))]
    operations: list[Op] = []
    shown = set()
    for row in rows:
        line = lines.get(row["line"]) if isinstance(row.get("line"), int) else None
        if line is not None:
            shown.add(line.pk)
            operations += _edited(line, row)
        else:
            operations.append(Op(Kind.ADD, after={name: plain(row[name]) for name in _ADDED if row.get(name)}))
    operations += [Op(Kind.REMOVE, pk) for pk in lines if pk not in shown]
    for kind in (Kind.PROMISED, Kind.DELIVERY, Kind.BILLING):
        value = plain(header.get(kind))
        if value is not None and value != (present(order, kind, None) or ""):
            operations.append(Op(kind, after=value))
    if header.get("payment_plan"):
        operations.append(Op(Kind.PLAN, after=plain_mapping(header["payment_plan"])))
    return operations


def plain_mapping(values: Mapping[str, Any]) -> dict[str, Any]:
    """A mapping with plain values."""
    return {key: plain(value) for key, value in values.items()}


def _readable(kind: Kind, line: OrderLine, text: str) -> Any:
    """What was typed as a plain value; what can't be read stays as it is: the check of the operations says so."""
    op = Op(kind, line.pk, text or {Kind.LINE_DATE: None, Kind.TEXT: ""}.get(kind, "0"))
    try:
        return plain(typed(op))
    except ValidationError:
        return text


def _edited(line: OrderLine, row: Mapping[str, Any]) -> list[Op]:
    found = []
    for name, kind in _GRID.items():
        if name not in row:
            continue
        text = str(row[name] if row[name] is not None else "").strip()
        if kind == Kind.TEXT and text == line.description.strip():
            continue
        value = _readable(kind, line, text)
        if value != present(line.order, kind, line):
            found.append(Op(kind, line.pk, value))
    given = row.get("specification")
    if isinstance(given, dict) and line.product is not None and (given or line.specification):
        try:
            wanted = validate_specification(line.product, given, complete=False)
        except ValidationError:
            wanted = given
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
    """The order before and after: lines that change, facts that change, and totals in its currency."""

    order: Order
    after: Order
    pairs: list[Pair]
    facts: list[tuple[str, Any, Any]] = field(default_factory=list)
    untouched: int = 0

    @property
    def net(self) -> Decimal:
        """By how much the net total moves."""
        return self.after.net_total - self.order.net_total


def compare_order(order: Order, operations: Sequence[Op | Operation]) -> Comparison:
    """The order and what the operations make of it, computed in memory by the one calculation; nothing is written."""
    rows = list(operations)
    result = amended(order, amendment_of(order, rows))
    old = {line.pk: line for line in order.order_lines}
    pairs = []
    for line in result.lines:
        was = old.get(line.pk) if line.pk else None
        now = line if line.due > 0 else None
        if was is not None and was.due <= 0:
            continue
        sides = (_side(was) if was else None, _side(now) if now else None)
        if sides[0] != sides[1]:
            pairs.append(Pair(line.position, *sides, _differing(*sides)))
    return Comparison(
        order, result.order, pairs, _facts(order, rows), len(old) - sum(one.before is not None for one in pairs)
    )


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


def _facts(order: Order, operations: Sequence[Op | Operation]) -> list[tuple[str, Any, Any]]:
    """What changes beside the lines, in words."""
    found: list[tuple[str, Any, Any]] = []
    for op in operations:
        label = str(Kind(op.kind).label) if op.kind in Kind.values else op.kind
        value = op.after if isinstance(op.after, dict) else {}
        if op.kind == Kind.PROMISED:
            found.append((label, order.promised_date, typed(op)))
        elif op.kind in (Kind.DELIVERY, Kind.BILLING):
            found.append((label, getattr(order, op.kind), op.after))
        elif op.kind == Kind.PLAN:
            text = _("%(parts)s equal monthly instalments from %(first)s")
            found.append((label, "", text % {"parts": value.get("parts"), "first": value.get("first")}))
        elif op.kind == Kind.TERMINATE:
            fee = _("fee %(fee)s %(currency)s") % {"fee": value.get("fee") or "0", "currency": order.currency}
            found.append((label, "", fee))
    return found


__all__ = ["Comparison", "Pair", "Side", "compare_order", "operations_from", "row_product"]
