"""What can happen to products, suppliers and stock."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from ordermgmt.activity.events import EventType, nobody, register


def _managers(_event: Any) -> list[Any]:
    """Those who may approve adjustments."""
    from ordermgmt.accounts.models import User
    from ordermgmt.accounts.roles import PERMISSIONS

    roles = list(PERMISSIONS["inventory.approve_adjustment"])
    return list(User.objects.filter(role_assignments__role__in=roles, is_active=True).distinct())


PRODUCT_CREATED = register(EventType("inventory.product_created", _("created the product"), icon="plus"))
PRODUCT_EDITED = register(EventType("inventory.product_edited", _("changed the product"), icon="edit"))
BOM_CHANGED = register(
    EventType("inventory.bom_changed", _("changed the bill of material: {component}"), icon="clipboard-list")
)
BOM_REMOVED = register(
    EventType("inventory.bom_removed", _("took {component} out of the bill of material"), icon="clipboard-list")
)
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


def _buyers(event: Any) -> list[Any]:
    """Who wrote the purchase order."""
    return [] if event.subject is None else [event.subject.created_by]


def _purchase(name: str, message: Any, icon: str, *, told: bool = False, permission: str = "") -> EventType:
    kind = f"inventory.purchase_{name}"
    audience = _buyers if told else nobody
    return register(EventType(kind, message, icon=icon, permission=permission, audience=audience))


_COST = "inventory.view_cost"


PURCHASE_DRAFTED = _purchase(
    "drafted", _("drafted the purchase order {number} to {supplier}"), "plus", permission=_COST
)
PURCHASE_EDITED = _purchase("edited", _("changed the purchase order {number}"), "edit", permission=_COST)
PURCHASE_ORDERED = _purchase("ordered", _("ordered {number} from {supplier}"), "send")
PURCHASE_CONFIRMED = _purchase("confirmed", _("entered the dates that {supplier} confirmed for {number}"), "calendar")
PURCHASE_RECEIVED = _purchase("received", _("received goods of {number}: {receipt}"), "package-import", told=True)
PURCHASE_REJECTED = _purchase("rejected", _("refused goods of {number}: {reason}"), "x", told=True)
PURCHASE_RETURNED = _purchase("returned", _("sent goods of {number} back: {reason}"), "arrow-back", told=True)
PURCHASE_CLOSED = _purchase("closed", _("gave up what is open of {number}: {reason}"), "circle-check")
PURCHASE_REDUCED = _purchase("reduced", _("took {quantity} {sku} off {number}: {reason}"), "edit")
PURCHASE_CANCELLED = _purchase("cancelled", _("cancelled the purchase order {number}: {reason}"), "x")
PURCHASE_IMPORTED = _purchase(
    "imported", _("brought the purchase order {number} in from a file"), "file-import", permission=_COST
)
PURCHASE_MAIL_ASKED = register(
    EventType("inventory.purchase_mail_asked", _("has {number} mailed to {to}"), icon="mail")
)
PURCHASE_MAILED = register(EventType("inventory.purchase_mailed", _("mailed {number} to {to}"), icon="mail"))
