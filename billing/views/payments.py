"""Payments: recording with the allocation grid, the page, the verbs."""

from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from billing import services
from billing.actions import PAYMENT_ACTIONS, WRITE_OFF_ACTIONS
from billing.forms import AllocateForm, PaymentForm
from billing.models import Payment, WriteOff
from customers.models import Customer
from ordermgmt.company.services import business_today
from ordermgmt.lib.actionviews import ActionView
from ordermgmt.lib.fsm import Blocker, TransitionRefused
from ordermgmt.lib.http import Request
from ordermgmt.lib.money import MOST, total
from ordermgmt.lib.tables import Column, ListView
from ordermgmt.lib.typed import decimal, whole


@require_http_methods(["GET", "POST"])
@permission_required("billing.record_payment", raise_exception=True)
def record(request: Request) -> HttpResponse:
    """Records a payment. Choosing a customer and an amount (by GET) brings the grid with a suggestion."""
    data = request.POST if request.method == "POST" else request.GET
    customers = Customer.objects.visible_to(request.user)
    customer = chosen_customer(customers, data.get("customer", ""))
    currency = (data.get("currency", "").replace("\x00", "") or (customer.currency if customer else ""))[:3].upper()
    instalments = services.open_instalments(customer, currency) if customer else []
    amount = _amount(data.get("amount", ""))
    suggested = {}
    if customer and request.method == "GET":
        whole = total(one.open for one in instalments)
        suggested = services.suggest(customer, currency, amount or whole, data.get("remittance", "")[:300])
        amount = amount or whole
    initial = {
        "customer": customer.pk if customer else None, "currency": currency,
        "amount": f"{amount.normalize():f}" if amount else None,
        "received_on": data.get("received_on") or business_today(), "method": data.get("method") or "bank",
        "reference": data.get("reference", ""), "remittance": data.get("remittance", ""),
    }  # fmt: skip
    posted = request.POST if request.method == "POST" else None
    form = PaymentForm(posted, customers=customers, instalments=instalments, suggested=suggested, initial=initial)
    blockers: list[Blocker] = []
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                payment = _book(form, request.user)
            except TransitionRefused as refused:
                status, blockers = 409, refused.blockers
            except ValidationError as error:
                form.add_error(None, error)
            else:
                messages.success(request, _("Payment %(number)s is recorded.") % {"number": payment.number})
                return redirect(payment)
    context = {"form": form, "customer": customer, "instalments": instalments, "blockers": blockers}
    return render(request, "billing/payment_form.html", context, status=status)


def chosen_customer(customers: models.QuerySet[Customer], text: str) -> Customer | None:
    """By key (from the select) or number (from a link)."""
    text = text.replace("\x00", "")[:40]
    if (pk := whole(text)) is not None:
        return customers.filter(pk=pk).first()
    return customers.filter(number=text).first() if text else None


def _amount(text: str) -> Decimal | None:
    value = decimal(text[:30])
    return value if value is not None and 0 < value < MOST else None


def _book(form: PaymentForm, user: Any) -> Payment:
    names = ("customer", "amount", "received_on", "currency", "method", "reference", "remittance")
    data = {name: form.cleaned_data[name] for name in names}
    key = f"form:{form.cleaned_data['key']}"
    return services.record_payment(actor=user, key=key, allocations=form.allocations(), **data)


@require_safe
@permission_required("billing.view_payment", raise_exception=True)
def detail(request: Request, number: str) -> HttpResponse:
    """A payment and what it is laid on."""
    payment = get_object_or_404(
        Payment.objects.visible_to(request.user).select_related("customer", "recorded_by", "cancelled_by"),
        number=number,
    )
    allocations = payment.allocations.select_related("instalment__invoice", "by")
    context = {
        "payment": payment,
        "allocations": allocations,
        "refunds": payment.refunds.select_related("by"),
        "can_allocate": request.user.has_perm("billing.record_payment")
        and payment.state == Payment.State.RECORDED
        and payment.unallocated > 0,
        "actions": PAYMENT_ACTIONS.offered(payment, request.user),
    }
    return render(request, "billing/payment_detail.html", context)


@require_http_methods(["GET", "POST"])
@permission_required("billing.record_payment", raise_exception=True)
def allocate(request: Request, number: str) -> HttpResponse:
    """Lays a payment's credit on open instalments: a suggestion that can be changed, exact to the cent."""
    payments = Payment.objects.visible_to(request.user).select_related("customer")
    payment = get_object_or_404(payments, number=number)
    if payment.state != Payment.State.RECORDED or payment.unallocated <= 0:
        messages.info(request, _("This payment has no credit left."))
        return redirect(payment)
    instalments = services.open_instalments(payment.customer, payment.currency)
    suggested = services.suggest(payment.customer, payment.currency, payment.unallocated, payment.remittance)
    form = AllocateForm(request.POST or None, payment=payment, instalments=instalments, suggested=suggested)
    blockers: list[Blocker] = []
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                if form.cleaned_data["version"] != payment.version:
                    text = _("Somebody moved this payment meanwhile: look at it again.")
                    raise TransitionRefused([Blocker(text, request.path, _("Open it anew"))])
                services.allocate_credit(payment, allocations=form.allocations(), actor=request.user)
            except TransitionRefused as refused:
                status, blockers = 409, refused.blockers
            else:
                messages.success(request, _("The credit is laid on open instalments."))
                return redirect(payment)
    context = {"payment": payment, "form": form, "blockers": blockers, "instalments": instalments}
    return render(request, "billing/payment_allocate.html", context, status=status)


class WriteOffList(ListView):
    """All write-offs, those that wait first."""

    key = "write-offs"
    title = gettext_lazy("Write-offs")
    permission = "billing.view_payment"
    default_sort = "-id"
    actions = WRITE_OFF_ACTIONS
    empty_text = gettext_lazy("Nothing was written off.")
    columns = [
        Column("invoice", gettext_lazy("Invoice"), path="invoice.number", link=lambda row: row.get_absolute_url()),
        Column("customer", gettext_lazy("Customer"), path="invoice.customer_name"),
        Column("amount", gettext_lazy("Amount"), kind="amount"),
        Column("reason", gettext_lazy("Reason")),
        Column("state", gettext_lazy("State"), kind="badge"),
        Column("asked_by", gettext_lazy("Asked by"), path="asked_by.name"),
        Column("asked_at", gettext_lazy("Asked on"), kind="datetime"),
        Column("decided_by", gettext_lazy("Decided by"), path="decided_by.name", nullable=True),
        Column("payment", gettext_lazy("Entry"), path="payment.number", nullable=True),
    ]

    def queryset(self) -> models.QuerySet[Any]:
        rows = WriteOff.objects.visible_to(self.request.user)
        return rows.select_related("invoice", "asked_by", "decided_by", "payment")


class WriteOffAction(ActionView):
    """The decision about a write-off."""

    actions = WRITE_OFF_ACTIONS
    lookup = "pk"

    def queryset(self) -> models.QuerySet[Any]:
        return WriteOff.objects.visible_to(self.request.user).select_related("invoice")


class PaymentAction(ActionView):
    """The verbs on a payment."""

    actions = PAYMENT_ACTIONS

    def queryset(self) -> models.QuerySet[Any]:
        return Payment.objects.visible_to(self.request.user)
