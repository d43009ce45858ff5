"""What an operation says: the one reader of values as a form, an import, the portal or a service call hands them over.

Each kind of operation has one shape. What is read is stored, and stored values are what is approved and applied: exact
text for numbers, ISO text for days, and nothing beside it. The rules of a line are those of the order's own line form.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from changes.models import Operation
from inventory.services import validate_specification
from ordermgmt.lib.days import check_reach
from ordermgmt.lib.money import ZERO, exponent
from ordermgmt.lib.typed import storable, whole
from orders.forms import LONGEST_TEXT, LineForm
from orders.models import Order, OrderLine

if TYPE_CHECKING:
    from inventory.models import Product

Kind = Operation.Kind
#: The field of a line that a kind of operation sets.
FIELDS = {
    Kind.QUANTITY: "quantity", Kind.SPECIFICATION: "specification", Kind.PRICE: "unit_price",
    Kind.DISCOUNT: "discount_percent", Kind.TEXT: "description", Kind.LINE_DATE: "promised_date",
}  # fmt: skip
HEADER = frozenset({Kind.PROMISED, Kind.DELIVERY, Kind.BILLING})
_NUMBERS = frozenset({Kind.QUANTITY, Kind.PRICE, Kind.DISCOUNT})
_DATES = frozenset({Kind.LINE_DATE, Kind.PROMISED})
_MOST_PARTS = 60


@dataclass(frozen=True)
class Op:
    """One operation as a form, an import or the portal hands it over; values are plain, as they are stored."""

    kind: str
    line: int | None = None
    after: Any = None
    before: Any = None


@dataclass(frozen=True)
class Problem:
    """What is wrong with a request, for a person: at which operation (by its place; None: with all of them together), at
    which field of the page, and how the place is called where the sentence stands alone."""

    text: str
    place: int | None = None
    field: str = ""
    where: str = ""

    @property
    def sentence(self) -> str:
        """The sentence with its place in front."""
        return f"{self.where}: {self.text}" if self.where else self.text


class WrongOperations(ValidationError):
    """Everything that is wrong with a list of operations, a sentence each; `problems` know where they belong."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(list(dict.fromkeys(one.sentence for one in problems)))
        self.problems = list(problems)


def plain(value: Any) -> Any:
    """A value as an operation stores it: exact text for numbers, ISO text for days."""
    if isinstance(value, Decimal):
        return format(value.normalize(), "f") if value.is_finite() else str(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    return value


def typed(op: Op | Operation) -> Any:
    """The `after` of an operation on a field of a line or the header as the value the order holds. Raises
    ValidationError for one that no column could hold."""
    if op.kind in _NUMBERS:
        return _number(Kind(op.kind), op.after)
    if op.kind in _DATES:
        return day(op.after)
    return op.after


def read_value(op: Op, order: Order, product: "Product | None") -> Any:
    """The plain `after` of any operation but a new line, as it is stored. Raises ValidationError with a sentence."""
    kind = Kind(op.kind)
    if kind in _NUMBERS:
        return plain(_number(kind, op.after))
    if kind in _DATES:
        return plain(_day_of(order, op.after))
    if kind == Kind.REMOVE:
        return None
    return _READERS[kind](op, order, product)


def unreadable(value: Any) -> ValidationError:
    """The sentence about something that is no value of its kind."""
    text = str(value)[:40].encode("utf-8", "replace").decode().replace("\x00", "?")
    return ValidationError(_("“%(value)s” can't be read.") % {"value": text})


def text(value: Any, *, most: int = LONGEST_TEXT) -> str:
    """A text that can be stored, without outer blanks. Raises ValidationError."""
    if not isinstance(value, str) or not storable(value):
        raise unreadable(value)
    if len(value) > most:
        raise ValidationError(_("At most %(most)s characters.") % {"most": most})
    return value.strip()


def day(value: Any) -> dt.date | None:
    """The day that a plain value names; None for none. Raises ValidationError."""
    if value is None or value == "":
        return None
    if not isinstance(value, str | dt.date):
        raise unreadable(value)
    try:
        return dt.date.fromisoformat(str(value))
    except ValueError as error:
        raise unreadable(value) from error


def check_day(order: Order, found: dt.date | None) -> None:
    """Raises ValidationError for a day before the order, or so far ahead that nobody could reckon with it."""
    if found is not None and found < order.order_date:
        raise ValidationError(_("This lies before the order date."))
    check_reach(found)


def _day_of(order: Order, value: Any) -> dt.date | None:
    found = day(value)
    check_day(order, found)
    return found


def _number(kind: Kind, value: Any) -> Decimal:
    """A number as the order's line form reads it, with its bounds and decimals."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise unreadable(value)
    try:
        found = LineForm.base_fields[FIELDS[kind]].clean(value)
    except ValidationError as error:
        raise _worded(kind, value, error) from error
    if found is None:
        if kind == Kind.PRICE and value == "":
            raise ValidationError(_("Type a price; 0 where it is free of charge."))
        raise unreadable(value)
    return Decimal(found)


def _worded(kind: Kind, value: Any, error: ValidationError) -> ValidationError:
    """The form's own sentence, but for what is no number and where there is more to say."""
    codes = {one.code for one in error.error_list}
    if "invalid" in codes or "required" in codes:
        return unreadable(value)
    if kind == Kind.QUANTITY and "min_value" in codes:
        return ValidationError(_("A quantity lies above zero; remove the line instead."))
    if kind == Kind.DISCOUNT and codes & {"min_value", "max_value"}:
        return ValidationError(_("A discount lies between 0 and 100 %."))
    return ValidationError(error.messages)


def _description(op: Op, _order: Order, _product: "Product | None") -> str:
    found = text(op.after, most=500)
    if not found:
        raise ValidationError(_("A description has 1 to 500 characters."))
    return found


def _specification(op: Op, _order: Order, product: "Product | None") -> dict[str, Any]:
    if product is None:
        raise ValidationError(_("This line has no specification."))
    check_named(op.after)
    return validate_specification(product, op.after)


def check_named(values: Any) -> None:
    """Raises ValidationError for anything but named values that can be stored: no lists, no values in values."""
    if not isinstance(values, dict):
        raise ValidationError(_("A specification is a list of named values."))
    for key, value in values.items():
        if not isinstance(value, str | int | float | Decimal | bool | None) or not storable(f"{key}{value}"):
            raise unreadable(value)


def _address(op: Op, _order: Order, _product: "Product | None") -> str:
    return text(op.after)


def _plan(op: Op, order: Order, _product: "Product | None") -> dict[str, str]:
    parts, first = plan_of(op)
    check_day(order, first)
    return {"parts": str(parts), "first": first.isoformat()}


def _ending(op: Op, order: Order, _product: "Product | None") -> dict[str, str]:
    fee = fee_of(op, order)
    if fee > order.net_total:
        raise ValidationError(_("The fee for ending the order is higher than the order."))
    return {"fee": plain(fee)}


_READERS: dict[str, "Callable[[Op, Order, Product | None], Any]"] = {
    Kind.TEXT: _description, Kind.SPECIFICATION: _specification, Kind.DELIVERY: _address, Kind.BILLING: _address,
    Kind.PLAN: _plan, Kind.TERMINATE: _ending,
}  # fmt: skip


def plan_of(op: Op | Operation) -> tuple[int, dt.date]:
    """The wished payment plan: so many equal monthly instalments from a day on. Raises ValidationError."""
    value = op.after if isinstance(op.after, Mapping) else {}
    given = value.get("parts")
    parts = None if isinstance(given, bool) else whole(given, digits=4)
    first = day(value.get("first"))
    if parts is None or first is None:
        raise ValidationError(_("A payment plan names the number of instalments and the first day."))
    if not 1 <= parts <= _MOST_PARTS:
        raise ValidationError(_("A plan has 1 to 60 instalments."))
    return parts, first


def fee_of(op: Op | Operation, order: Order) -> Decimal:
    """The fee for ending the order, net, in its currency; 0 for none. Raises ValidationError."""
    if not isinstance(op.after, Mapping | None):
        raise unreadable(op.after)
    given = (op.after or {}).get("fee")
    fee = ZERO if given is None or given == "" else _number(Kind.PRICE, given)
    places = exponent(order.currency)
    if fee != fee.quantize(Decimal(1).scaleb(-places)):
        raise ValidationError(
            _("An amount in %(currency)s has at most %(places)s decimals.")
            % {"currency": order.currency, "places": places}
        )
    return fee


def where_of(op: Op, line: OrderLine | None) -> str:
    """How the place of an operation is called in a sentence: its line and what of it, or what of the order."""
    what = Kind(op.kind).label if op.kind in Kind.values else ""
    if line is None:
        return str(what)
    name = _("Line %(position)s") % {"position": line.position}
    return name if op.kind == Kind.REMOVE else f"{name}, {what}"
