"""Before and after of what is decided: of an applied request from the versions that are kept, of any other as it was written."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from changes.models import Assessment, ChangeRequest, Operation
from inventory.models import Product
from ordermgmt.lib.money import ZERO
from orders.models import Order, OrderLine, OrderVersion

from .comparing import Comparison, as_day, fact_of, paired

Kind = Operation.Kind
_PRICED = {Kind.PRICE, Kind.DISCOUNT}
_TOTALS = ("net_total", "tax_total", "rounding", "gross_total")


def compare_decided(change: ChangeRequest, *, prices: bool) -> Comparison | None:
    """Before and after of a request that is applied, refused or withdrawn; None where it says nothing.

    Without `prices` no amount is among the facts; the caller shows none of the lines' either.
    """
    operations = list(change.operations.select_related("line__product"))
    if not operations:
        return None
    kept = _kept(change)
    if kept is not None:
        return _between(change.order, *kept, operations, prices=prices)
    facts = [_written(op, prices=prices) for op in operations if prices or op.kind not in _PRICED]
    return Comparison(None, None, [], facts)


_FIGURES = ("net", "tax", "gross", "cost", "margin_before", "margin_after", "extra_cost", "instalments_open")


def kept_impact(change: ChangeRequest, judged: Sequence[Assessment]) -> dict[str, Any] | None:
    """What a decided request meant for the order when it was judged; None where nobody judged all of it."""
    if not change.impact or len(judged) < len(Assessment.Aspect):
        return None
    told = change.impact.get("reasons") or []
    if isinstance(told, dict):  # by language; a list was kept in that of who judged
        told = told.get(get_language()) or next(iter(told.values()))
    figures = {name: None if change.impact.get(name) is None else Decimal(change.impact[name]) for name in _FIGURES}
    return change.impact | figures | {"reasons": told}


def _kept(change: ChangeRequest) -> tuple[dict[str, Any], dict[str, Any]] | None:
    if change.applied_version is None:
        return None
    rows = OrderVersion.objects.filter(order=change.order_id, version__lte=change.applied_version).order_by("-version")
    found = list(rows[:2])
    if len(found) < 2 or found[0].version != change.applied_version:
        return None
    return found[1].content, found[0].content


def _between(
    order: Order, was: dict[str, Any], now: dict[str, Any], operations: list[Operation], *, prices: bool
) -> Comparison:
    keys = {line["product_id"] for side in (was, now) for line in side["lines"] if line["product_id"]}
    products = {one.pk: one for one in Product.objects.filter(pk__in=keys)}
    before, after = ([_line(one, products) for one in side["lines"]] for side in (was, now))
    by_position = {line.position: line for line in before}
    pairs, untouched = paired([(by_position.get(line.position), line) for line in after])
    beside = [op for op in operations if op.kind not in Operation.OF_LINE | {Kind.ADD}]
    facts = [fact_of(order, op, op.before, prices=prices) for op in beside]
    return Comparison(_totals(order, was), _totals(order, now), pairs, facts, untouched)


def _line(row: Mapping[str, Any], products: Mapping[int, Product]) -> OrderLine:
    numbers = ("quantity", "unit_price", "discount_percent", "net", "qty_cancelled")
    line = OrderLine(
        position=row["position"], product=products.get(row["product_id"] or 0), description=row["description"],
        specification=row["specification"], unit=row["unit"], supply=row["supply"],
        promised_date=as_day(row["promised_date"]),
    )  # fmt: skip
    for name in numbers:
        setattr(line, name, Decimal(row.get(name) or ZERO))
    return line


def _totals(order: Order, content: Mapping[str, Any]) -> Order:
    amounts = {name: Decimal(content["header"].get(name) or ZERO) for name in _TOTALS}
    return Order(currency=order.currency, **amounts)


def _written(op: Operation, *, prices: bool) -> tuple[str, Any, Any]:
    label = str(Kind(op.kind).label)
    if op.kind == Kind.ADD:
        row = op.after or {}
        return label, "", f"{row.get('description', '')} × {row.get('quantity', '')}"
    if op.line is None:
        return fact_of(op.change.order, op, op.before, prices=prices)
    where = _("Line %(position)s") % {"position": op.line.position}
    text = f"{where} {op.line.product.sku}" if op.line.product else where
    if op.kind == Kind.REMOVE:
        return f"{text}: {label}", (op.before or {}).get("quantity"), ""
    return f"{text}: {label}", _told(op.before), _told(op.after)


def _told(value: Any) -> Any:
    if isinstance(value, dict):
        return ", ".join(f"{key} {one}" for key, one in value.items() if one not in ("", None))
    return value
