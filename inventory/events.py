"""What can happen to products, suppliers and stock."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from ordermgmt.activity.events import EventType, register


def _managers(_event: Any) -> list[Any]:
    """Those who may approve adjustments."""
    from ordermgmt.accounts.models import User
    from ordermgmt.accounts.roles import PERMISSIONS

    roles = list(PERMISSIONS["inventory.approve_adjustment"])
    return list(User.objects.filter(role_assignments__role__in=roles, is_active=True).distinct())


PRODUCT_CREATED = register(EventType("inventory.product_created", _("created the product"), icon="plus"))
PRODUCT_EDITED = register(EventType("inventory.product_edited", _("changed the product"), icon="edit"))
SUPPLIER_CREATED = register(EventType("inventory.supplier_created", _("created the supplier"), icon="plus"))
SUPPLIER_EDITED = register(EventType("inventory.supplier_edited", _("changed the supplier"), icon="edit"))
SETUP_CHANGED = register(EventType("inventory.setup_changed", _("changed {what}"), icon="settings"))
STOCK_OPENED = register(
    EventType("inventory.stock_opened", _("entered an opening stock of {quantity} {unit} in {warehouse}"))
)
STOCK_RECEIVED = register(
    EventType("inventory.stock_received", _("received {quantity} {unit} into {warehouse}"), icon="package-import")
)
STOCK_RETURNED = register(
    EventType("inventory.stock_returned", _("took {quantity} {unit} back into {warehouse}"), icon="arrow-back")
)
STOCK_ADJUSTED = register(
    EventType(
        "inventory.stock_adjusted", _("adjusted the stock in {warehouse} by {quantity} {unit}"), icon="adjustments"
    )
)
STOCK_COUNTED = register(
    EventType("inventory.stock_counted", _("counted {quantity} {unit} in {warehouse}"), icon="clipboard-check")
)
ADJUSTMENT_REQUESTED = register(
    EventType(
        "inventory.adjustment_requested",
        _("asked to adjust {sku} in {warehouse} by {quantity} {unit}"),
        audience=_managers,
        icon="adjustments-question",
    )
)
ADJUSTMENT_REJECTED = register(
    EventType("inventory.adjustment_rejected", _("refused to adjust the stock in {warehouse} by {quantity} {unit}"))
)
