"""What fulfilment shows on the order page and on the start page."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Count, Prefetch
from django.utils.translation import gettext_lazy as _

from fulfilment.actions import (
    CORRECTION_ACTIONS,
    FEEDBACK_ACTIONS,
    MATERIAL_ACTIONS,
    PRODUCED_ACTIONS,
    PRODUCTION_ACTIONS,
    RECTIFICATION_ACTIONS,
)
from fulfilment.models import (
    Acceptance,
    AcceptanceCertificate,
    AcceptanceTerm,
    CorrectiveAction,
    Defect,
    Feedback,
    FeedbackLink,
    FeedbackPlan,
    GoodsReturn,
    Inspection,
    MaterialNeed,
    MaterialSupply,
    Milestone,
    Production,
    Rectification,
    Shipment,
)
from fulfilment.services import (
    agree_blocked,
    all_made,
    deemed_on,
    hits_of,
    inspect_blocked,
    late_lines,
    link_address,
    made_lines,
    promise_lines,
    reasons,
    targets,
    watched,
    with_reasons,
)
from inventory.models import PurchaseOrder
from ordermgmt.company.services import business_today
from ordermgmt.lib.palette import Hit, command, provider
from ordermgmt.lib.panels import Panel, register
from orders.models import Order
from orders.services import promised_by

from . import risks as risks  # registers its own
from . import staff as staff
from . import starting as starting

SHOWN = 8

#: The order page asks for promises; work centres are known here.
promised_by(promise_lines)


def _shipments(request: Any, order: Order) -> dict[str, Any] | None:
    rows = Shipment.objects.filter(order=order).select_related("shipped_by").prefetch_related("lines__order_line")
    shipments = list(rows.order_by("pk"))
    back = GoodsReturn.objects.filter(order=order).select_related("recorded_by", "rectification")
    returns = list(back.prefetch_related("lines__order_line").order_by("pk")) if shipments else []
    looked = Inspection.objects.filter(order=order).select_related("inspected_by")
    inspections = list(
        looked.prefetch_related("lines__order_line", "findings__criterion", "photos__file").order_by("pk")
    )
    may_inspect = request.user.has_perm("fulfilment.inspect_order") and not inspect_blocked(order)
    may_ship = request.user.has_perm("fulfilment.ship_order") and order.state == Order.State.IN_PRODUCTION
    if not (shipments or inspections or may_ship or may_inspect):
        return None
    return {
        "shipments": shipments, "returns": returns, "order": order, "may_ship": may_ship and not order.on_hold,
        "inspections": inspections, "may_inspect": may_inspect,
    }  # fmt: skip


def _acceptance(request: Any, order: Order) -> dict[str, Any] | None:
    kept = Acceptance.objects.filter(order=order).select_related("recorded_by", "evidence_file")
    parts = ("lines__order_line", "findings__criterion", "photos__file")
    rounds = list(kept.prefetch_related(*parts).order_by("pk"))
    may_agree = request.user.has_perm("fulfilment.agree_criteria") and not agree_blocked(order)
    criteria = _criteria(order)
    joined = ("order_line", "owner", "return_line__goods_return", "replacement__shipment")
    tasks = Rectification.objects.filter(order=order).select_related(*joined).order_by("pk")
    wrong: dict[int | None, list[Defect]] = {}
    for one in Defect.objects.filter(order=order)[:200]:
        wrong.setdefault(one.found_in_id, []).append(one)
    work = [
        (task, RECTIFICATION_ACTIONS.offered(task, request.user), wrong.get(task.found_in_id or 0, []))
        for task in tasks
    ]
    may_accept = request.user.has_perm("fulfilment.accept_order") and order.state == Order.State.SHIPPED
    if not (rounds or work or may_accept or criteria or may_agree):
        return None
    return {
        "rounds": rounds, "work": work, "order": order, "may_accept": may_accept, "criteria": criteria,
        "may_agree": may_agree, "term": AcceptanceTerm.objects.filter(order=order).first(),
        "deemed_on": deemed_on(order) if order.state == Order.State.SHIPPED else None,
        "certificate": AcceptanceCertificate.objects.filter(order=order).exists(),
        "sees_cost": request.user.has_perm("orders.view_cost"),
        "may_correct": request.user.has_perm("fulfilment.rectify_order"),
    }  # fmt: skip


def _criteria(order: Order) -> list[dict[str, Any]]:
    """What is agreed, with the target and what was found last."""
    return [{"criterion": one.criterion, "range": one.target, "last": one.found} for one in targets(order)]


def _plan(request: Any, order: Order) -> dict[str, Any] | None:
    may_plan = request.user.has_perm("fulfilment.plan_order")
    progress = Milestone.objects.filter(order=order).progress()
    if progress is None and not may_plan:
        return None
    coming = list(Milestone.objects.filter(order=order).to_do().select_related("owner")[:SHOWN])
    today = business_today()
    return {"order": order, "progress": progress, "coming": [(one, one.status(today)) for one in coming]}


register(
    Panel(
        "orders.order", "plan", _("Plan"), "fulfilment/_order_plan.html", _plan, order=10,
        permission="orders.view_order",
    )
)  # fmt: skip
register(
    Panel(
        "orders.order", "shipments", _("Shipments"), "fulfilment/_order_shipments.html", _shipments, order=20,
        permission="orders.view_order",
    )
)  # fmt: skip
register(
    Panel(
        "orders.order", "acceptance", _("Acceptance"), "fulfilment/_order_acceptance.html", _acceptance, order=30,
        permission="orders.view_order",
    )
)  # fmt: skip


def _queue(name: str, title: Any, permission: str, state: str, do: str, order: int) -> None:
    """A work queue of orders on the start page, each with the way to the deed."""

    def context(request: Any, _nothing: Any) -> dict[str, Any] | None:
        rows = Order.objects.visible_to(request.user).filter(state=state, on_hold=False)
        if do == "ship" and not request.user.has_perm("fulfilment.deliver_service"):
            rows = rows.exclude(kind=Order.Kind.SERVICE)
        found = list(rows.order_by("promised_date", "pk")[: SHOWN + 1])
        return {"orders": found[:SHOWN], "do": do, "more": len(found) > SHOWN, "state": state} if found else None

    register(Panel("home", name, title, "fulfilment/_home_orders.html", context, order=order, permission=permission))


_queue("to-ship", _("To ship or deliver"), "fulfilment.ship_order", "in_production", "ship", 8)
_queue("to-accept", _("Waiting for acceptance"), "fulfilment.accept_order", "shipped", "accept", 14)


def _mine(request: Any, _nothing: Any) -> dict[str, Any] | None:
    rows = Rectification.objects.visible_to(request.user).open()
    # What is to be credited is with finance.
    rows = rows.exclude(
        state=Rectification.State.IN_WORK, return_line__isnull=False, remedy=Rectification.Remedy.CREDIT
    )
    if not request.user.has_perm("fulfilment.rectify_order"):
        rows = rows.filter(owner=request.user).exclude(pk__in=Rectification.objects.to_send().values("pk"))
    found = list(rows.select_related("order", "order_line", "owner").order_by("due", "pk")[:SHOWN])
    return {"tasks": found} if found else None


register(
    Panel(
        "home", "rectifications", _("To put right"), "fulfilment/_home_rectifications.html", _mine, order=9,
        permission="orders.view_order",
    )
)  # fmt: skip


def _to_send(request: Any, _nothing: Any) -> dict[str, Any] | None:
    """What came back and goes out again, repaired or new; the earliest due first."""
    rows = Rectification.objects.visible_to(request.user).to_send()
    found = list(rows.select_related("order", "order_line", "owner").order_by("due", "pk")[:SHOWN])
    return {"tasks": found} if found else None


register(
    Panel(
        "home", "send-again", _("To send again"), "fulfilment/_home_rectifications.html", _to_send, order=8,
        permission="fulfilment.ship_order",
    )
)  # fmt: skip


def _watched(show: str, title: Any, order: int) -> None:
    """Orders of one selection that need an eye, each with the reason, on the start page."""

    def context(request: Any, _nothing: Any) -> dict[str, Any] | None:
        rows = with_reasons(watched(Order.objects.visible_to(request.user).open(), request.user, show))
        chosen = rows.defer("search_text", "note", "terms").order_by("promised_date", "pk")
        found = list(chosen[: SHOWN + 1])
        if not found:
            return None
        orders = [(one, reasons(one)) for one in found[:SHOWN]]
        return {"orders": orders, "show": show, "more": len(found) > SHOWN}

    register(
        Panel(
            "home", f"watch-{show}", title, "fulfilment/_home_watched.html", context, order=order,
            permission="fulfilment.watch_order",
        )
    )  # fmt: skip


_watched("risk", _("At risk"), 21)
_watched("material", _("Waiting for material"), 22)


def _milestones(request: Any, _nothing: Any) -> dict[str, Any] | None:
    """One's own open milestones, the earliest first."""
    rows = Milestone.objects.visible_to(request.user).to_do().filter(owner=request.user, forecast__isnull=False)
    found = list(rows.select_related("order").order_by("forecast", "pk")[:SHOWN])
    today = business_today()
    return {"milestones": [(one, one.status(today)) for one in found]} if found else None


register(
    Panel(
        "home", "milestones", _("My milestones"), "fulfilment/_home_milestones.html", _milestones, order=7,
        permission="fulfilment.report_milestone",
    )
)  # fmt: skip


def _materials(request: Any, order: Order) -> dict[str, Any] | None:
    """What the order takes of material, part below assembly, and where it comes from."""
    rows = MaterialNeed.objects.filter(order=order, required__gt=0).select_related("product__unit", "order_line")
    counted = MaterialSupply.objects.filter(quantity__gt=0).select_related("line__order")
    needs = list(rows.prefetch_related(Prefetch("supplies", counted))[:500])
    actions = MATERIAL_ACTIONS.offered(order, request.user)
    if not needs and not (actions and order.lines.filter(supply="make").exists()):
        return None
    # Each part stands behind its assembly: the path without leading zeros sorts by numbers.
    needs.sort(key=lambda one: (one.order_line.position, [int(key) for key in one.path.split("/")]))
    return {
        "order": order, "rows": [(one, list(one.supplies.all())) for one in needs], "actions": actions,
        "missing": sum(1 for one in needs if one.missing > 0 and not one.is_made), "today": business_today(),
        "may_order": request.user.has_perm("inventory.order_purchase"), "all_made": not needs and all_made(order),
    }  # fmt: skip


register(
    Panel(
        "orders.order", "materials", _("Material"), "fulfilment/_order_materials.html", _materials, order=15,
        permission="orders.view_order",
    )
)  # fmt: skip


def _production(request: Any, order: Order) -> dict[str, Any] | None:
    """What is made of each line that is made here, and the last reports with the material they took."""
    lines = made_lines(order)
    if not lines or order.state == Order.State.DRAFT:
        return None
    for line in lines:
        line.order = order
    reports = Production.objects.filter(order_line__in=lines).select_related("recorded_by", "order_line", "reversed_by")
    found = list(reports.prefetch_related("uses__product__unit").order_by("-pk")[:SHOWN])
    for report in found:
        report.order_line.order = order
    if not found and order.state != Order.State.IN_PRODUCTION:
        return None
    return {
        "lines": [(line, PRODUCTION_ACTIONS.offered(line, request.user)) for line in lines[:100]],
        "reports": [(report, PRODUCED_ACTIONS.offered(report, request.user)) for report in found],
    }


register(
    Panel(
        "orders.order", "production", _("Production"), "fulfilment/_order_production.html", _production, order=14,
        permission="orders.view_order",
    )
)  # fmt: skip


def _hits(request: Any, purchase: PurchaseOrder) -> dict[str, Any] | None:
    """Leads to what a late purchase hits."""
    late = late_lines(business_today()).filter(order=purchase)
    hits = hits_of(list(late), request.user, business_today()) if purchase.state == purchase.State.ORDERED else {}
    orders = {hit.order.pk for found in hits.values() for hit in found}
    return {"number": purchase.number, "orders": len(orders)} if orders else None


register(
    Panel(
        "inventory.purchase", "late", _("Late"), "fulfilment/_purchase_late.html", _hits, order=5,
        permission="orders.view_order",
    )
)  # fmt: skip


def _served(request: Any, purchase: PurchaseOrder) -> dict[str, Any] | None:
    """The needs of orders that the person sees and this purchase serves."""
    rows = MaterialSupply.objects.filter(line__order=purchase, quantity__gt=0)
    seen = rows.filter(need__in=MaterialNeed.objects.visible_to(request.user))
    found = list(seen.select_related("line", "need__order", "need__product").order_by("line__position", "pk")[:100])
    orders = rows.aggregate(n=Count("need__order", distinct=True))["n"]
    others = orders - seen.aggregate(n=Count("need__order", distinct=True))["n"]
    return {"supplies": found, "others": others} if found or others else None


register(
    Panel(
        "inventory.purchase", "needs", _("Ordered for"), "fulfilment/_purchase_needs.html", _served, order=10,
        permission="orders.view_order",
    )
)  # fmt: skip


def _feedback(request: Any, order: Order) -> dict[str, Any] | None:
    """What the customer said of the order, the questions that wait for an answer, and what is done about low scores."""
    actions = FEEDBACK_ACTIONS.offered(order, request.user)
    rows = Feedback.objects.filter(order=order).select_related("corrective_action__owner").order_by("-pk")
    said = [(one, getattr(one, "corrective_action", None)) for one in rows[:50]]
    today = business_today()
    waiting = FeedbackLink.objects.filter(order=order, answer=None, expires_on__gte=today).order_by("-pk")[:SHOWN]
    links = [(one, link_address(one)) for one in waiting]
    if not said and not links and (not actions or order.kind != Order.Kind.SERVICE):
        return None
    done = request.user.has_perm("fulfilment.correct_service")
    return {
        "order": order, "said": said, "links": links, "actions": actions, "plan": FeedbackPlan.objects.filter(order=order).first(),
        "corrections": [one for one in CORRECTION_ACTIONS if not one.permission or request.user.has_perm(one.permission)] if done else [], "may_ask": bool(actions),
    }  # fmt: skip


register(
    Panel(
        "orders.order", "feedback", _("Feedback"), "fulfilment/_order_feedback.html", _feedback, order=35,
        permission="fulfilment.view_feedback",
    )
)  # fmt: skip


def _corrections(request: Any, _nothing: Any) -> dict[str, Any] | None:
    """One's own open corrective actions, the most urgent first."""
    rows = CorrectiveAction.objects.visible_to(request.user).open().filter(owner=request.user)
    found = list(rows.select_related("order", "feedback").order_by("due", "pk")[:SHOWN])
    return {"corrections": found, "today": business_today()} if found else None


register(
    Panel(
        "home", "corrections", _("Low scores to see to"), "fulfilment/_home_corrections.html", _corrections, order=6,
        permission="fulfilment.correct_service",
    )
)  # fmt: skip


def _find(user: Any, text: str, limit: int) -> Iterable[Hit]:
    found = Shipment.objects.visible_to(user).filter(search_text__found=text).select_related("order").order_by("-pk")
    return [Hit(one.number, one.get_absolute_url(), one.order.customer_name) for one in found[:limit]]


provider("shipments", _("Shipments"), _find, "orders.view_order")
command(_("Shipments"), "/fulfilment/shipments/", "orders.view_order", "shipments 发货 送货单")
command(_("To be picked"), "/fulfilment/picks/", "fulfilment.ship_order", "pick list picking 拣货 拣货单")
command(_("Returns"), "/fulfilment/returns/", "orders.view_order", "returns 退货")
command(_("Rectifications"), "/fulfilment/rectifications/", "orders.view_order", "rectification 返工")
command(_("Defects"), "/fulfilment/defects/", "orders.view_order", "defects 缺陷 问题")
command(_("Milestones"), "/fulfilment/milestones/", "orders.view_order", "milestones plan 里程碑 计划")
command(_("Calendar"), "/fulfilment/calendar/", "orders.view_order", "calendar ics month week 日历")
command(
    _("Orders to watch"), "/fulfilment/watch/", "orders.view_order", "late risk blocked material waiting 逾期 风险 缺料"
)
command(
    _("Waiting for material"), "/fulfilment/materials/", "orders.view_order", "material needs missing 物料 缺料 需求"
)
command(
    _("Late deliveries"), "/fulfilment/late/", "inventory.view_purchase", "late suppliers deliveries 逾期 供应商 交货"
)
command(_("Capacity"), "/fulfilment/capacity/", "fulfilment.view_capacity", "capacity load work centres 产能 负荷")
command(_("Routing"), "/fulfilment/capacity/routing/", "fulfilment.set_capacity", "routing hours 工艺路线 工时")
command(_("Plan templates"), "/fulfilment/plan-templates/", "fulfilment.set_plans", "plan templates 计划模板")
command(
    _("Acceptance criteria"), "/fulfilment/criteria/", "fulfilment.set_criteria", "acceptance criteria 验收标准 模板"
)
command(_("Feedback"), "/fulfilment/feedback/", "fulfilment.view_feedback", "feedback satisfaction 满意度 评价 反馈")
command(_("Corrective actions"), "/fulfilment/corrections/", "fulfilment.view_feedback", "corrective actions 改进措施")
