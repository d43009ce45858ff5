"""Amounts owed and payments from files: what another system billed arrives outside the gapless series."""

from typing import Any

from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from billing.models import Invoice, Payment
from billing.services import open_balance, record_payment
from customers.imports import find_customer
from customers.models import Customer
from ordermgmt.lib.importing import Context, Field, Group, Outcome, Refused, Row, Target, register
from orders.models import Order

_MOST_PARTS = 999
_DELIVERED = {Order.State.SHIPPED, Order.State.ACCEPTED, Order.State.RECTIFICATION}


def _customer(context: Context, row: Row) -> Customer:
    customer = find_customer(context, row.text("customer"))
    if customer is None:
        raise Refused(
            [row.problem("customer", _t("There is no customer “%(name)s”.") % {"name": row.text("customer")})]
        )
    return customer


def save_opening(context: Context, group: Group) -> Outcome:
    """One opening document: over an imported order that has been delivered, or over an amount of a customer."""
    row = group.first
    key = f"{context.key(group.key)}/open"
    if Invoice.objects.filter(source_key=key).exists():
        return Outcome.UNCHANGED
    issue_date = row.date("issue_date")
    if issue_date is None:
        raise Refused([row.problem("issue_date", _t("This must be filled in."))])
    rest: dict[str, Any] = {"issue_date": issue_date, "due_date": row.date("due_date"), "actor": context.actor}
    if row.text("order"):
        order = _order(context, row)
        amount = row.number("amount") if "amount" in row.values else order.gross_total
        if order.state not in _DELIVERED or not amount:
            return Outcome.UNCHANGED
        open_balance(
            customer=order.customer, order=order, amount=amount, source_key=key, reference=order.number, **rest
        )
        return Outcome.CREATED
    customer, amount = _customer(context, row), row.number("amount")
    if not amount:
        return Outcome.UNCHANGED
    open_balance(
        customer=customer,
        amount=amount,
        source_key=key,
        currency=row.text("currency") or customer.currency,
        reference=row.text("reference")[:80],
        **rest,
    )
    return Outcome.CREATED


def _order(context: Context, row: Row) -> Order:
    name = row.text("order")
    rows = Order.objects.select_related("customer")
    found = rows.filter(source_key=context.key(name)).first() or rows.filter(number=name).first()
    if found is None:
        raise Refused([row.problem("order", _t("There is no order “%(name)s”.") % {"name": name})])
    return found


def save_payment(context: Context, group: Group) -> Outcome:
    """One payment, laid on what the customer has owed longest."""
    if len(group.rows) > 1:
        text = _t("The file has this payment more than once.")
        raise Refused([row.problem("reference", text) for row in group.rows[1:]])
    row = group.first
    customer = _customer(context, row)
    amount, received_on = row.number("amount"), row.date("received_on")
    key = f"import:{context.key(group.key)}"
    present = Payment.objects.filter(key=key).first()
    if present is not None:
        if present.amount != amount:
            context.warn(row, "", _t("This payment was imported before with another amount; it stays as it is."))
        return Outcome.UNCHANGED
    assert amount is not None  # noqa: S101  # both fields are required
    if not amount:
        context.warn(row, "amount", _t("A payment over nothing books nothing."))
        return Outcome.UNCHANGED
    parts = row.number("instalments")
    if parts is not None and not (parts == int(parts) and 1 <= parts <= _MOST_PARTS):
        raise Refused(
            [row.problem("instalments", _t("A payment has from 1 to %(most)s parts.") % {"most": _MOST_PARTS})]
        )
    assert received_on is not None  # noqa: S101
    method = row.text("method") or Payment.Method.BANK
    if method not in Payment.Method.values:
        known = ", ".join(Payment.Method.values)
        text = _t("“%(name)s” is not a way to pay: %(known)s.") % {"name": method, "known": known}
        raise Refused([row.problem("method", text)])
    record_payment(
        customer=customer,
        amount=amount,
        received_on=received_on,
        key=key,
        actor=context.actor,
        currency=row.text("currency") or customer.currency,
        method=method,
        reference=row.text("reference")[:100],
        remittance=row.text("order")[:300],
        instalments=int(parts or 1),
    )
    return Outcome.CREATED


register(
    Target(
        "opening",
        _("Amounts owed"),
        (
            Field("source_key", _("Key in the source"), names=("id", "invoice", "invoice number", "发票号")),
            Field("customer", _("Customer"), names=("customer id", "customer number", "名称", "客户", "客户名称")),
            Field("order", _("Order"), names=("order number", "order id", "订单编号", "订单号")),
            Field("amount", _("Amount"), kind="number", names=("open amount", "balance", "期初应收", "金额")),
            Field("currency", _("Currency"), names=("币种",)),
            Field("issue_date", _("Invoice date"), kind="date", names=("date", "开票日期", "日期")),
            Field("due_date", _("Due date"), kind="date", names=("due", "到期日")),
            Field("reference", _("Reference"), names=("text", "备注")),
        ),
        keys=(("source_key",), ("order",), ("customer", "reference"), ("customer",)),
        save=save_opening,
        order=70,
    )
)
register(
    Target(
        "payments",
        _("Payments"),
        (
            Field("customer", _("Customer"), required=True, names=("customer id", "customer number", "客户", "客户名称")),
            Field("reference", _("Bank reference"), required=True, names=("check number", "payment id", "transaction", "流水号", "付款编号")),
            Field("received_on", _("Received on"), kind="date", required=True, names=("payment date", "date", "收款日期", "付款日期", "日期")),
            Field("amount", _("Amount"), kind="number", required=True, names=("paid", "收款金额", "付款金额", "金额")),
            Field("currency", _("Currency"), names=("币种",)),
            Field("method", _("Way of payment"), names=("payment method", "收款方式", "付款方式")),
            Field("instalments", _("Parts"), kind="number", names=("payment installments", "installments", "期数")),
            Field("order", _("Order or invoice"), names=("order number", "invoice number", "订单编号", "订单号", "发票号")),
        ),
        keys=(("customer", "reference"),),
        save=save_payment,
        order=80,
    )
)  # fmt: skip
