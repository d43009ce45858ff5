"""The risks of all orders with their heat map, and every verb on a risk."""

from typing import Any

from django.db.models import F, QuerySet
from django.utils.translation import gettext_lazy

from fulfilment.actions import ORDER_RISK_ACTIONS, RISK_ACTIONS
from fulfilment.filters import RiskFilter
from fulfilment.models import Risk
from fulfilment.models.risk import SCALE
from ordermgmt.lib.actionviews import ActionView
from ordermgmt.lib.tables import Column, ListView
from orders.models import Order

_HIGH, _MIDDLE = 15, 6


def _level(score: int) -> str:
    return "high" if score >= _HIGH else "middle" if score >= _MIDDLE else "low"


class RiskList(ListView):
    """The portfolio: all risks that the reader sees, above them the open ones as a heat map."""

    key = "fulfilment.risks"
    title = gettext_lazy("Risks")
    permission = "orders.view_order"
    template = "fulfilment/risk_list.html"
    filterset_class = RiskFilter
    default_sort = "-points"
    empty_text = gettext_lazy("Note a risk on an order's page.")
    columns = [
        Column("order", gettext_lazy("Order"), path="order.number"),
        Column("customer", gettext_lazy("Customer"), path="order.customer_name", sortable=False),
        Column("title", gettext_lazy("Risk"), sortable=False),
        Column("category", gettext_lazy("Category"), sortable=False),
        Column("points", gettext_lazy("Score"), kind="quantity"),
        Column("probability", gettext_lazy("Probability"), kind="quantity", default=False),
        Column("impact", gettext_lazy("Impact"), kind="quantity", default=False),
        Column("owner", gettext_lazy("Owner"), path="owner.name", sortable=False),
        Column("state", gettext_lazy("State"), kind="badge"),
        Column("review_on", gettext_lazy("Review on"), kind="date"),
        Column("mitigation", gettext_lazy("Mitigation"), sortable=False, default=False),
        Column("outcome", gettext_lazy("What happened"), sortable=False, default=False),
    ]

    def queryset(self) -> QuerySet[Risk]:
        visible = Risk.objects.visible_to(self.request.user).select_related("order", "owner")
        return visible.annotate(points=F("probability") * F("impact"))

    def row_url(self, row: Risk) -> str:
        return f"{row.order.get_absolute_url()}#risks"

    def context(self) -> dict[str, Any]:
        """The heat map: a row per probability, the highest first, a cell per impact."""
        heat = Risk.objects.visible_to(self.request.user).open().heat()
        rows = [
            (p, [{"impact": i, "count": heat.get((p, i), 0), "level": _level(p * i)} for i in SCALE])
            for p in reversed(SCALE)
        ]
        return {"heat": rows, "scale": list(SCALE)}


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
        return Risk.objects.visible_to(self.request.user).select_related("order", "owner")

    def back(self, instance: Risk) -> str:
        return f"{instance.order.get_absolute_url()}#risks"
