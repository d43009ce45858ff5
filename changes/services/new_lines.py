"""New lines of a change request: rows of the line grid, held to the rules of the order's own line form."""

import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from changes.models import Operation
from inventory.models import Product
from inventory.services import validate_specification
from ordermgmt.lib.typed import storable, whole
from orders.forms import LineForm
from orders.models import Order, OrderLine
from orders.services import LINE

from .values import Kind, Op, Problem, check_day, check_named, day, plain, unreadable

_NUMBERS = ("quantity", "unit_price", "discount_percent")


def row_product(op: Op | Operation) -> int | None:
    """The product key of a new line."""
    value = op.after.get("product") if isinstance(op.after, dict) else None
    return None if isinstance(value, bool) else whole(value)


def products_of(operations: Iterable[Op], lines: Mapping[int, OrderLine]) -> dict[int, Product]:
    """The products of new lines and of the lines that operations are about, with unit and specification."""
    rows = list(operations)
    wanted = {row_product(op) for op in rows if op.kind == Kind.ADD}
    wanted |= {lines[op.line].product_id for op in rows if type(op.line) is int and op.line in lines}
    found = Product.objects.filter(pk__in=[pk for pk in wanted if pk])
    related = found.select_related("unit", "specification_template")
    return {one.pk: one for one in related.prefetch_related("specification_template__attributes")}


def read_row(
    order: Order, op: Op, products: Mapping[int, Product], *, place: int, name: str
) -> tuple[dict[str, Any], list[Problem]]:
    """The row of a new line in plain values, as the order's line form reads it, and what is wrong with it by field.

    `name` is how the line is called in sentences.
    """
    if not isinstance(op.after, dict):
        return {}, [Problem(_("A new line is a row of named values."), place, "", name)]
    row = {field: value for field in LINE if (value := op.after.get(field)) not in (None, "")}
    found = {field: str(error.messages[0]) for field in row if (error := _unreadable(field, row[field]))}
    form = LineForm(
        {field: value if field == "specification" else str(value) for field, value in row.items() if field not in found},
        products={pk: one for pk, one in products.items() if one.is_active}, currency=order.currency,
    )  # fmt: skip
    form.is_valid()
    for field, texts in form.errors.items():
        found.setdefault(field, " ".join(str(one) for one in texts))
    if not found:
        found = _beyond_form(order, form.cleaned_data)
    problems = [Problem(text, place, _at(field), _where(name, field)) for field, text in found.items()]
    return ({} if problems else _plain(form.cleaned_data)), problems


def _unreadable(field: str, value: Any) -> ValidationError | None:
    """A value that a form would take for a text: whatever is no text, number or day here."""
    try:
        if field == "specification":
            check_named(value)
        elif (
            isinstance(value, bool)
            or not isinstance(value, str | int | float | Decimal | dt.date)
            or not storable(str(value))
        ):
            raise unreadable(value)
        elif field == "promised_date":
            day(value)
    except ValidationError as error:
        return error
    return None


def _beyond_form(order: Order, row: Mapping[str, Any]) -> dict[str, str]:
    """What a line of an order that is placed must say, and a draft's may leave open."""
    found = {}
    try:
        check_day(order, row.get("promised_date"))
    except ValidationError as error:
        found["promised_date"] = error.messages[0]
    if product := row.get("product"):
        try:
            validate_specification(product, row.get("specification") or {})
        except ValidationError as error:
            found["specification"] = " ".join(error.messages)
    return found


def _at(field: str) -> str:
    return "" if field == "__all__" else field


def _where(name: str, field: str) -> str:
    if field == "__all__":
        return name
    label: Any = OrderLine._meta.get_field(field)
    return f"{name}, {label.verbose_name}"


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    found = {field: plain(value) for field, value in row.items() if field in LINE}
    if product := row.get("product"):
        found["product"] = product.pk
    return found


def built_row(row: Mapping[str, Any], products: Mapping[int, Product]) -> dict[str, Any]:
    """A stored row as the services of orders take a line."""
    found: dict[str, Any] = {name: row[name] for name in LINE if name != "product" and row.get(name) not in (None, "")}
    found |= {name: Decimal(str(found[name])) for name in _NUMBERS if name in found}
    if "promised_date" in found:
        found["promised_date"] = day(found["promised_date"])
    if product := products.get(row.get("product") or 0):
        found["product"] = product
    return found


def whole_row(line: OrderLine) -> dict[str, Any]:
    """A new line with everything that its product brings along, so that what is approved is what is applied."""
    return {"product": line.product_id} | {name: plain(getattr(line, name)) for name in LINE if name != "product"}
