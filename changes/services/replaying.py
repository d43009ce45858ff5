"""Replaying the applied changes over the baseline of an order: what comes out is the present order, or something is wrong."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from changes.models import ChangeRequest, Operation
from ordermgmt.company.services import tax_rates
from ordermgmt.lib.calculation import DocumentInput, LineInput, calculate
from ordermgmt.lib.money import ZERO
from orders.models import Order, OrderAmendment, OrderVersion
from orders.services import rules_of

from .values import FIELDS, typed

Kind = Operation.Kind
Content = dict[int, dict[str, Any]]
_SAME = ("position", "product_id", "description", "specification", "unit", "quantity", "unit_price",
         "discount_percent", "tax_category", "tax_rate", "net", "supply", "promised_date", "qty_cancelled")  # fmt: skip


def replay(order: Order) -> list[str]:
    """Where the baseline and the applied changes together differ from the present order; nothing when all is well."""
    amendments = list(OrderAmendment.objects.filter(order=order).order_by("version"))
    kept = list(OrderVersion.objects.filter(order=order).order_by("version"))
    first = amendments[0].version if amendments else None
    before = [one for one in kept if first is None or one.version < first]
    if not before:
        return [_("There is no baseline.")]
    header, lines = dict(before[-1].content["header"]), _by_position(before[-1].content)
    changes = {
        one.pk: one
        for one in ChangeRequest.objects.filter(order=order, state="applied").prefetch_related("operations__line")
    }
    for amendment in amendments:
        change = changes.get(amendment.source_id)
        if change is None:
            return [_("Version %(n)s has no applied change.") % {"n": amendment.version}]
        version = next((one for one in kept if one.version == amendment.version), None)
        _apply(order, header, lines, change, version)
    return _differences(order, header, lines)


def _by_position(content: Mapping[str, Any]) -> Content:
    return {line["position"]: dict(line) for line in content["lines"]}


def _apply(
    order: Order, header: dict[str, Any], lines: Content, change: ChangeRequest, version: OrderVersion | None
) -> None:
    rates: dict[str, Decimal] | None = None
    for op in change.operations.all():
        if op.kind == Kind.TERMINATE and version is not None:
            # What was shipped by then decides what stays: the version kept on that day says it.
            lines.clear()
            lines.update(_by_position(version.content))
        elif op.kind == Kind.ADD:
            rates = tax_rates(order.tax_profile, order.order_date) if rates is None else rates
            _add(lines, op.after or {}, rates)
        elif op.line is not None:
            _edit(lines[op.line.position], op)
        elif op.kind in (Kind.PROMISED, Kind.DELIVERY, Kind.BILLING):
            header[op.kind] = op.after


def _add(lines: Content, row: Mapping[str, Any], rates: Mapping[str, Decimal]) -> None:
    position = max(lines, default=0) + 1
    category = str(row.get("tax_category") or "S")
    lines[position] = {
        "position": position, "product_id": row.get("product"), "description": row.get("description", ""),
        "specification": row.get("specification") or {}, "unit": row.get("unit", ""), "quantity": row["quantity"],
        "unit_price": row.get("unit_price", "0"), "discount_percent": row.get("discount_percent") or "0",
        "tax_category": category, "tax_rate": _plain(rates.get(category, ZERO)), "supply": row.get("supply"),
        "promised_date": row.get("promised_date"),
    }  # fmt: skip


def _edit(line: dict[str, Any], op: Operation) -> None:
    if op.kind == Kind.REMOVE:
        line["qty_cancelled"] = line["quantity"]
        return
    value = typed(op)
    if op.kind == Kind.QUANTITY:
        value += Decimal(line.get("qty_cancelled", "0"))
    line[FIELDS[Kind(op.kind)]] = _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    return value if isinstance(value, str | int | dict | type(None)) else str(value)


def _differences(order: Order, header: Mapping[str, Any], lines: Content) -> list[str]:
    rows, rules = [lines[position] for position in sorted(lines)], rules_of(order)
    totals = calculate(
        DocumentInput(
            currency=order.currency,
            tax_rounding=rules.rounding, price_mode=rules.price_mode, cash_step=order.cash_step,
            lines=[
                LineInput(
                    quantity=Decimal(row["quantity"]) - Decimal(row.get("qty_cancelled", "0")),
                    price=Decimal(row["unit_price"]), category=row["tax_category"], rate=Decimal(row["tax_rate"]),
                    discount_percent=Decimal(row["discount_percent"]),
                    components=rules.authorities(row["tax_category"], Decimal(row["tax_rate"])),
                )
                for row in rows
            ],
        )
    )  # fmt: skip
    found = []
    for row, result in zip(rows, totals.lines, strict=True):
        row["net"] = _plain(result.net)
    present = {line.position: line.content() for line in order.order_lines}
    for position in sorted(set(present) | set(lines)):
        now, then = present.get(position, {}), lines.get(position, {})
        found += [
            f"{order.number} {position} {name}: {then.get(name)} != {now.get(name)}"
            for name in _SAME
            if (now.get(name) or None) != (then.get(name) or None)
        ]
    sums = (totals.tax_basis, totals.tax_total + totals.rounding, totals.due)
    if sums != (order.net_total, order.tax_total + order.rounding, order.gross_total):
        found.append(f"{order.number}: {totals.due} != {order.gross_total}")
    found += [
        f"{order.number} {name}: {header.get(name)} != {getattr(order, name)}"
        for name in ("delivery_address", "billing_address")
        if (header.get(name) or "") != getattr(order, name)
    ]
    return found
