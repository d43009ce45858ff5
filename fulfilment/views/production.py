"""Reporting what was made, line by line, and taking a report back."""

from django.db.models import QuerySet

from fulfilment.actions import PRODUCED_ACTIONS, PRODUCTION_ACTIONS
from fulfilment.models import Production
from ordermgmt.lib.actionviews import ActionView
from orders.models import Order, OrderLine


class MadeActionView(ActionView):
    """Verbs on a line that is made here."""

    actions = PRODUCTION_ACTIONS
    lookup = "pk"

    def queryset(self) -> QuerySet[OrderLine]:
        orders = Order.objects.visible_to(self.request.user)
        return OrderLine.objects.filter(order__in=orders).select_related("order", "product__unit")

    def back(self, instance: OrderLine) -> str:
        return f"{instance.order.get_absolute_url()}#production"


class ProductionActionView(ActionView):
    """Verbs on a report of production."""

    actions = PRODUCED_ACTIONS
    lookup = "pk"

    def queryset(self) -> QuerySet[Production]:
        rows = Production.objects.visible_to(self.request.user)
        return rows.select_related("order_line__order", "reversed_by")
