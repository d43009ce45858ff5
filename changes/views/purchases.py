"""Purchases that applied changes touched: the list of what is to be decided, and deciding."""

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy

from changes.actions import PURCHASE_ACTIONS
from changes.filters import DecisionFilter
from changes.models import PurchaseDecision
from ordermgmt.lib.actionviews import ActionView
from ordermgmt.lib.tables import Column, ListView


class DecisionList(ListView):
    """Every purchase line that a change touched, the newest first."""

    key = "changes.decisions"
    title = gettext_lazy("Purchases to decide on")
    permission = "inventory.view_purchase"
    filterset_class = DecisionFilter
    default_sort = "-pk"
    empty_text = gettext_lazy("No applied change touched a purchase.")
    columns = [
        Column("purchase", gettext_lazy("Purchase order"), path="number", link=lambda row: row.purchase_url, sortable=False),
        Column("supplier", gettext_lazy("Supplier"), sortable=False),
        Column("sku", gettext_lazy("Material"), sortable=False),
        Column("why", gettext_lazy("What the change means"), sortable=False),
        Column("change", gettext_lazy("Change"), path="change.number", link=lambda row: row.get_absolute_url(), sortable=False),
        Column("order", gettext_lazy("Order"), path="change.order.number", link=lambda row: row.change.order.get_absolute_url(), sortable=False),
        Column("choice", gettext_lazy("Decision"), value=lambda row: row.get_choice_display() if row.choice else "", sortable=False),
        Column("note", gettext_lazy("Note"), sortable=False),
        Column("decided_at", gettext_lazy("Decided"), kind="datetime", nullable=True, default=False),
    ]  # fmt: skip

    def queryset(self) -> QuerySet[PurchaseDecision]:
        return PurchaseDecision.objects.visible_to(self.request.user).select_related("change__order")


class DecisionActionView(ActionView):
    """Confirming and deciding."""

    actions = PURCHASE_ACTIONS
    lookup = "pk"

    def queryset(self) -> QuerySet[PurchaseDecision]:
        rows = PurchaseDecision.objects.visible_to(self.request.user)
        return rows.select_related("change__order", "line__order", "line__product__unit")
