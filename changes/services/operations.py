"""Operations as they are asked for: what is wrong with them, a sentence each, and what becomes of the order by them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from billing.services import under_invoiced
from changes.models import ChangeRequest, Operation
from inventory.services import check_quantity
from ordermgmt.lib.money import HUNDRED, MOST, total
from orders.models import Order, OrderLine
from orders.services import Amended, Amendment, amended

from .new_lines import built_row, products_of, read_row, whole_row
from .values import (
    FIELDS,
    HEADER,
    Kind,
    Op,
    Problem,
    WrongOperations,
    plain,
    read_value,
    typed,
    where_of,
)

if TYPE_CHECKING:
    from inventory.models import Product

State = Order.State
#: What may still be changed, by the order's state (product.md §2).
ALLOWED: dict[str, frozenset[str]] = {
    State.PLACED: frozenset(Kind), State.IN_PRODUCTION: frozenset(Kind),
    State.SHIPPED: frozenset(Kind) - {Kind.TERMINATE}, State.RECTIFICATION: frozenset(Kind) - {Kind.TERMINATE},
    State.ACCEPTED: Operation.COMMERCIAL,
}  # fmt: skip
#: In these the work on a line is changed only as far as it is not delivered (decision 0035).
_DELIVERED = (State.SHIPPED, State.RECTIFICATION)
#: Kinds that change what is to be done on a line, not what it costs.
_WORK = Operation.OF_LINE - Operation.COMMERCIAL
_DATED = (OrderLine.Supply.MAKE, OrderLine.Supply.BUY)
#: Where the page shows what is wrong with an operation beside the lines.
_AT = {Kind.PLAN: "plan_parts", Kind.TERMINATE: "fee", Kind.REMOVE: ""}


def present(order: Order, kind: str, line: OrderLine | None) -> Any:
    """What the order says now about what an operation of this kind changes, in plain values."""
    if line is not None:
        if kind == Kind.REMOVE:
            return {"quantity": plain(line.due), "net": plain(line.net)}
        return plain(line.due if kind == Kind.QUANTITY else getattr(line, FIELDS[Kind(kind)]))
    return plain(getattr(order, kind)) if kind in HEADER else None


def takes_none(order: Order) -> str:
    """Why an order takes no change request, where its state allows none."""
    return _("An order in state “%(state)s” takes no change request.") % {"state": order.state_label}


def check_operations(order: Order, operations: Sequence[Op]) -> list[Op]:
    """The operations as they are stored: values read, nothing beside them. Writes nothing.

    Raises ValidationError for an order that takes none, and WrongOperations, which says everything that is wrong at
    once: what can't be read, what the order's state, shipments or invoices don't let through, what contradicts.
    """
    if order.state not in ALLOWED:
        raise ValidationError(takes_none(order))
    lines = {line.pk: line for line in order.order_lines}
    products = products_of(operations, lines)
    read: list[Op] = []
    found: list[Problem] = []
    added = 0
    for place, op in enumerate(operations):
        added += op.kind == Kind.ADD
        value, wrong = _read(order, op, lines, products, place=place, number=added)
        read.append(Op(op.kind, op.line, value))
        found += wrong
    if not found:
        found = _contradictions(read, lines) or _together(order, read, lines)
    if found:
        raise WrongOperations(found)
    return read


def _read(
    order: Order, op: Op, lines: Mapping[int, OrderLine], products: "Mapping[int, Product]", *, place: int, number: int
) -> tuple[Any, list[Problem]]:
    """The stored value of one operation, and what is wrong with it by itself."""
    if sentence := _misplaced(order, op, lines):
        return None, [Problem(sentence, place)]
    if op.kind == Kind.ADD:
        return read_row(order, op, products, place=place, name=_("New line %(n)s") % {"n": number})
    line = lines[op.line] if op.line is not None else None
    product = products.get(line.product_id or 0) if line else None
    try:
        value = read_value(op, order, product)
        if op.before is not None and op.before != present(order, op.kind, line):
            raise ValidationError(_moved(order, op, line))
        if line is not None:
            _check_line(Op(op.kind, op.line, value), line, product)
    except ValidationError as error:
        kind = Kind(op.kind)
        field = FIELDS.get(kind) or _AT.get(kind, str(op.kind))
        return None, [Problem(text, place, field, where_of(op, line)) for text in error.messages]
    return value, []


def _misplaced(order: Order, op: Op, lines: Mapping[int, OrderLine]) -> str:
    """Why there can be no such operation at all; empty when there can."""
    if not isinstance(op.kind, str) or op.kind not in Kind.values:
        return _("Not an operation: %(kind)s.") % {"kind": ascii(op.kind)[:40]}
    what = Kind(op.kind).label
    if op.kind not in ALLOWED[order.state]:
        return _("%(what)s: not possible any more in state “%(state)s”.") % {"what": what, "state": order.state_label}
    if op.kind not in Operation.OF_LINE:
        return "" if op.line is None else _("%(what)s is about no line of the order.") % {"what": what}
    line = lines.get(op.line) if type(op.line) is int else None
    if line is None or line.due <= 0:
        return _("A line of this request does not belong to order %(number)s.") % {"number": order.number}
    return ""


def _together(order: Order, operations: Sequence[Op], lines: Mapping[int, OrderLine]) -> list[Problem]:
    """What is wrong with operations that are well each by itself."""
    if order.order_lines and _leaves_nothing(operations, lines):
        return [Problem(_("Nothing would be left of the order: end it instead."))]
    result = amended(order, amendment_of(order, operations))
    found = _too_large(order, operations, result) + _undated(operations, lines, result)
    found += _nothing_to_promise(order, operations, result)
    return found or [Problem(text) for text in under_invoiced(order, result.order, result.lines)]


def _places(operations: Sequence[Op], result: Amended) -> list[tuple[OrderLine, int | None, str]]:
    """The lines afterwards, each with the place of the operation it comes from or that changes it, and its name."""
    changed = {op.line: place for place, op in reversed(list(enumerate(operations))) if op.line is not None}
    added = iter([place for place, op in enumerate(operations) if op.kind == Kind.ADD])
    kept = [line for line in result.lines if line.pk is not None]
    name = _("Line %(position)s")
    found = [(line, changed.get(line.pk), name % {"position": line.position}) for line in kept]
    fresh = enumerate(result.fresh, start=1)
    return found + [(line, next(added), _("New line %(n)s") % {"n": number}) for number, line in fresh]


def _too_large(order: Order, operations: Sequence[Op], result: Amended) -> list[Problem]:
    """Sums beyond what an amount can hold, at the line where it is one line's."""
    text = _("It comes to more than an amount can hold: look at quantity and price.")
    found = [
        Problem(text, place, "quantity", name)
        for line, place, name in _places(operations, result)
        if place is not None and abs(line.net) >= MOST
    ]
    moved = total(abs(line.net) for line in (*order.order_lines, *result.lines))
    sums = (moved, result.order.gross_total, result.order.cost_total)
    if not found and max(abs(one) for one in sums) >= MOST:
        return [Problem(_("The order comes to more than an amount can hold: look at quantities and prices."))]
    return found


def _undated(operations: Sequence[Op], lines: Mapping[int, OrderLine], result: Amended) -> list[Problem]:
    """Lines to make or buy that would have no day any more, or never had one."""
    text = _("A line that is made or bought needs a promised date.")
    promised = result.order.promised_date
    found = []
    for line, place, name in _places(operations, result):
        old = lines.get(line.pk or 0)
        had = old is None or bool(old.promised_date or old.order.promised_date)
        if line.supply in _DATED and line.qty_to_ship > 0 and had and not (line.promised_date or promised):
            found.append(Problem(text, place, "promised_date", name))
    return found


def _nothing_to_promise(order: Order, operations: Sequence[Op], result: Amended) -> list[Problem]:
    """A promise for an order of which everything is delivered."""
    if order.state not in _DELIVERED or any(line.qty_to_ship > 0 for line in result.lines):
        return []
    text = _("Everything is delivered: there is nothing to promise a day for.")
    return [
        Problem(text, place, str(op.kind), where_of(op, None))
        for place, op in enumerate(operations)
        if op.kind == Kind.PROMISED
    ]


def _contradictions(operations: Sequence[Op], lines: Mapping[int, OrderLine]) -> list[Problem]:
    found = []
    seen = Counter((op.kind, op.line) for op in operations if op.kind != Kind.ADD)
    removed = {op.line for op in operations if op.kind == Kind.REMOVE}
    for place, op in enumerate(operations):
        line = lines.get(op.line or 0)
        if seen[op.kind, op.line] > 1 and op.kind != Kind.ADD:
            text = (
                _("Line %(position)s is changed twice in the same way.") % {"position": line.position}
                if line
                else _("%(what)s is changed twice.") % {"what": Kind(op.kind).label}
            )
            found.append(Problem(text, place))
        elif line and op.line in removed and op.kind != Kind.REMOVE:
            text = _("Line %(position)s is removed and changed at once.") % {"position": line.position}
            found.append(Problem(text, place))
    if any(op.kind == Kind.TERMINATE for op in operations) and len(operations) > 1:
        found.append(Problem(_("The end of an order stands alone: take the other operations out.")))
    return found


def _leaves_nothing(operations: Sequence[Op], lines: Mapping[int, OrderLine]) -> bool:
    removed = {op.line for op in operations if op.kind == Kind.REMOVE}
    added = any(op.kind == Kind.ADD for op in operations)
    return bool(removed) and not added and all(pk in removed for pk, line in lines.items() if line.due > 0)


def _moved(order: Order, op: Op, line: OrderLine | None) -> str:
    return _("%(what)s was %(before)s when this was written and is %(now)s now.") % {
        "what": Kind(op.kind).label, "before": _words(op.before), "now": _words(present(order, op.kind, line)),
    }  # fmt: skip


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {one}" for key, one in value.items())[:200]
    return str(value if value not in (None, "") else "–")[:200]


def _check_line(op: Op, line: OrderLine, product: "Product | None") -> None:
    """What shipments and invoices of a line don't let through."""
    if line.order.state in _DELIVERED and op.kind in _WORK and line.qty_to_ship <= 0:
        raise ValidationError(
            _("All of it is delivered: only its price can change. What is wanted in addition is a new line.")
        )
    if op.kind == Kind.REMOVE and max(line.qty_shipped, line.qty_invoiced - line.qty_credited) > 0:
        raise ValidationError(_("Something of it is shipped or invoiced: lower the quantity instead."))
    if op.kind == Kind.QUANTITY:
        quantity = typed(op)
        _check_floor(line, quantity)
        if product is not None:
            check_quantity(product, quantity)
    if op.kind in (Kind.PRICE, Kind.DISCOUNT):
        _check_billed(op, line, typed(op))
    if op.after == present(line.order, op.kind, line):
        raise ValidationError(_("%(what)s stays as it is.") % {"what": Kind(op.kind).label})


def _check_billed(op: Op, line: OrderLine, value: Decimal) -> None:
    """A price may not fall under what is invoiced: the invoice is credited first, then the lower price is billed."""
    invoiced = line.qty_invoiced - line.qty_credited
    price = value if op.kind == Kind.PRICE else line.unit_price
    discount = value if op.kind == Kind.DISCOUNT else line.discount_percent
    after = line.due * price * (HUNDRED - discount)
    if invoiced > 0 and after < invoiced * line.unit_price * (HUNDRED - line.discount_percent):
        raise ValidationError(_("More is invoiced than the line would come to: credit the invoice first."))


def _check_floor(line: OrderLine, quantity: Decimal) -> None:
    """Nothing goes below what is shipped or invoiced."""
    invoiced = line.qty_invoiced - line.qty_credited
    if quantity < line.qty_shipped:
        raise ValidationError(_("%(n)s are shipped already: not below that.") % {"n": plain(line.qty_shipped)})
    if quantity < invoiced:
        raise ValidationError(
            _("%(n)s are invoiced already: credit the invoice first, or stay above that.") % {"n": plain(invoiced)}
        )


def amendment_of(order: Order, operations: Iterable[Op | Operation]) -> Amendment:
    """What becomes of the order by these operations. They were checked before."""
    edits: dict[int, dict[str, Any]] = {}
    removed, added, header = set(), [], {}
    rows = list(operations)
    fresh = [Op(one.kind, after=one.after) for one in rows if one.kind == Kind.ADD]
    products = products_of(fresh, {}) if fresh else {}
    for op in rows:
        key = op.line_id if isinstance(op, Operation) else op.line
        if op.kind == Kind.ADD:
            added.append(built_row(op.after or {}, products))
        elif op.kind == Kind.REMOVE and key is not None:
            removed.add(key)
        elif key is not None:
            edits.setdefault(key, {})[FIELDS[Kind(op.kind)]] = typed(op)
        elif op.kind in HEADER:
            header[op.kind] = typed(op)
        elif op.kind == Kind.TERMINATE:
            closed, gone = _closing(order)
            edits |= closed
            removed |= gone
    return Amendment(edits, frozenset(removed), added, {str(name): value for name, value in header.items()})


def _closing(order: Order) -> tuple[dict[int, dict[str, Any]], set[int]]:
    """Ending an order: what was shipped or invoiced stays, the rest goes."""
    edits, removed = {}, set()
    for line in order.order_lines:
        floor = max(line.qty_shipped, line.qty_invoiced - line.qty_credited)
        if floor <= 0 < line.due:
            removed.add(line.pk)
        elif floor < line.due:
            edits[line.pk] = {"quantity": floor}
    return edits, removed


def whole_rows(order: Order, operations: Sequence[Op]) -> list[Op]:
    """New lines with everything that their products bring along, so that what is approved is what is applied."""
    added = [op for op in operations if op.kind == Kind.ADD]
    if not added:
        return list(operations)
    built = iter(amended(order, amendment_of(order, added)).fresh)
    return [Op(op.kind, None, whole_row(next(built))) if op.kind == Kind.ADD else op for op in operations]


def operations_of(change: ChangeRequest) -> list[Op]:
    """The stored operations of a request as they are checked and applied."""
    return [Op(one.kind, one.line_id, one.after, one.before) for one in change.operations.all()]
