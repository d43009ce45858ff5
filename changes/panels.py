"""What change requests show on the pages of orders and at home, and what the palette finds."""

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext_lazy as _

from changes.actions import PURCHASE_ACTIONS
from changes.models import Acknowledgement, ChangeRequest, PurchaseDecision
from changes.services import ALLOWED, mine, waiting_for
from inventory.models import PurchaseOrder
from ordermgmt.activity.services import register_root
from ordermgmt.lib.palette import Hit, command, provider
from ordermgmt.lib.panels import Panel, register
from orders.models import Order

SHOWN = 8

register_root(
    ChangeRequest,
    url=ChangeRequest.get_absolute_url,
    visible=lambda user: ChangeRequest.objects.visible_to(user),
    name=_("change request"),
    audience=lambda change: [change.requested_by],
)


def _order(request: Any, order: Order) -> dict[str, Any] | None:
    rows = ChangeRequest.objects.visible_to(request.user).filter(order=order).select_related("reason", "requested_by")
    changes = list(rows.order_by("-pk")[:20])
    may_raise = request.user.has_perm("changes.raise_change") and order.state in ALLOWED
    if not changes and not may_raise:
        return None
    sees_prices = request.user.has_perm("orders.view_price")
    asked = Acknowledgement.objects.open().filter(change__order=order).select_related("user", "change")
    return {
        "changes": changes, "order": order, "may_raise": may_raise, "sees_prices": sees_prices,
        "unread": list(asked.order_by("change", "pk")[:20]),
    }  # fmt: skip


register(
    Panel(
        "orders.order", "changes", _("Change requests"), "changes/_order_changes.html", _order, order=5,
        permission="changes.view_change",
    )
)  # fmt: skip


def _drafts(request: Any, _nothing: Any) -> dict[str, Any] | None:
    """One's own drafts, the newest first."""
    rows = ChangeRequest.objects.visible_to(request.user).filter(state="draft", requested_by=request.user)
    found = list(rows.select_related("order", "reason").order_by("-pk")[:SHOWN])
    return {"changes": found} if found else None


register(
    Panel(
        "home", "change-drafts", _("My drafts of change requests"), "changes/_home_changes.html", _drafts, order=13,
        permission="changes.raise_change",
    )
)  # fmt: skip


def _waiting(request: Any, _nothing: Any) -> dict[str, Any] | None:
    """Requests that wait for the reader: to be judged, approved, applied or acknowledged."""
    user = request.user
    found = list(waiting_for(user)[:SHOWN])
    unread = mine(user).values("change")
    told = ChangeRequest.objects.visible_to(user).filter(pk__in=unread).select_related("order", "reason")
    found += list(told.order_by("pk")[: SHOWN - len(found)])
    return {"changes": found} if found else None


register(
    Panel(
        "home", "changes-waiting", _("Changes waiting for me"), "changes/_home_changes.html", _waiting, order=4,
        permission="changes.view_change",
    )
)  # fmt: skip


def _to_decide(request: Any, _nothing: Any) -> dict[str, Any] | None:
    """Purchases that applied changes touched, the oldest first."""
    rows = PurchaseDecision.objects.visible_to(request.user).open().select_related("change__order")
    found = list(rows.order_by("pk")[:SHOWN])
    return {"decisions": found} if found else None


register(
    Panel(
        "home", "purchases-to-decide", _("Purchases to decide on"), "changes/_decisions.html", _to_decide, order=6,
        permission="inventory.order_purchase",
    )
)  # fmt: skip


def _on_purchase(request: Any, purchase: PurchaseOrder) -> dict[str, Any] | None:
    """What changes of orders mean for this purchase order, and what was decided."""
    rows = PurchaseDecision.objects.visible_to(request.user).filter(number=purchase.number)
    found = list(rows.select_related("change__order", "decided_by", "line__order").order_by("-pk")[:20])
    return with_actions(found, request.user) if found else None


def with_actions(decisions: list[PurchaseDecision], user: Any) -> dict[str, Any]:
    """Decisions, each with what the person may do with it."""
    for one in decisions:
        one.actions = PURCHASE_ACTIONS.offered(one, user) if one.is_open else []  # type: ignore[attr-defined]  # for the page alone
    return {"decisions": decisions}


register(
    Panel(
        "inventory.purchase", "changes", _("Touched by changes of orders"), "changes/_decisions.html", _on_purchase,
        order=3, permission="inventory.view_purchase",
    )
)  # fmt: skip


def _find(user: Any, text: str, limit: int) -> Iterable[Hit]:
    found = ChangeRequest.objects.visible_to(user).filter(number__icontains=text).select_related("order")
    for one in found.order_by("-pk")[:limit]:
        yield Hit(one.number, one.get_absolute_url(), f"{one.order.number} · {one.order.customer_name}")


provider("changes", _("Change requests"), _find, "changes.view_change")
command(_("Change requests"), "/changes/", "changes.view_change", "change requests 变更 申请")
command(_("Register of changes"), "/changes/register/", "changes.view_change", "register changes statistics 变更台账")
command(_("Approval rules of changes"), "/changes/rules/", "changes.view_rules", "approval rules 审批规则")
command(
    _("Purchases to decide on"), "/changes/purchases/", "inventory.view_purchase", "purchases decide changes 采购 待定"
)
command(_("Delegations"), "/changes/delegations/", "changes.approve_change", "deputy delegation 代理 审批")
command(_("Reasons for changes"), "/changes/reasons/", "changes.set_rules", "reasons changes 变更原因")
