"""What one should think of before an order is started. It warns and does not forbid: work may begin on what is there."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from fulfilment.models import MaterialNeed, Milestone
from ordermgmt.lib.fsm import Blocker
from orders.models import Order


def before_start(order: Order) -> list[Blocker]:
    """What is not prepared of a placed order that is not taken from stock alone. Two queries."""
    if order.state != Order.State.PLACED or order.is_stock_only:
        return []
    found = []
    if not Milestone.objects.filter(order=order).exists():
        text = _("Nothing is planned yet.")
        found.append(Blocker(text, f"/fulfilment/orders/{order.number}/plan/", _("Open the plan"), "orders.view_order"))
    if missing := MaterialNeed.objects.missing().filter(order=order).count():
        text = ngettext(
            "%(n)s material is neither in stock nor on order.", "%(n)s materials are neither in stock nor on order.",
            missing,
        )  # fmt: skip
        link = f"/fulfilment/materials/order/?order={order.number}"
        found.append(Blocker(text % {"n": missing}, link, _("Order what is missing"), "inventory.order_purchase"))
    return found
