"""Every verb on an order: `/orders/<number>/do/<name>/`."""

from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from ordermgmt.lib.actionviews import ActionView
from orders.actions import ORDER_ACTIONS
from orders.models import Order


class OrderActionView(ActionView):
    """Confirms and performs the verbs of orders and of the floors above."""

    actions = ORDER_ACTIONS

    def queryset(self) -> QuerySet[Order]:
        return Order.objects.visible_to(self.request.user).select_related("customer", "tax_profile", "owner")

    def back(self, instance: Any) -> str:
        if self.action.name == "delete" and self.request.method == "POST" and not Order.objects.filter(pk=instance.pk):
            return reverse("orders:order-list")
        if isinstance(self.result, Order):
            return self.result.get_absolute_url()
        return str(instance.get_absolute_url())
