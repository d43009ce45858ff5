"""What the order page warns of beside its next step."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from fulfilment.services import before_start
from ordermgmt.lib.panels import Panel, register
from orders.models import Order


def _unprepared(_request: Any, order: Order) -> dict[str, Any] | None:
    found = before_start(order)
    return {"blockers": found} if found else None


register(
    Panel(
        "orders.next", "unprepared", _("Before work starts"), "components/blockers.html", _unprepared,
        permission="orders.view_order",
    )
)  # fmt: skip
