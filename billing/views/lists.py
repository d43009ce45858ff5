"""Lists of invoices and payments, and finance's work list."""

from typing import Any

from django.contrib.auth.decorators import permission_required
from django.db import models
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from billing.actions import INVOICE_ACTIONS
from billing.filters import InvoiceFilter, PaymentFilter
from billing.models import BankLine, CollectionNote, Instalment, Invoice, LateFee, Payment, Reminder
from billing.services import discounts_to_grant
from ordermgmt.company.services import business_today
from ordermgmt.lib.http import Request
from ordermgmt.lib.tables import Column, ListView

from .work import credits_due, deliveries_due, disputed, instalments_due, to_correct, to_settle

_LIMIT = 8


class InvoiceList(ListView):
    """All documents this person may see."""

    key = "invoices"
    title = _("Invoices")
    new_url = "/billing/invoices/new/"
    new_label = _("Invoice by hand")
    new_permission = "billing.draft_invoice"
    permission = "billing.view_invoice"
    filterset_class = InvoiceFilter
    default_sort = "-id"
    actions = INVOICE_ACTIONS
    empty_text = _("No invoice matches. Clear the filters, or make a draft from an order.")
    columns = [
        Column("number", _("Number"), value=str, link=lambda row: row.get_absolute_url()),
        Column("kind", _("Kind")),
        Column("customer_name", _("Customer"), link=lambda row: row.get_absolute_url()),
        Column("order", _("Order"), path="order.number", nullable=True),
        Column("issue_date", _("Date"), kind="date", nullable=True),
        Column("due_date", _("Due date"), kind="date", nullable=True),
        Column("due", _("Amount"), kind="amount"),
        Column(
            "open",
            pgettext_lazy("amount", "Open"),
            kind="amount",
            value=lambda row: None if row.is_draft or row.is_credit else row.open,
        ),
        Column("state", _("State"), kind="badge"),
        Column("tax_basis", _("Net"), kind="amount", default=False),
        Column("tax_total", _("Tax"), kind="amount", default=False),
        Column("currency", _("Currency"), default=False),
        Column("customer_reference", _("Customer's order number"), default=False),
    ]

    def queryset(self) -> models.QuerySet[Any]:
        return Invoice.objects.visible_to(self.request.user).select_related("order")


class PaymentList(ListView):
    """All payments."""

    key = "payments"
    title = _("Payments")
    permission = "billing.view_payment"
    filterset_class = PaymentFilter
    default_sort = "-id"
    new_url = "/billing/payments/new/"
    new_label = _("Record a payment")
    new_permission = "billing.record_payment"
    empty_text = _("No payment matches. Clear the filters, or record one.")
    columns = [
        Column("number", _("Number"), link=lambda row: row.get_absolute_url()),
        Column("customer_name", _("Customer"), link=lambda row: row.get_absolute_url()),
        Column("received_on", _("Received on"), kind="date"),
        Column("amount", _("Amount"), kind="amount"),
        Column("unallocated", _("Credit left"), kind="amount"),
        Column("method", _("Method")),
        Column("reference", _("Bank reference")),
        Column("instalments", _("Parts"), kind="count", default=False),
        Column("state", _("State"), kind="badge"),
        Column("currency", _("Currency"), default=False),
        Column("remittance", _("Remittance text"), default=False),
    ]

    def queryset(self) -> models.QuerySet[Any]:
        return Payment.objects.visible_to(self.request.user)


@permission_required("billing.view_invoice", raise_exception=True)
def home(request: Request) -> HttpResponse:
    """What finance has to do: each queue with its first rows and a link to all of them."""
    user, today = request.user, business_today()
    invoices = Invoice.objects.visible_to(user).select_related("order")
    overdue = Instalment.objects.visible_to(user).overdue(today).select_related("invoice").oldest_first()
    payments = Payment.objects.visible_to(user).with_credit().order_by("pk")
    due = instalments_due(user).select_related("plan__order", "milestone").order_by("due_date", "pk")
    queues = [
        _queue("instalments", _t("Instalments to invoice"), due, "work/instalments/", icon="calendar-dollar"),
        _queue("to_invoice", _t("Deliveries to invoice"), deliveries_due(user).order_by("pk"), "work/deliveries/",
               icon="file-plus"),
        _queue("drafts", _t("Drafts to issue"), invoices.drafts().order_by("pk"), "work/drafts/", icon="file-pencil"),
        _queue("corrections", _t("To correct"), to_correct(user).order_by("pk"), "work/corrections/", icon="replace"),
        _queue("goods", _t("Goods to credit"), credits_due(user).order_by("due", "pk"), "work/goods/", icon="receipt-refund"),
        _queue("overdue", _t("Overdue"), overdue, "work/overdue/", icon="alarm"),
        _queue("part_paid", _t("Part-paid"), invoices.part_paid().order_by("due_date", "pk"),
               "work/part-paid/", icon="coins"),
        _queue("discounts", _t("Discounts earned"), discounts_to_grant(invoices).order_by("pk"), "work/discounts/",
               icon="percentage"),
        _queue("disputed", _t("Disputed"), disputed(user).select_related("order").order_by("due_date", "pk"),
               "work/disputed/", icon="message-off"),
        _queue("reminders", _t("Reminders to release"),
               Reminder.objects.visible_to(user).proposed().select_related("customer").order_by("-level", "pk"),
               "reminders/?state=proposed", icon="bell"),
        _queue("bank", _t("Bank entries to book"), BankLine.objects.visible_to(user).waiting(),
               "bank/lines/?state=open", icon="credit-card"),
        _queue("late", _t("Late interest to decide"),
               LateFee.objects.visible_to(user).undecided().select_related("instalment__invoice").order_by("pk"),
               "late-fees/?state=proposed", icon="percentage"),
        _queue("notes", _t("Calls and promises to come back to"),
               CollectionNote.objects.visible_to(user).to_follow(today).select_related("invoice").order_by("follow_up_on", "pk"),
               f"collection/notes/?state=open&due={today}", icon="note"),
        _queue("credit", _t("Credit to lay on invoices"), payments, "payments/?credit=true", icon="pig-money"),
        _queue("settle", _t("To settle"), to_settle(user).order_by("pk"), "work/settle/", icon="lock"),
    ]  # fmt: skip
    return render(request, "billing/home.html", {"queues": queues, "today": today})


def _queue(key: str, label: str, rows: models.QuerySet[Any], more: str, *, icon: str) -> dict[str, Any]:
    found = list(rows[: _LIMIT + 1])
    return {"key": key, "label": label, "icon": icon, "rows": found[:_LIMIT], "more": more if found else "",
            "has_more": len(found) > _LIMIT}  # fmt: skip
