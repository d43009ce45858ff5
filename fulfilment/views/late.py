"""The late supplier screen: what is late, whom it hits, who else could deliver; one step to do something about it."""

from typing import Any

from django import forms
from django.contrib.auth.decorators import permission_required
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from fulfilment.actions import LATE_ACTIONS
from fulfilment.services import late_deliveries, late_lines
from fulfilment.services.late import MOST
from inventory.models import PurchaseLine, PurchaseOrder
from ordermgmt.company.services import business_today
from ordermgmt.lib.actionviews import ActionView
from ordermgmt.lib.http import Request
from ordermgmt.lib.typed import whole


def _visible(user: Any) -> QuerySet[PurchaseLine]:
    return PurchaseLine.objects.filter(order__in=PurchaseOrder.objects.visible_to(user))


@require_safe
@permission_required("inventory.view_purchase", raise_exception=True)
def late_page(request: Request) -> HttpResponse:
    """Every late line with the orders and milestones it hits; `?order=` or `?purchase=` narrows it."""
    order, purchase = (request.GET.get(name, "").replace("\x00", "") for name in ("order", "purchase"))
    lines = late_lines(business_today()) & _visible(request.user)
    if order:
        lines = lines.filter(supplies__need__order__number=order, supplies__quantity__gt=0).distinct()
    if purchase:
        lines = lines.filter(order__number=purchase)
    may = request.user.has_perm
    context = {
        "rows": late_deliveries(lines, request.user), "more": lines.count() > MOST, "most": MOST, "order": order, "purchase": purchase,
        "can_cost": may("inventory.view_cost"), "can_order": may("inventory.order_purchase"),
        "can_plan": may("fulfilment.plan_order"), "can_change": may("changes.raise_change"),
        "can_schedule": may("orders.assign_order"),
    }  # fmt: skip
    return render(request, "fulfilment/late.html", context)


class LateActionView(ActionView):
    """Ordering elsewhere, planning anew. `?supplier=` chooses one."""

    actions = LATE_ACTIONS
    lookup = "pk"

    def queryset(self) -> QuerySet[PurchaseLine]:
        return _visible(self.request.user).select_related("order__supplier", "product__unit")

    def title(self, instance: PurchaseLine) -> str:
        return f"{instance.order.number} · {instance}"

    def bound(self, data: Any = None, files: Any = None) -> forms.BaseForm:
        form = super().bound(data, files)
        asked = whole(self.request.GET.get("supplier"))
        if data is None and asked is not None and "supplier" in form.fields:
            form.initial["supplier"] = asked
        return form

    def back(self, instance: PurchaseLine) -> str:
        if isinstance(self.result, PurchaseLine):  # ordered elsewhere: there the confirmed date is entered
            return self.result.order.get_absolute_url()
        return f"/fulfilment/late/?purchase={instance.order.number}"
