"""The risks of all orders with their heat map, and every verb on a risk."""

from typing import Any

from django.contrib.auth.decorators import permission_required
from django.db.models import F, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from fulfilment.actions import ORDER_RISK_ACTIONS, RISK_ACTIONS
from fulfilment.filters import RiskFilter
from fulfilment.models import Risk, RiskScale
from fulfilment.models.risk_setting import SCALE
from fulfilment.services import level_names
from ordermgmt.lib.actionviews import ActionView
from ordermgmt.lib.http import Request
from ordermgmt.lib.tables import Column, ListView
from orders.models import Order

#: How many orders are offered for a new risk at once.
_CHOICE = 20


class RiskList(ListView):
    """The portfolio: all risks that the reader sees, above them the open ones as a heat map."""

    key = "fulfilment.risks"
    title = gettext_lazy("Risks")
    permission = "orders.view_order"
    template = "fulfilment/risk_list.html"
    filterset_class = RiskFilter
    default_sort = "-points"
    new_url = "/fulfilment/risks/new/"
    new_label = gettext_lazy("Note a risk")
    new_permission = "fulfilment.manage_risk"
    empty_text = gettext_lazy("Note a risk here, or on an order's page.")
    columns = [
        Column("order", gettext_lazy("Order"), path="order.number"),
        Column("customer", gettext_lazy("Customer"), path="order.customer_name", sortable=False),
        Column("title", gettext_lazy("Risk"), sortable=False),
        Column("category", gettext_lazy("Category"), value=lambda risk: str(risk.category), sortable=False),
        Column("points", gettext_lazy("Score"), kind="quantity"),
        Column("probability", gettext_lazy("Probability"), kind="quantity", default=False),
        Column("impact", gettext_lazy("Impact"), kind="quantity", default=False),
        Column("owner", gettext_lazy("Owner"), path="owner.name", sortable=False),
        Column("state", gettext_lazy("State"), kind="badge"),
        Column("review_on", gettext_lazy("Review on"), kind="date"),
        Column("trigger", gettext_lazy("Trigger"), sortable=False, default=False),
        Column("mitigation", gettext_lazy("Mitigation"), sortable=False, default=False),
        Column("mitigation_due", gettext_lazy("Mitigation due"), kind="date", nullable=True),
        Column("mitigated_on", gettext_lazy("Mitigated on"), kind="date", nullable=True, default=False),
        Column("contingency", gettext_lazy("Contingency"), sortable=False, default=False),
        Column("outcome", gettext_lazy("What happened"), sortable=False, default=False),
        Column("due", gettext_lazy("Solved by"), kind="date", nullable=True, default=False),
        Column("days", gettext_lazy("Days lost"), kind="quantity", default=False),
        Column(
            "cost",
            gettext_lazy("Cost"),
            kind="amount",
            default=False,
            permission="orders.view_cost",
        ),
        Column("resolution", gettext_lazy("Solution"), sortable=False, default=False),
    ]

    def queryset(self) -> QuerySet[Risk]:
        visible = Risk.objects.visible_to(self.request.user).select_related("order", "owner", "category")
        return visible.annotate(points=F("probability") * F("impact"), currency=F("order__currency"))

    def row_url(self, row: Risk) -> str:
        return f"{row.order.get_absolute_url()}#risks"

    def context(self) -> dict[str, Any]:
        """The heat map: a row per probability, the highest first, a cell per impact, in the company's words."""
        heat = Risk.objects.visible_to(self.request.user).open().heat()
        scale, likely, hurts = RiskScale.current(), level_names("probability"), level_names("impact")
        asked = (self.request.GET.get("probability", ""), self.request.GET.get("impact", ""))

        def cell(p: int, i: int) -> dict[str, Any]:
            chosen = (str(p), str(i)) == asked
            return {"impact": i, "count": heat.get((p, i), 0), "level": scale.level(p * i), "chosen": chosen}

        rows = [(p, likely[p], [cell(p, i) for i in SCALE]) for p in reversed(SCALE)]
        return {"heat": rows, "impacts": sorted(hurts.items()), "scale": scale}


@require_safe
@permission_required("fulfilment.manage_risk", raise_exception=True)
def choose_order(request: Request) -> HttpResponse:
    """The order that a new risk belongs to, found by any part of its number, customer or reference."""
    text = request.GET.get("q", "").replace("\x00", "").strip()[:200]
    orders = Order.objects.visible_to(request.user).exclude(state__in=[Order.State.SETTLED, Order.State.CANCELLED])
    if text:
        orders = orders.filter(search_text__found=text)
    rows = orders.order_by("-order_date", "-pk").values("number", "customer_name", "state", "promised_date")
    found = [one | {"label": Order.State(one["state"]).label} for one in rows[: _CHOICE + 1]]
    context = {"orders": found[:_CHOICE], "q": text, "more": len(found) > _CHOICE}
    return render(request, "fulfilment/risk_order.html", context)


class OrderRiskActionView(ActionView):
    """Noting a risk of an order."""

    actions = ORDER_RISK_ACTIONS

    def queryset(self) -> QuerySet[Order]:
        return Order.objects.visible_to(self.request.user)

    def back(self, instance: Order) -> str:
        return f"{instance.get_absolute_url()}#risks"


class RiskActionView(ActionView):
    """Reviewing a risk, and ending it one way or the other."""

    actions = RISK_ACTIONS
    lookup = "pk"

    def queryset(self) -> QuerySet[Risk]:
        return Risk.objects.visible_to(self.request.user).select_related("order", "owner", "category")

    def back(self, instance: Risk) -> str:
        if self.result is not None and not isinstance(self.result, Risk):  # what a floor above made of it
            return str(self.result.get_absolute_url())
        return f"{instance.order.get_absolute_url()}#risks"
