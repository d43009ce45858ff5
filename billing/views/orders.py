"""Billing of one order: its documents and plan, new drafts, the settlement."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from billing import services
from billing.actions import ORDER_BILLING_ACTIONS
from billing.forms import InvoiceQuantityForm, MonthlyForm, PlanForm, PlanRows
from billing.models import FinalAccount, Instalment, InstalmentPlan, Invoice, Payment
from fulfilment.models import Milestone
from ordermgmt.lib.actionviews import ActionView
from ordermgmt.lib.fsm import Blocker, TransitionRefused
from ordermgmt.lib.http import Request
from ordermgmt.lib.typed import whole
from orders.models import Order


def find_order(request: Request, number: str) -> Order:
    """The order a page of billing is about; 404 where the reader may not see it."""
    rows = Order.objects.visible_to(request.user).select_related("customer", "seller", "tax_profile")
    return get_object_or_404(rows, number=number)


@require_safe
@permission_required("billing.view_invoice", raise_exception=True)
def account(request: Request, number: str) -> HttpResponse:
    """The order's account: what is planned, invoiced, paid and open."""
    return _account(request, find_order(request, number))


def _account(
    request: Request,
    order: Order,
    blockers: list[Blocker] | None = None,
    status: int = 200,
    form: InvoiceQuantityForm | None = None,
) -> HttpResponse:
    user = request.user
    payments = Payment.objects.visible_to(user).filter(allocations__instalment__invoice__order=order).distinct()
    instalments = Instalment.objects.filter(
        models.Q(plan__order=order, plan__is_active=True) | models.Q(invoice__order=order)
    )
    context = {
        "order": order,
        "invoices": Invoice.objects.visible_to(user).filter(order=order).order_by("pk"),
        "instalments": instalments.select_related("invoice").distinct().order_by("due_date", "pk"),
        "plan": InstalmentPlan.objects.filter(order=order, is_active=True).first(),
        "unplanned": services.unplanned(order) if order.state not in _CLOSED else 0,
        "payments": payments.order_by("-received_on", "-pk"),
        "open": order.invoiced_total - order.paid_total,
        "written_off": services.written_off(order),
        "to_invoice": services.open_quantities(order) if user.has_perm("billing.draft_invoice") else {},
        "draft_form": form or InvoiceQuantityForm(),
        "actions": ORDER_BILLING_ACTIONS.offered(order, user),
        "blockers": blockers or [],
        "can_plan": user.has_perm("billing.plan_instalments"),
        "can_draft": user.has_perm("billing.draft_invoice") and order.state not in _CLOSED,
    }
    return render(request, "billing/order_account.html", context, status=status)


_CLOSED = (Order.State.DRAFT, Order.State.SETTLED, Order.State.CANCELLED)


@require_POST
@permission_required("billing.draft_invoice", raise_exception=True)
def draft(request: Request, number: str) -> HttpResponse:
    """Makes a draft, by quantities or by an instalment, and opens it."""
    order = find_order(request, number)
    chosen: dict[str, Any] = {}
    key = request.POST.get("instalment", "")
    if key:
        chosen["instalment"] = get_object_or_404(Instalment, pk=whole(key) or 0, plan__order=order)
    else:
        form = InvoiceQuantityForm(request.POST)
        if not form.is_valid():
            return _account(request, order, status=422, form=form)
        chosen = form.chosen()
    try:
        invoice = services.draft_invoice(order, actor=request.user, **chosen)
    except TransitionRefused as refused:
        return _account(request, order, refused.blockers, 409)
    if invoice.kind == Invoice.Kind.PROFORMA:
        messages.success(request, _("The proforma is made."))
        return redirect(invoice)
    messages.success(request, _("The draft is made. Check it, then issue it."))
    return redirect(invoice)


@require_POST
@permission_required("billing.issue_invoice", raise_exception=True)
def bill(request: Request, number: str) -> HttpResponse:
    """Drafts and issues in one step: a planned instalment, or what is shipped, accepted or left."""
    order = find_order(request, number)
    key = request.POST.get("instalment", "")
    basis = request.POST.get("basis", "shipped")
    try:
        if key:
            instalment = get_object_or_404(Instalment, pk=whole(key) or 0, plan__order=order)
            invoice = services.bill_instalment(instalment, actor=request.user)
        elif basis in ("shipped", "accepted", "open"):
            invoice = services.bill_order(order, basis=basis, actor=request.user)
        else:
            return _account(request, order, [Blocker(_("Choose what to invoice."))], 422)
    except TransitionRefused as refused:
        return _account(request, order, refused.blockers, 409)
    messages.success(request, _("%(number)s is issued.") % {"number": invoice.number})
    return redirect(invoice)


@require_safe
@permission_required("billing.view_invoice", raise_exception=True)
def board(request: Request, number: str) -> HttpResponse:
    """The order's billing as a board: from the plan to the money, with one button for what is due now."""
    order = find_order(request, number)
    context = {
        "order": order, "columns": services.invoice_board(order),
        "can_issue": request.user.has_perm("billing.issue_invoice") and order.state not in _CLOSED,
        "can_plan": request.user.has_perm("billing.plan_instalments"),
    }  # fmt: skip
    return render(request, "billing/order_board.html", context)


@require_http_methods(["GET", "POST"])
def plan(request: Request, number: str) -> HttpResponse:
    """The instalment plan of an order: rows of percentages or amounts, or equal monthly ones in one go."""
    order = find_order(request, number)
    if not request.user.has_perm("billing.plan_instalments"):
        raise PermissionDenied
    form, rows, monthly = _plan_forms(request, order)
    closed = services.settled_blockers(order)
    blockers: list[Blocker] = closed
    status = 200
    if request.method == "POST" and "preview" not in request.POST:
        status = 422
        if "remove" in request.POST or (form.is_valid() and rows.is_valid()):
            try:
                _keep_plan(request, order, form, rows)
            except TransitionRefused as refused:
                status, blockers = 409, refused.blockers
            except ValidationError as error:
                form.add_error(None, error)
            else:
                messages.success(request, _("The instalment plan is saved."))
                back = "orders/" if order.state == Order.State.DRAFT else "billing/orders/"
                return redirect(f"/{back}{order.number}/")
    context = {
        "order": order, "form": form, "rows": rows, "monthly": monthly, "blockers": blockers, "closed": closed,
        "fixed": services.fixed_instalments(order), "left": services.left_to_plan(order),
        "plan": InstalmentPlan.objects.filter(order=order, is_active=True).first(),
    }  # fmt: skip
    return render(request, "billing/plan_form.html", context, status=status)


def _plan_forms(request: Request, order: Order) -> tuple[PlanForm, Any, MonthlyForm]:
    known = {"milestones": list(Milestone.objects.filter(order=order).order_by("forecast", "pk"))}
    seen = {"seen": services.plan_key(order)}
    if request.method == "POST" and "preview" not in request.POST and "remove" not in request.POST:
        return PlanForm(request.POST), PlanRows(request.POST, prefix="rows", form_kwargs=known), MonthlyForm()
    if "preview" in request.POST:
        monthly = MonthlyForm(request.POST)
        if monthly.is_valid():
            try:
                found = services.equal_rows(order, monthly.cleaned_data["parts"], monthly.cleaned_data["first"])
            except ValidationError as error:
                monthly.add_error("parts", error)
            else:
                initial = [{"value": _plain(row.value), "due_date": row.due_date} for row in found]
                return (
                    PlanForm(initial=seen | {"method": "fixed"}),
                    PlanRows(prefix="rows", initial=initial, form_kwargs=known),
                    monthly,
                )
        return PlanForm(initial=seen | {"method": "percent"}), PlanRows(prefix="rows", form_kwargs=known), monthly
    present = Instalment.objects.filter(plan__order=order, plan__is_active=True, invoice=None).order_by("seq", "pk")
    initial = [
        {
            "label": one.label,
            "value": _plain(one.amount),
            "due_date": one.due_date,
            "deposit": one.kind == "deposit",
            "when": f"milestone:{one.milestone_id}" if one.milestone_id else one.trigger,
        }
        for one in present
    ]
    method = "fixed" if initial else "percent"
    return (
        PlanForm(initial=seen | {"method": method}),
        PlanRows(prefix="rows", initial=initial, form_kwargs=known),
        MonthlyForm(),
    )


def _plain(value: Any) -> str:
    return f"{value.normalize():f}" if value is not None else ""


def _keep_plan(request: Request, order: Order, form: PlanForm, rows: Any) -> None:
    wished = [] if "remove" in request.POST else [row for row in (one.row() for one in rows) if row is not None]
    if not wished and "remove" not in request.POST:
        raise ValidationError(_("Enter at least one instalment with its due date."))
    method = form.cleaned_data["method"] if wished else InstalmentPlan.Method.FIXED
    text = request.POST.get("seen", "")
    seen = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
    services.plan_instalments(order, rows=wished, method=method, seen=seen, actor=request.user)


@require_safe
@permission_required("billing.view_invoice", raise_exception=True)
def settlement(request: Request, number: str) -> HttpResponse:
    """Every condition of the settlement with its figure, and the final account with its versions."""
    order = find_order(request, number)
    account, settled = services.current_account(order), order.state == Order.State.SETTLED
    conditions = services.settlement_conditions(order)
    earlier = FinalAccount.objects.filter(order=order).exclude(pk=account.pk if account else 0)
    context = {
        "order": order, "account": account, "conditions": conditions,
        "content": account.content if account and not settled else services.account_content(order),
        "missing": [one for one in conditions if not one.holds], "settlement": (statement := order.settlements.first()),
        "told": services.settlement_told(statement) if statement else "",
        "versions": earlier.select_related("drawn_by", "frozen_by"),
        "actions": [
            one for one in ORDER_BILLING_ACTIONS.offered(order, request.user) if "charge" not in one.name
        ],
    }  # fmt: skip
    return render(request, "billing/settlement.html", context)


class OrderBillingAction(ActionView):
    """The verbs that end an order's account."""

    actions = ORDER_BILLING_ACTIONS

    def queryset(self) -> models.QuerySet[Any]:
        return Order.objects.visible_to(self.request.user).select_related("tax_profile", "customer")

    def back(self, instance: Any) -> str:
        page = "charges" if "charge" in self.action.name else "settlement"
        return f"/billing/orders/{instance.number}/{page}/"
