"""Orders of the past from files: rows that agree in the source's own, maybe composite, key make one order."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from customers.imports import find_customer
from customers.models import Customer
from inventory.imports import find_product
from ordermgmt.lib.calculation import split_by_weight
from ordermgmt.lib.importing import Context, Field, Group, Outcome, Problem, Refused, Row, Target, own_key, register
from ordermgmt.lib.money import HUNDRED, ZERO, quantise, total
from orders.models import Order
from orders.services import check_currency, import_order, list_price

_SIX = Decimal("0.000001")
#: Prices of the past are what was agreed, tax or not: nothing is added to them.
_UNTAXED = "O"


def save_order(context: Context, group: Group) -> Outcome:
    """One order with its lines, in the state it has in the source."""
    row = group.first
    _check_dates(context, group)
    customer = _customer(context, row)
    key = context.key(group.key)
    currency = row.text("currency") or customer.currency
    check_currency(currency)
    lines = _lines(context, group, currency)
    present = context.find(Order.objects.all(), group.key, number=group.key)
    if present is not None:
        if present.net_total != total(_net(line, present.currency) for line in lines):
            context.warn(row, "", _t("This order was imported before with other amounts; it stays as it is."))
        return Outcome.UNCHANGED
    order_date = row.date("order_date")
    assert order_date is not None  # noqa: S101  # the field is required
    shipped, arrived = (_last_day(group, name) for name in _DONE)
    since = arrived or shipped or order_date
    import_order(
        customer=customer,
        state=_state(row),
        lines=lines,
        actor=context.actor,
        source_key=key,
        number=_number(row.text("number")),
        tax_rates=None if row.text("tax_category") else {},
        on_hold=row.text("hold"),
        at=dt.datetime.combine(since, dt.time(12), tzinfo=dt.UTC),
        arrived_on=arrived,
        region=row.text("region"),
        channel=row.text("channel"),
        owner=customer.owner,
        currency=currency,
        order_date=order_date,
        requested_date=row.date("requested_date"),
        promised_date=row.date("promised_date"),
        customer_reference=row.text("reference")[:80],
        delivery_address=row.text("delivery_address"),
        note=row.text("note"),
    )
    return Outcome.CREATED


def _check_dates(context: Context, group: Group) -> None:
    """Nothing is shipped or arrives before it was ordered. Raises Refused with each row that says so.

    A source of the past that is known for it (`impossible_dates`: "leave_out" in its profile) is taken without those
    dates: the order counts as shipped on the day it was ordered, and each row is told.
    """
    wrong: list[Problem] = []
    for row in group.rows:
        ordered = row.date("order_date")
        for name in _DONE:
            day = row.date(name)
            if ordered and day and day < ordered:
                text = _t("Shipped on %(shipped)s, before it was ordered on %(ordered)s.")
                wrong.append(row.problem(name, text % {"shipped": day, "ordered": ordered}))
    if wrong and context.options.get("impossible_dates") != "leave_out":
        raise Refused(wrong)
    for problem in wrong:
        left = _t("%(problem)s The date was left out.") % {"problem": problem.sentence}
        context.warnings.append(Problem(problem.place, problem.column, left))


_DONE = ("shipped_date", "delivered_date")


def _last_day(group: Group, name: str) -> dt.date | None:
    """When it left or arrived: the last such day of its rows that is possible."""
    pairs = [(row.date("order_date"), row.date(name)) for row in group.rows]
    return max((day for ordered, day in pairs if day and ordered and day >= ordered), default=None)


def _customer(context: Context, row: Row) -> Customer:
    customer = find_customer(context, row.text("customer"))
    if customer is None:
        raise Refused(
            [row.problem("customer", _t("There is no customer “%(name)s”.") % {"name": row.text("customer")})]
        )
    return customer


def _state(row: Row) -> str:
    state = row.text("state") or ("shipped" if any(row.date(name) for name in _DONE) else "in_production")
    if state not in Order.State.values:
        known = ", ".join(Order.State.values)
        text = _t("“%(state)s” is not a state: %(known)s.") % {"state": state, "known": known}
        raise Refused([row.problem("state", text)])
    return state


def _number(wanted: str) -> str:
    """The source's number, with a suffix where another order of the same source carries it too."""
    if not wanted or not Order.objects.filter(number=wanted).exists():
        return wanted
    taken = set(Order.objects.filter(number__startswith=f"{wanted}-").values_list("number", flat=True))
    suffix = 2
    while f"{wanted}-{suffix}" in taken:
        suffix += 1
    return f"{wanted}-{suffix}"


# --- lines -----------------------------------------------------------------------------------------------------


def _lines(context: Context, group: Group, currency: str) -> list[dict[str, Any]]:
    """The order's lines; where the source's total differs from them, the difference becomes a discount or a charge."""
    rows = [row for row in group.rows if row.text("product") or row.text("description") or row.number("quantity")]
    rows.sort(key=lambda row: row.number("position") or ZERO)
    problems: list[Problem] = []
    lines = [line for row in rows if (line := _line(context, row, currency, problems)) is not None]
    if problems:
        raise Refused(problems)
    agreed = group.first.number("total")
    if not lines:
        return [_whole(context, group.first, agreed)]
    if freight := total(row.number("freight") or ZERO for row in rows):
        if freight < 0:
            raise Refused([group.first.problem("freight", _t("There is no price that can be charged."))])
        lines.append(_charge(freight))
    return lines if agreed is None else _fitted(lines, quantise(agreed, currency), currency)


def _line(context: Context, row: Row, currency: str, problems: list[Problem]) -> dict[str, Any] | None:
    product = find_product(context, row.text("product")) if row.text("product") else None
    description = row.text("description")
    if product is None and not description:
        problems.append(row.problem("product", _t("There is no product “%(name)s”.") % {"name": row.text("product")}))
        return None
    quantity = row.number("quantity")
    if quantity is None or quantity <= 0:
        problems.append(row.problem("quantity", _t("Enter a quantity above zero.")))
        return None
    discount = row.number("discount_percent") or ZERO
    price = _price(row, quantity, discount)
    if price is None and product is not None and (price := list_price(product, currency)) is not None:
        context.warn(row, row.headers.get("unit_price", ""), _t("The file gives no price: the list price was taken."))
    if price is None or price < 0 or not 0 <= discount <= HUNDRED:
        problems.append(row.problem("unit_price", _t("There is no price that can be charged.")))
        return None
    return {
        "product": product, "description": description[:500] or None, "quantity": quantity, "unit_price": price,
        "discount_percent": discount, "tax_category": row.text("tax_category") or _UNTAXED, "unit_cost": _cost(row, quantity),
    }  # fmt: skip


def _price(row: Row, quantity: Decimal, discount: Decimal) -> Decimal | None:
    """The price of one unit: as given, or out of the line's amount and discount."""
    if (price := row.number("unit_price")) is not None:
        return price
    amount = row.number("amount")
    if amount is None:
        return None
    if discount == HUNDRED:
        return ZERO
    return (amount / quantity / (1 - discount / HUNDRED)).quantize(_SIX)


def _cost(row: Row, quantity: Decimal) -> Decimal | None:
    amount, profit = row.number("amount"), row.number("profit")
    if amount is None or profit is None:
        return row.number("unit_cost")
    return max(ZERO, ((amount - profit) / quantity).quantize(_SIX))


def _net(line: dict[str, Any], currency: str) -> Decimal:
    price: Decimal = line["unit_price"]
    return quantise(line["quantity"] * price * (1 - line["discount_percent"] / HUNDRED), currency)


def _whole(context: Context, row: Row, agreed: Decimal | None) -> dict[str, Any]:
    """The one line of an order whose items the source doesn't tell."""
    if agreed is None or agreed < 0:
        raise Refused([row.problem("product", _t("The order has no line and no total."))])
    context.warn(row, "", _t("The source has no items of this order: it came as one line over its total."))
    return {
        "product": None, "description": _t("Order without items"), "quantity": Decimal(1), "unit_price": agreed,
        "discount_percent": ZERO, "tax_category": _UNTAXED, "unit_cost": None,
    }  # fmt: skip


def _fitted(lines: list[dict[str, Any]], agreed: Decimal, currency: str) -> list[dict[str, Any]]:
    """Lines that come to exactly the agreed total."""
    nets = [_net(line, currency) for line in lines]
    difference = agreed - total(nets)
    if difference > 0:
        return [*lines, _charge(difference)]
    if difference < 0:
        for line, net, share in zip(lines, nets, split_by_weight(difference, nets, currency), strict=True):
            full = line["quantity"] * line["unit_price"]
            if full:
                line["discount_percent"] = ((1 - (net + share) / full) * HUNDRED).quantize(_SIX)
    return lines


def _charge(amount: Decimal) -> dict[str, Any]:
    """What an order costs beside its items."""
    return {
        "product": None, "description": _t("Freight and charges"), "quantity": Decimal(1), "unit_price": amount,
        "discount_percent": ZERO, "tax_category": _UNTAXED, "unit_cost": None,
    }  # fmt: skip


#: That everything is paid is proved by documents which are not in the file: settled orders arrive as accepted.
_ARRIVES_AS = {Order.State.SETTLED: Order.State.ACCEPTED}


def order_rows() -> Iterator[dict[str, Any]]:
    """Every order from placed on, a row for each line."""
    orders = Order.objects.filter(order_date__isnull=False).exclude(state=Order.State.DRAFT).select_related("customer")
    lines = orders.order_by("pk").prefetch_related("lines__product")
    for order in lines.iterator(chunk_size=500):
        head = {
            "source_key": own_key(order.source_key, order.number), "number": order.number,
            "customer": own_key(order.customer.source_key, order.customer.number),
            "state": _ARRIVES_AS.get(Order.State(order.state), order.state), "hold": order.hold_reason,
            "reference": order.customer_reference, "delivered_date": order.arrived_on,
            **{name: getattr(order, name) for name in _HEAD},
        }  # fmt: skip
        for line in order.lines.all():
            product = line.product.sku if line.product else ""
            yield {**head, "product": product, **{name: getattr(line, name) for name in _LINE}}


_HEAD = ("region", "channel", "order_date", "requested_date", "promised_date", "currency", "delivery_address", "note")
_LINE = ("position", "description", "quantity", "unit_price", "discount_percent", "unit_cost", "tax_category")

register(
    Target(
        "orders",
        _("Orders with lines"),
        (
            Field("source_key", _("Key in the source"), required=True, names=("order id", "order number", "order no", "订单 ID", "订单编号", "订单号", "id")),
            Field("number", _("Number"), names=("order number", "订单编号")),
            Field("customer", _("Customer"), required=True, names=("customer id", "customer number", "客户 ID", "客户编号", "客户")),
            Field("order_date", _("Order date"), kind="date", required=True, names=("date", "ordered on", "订单日期", "下单日期", "下单时间")),
            Field("requested_date", _("Requested date"), kind="date", names=("required date", "要求日期", "交货日期")),
            Field("promised_date", _("Promised date"), kind="date", names=("承诺日期",)),
            Field("shipped_date", _("Shipped on"), kind="date", names=("ship date", "shipped date", "发货日期", "发货时间")),
            Field("delivered_date", _("Arrived on"), kind="date", names=("delivered date", "delivery date", "送达日期", "收货时间")),
            Field("region", _("Region"), names=("sales region", "区域", "地区")),
            Field("channel", _("Channel"), names=("渠道", "销售渠道")),
            Field("state", _("State"), names=("status", "状态", "订单状态")),
            Field("hold", _("On hold because")),
            Field("reference", _("Customer's order number"), names=("po number", "客户订单号")),
            Field("currency", _("Currency"), names=("币种",)),
            Field("delivery_address", _("Delivery address"), names=("ship to", "收货地址")),
            Field("note", _("Note"), names=("comments", "remarks", "备注")),
            Field("total", _("Total of the order"), kind="number", names=("order total", "amount due", "应付金额", "订单金额")),
            Field("position", _("Line number"), kind="number", names=("line", "行号")),
            Field("product", _("Product"), names=("sku", "product id", "product code", "产品 ID", "条码", "商品编码", "货号")),
            Field("description", _("Description"), names=("product name", "item", "产品名称", "商品名称", "名称")),
            Field("quantity", _("Quantity"), kind="number", names=("qty", "数量")),
            Field("unit_price", _("Unit price"), kind="number", names=("price", "price each", "单价")),
            Field("amount", _("Amount of the line"), kind="number", names=("sales", "line total", "销售额", "金额")),
            Field("freight", _("Freight of the line"), kind="number", names=("freight", "shipping", "运费")),
            Field("discount_percent", _("Discount %"), kind="number", names=("discount", "折扣")),
            Field("profit", _("Profit of the line"), kind="number", names=("利润",)),
            Field("unit_cost", _("Unit cost"), kind="number", names=("cost", "成本")),
            Field("tax_category", _("Tax category"), names=("税类",)),
        ),
        keys=(("source_key", "customer", "order_date"), ("source_key",)),
        save=save_order,
        order=60,
        rows=order_rows,
    )
)  # fmt: skip
