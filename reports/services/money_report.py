"""REP-4: what is owed by age, and what cash is to come in when."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django import forms
from django.db.models import Count, Q, Sum
from django.db.models.functions import TruncMonth
from django.utils.translation import gettext_lazy as _

from billing.models import Instalment
from billing.services import BUCKETS, aged_receivables
from customers.models import Customer
from ordermgmt.company.services import business_today
from orders.models import Order

from .definitions import Column, Report, Row, Section, register

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


def _customers(user: "User", params: dict[str, Any]) -> Any:
    text = params.get("customer")
    found = Customer.objects.visible_to(user)
    return found.filter(Q(number=text) | Q(name__icontains=text)) if text else found


def aged(user: "User", params: dict[str, Any]) -> Iterator[Row]:
    """Per customer and currency: open by days since it was due, as the ageing page has it."""
    for row in aged_receivables(params.get("as_of") or business_today(), _customers(user, params)):
        yield row.buckets | {
            "number": row.customer.number, "customer": row.customer.name, "currency": row.currency,
            "open": row.open, "overdue": row.overdue, "credit": row.credit,
            "link": row.customer.get_absolute_url(),
        }  # fmt: skip


def forecast(user: "User", params: dict[str, Any]) -> Iterator[Row]:
    """Cash to come in, per month: what is owed on documents, and what the plans of running orders foresee."""
    owed = Instalment.objects.visible_to(user).owed()
    planned = Instalment.objects.planned().filter(plan__order__in=Order.objects.visible_to(user).open())
    customers = _customers(user, params).values("pk")
    months: dict[tuple[Any, str], dict[str, Any]] = {}
    for name, rows in (("owed", owed), ("planned", planned)):
        found = rows.filter(customer__in=customers).order_by().annotate(month=TruncMonth("due_date"))
        for row in found.values("month", "currency").annotate(amount=Sum("open"), count=Count("pk")):
            line = months.setdefault((row["month"], row["currency"]), {"owed": 0, "planned": 0, "count": 0})
            line[name] += row["amount"]
            line["count"] += row["count"]
    for (month, currency), line in sorted(months.items()):
        yield line | {"month": f"{month:%Y-%m}", "currency": currency, "sum": line["owed"] + line["planned"]}


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
                    Column("credit", _("Credit"), "amount"),
                ),
                aged,
                "customer",
                "overdue",
            ),
            Section(
                "forecast",
                _("Cash to come in"),
                (
                    Column("month", _("Month")),
                    Column("currency", _("Currency")),
                    Column("count", _("Instalments"), "count"),
                    Column("owed", _("On documents"), "amount"),
                    Column("planned", _("Planned"), "amount"),
                    Column("sum", _("Together"), "amount"),
                ),
                forecast,
                "month",
                "sum",
            ),
        ),
    )
)
