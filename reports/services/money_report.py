"""REP-4: what is owed by age, and what cash is to come in when."""

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django import forms
from django.db.models import Count, Q, Sum
from django.db.models.functions import TruncMonth
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from billing.models import Instalment, Invoice
from billing.services import BUCKETS, aged_receivables, open_rows, planned_at
from customers.models import Customer
from ordermgmt.company.services import business_today
from ordermgmt.lib.money import ZERO, quantise
from ordermgmt.lib.tables import Column as ListColumn
from orders.models import Order

from .definitions import Column, Report, Row, Section, grouped, register
from .facts import Facts, Group, Params, Rows
from .filtering import month_shown, named

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


class AsOfForm(forms.Form):
    """A day and whose account."""

    as_of = forms.DateField(
        label=_("As of"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("The day whose open amounts count; empty for today."),
    )
    customer = forms.CharField(
        label=_("Customer"), required=False, max_length=200, help_text=_("A customer number, or a part of the name.")
    )


def _customers(user: "User", params: Params) -> Any:
    text = params.get("customer")
    found = Customer.objects.visible_to(user)
    return found.filter(Q(number=text) | Q(name__icontains=text)) if text else found


def aged(user: "User", params: dict[str, Any]) -> Iterator[Row]:
    """Per customer and currency: open by days since it was due, as the ageing page has it."""
    day = params.get("as_of") or business_today()
    query = urlencode({"start": day.replace(month=1, day=1), "end": day})
    opens_statements = user.has_perm("billing.view_payment")
    for row in aged_receivables(day, _customers(user, params)):
        if row.customer is None:
            continue
        yield row.buckets | {
            "number": row.customer.number, "customer": row.customer.name, "currency": row.currency,
            "open": row.open, "overdue": row.overdue, "credit": row.credit,
            "link": f"/billing/customers/{row.customer.number}/statement/?{query}"
            if opens_statements
            else row.customer.get_absolute_url(),
        }  # fmt: skip


def _to_come(user: "User", params: Params) -> Rows:
    """Instalments that are owed on documents, and those that the plans of running orders foresee."""
    owed = Instalment.objects.visible_to(user).owed().order_by()
    running = Order.objects.visible_to(user).open().order_by()
    planned = Instalment.objects.planned().filter(plan__order__in=running.values("pk")).order_by()
    either = Q(pk__in=owed.values("pk")) | Q(pk__in=planned.values("pk"))
    found = Instalment.objects.filter(either, customer__in=_customers(user, params).order_by().values("pk"))
    return found.order_by().select_related("customer", "invoice", "plan__order")


_ON_PLAN = Q(invoice=None)
TO_COME = Facts(
    rows=_to_come,
    dims={"month": TruncMonth("due_date")},
    figures={
        "count": Count("pk"), "owed": Sum("open", filter=~_ON_PLAN, default=0),
        "planned": Sum("open", filter=_ON_PLAN, default=0), "sum": Sum("open"),
    },
    columns=(
        ListColumn("document", _("Document"), value=lambda one: one.invoice or (one.plan and one.plan.order)),
        ListColumn("customer", _("Customer"), path="customer.name"),
        ListColumn("label", _("Instalment"), value=str),
        ListColumn("due_date", _("Due"), kind="date"),
        ListColumn("amount", _("Amount"), kind="amount"),
        ListColumn("sum", _("Open"), path="open", kind="amount"),
    ),
    link=lambda one: one.get_absolute_url(),
    sort="due_date",
)  # fmt: skip
_FORECAST = Group("receivables/forecast", TO_COME, ("month",), show=month_shown)
_FROM = Group(
    "receivables/by_customer", TO_COME, ("customer__number", "customer__name"), ("-sum", "customer__number"),
    named("customer__name", ""),
)  # fmt: skip
_CASH = (
    Column("currency", _("Currency")),
    Column("count", _("Instalments"), "count"),
    Column("owed", _("On documents"), "amount"),
    Column("planned", _("Planned"), "amount"),
    Column("sum", _("Together"), "amount"),
)


def forecast(user: "User", params: dict[str, Any]) -> Iterator[Row]:
    """Cash to come in, per month; of a past day: what was owed and foreseen then, which no list of today shows."""
    day = params.get("as_of")
    if not day or day >= business_today():
        yield from _FORECAST.rows(user, {**params, "as_of": None})  # tomorrow the list behind is not of that day
        return
    customers = _customers(user, params).order_by()
    seen = Invoice.objects.visible_to(user).order_by().values("pk")
    orders = Order.objects.visible_to(user).filter(customer__in=customers.values("pk"))
    months: dict[tuple[str, str], dict[str, Any]] = defaultdict(lambda: {"owed": ZERO, "planned": ZERO, "count": 0})
    for rows in open_rows(day, customers.values("pk")):
        dated = rows.filter(invoice__in=seen).annotate(month=TruncMonth("due"))
        for month, currency, count, amount in dated.values_list("month", "money").annotate(Count("pk"), Sum("rest")):
            line = months[f"{month:%Y-%m}", currency]
            line["owed"] = quantise(line["owed"] + amount, currency)
            line["count"] += count
    for one in planned_at(day, orders):
        line = months[f"{one.due_date:%Y-%m}", one.currency]
        line["planned"] += one.amount
        line["count"] += 1
    for (month, currency), line in sorted(months.items()):
        yield line | {"label": month, "currency": currency, "sum": line["owed"] + line["planned"]}


_LABELS = {
    "not_due": _("Not yet due"), "d1_30": _("1 to 30 days"), "d31_60": _("31 to 60 days"),
    "d61_90": _("61 to 90 days"), "d91_plus": _("Over 90 days"), "retention": _("Retention"),
}  # fmt: skip

RECEIVABLES = register(
    Report(
        key="receivables",
        title=_("Receivables and cash forecast"),
        summary=_("What customers owe by age on any day, and what cash instalments are to bring in which month."),
        form=AsOfForm,
        also=("billing.view_invoice",),
        compares=False,
        sections=(
            Section(
                "aged",
                _("Open by age"),
                (
                    Column("number", _("Number")),
                    Column("customer", _("Customer")),
                    Column("currency", _("Currency")),
                    Column("open", _("Open"), "amount"),
                    Column("overdue", _("Overdue"), "amount"),
                    *(Column(name, _LABELS.get(name, name), "amount") for name in BUCKETS),
                    Column("credit", pgettext_lazy("balance", "Credit"), "amount"),
                ),
                aged,
                "customer",
                "overdue",
            ),
            Section(
                "forecast",
                _("Cash to come in"),
                (Column("label", _("Month")), *_CASH),
                forecast,
                "label",
                "sum",
                group=_FORECAST,
            ),
            grouped(
                "by_customer",
                _("Cash to come in by customer"),
                _FROM,
                (Column("customer__number", _("Number")), Column("label", _("Customer")), *_CASH),
                chart="sum",
                dated=False,
            ),
        ),
    )
)
