"""Operations as they are typed, and what is wrong with them, a sentence each."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from changes.models import ChangeRequest, Operation
from inventory.models import Product
from inventory.services import check_quantity, validate_specification
from ordermgmt.lib.money import HUNDRED, ZERO
from orders.models import Order, OrderLine
from orders.services import Amendment, amended, list_price

Kind = Operation.Kind
State = Order.State
#: The field of a line that a kind of operation sets.
FIELDS = {
    Kind.QUANTITY: "quantity", Kind.SPECIFICATION: "specification", Kind.PRICE: "unit_price",
    Kind.DISCOUNT: "discount_percent", Kind.TEXT: "description", Kind.LINE_DATE: "promised_date",
}  # fmt: skip
_HEADER = {Kind.PROMISED, Kind.DELIVERY, Kind.BILLING}
_NUMBERS = {Kind.QUANTITY, Kind.PRICE, Kind.DISCOUNT}
_DATES = {Kind.LINE_DATE, Kind.PROMISED}
#: What may still be changed, by the order's state (product.md §2).
ALLOWED: dict[str, frozenset[str]] = {
    State.PLACED: frozenset(Kind), State.IN_PRODUCTION: frozenset(Kind),
    State.SHIPPED: frozenset({*Operation.COMMERCIAL, Kind.DELIVERY}),
    State.RECTIFICATION: frozenset({*Operation.COMMERCIAL, Kind.DELIVERY}),
    State.ACCEPTED: Operation.COMMERCIAL,
}  # fmt: skip
_MOST = Decimal(10) ** 12


@dataclass(frozen=True)
class Op:
    """One operation as a form, an import or the portal hands it over; values are plain, as they are stored."""

    kind: str
    line: int | None = None
    after: Any = None
    before: Any = None


def plain(value: Any) -> Any:
    """A value as an operation stores it: exact text for numbers, ISO text for days."""
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, dt.date):
        return value.isoformat()
    return value


def present(order: Order, kind: str, line: OrderLine | None) -> Any:
    """What the order says now about what an operation of this kind changes, in plain values."""
    if line is not None:
        if kind == Kind.REMOVE:
            return {"quantity": plain(line.due), "net": plain(line.net)}
        return plain(line.due if kind == Kind.QUANTITY else getattr(line, FIELDS[Kind(kind)]))
    return plain(getattr(order, kind)) if kind in _HEADER else None


def typed(op: Op | Operation) -> Any:
    """The stored `after` of a line or header operation as the value the order holds. Raises ValidationError."""
    value = op.after
    try:
        if op.kind in _NUMBERS:
            number = Decimal(str(value))
            if not number.is_finite() or not ZERO <= number < _MOST:
                raise InvalidOperation
            return number
        if op.kind in _DATES:
            return dt.date.fromisoformat(str(value)) if value else None
    except (InvalidOperation, ValueError) as error:
        raise ValidationError(
            _("%(what)s: “%(value)s” can't be read.") % {"what": Kind(op.kind).label, "value": str(value)[:40]}
        ) from error
    return value


def check_operations(order: Order, operations: Sequence[Op]) -> None:
    """Raises ValidationError with a sentence for everything that is wrong, all at once; writes nothing."""
    errors: list[str] = []
    if order.state not in ALLOWED:
        raise ValidationError(
            _("An order in state “%(state)s” takes no change request.") % {"state": order.state_label}
        )
    lines = {line.pk: line for line in order.order_lines}
    errors += _contradictions(operations, lines)
    products = _products(operations, lines)
    for op in operations:
        line = lines.get(op.line) if op.line is not None else None
        if op.kind not in Kind.values:
            errors.append(_("Not an operation: %(kind)s.") % {"kind": str(op.kind)[:40]})
        elif op.kind not in ALLOWED[order.state]:
            errors.append(
                _("%(what)s: not possible any more in state “%(state)s”.")
                % {"what": Kind(op.kind).label, "state": order.state_label}
            )
        elif op.kind in Operation.OF_LINE and (line is None or line.due <= 0):
            errors.append(_("A line of this request does not belong to order %(number)s.") % {"number": order.number})
        else:
            errors += _wrong(order, op, line, products)
    if order.order_lines and not errors and _leaves_nothing(operations, lines):
        errors.append(_("Nothing would be left of the order: end it instead."))
    if errors:
        raise ValidationError(list(dict.fromkeys(errors)))


def _contradictions(operations: Sequence[Op], lines: Mapping[int, OrderLine]) -> list[str]:
    found = []
    seen = Counter((op.kind, op.line) for op in operations if op.kind != Kind.ADD)
    removed = {op.line for op in operations if op.kind == Kind.REMOVE}
    for op in operations:
        line = lines.get(op.line or 0)
        if seen[op.kind, op.line] > 1 and op.kind != Kind.ADD:
            found.append(
                _("Line %(position)s is changed twice in the same way.") % {"position": line.position}
                if line
                else _("%(what)s is changed twice.") % {"what": op.kind}
            )
        elif line and op.line in removed and op.kind != Kind.REMOVE:
            found.append(_("Line %(position)s is removed and changed at once.") % {"position": line.position})
    if any(op.kind == Kind.TERMINATE for op in operations) and len(operations) > 1:
        found.append(_("The end of an order stands alone: take the other operations out."))
    return found


def _leaves_nothing(operations: Sequence[Op], lines: Mapping[int, OrderLine]) -> bool:
    removed = {op.line for op in operations if op.kind == Kind.REMOVE}
    added = any(op.kind == Kind.ADD for op in operations)
    return bool(removed) and not added and all(pk in removed for pk, line in lines.items() if line.due > 0)


def _products(operations: Sequence[Op], lines: Mapping[int, OrderLine]) -> dict[int, Product]:
    wanted = {row_product(op) for op in operations if op.kind == Kind.ADD}
    wanted |= {lines[op.line].product_id for op in operations if op.line is not None and op.line in lines}
    found = Product.objects.filter(pk__in=[pk for pk in wanted if pk])
    related = found.select_related("unit", "specification_template")
    return {one.pk: one for one in related.prefetch_related("specification_template__attributes")}


def row_product(op: Op | Operation) -> int | None:
    """The product key of a new line."""
    row = op.after if isinstance(op.after, dict) else {}
    value = row.get("product")
    return value if isinstance(value, int) else None


def _wrong(order: Order, op: Op, line: OrderLine | None, products: Mapping[int, Product]) -> list[str]:
    try:
        if op.before is not None and op.before != present(order, op.kind, line):
            raise ValidationError(_moved(order, op, line))
        _check_kind(order, op, line, products)
    except ValidationError as error:
        where = _("Line %(position)s") % {"position": line.position} if line else ""
        return [f"{where}: {text}" if where else text for text in error.messages]
    return []


def _moved(order: Order, op: Op, line: OrderLine | None) -> str:
    return _("%(what)s was %(before)s when this was written and is %(now)s now.") % {
        "what": Kind(op.kind).label, "before": _words(op.before), "now": _words(present(order, op.kind, line)),
    }  # fmt: skip


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {one}" for key, one in value.items())
    return str(value if value not in (None, "") else "–")


def _check_kind(order: Order, op: Op, line: OrderLine | None, products: Mapping[int, Product]) -> None:
    value = typed(op)
    if line is not None:
        _check_line(op, line, value, products.get(line.product_id or 0))
    if op.kind in _DATES and value and value < order.order_date:
        raise ValidationError(_("The promised date lies before the order date."))
    if op.kind in (Kind.DELIVERY, Kind.BILLING) and (not isinstance(value, str) or len(value) > 5000):
        raise ValidationError(_("An address is text of at most 5,000 characters."))
    if op.kind == Kind.ADD:
        check_row(order, op.after, products)
    if op.kind == Kind.PLAN:
        plan_of(op)
    if op.kind == Kind.TERMINATE:
        fee_of(op, order)


def _check_line(op: Op, line: OrderLine, value: Any, product: Product | None) -> None:
    if op.kind == Kind.REMOVE and max(line.qty_shipped, line.qty_invoiced - line.qty_credited) > 0:
        raise ValidationError(_("Something of it is shipped or invoiced: lower the quantity instead."))
    if op.kind == Kind.QUANTITY:
        _check_floor(line, value)
        if product is not None:
            check_quantity(product, value)
    if op.kind in (Kind.PRICE, Kind.DISCOUNT):
        _check_billed(op, line, value)
    _check_words(op, value, product)
    if op.after == present(line.order, op.kind, line):
        raise ValidationError(_("%(what)s stays as it is.") % {"what": Kind(op.kind).label})


def _check_words(op: Op, value: Any, product: Product | None) -> None:
    if op.kind == Kind.TEXT and (not isinstance(value, str) or not 0 < len(value.strip()) <= 500):
        raise ValidationError(_("A description has 1 to 500 characters."))
    if op.kind == Kind.SPECIFICATION:
        if not isinstance(value, dict) or product is None:
            raise ValidationError(_("This line has no specification."))
        validate_specification(product, value)


def _check_billed(op: Op, line: OrderLine, value: Decimal) -> None:
    """A price may not fall under what is invoiced: the invoice is credited first, then the lower price is billed."""
    if op.kind == Kind.DISCOUNT and value > HUNDRED:
        raise ValidationError(_("A discount lies between 0 and 100 %."))
    invoiced = line.qty_invoiced - line.qty_credited
    price = value if op.kind == Kind.PRICE else line.unit_price
    discount = value if op.kind == Kind.DISCOUNT else line.discount_percent
    after = line.due * price * (HUNDRED - discount)
    if invoiced > 0 and after < invoiced * line.unit_price * (HUNDRED - line.discount_percent):
        raise ValidationError(_("More is invoiced than the line would come to: credit the invoice first."))


def _check_floor(line: OrderLine, quantity: Decimal) -> None:
    """Nothing goes below what is shipped or invoiced."""
    invoiced = line.qty_invoiced - line.qty_credited
    if quantity <= 0:
        raise ValidationError(_("A quantity lies above zero; remove the line instead."))
    if quantity < line.qty_shipped:
        raise ValidationError(_("%(n)s are shipped already: not below that.") % {"n": plain(line.qty_shipped)})
    if quantity < invoiced:
        raise ValidationError(
            _("%(n)s are invoiced already: credit the invoice first, or stay above that.") % {"n": plain(invoiced)}
        )


def check_row(order: Order, row: Any, products: Mapping[int, Product]) -> None:
    """A new line as the line grid makes it. Raises ValidationError."""
    if not isinstance(row, dict):
        raise ValidationError(_("A new line is a row of named values."))
    quantity = typed(Op(Kind.QUANTITY, after=row.get("quantity", "0")))
    if quantity <= 0:
        raise ValidationError(_("A quantity lies above zero; remove the line instead."))
    product = products.get(row.get("product") or 0)
    if row.get("product") and product is None:
        raise ValidationError(_("This product is not sold any more, or you may not sell it."))
    if product is None and not str(row.get("description") or "").strip():
        raise ValidationError(_("Choose a product or describe what is ordered."))
    _check_price(order, row.get("unit_price"), product)
    if product is not None:
        check_quantity(product, quantity)
        validate_specification(product, row.get("specification") or {})
    dated = row.get("promised_date") or order.promised_date
    if row.get("supply") in (OrderLine.Supply.MAKE, OrderLine.Supply.BUY) and not dated:
        raise ValidationError(_("A line that is made or bought needs a promised date."))


def _check_price(order: Order, price: Any, product: Product | None) -> None:
    if price not in (None, ""):
        typed(Op(Kind.PRICE, after=price))
    elif product is None or list_price(product, order.currency) is None:
        raise ValidationError(_("A new line needs a price."))


def plan_of(op: Op | Operation) -> tuple[int, dt.date]:
    """The wished payment plan: so many equal monthly instalments from a day on. Raises ValidationError."""
    value = op.after if isinstance(op.after, dict) else {}
    try:
        parts, first = int(value["parts"]), dt.date.fromisoformat(str(value["first"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ValidationError(_("A payment plan names the number of instalments and the first day.")) from error
    if not 1 <= parts <= 60:
        raise ValidationError(_("A plan has 1 to 60 instalments."))
    return parts, first


def fee_of(op: Op | Operation, order: Order) -> Decimal:
    """The fee for ending the order, net, in its currency; 0 for none. Raises ValidationError."""
    value = op.after if isinstance(op.after, dict) else {}
    fee = typed(Op(Kind.PRICE, after=value.get("fee") or "0"))
    if fee > order.net_total:
        raise ValidationError(_("The fee for ending the order is higher than the order."))
    return Decimal(fee)


def amendment_of(order: Order, operations: Iterable[Op | Operation]) -> Amendment:
    """What becomes of the order by these operations. They were checked before."""
    edits: dict[int, dict[str, Any]] = {}
    removed, added, header = set(), [], {}
    products: dict[int, Product] | None = None
    rows = list(operations)
    for op in rows:
        key = op.line_id if isinstance(op, Operation) else op.line
        if op.kind == Kind.ADD:
            if products is None:
                products = _products([Op(one.kind, after=one.after) for one in rows], {})
            added.append(_row(op.after or {}, products))
        elif op.kind == Kind.REMOVE and key is not None:
            removed.add(key)
        elif key is not None:
            edits.setdefault(key, {})[FIELDS[Kind(op.kind)]] = typed(op)
        elif op.kind in _HEADER:
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


def _row(row: Mapping[str, Any], products: Mapping[int, Product]) -> dict[str, Any]:
    found: dict[str, Any] = {
        name: row[name] for name in ("description", "specification", "unit", "tax_category", "supply") if row.get(name)
    }
    found["quantity"] = Decimal(str(row["quantity"]))
    for name in ("unit_price", "discount_percent"):
        if row.get(name) not in (None, ""):
            found[name] = Decimal(str(row[name]))
    if row.get("promised_date"):
        found["promised_date"] = dt.date.fromisoformat(str(row["promised_date"]))
    if product := products.get(row.get("product") or 0):
        found["product"] = product
    return found


def whole_rows(order: Order, operations: Sequence[Op]) -> list[Op]:
    """New lines with everything that their products bring along, so that what is approved is what is applied."""
    added = [op for op in operations if op.kind == Kind.ADD]
    if not added:
        return list(operations)
    built = iter(amended(order, amendment_of(order, added)).fresh)
    return [Op(op.kind, None, _whole(next(built))) if op.kind == Kind.ADD else op for op in operations]


def _whole(line: OrderLine) -> dict[str, Any]:
    names = ("description", "specification", "quantity", "unit", "unit_price", "discount_percent", "tax_category", "supply",
             "promised_date")  # fmt: skip
    return {"product": line.product_id} | {name: plain(getattr(line, name)) for name in names}


def operations_of(change: ChangeRequest) -> list[Op]:
    """The stored operations of a request as they are checked and applied."""
    return [Op(one.kind, one.line_id, one.after, one.before) for one in change.operations.all()]
