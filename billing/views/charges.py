"""Charges and deductions of an order, with the clause that proposes penalties."""

import datetime as dt
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from billing import services
from billing.actions import CHARGE_ACTIONS, GOODS_CREDIT_ACTIONS, charge_actions
from billing.forms import ClauseForm
from billing.models import InvoiceLine, OrderCharge
from fulfilment.models import Rectification
from ordermgmt.lib.actionviews import ActionView
from ordermgmt.lib.conflict import StaleVersion
from ordermgmt.lib.fsm import Blocker, TransitionRefused
from ordermgmt.lib.http import Request
from ordermgmt.lib.money import total
from orders.models import Order

from .orders import find_order


@require_http_methods(["GET", "POST"])
@permission_required("billing.view_invoice", raise_exception=True)
def charges(request: Request, number: str) -> HttpResponse:
    """What the order costs beside its lines, how each came about, and where it is billed; a POST keeps the clause."""
    order = find_order(request, number)
    clause = services.clause_of(order)
    seen = {"version": clause.version if clause is not None else 0}
    form, status = ClauseForm(request.POST or None, instance=clause, initial=seen), 200
    blockers: list[Blocker] = []
    if request.method == "POST":
        if not _may_set(request, order):
            raise PermissionDenied
        status = 422
        if form.is_valid():
            try:
                services.set_clause(order, actor=request.user, **form.cleaned_data)
            except TransitionRefused as refused:
                status, blockers = 409, refused.blockers
            except StaleVersion:
                status = 409
                blockers = [Blocker(_("Somebody changed the clause meanwhile."), request.path, _("Open it anew"))]
            else:
                messages.success(request, _("The clause is kept."))
                return redirect("billing:order-charges", order.number)
    rows = list(OrderCharge.objects.filter(order=order).select_related("order", "asked_by", "decided_by"))
    context = {
        "order": order, "rows": [_row(one, request.user) for one in rows], "clause": clause, "form": form,
        "blockers": blockers, "may_set": _may_set(request, order), "actions": charge_actions(order, request.user),
        "documents": _documents(order), "agreed": total(one.signed_net for one in rows if one.state == "accepted"),
        "open": services.open_charges(order),
    }  # fmt: skip
    return render(request, "billing/order_charges.html", context, status=status)


def _may_set(request: Request, order: Order) -> bool:
    needed = "billing.set_clause" if order.state == Order.State.DRAFT else "billing.charge_order"
    return request.user.has_perm(needed) and order.state not in (Order.State.SETTLED, Order.State.CANCELLED)


def _row(charge: OrderCharge, user: Any) -> dict[str, Any]:
    days = ("promised", "actual")
    parts = [part | {name: dt.date.fromisoformat(part[name]) for name in days} for part in charge.computation]
    return {"charge": charge, "parts": parts, "actions": CHARGE_ACTIONS.offered(charge, user)}


def _documents(order: Order) -> list[InvoiceLine]:
    lines = InvoiceLine.objects.filter(charge__order=order).exclude(invoice__state="draft")
    return list(lines.select_related("invoice").order_by("invoice_id", "position"))


class ChargeAction(ActionView):
    """The decision about a charge."""

    actions = CHARGE_ACTIONS
    lookup = "pk"

    def queryset(self) -> models.QuerySet[Any]:
        return OrderCharge.objects.visible_to(self.request.user).select_related("order")


class GoodsCreditAction(ActionView):
    """The prepared credit for goods that came back or are kept for less."""

    actions = GOODS_CREDIT_ACTIONS
    lookup = "pk"

    def queryset(self) -> models.QuerySet[Any]:
        rows = Rectification.objects.visible_to(self.request.user)
        return rows.select_related("order", "order_line", "return_line__goods_return")

    def title(self, instance: Any) -> str:
        return f"{instance.order.number} · {instance.order_line.position} {instance.order_line.description}"

    def back(self, instance: Any) -> str:
        return reverse("billing:order-charges", args=[instance.order.number])
