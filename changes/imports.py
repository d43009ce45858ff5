"""Change requests from files: contracts that another system changed, one request per row, waiting to be judged here.

A file approves nothing: what it brings is asked for by the application itself and goes the way of every request.
"""

from decimal import ROUND_HALF_UP, Decimal

from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from changes.models import ChangeReason, ChangeRequest, Operation
from changes.services import Op, plain, raise_change, submit_change
from customers.imports import find_customer
from ordermgmt.accounts.services import system_user
from ordermgmt.lib.importing import Context, Field, Group, Outcome, Refused, Row, Target, register
from ordermgmt.lib.money import ZERO
from orders.models import Order
from orders.services import import_order

Kind = Operation.Kind
#: Prices of the past are what was agreed, tax or not: nothing is added to them.
_UNTAXED = "O"
_PLACES = Decimal("0.000001")


def save_change(context: Context, group: Group) -> Outcome:
    """One request for an order that the file or an earlier one brought. Imported twice, it stays as it is.

    `before` and `after` are values of the whole contract: the request moves the first line by their difference. A
    `before` that is not what the order comes to is flagged, on the row and in the request.
    """
    row = group.first
    key = context.key(group.key)
    if ChangeRequest.objects.filter(source_key=key).exists():
        return Outcome.UNCHANGED
    order = _order(context, row)
    text = row.text("text")
    flags: list[tuple[str, str]] = []
    operations = _operations(order, row, flags)
    for column, sentence in flags:
        context.warn(row, column, sentence)
    change = raise_change(
        order, reason=_reason(row), operations=operations, source=ChangeRequest.Source.IMPORT, source_key=key,
        text="\n\n".join([*(sentence for _column, sentence in flags), text, row.text("explanation")])[:5000],
        actor=system_user(),
    )  # fmt: skip
    submit_change(change, actor=system_user())
    return Outcome.CREATED


def _order(context: Context, row: Row) -> Order:
    """The order by its key in the source or its number; one that is not there yet is made of the row, in production."""
    name = row.text("order")
    rows = Order.objects.select_related("tax_profile")
    found = rows.filter(source_key=context.key(name)).first() or rows.filter(number=name).first()
    if found is not None:
        return found
    customer = find_customer(context, row.text("customer")) if row.text("customer") else None
    ordered = row.date("ordered_on") or row.date("noticed_on")
    if customer is None or ordered is None:
        raise Refused([row.problem("order", _t("There is no order “%(name)s”.") % {"name": name})])
    value = next((one for one in (row.number("before"), row.number("award")) if one is not None), ZERO)
    title = row.text("title") or name
    line = {
        "description": title[:500], "quantity": Decimal(1), "unit_price": value, "tax_category": _UNTAXED,
        "supply": "service",
    }  # fmt: skip
    return import_order(
        customer=customer, state=Order.State.IN_PRODUCTION, lines=[line], actor=context.actor,
        source_key=context.key(name), tax_rates={}, currency=row.text("currency") or row.text("award_currency") or None,
        order_date=ordered, promised_date=row.date("ends_on"), customer_reference=name[:80], owner=customer.owner,
    )  # fmt: skip


def _reason(row: Row) -> ChangeReason:
    code = row.text("reason").upper()
    found = ChangeReason.objects.filter(code=code).first()
    if found is None:
        raise Refused([row.problem("reason", _t("“%(code)s” is not a reason of the list.") % {"code": code})])
    return found


def _operations(order: Order, row: Row, flags: list[tuple[str, str]]) -> list[Op]:
    """What more it costs as a supplement, what less on the first line; a later end; else what the work is from now on."""
    line = order.order_lines[0]
    found = []
    before, after = row.number("before"), row.number("after")
    delta = after - before if before is not None and after is not None else ZERO
    if before is not None and after is not None:
        _flag(order, row, before, flags)
    words = " ".join(row.text("text").split())[:500]
    if delta > 0:
        found.append(
            Op(
                Kind.ADD,
                after={
                    "description": words, "quantity": "1", "unit_price": plain(delta), "tax_category": _UNTAXED,
                    "supply": "service",
                },
            )
        )  # fmt: skip
    elif delta < 0:
        found.append(Op(Kind.PRICE, line.pk, plain(_price(line.unit_price + delta / line.quantity))))
    until = row.date("until")
    if until is not None and order.promised_date is not None and until > order.promised_date:
        found.append(Op(Kind.PROMISED, after=until.isoformat()))
    if not found:
        found.append(Op(Kind.TEXT, line.pk, words))
    return found


def _price(price: Decimal) -> Decimal:
    """A price with the decimals that prices are kept with."""
    return price.quantize(_PLACES, rounding=ROUND_HALF_UP)


def _flag(order: Order, row: Row, before: Decimal, flags: list[tuple[str, str]]) -> None:
    """Says it where the values do not chain, and where something happened between the award and this change."""
    waiting = ChangeRequest.objects.filter(order=order).exclude(state__in=["withdrawn", "refused"])
    now = order.net_total + sum((one.net_change for one in waiting if one.state != "applied"), ZERO)
    money = order.currency
    if before != now:
        flags.append(
            (
                "before",
                _t(
                    "The value before is %(before)s, the order comes to %(now)s %(money)s: something changed in between."
                )
                % {"before": before, "now": order.money(now), "money": money},
            )
        )
    award = row.number("award")
    if award is None or award == before:
        return
    figures = {"award": award, "before": before, "money": money, "delta": before - award}
    text = _t("Awarded at %(award)s, %(before)s %(money)s before this change: earlier changes of %(delta)s.") % figures
    if (other := _same_value(order, before)) is not None:
        text = _t(
            "Awarded at %(award)s, %(before)s %(money)s before this change, which order %(other)s of the same day comes to "
            "as well: the value of several contracts together."
        ) % (figures | {"other": other.number})
    flags.append(("award", text))


def _same_value(order: Order, value: Decimal) -> Order | None:
    """Another order of the customer and day that began with the same value, as lots of one procurement do."""
    rows = Order.objects.filter(customer=order.customer_id, order_date=order.order_date).exclude(pk=order.pk)
    return rows.filter(lines__position=1, lines__unit_price=value).order_by("pk").first()


register(
    Target(
        "changes",
        _("Change requests"),
        (
            Field("source_key", _("Key in the source"), required=True, names=("notice", "id", "编号")),
            Field("order", _("Order"), required=True, names=("order number", "contract", "订单号", "合同号")),
            Field("reason", _("Reason"), required=True, names=("reason type", "变更原因")),
            Field("text", _("What and why"), required=True, names=("change description", "变更内容")),
            Field("explanation", _("Explanation"), names=("reason text", "说明")),
            Field("before", _("Value before"), kind="number", names=("value before", "变更前金额")),
            Field("after", _("Value after"), kind="number", names=("value after", "变更后金额")),
            Field("award", _("Award value"), kind="number", names=("award value", "中标金额")),
            Field("customer", _("Customer"), names=("buyer", "客户")),
            Field("title", _("Title"), names=("subject", "标题")),
            Field("currency", _("Currency"), names=("币种",)),
            Field("award_currency", _("Currency of the award")),
            Field("ordered_on", _("Order date"), kind="date", names=("contract date", "合同日期")),
            Field("noticed_on", _("Date of the notice"), kind="date", names=("date published", "公告日期")),
            Field("ends_on", _("End as agreed"), kind="date", names=("end", "原结束日期")),
            Field("until", _("New end"), kind="date", names=("new end", "新结束日期")),
        ),
        keys=(("source_key",),),
        save=save_change,
        order=80,
    )
)  # fmt: skip
