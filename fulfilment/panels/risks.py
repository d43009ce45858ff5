"""What risks show on the order page and on the start page."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from fulfilment.actions import RISK_ACTIONS
from fulfilment.models import Risk, RiskScale
from fulfilment.services import asks_for
from ordermgmt.company.services import business_today
from ordermgmt.lib.palette import command
from ordermgmt.lib.panels import Panel, register
from orders.models import Order

SHOWN = 8


def _risks(request: Any, order: Order) -> dict[str, Any] | None:
    """The order's risks, open ones first; the costs for those who may see them."""
    may_note = request.user.has_perm("fulfilment.manage_risk")
    rows = Risk.objects.filter(order=order).select_related("owner").order_by("-state", "-probability", "-impact", "pk")
    found = list(rows.select_related("category")[:50])
    if not found and not may_note:
        return None
    scale = RiskScale.current()
    risks = []
    for risk in found:
        risk.order = order  # what may be done asks it
        risks.append((risk, scale.level(risk.score), RISK_ACTIONS.offered(risk, request.user)))
    sees_cost = request.user.has_perm("orders.view_cost")
    return {
        "risks": risks, "order": order, "may_note": may_note, "sees_cost": sees_cost, "today": business_today(),
    }  # fmt: skip


register(
    Panel(
        "orders.order", "risks", _("Risks"), "fulfilment/_order_risks.html", _risks, order=40,
        permission="orders.view_order",
    )
)  # fmt: skip


#: What a risk asks for: the sentence, the field with its day, the verb that does it.
_RISK_ASKS = {
    "issue": (_("Happened, to be solved"), "due", "resolve"), "mitigation": (_("Mitigation due"), "mitigation_due", "mitigate"),
    "review": (_("To be reviewed"), "review_on", "review"),
}  # fmt: skip


def _risk_work(request: Any, _nothing: Any) -> dict[str, Any] | None:
    """One's own risks that ask for work today and whatever happened and is not solved, that first."""
    today = business_today()
    rows = Risk.objects.visible_to(request.user).of(request.user).select_related("order")
    rows = rows.asking(today) | rows.to_solve()
    found = list(rows.order_by("state", "review_on", "pk")[: SHOWN + 1])
    work = []
    for risk in found[:SHOWN]:
        asks = [_RISK_ASKS[code] for code in asks_for(risk, today) or ["issue"]]
        shown = [
            (sentence, getattr(risk, field), verb, action.label)
            for sentence, field, verb in asks
            if (action := RISK_ACTIONS.get(verb))
        ]
        work.append((risk, shown))
    return {"risks": work, "more": len(found) > SHOWN} if found else None


register(
    Panel(
        "home", "risk-reviews", _("Risks that ask for work"), "fulfilment/_home_risks.html", _risk_work, order=5,
        permission="fulfilment.manage_risk",
    )
)  # fmt: skip

command(_("Risks"), "/fulfilment/risks/", "orders.view_order", "risks heat map issues 风险 热力图 问题")
command(
    _("Scales of risks"), "/fulfilment/risks/scale/", "fulfilment.set_risks", "risk scales thresholds 风险 等级 阈值"
)
command(_("Categories of risks"), "/fulfilment/risks/categories/", "fulfilment.set_risks", "risk categories 风险 类别")
command(_("Note a risk"), "/fulfilment/risks/new/", "fulfilment.manage_risk", "note new risk 登记风险 新风险")
