"""Defects: what is wrong, over all orders, and what was corrected."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy

from fulfilment.actions import DEFECT_ACTIONS
from fulfilment.filters import DefectFilter
from fulfilment.models import Defect
from ordermgmt.lib.actionviews import ActionView
from ordermgmt.lib.tables import Column, ListView


class DefectList(ListView):
    """Every defect, open ones by their filter; no price stands here."""

    key = "fulfilment.defects"
    title = gettext_lazy("Defects")
    permission = "orders.view_order"
    filterset_class = DefectFilter
    default_sort = "-pk"
    empty_text = gettext_lazy("Nothing is wrong. Defects are noted on what was rejected.")
    columns = [
        Column("order", gettext_lazy("Order"), path="order.number"),
        Column("customer", gettext_lazy("Customer"), path="order.customer_name", sortable=False),
        Column("line", gettext_lazy("Line"), path="order_line.description", sortable=False),
        Column("text", gettext_lazy("Defect"), sortable=False),
        Column("found_on", gettext_lazy("Found on"), kind="date"),
        Column("corrected", gettext_lazy("Corrected"), kind="bool", sortable=False),
        Column("corrected_on", gettext_lazy("Corrected on"), kind="date", nullable=True),
    ]

    def queryset(self) -> QuerySet[Defect]:
        return Defect.objects.visible_to(self.request.user).select_related("order", "order_line")

    def row_url(self, row: Defect) -> str:
        return f"{row.order.get_absolute_url()}#acceptance"


class DefectActionView(ActionView):
    """Reporting a defect as corrected."""

    actions = DEFECT_ACTIONS
    lookup = "pk"

    def queryset(self) -> QuerySet[Defect]:
        return Defect.objects.visible_to(self.request.user).select_related("order", "order_line")

    def back(self, instance: Any) -> str:
        return f"{instance.order.get_absolute_url()}#acceptance"
