"""The order page: where it stands, what comes next, what blocks it, and everything that belongs to it."""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.mixins import PermissionRequiredMixin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _
from django.views import View

from inventory.services import describe_specification
from ordermgmt.accounts.models import User
from ordermgmt.accounts.roles import LABELS, PERMISSIONS
from ordermgmt.company.services import business_today
from ordermgmt.lib.fsm import Blocker, blockers
from ordermgmt.lib.tables import Column
from ordermgmt.lib.tables.exporting import csv_lines
from ordermgmt.lib.typed import whole
from orders.actions import ORDER_ACTIONS
from orders.models import Order, OrderApproval, OrderStep
from orders.models.status import facts
from orders.services import totals_of

from .versions import compared

#: Lines shown at once; more are fetched as one asks for them.
LINES = 50
_WAY = ("draft", "placed", "in_production", "shipped", "accepted", "settled")
#: The step that leads on from each state.
_NEXT = {
    "draft": ("place", _("Place the order")),
    "placed": ("start", _("Start the work")),
    "in_production": ("finish", _("Complete shipping or delivery")),
    "shipped": ("accept", _("Acceptance by the customer")),
    "rectification": ("redeliver", _("Deliver again after rectification")),
    "accepted": ("settle", _("Settle the account")),
}


@dataclass
class Stage:
    """One state on the way of the order, with when it was reached, by whom, and how long it lasted."""

    code: str
    label: str
    status: str = "todo"
    at: dt.datetime | None = None
    actor: User | None = None
    lasted: dt.timedelta | None = None

    @property
    def days(self) -> int | None:
        """Whole days in this state."""
        return None if self.lasted is None else self.lasted.days


@dataclass
class NextStep:
    """The step that leads on: what blocks it, and who may take it."""

    name: str
    label: Any
    blockers: list[Blocker] = field(default_factory=list)
    roles: list[Any] = field(default_factory=list)


def order_or_404(user: User, number: str) -> Order:
    """The order of that number, where this reader may see it."""
    try:
        return Order.objects.with_number(user, number)
    except (Order.DoesNotExist, ValueError) as error:
        raise Http404 from error


def stages(order: Order, steps: list[OrderStep]) -> list[Stage]:
    """The way of the order so far, and what is still ahead."""
    walked = [Stage("draft", str(Order.State.DRAFT.label), "done", order.created_at, order.owner)]
    if steps and steps[0].source == "":
        walked = []
    for step in steps:
        if walked and walked[-1].at:
            walked[-1].lasted = step.at - walked[-1].at
        walked.append(Stage(step.target, _label(order, step.target), "done", step.at, step.actor))
    walked[-1].status = "current"
    if order.state in ("cancelled", "settled"):
        return walked
    if walked[-1].at:
        walked[-1].lasted = timezone.now() - walked[-1].at
    here = _WAY.index("shipped" if order.state == "rectification" else order.state)
    ahead = _WAY[here:] if order.state == "rectification" else _WAY[here + 1 :]
    return walked + [Stage(code, _label(order, code)) for code in ahead]


def _label(order: Order, state: str) -> str:
    if state == order.state:
        return order.state_label
    return str(Order.State(state).label)


def next_step(order: Order) -> NextStep | None:
    """What leads on from here; None at the end of the way."""
    if order.state not in _NEXT:
        return None
    name, label = _NEXT[order.state]
    if name == "finish" and order.kind == Order.Kind.SERVICE:
        label = _("Complete the services")
    method = getattr(order, name)
    permission = method._django_fsm.get_transition(order.state).permission
    roles = [LABELS[role] for role in LABELS if role in PERMISSIONS.get(permission, ())]
    return NextStep(name, label, blockers(method), roles)


class OrderPage(PermissionRequiredMixin, View):
    """What every page of one order starts from: the right to see orders, then this order in scope."""

    permission_required: str | tuple[str, ...] = "orders.view_order"
    raise_exception = True
    request: Any


class OrderDetailView(OrderPage):
    """The order page."""

    def get(self, request: HttpRequest, number: str) -> HttpResponse:
        user = self.request.user
        order = order_or_404(user, number)
        offered = ORDER_ACTIONS.offered(order, user)
        step = next_step(order)
        lines = order.order_lines
        sees_prices = user.has_perm("orders.view_price")
        first = next(
            (action for action in offered if action.primary and not action.blockers(order, request.user)), None
        )
        context = {
            "order": order,
            "today": business_today(),
            "stages": stages(order, list(order.steps.select_related("actor"))),
            "next_step": step,
            "next_action": first,
            "may_step": step is not None and any(action.name == step.name for action in offered),
            # a second free step (ship goods, deliver a service) stays in reach
            "actions": [action for action in offered if action is not first],
            "facts": facts(order, lines, business_today(), money=sees_prices),
            "sees_prices": sees_prices,
            "sees_cost": user.has_perm("orders.view_cost"),
            "may_edit": order.state == Order.State.DRAFT and user.has_perm("orders.edit_order"),
            "totals": totals_of(order, lines) if sees_prices else None,
            "versions": list(order.versions.select_related("actor").defer("content").order_by("-version")[:20]),
            "approvals": _approvals(order) if order.state == Order.State.DRAFT and sees_prices else [],
            **lines_context(order, 0),
        }
        return render(request, "orders/order_detail.html", context)


def _approvals(order: Order) -> list[OrderApproval]:
    found = list(order.approvals.select_related("asked_by", "decided_by")[:10])
    present = order.content_hash() if found else ""
    for approval in found:
        approval.is_present = approval.content_hash == present  # type: ignore[attr-defined]
    return found


def lines_context(order: Order, start: int) -> dict[str, Any]:
    """The lines from a place on, with their specifications in words."""
    lines = order.order_lines
    shown = lines[start : start + LINES]
    products = {line.product_id for line in shown if line.product_id and line.specification}
    specified = {}
    if products:
        related = order.lines.filter(pk__in=[line.pk for line in shown if line.specification])
        for line in related.select_related("product__specification_template").prefetch_related(
            "product__specification_template__attributes"
        ):
            if line.product is not None:
                specified[line.pk] = describe_specification(line.product, line.specification)
    return {
        "lines": [(line, specified.get(line.pk, [])) for line in shown],
        "more": start + LINES if len(lines) > start + LINES else 0,
        "line_count": len(lines),
    }


class OrderLinesView(OrderPage):
    """More lines of a long order, as table rows."""

    def get(self, request: HttpRequest, number: str) -> HttpResponse:
        user = self.request.user
        order = order_or_404(user, number)
        start = whole(request.GET.get("start"), digits=8) or 0
        context = {"order": order, "sees_prices": user.has_perm("orders.view_price"), **lines_context(order, start)}
        return render(request, "orders/_line_rows.html", context)


class OrderVersionsView(OrderPage):
    """Two kept versions side by side, any with any (`?with=3`): what differs between them; `?export=csv` gives it as a file."""

    permission_required = ("orders.view_order", "orders.view_price")

    def get(self, request: HttpRequest, number: str, version: int) -> HttpResponse:
        order = order_or_404(self.request.user, number)
        every = order.versions.select_related("actor")
        kept = every.filter(version=version).first()
        wanted = whole(request.GET.get("with"), digits=8)
        if wanted is not None:
            other = every.filter(version=wanted).first()
            if other is None:
                raise Http404
        else:
            other = every.filter(version__lt=version).order_by("-version").first()
        if kept is None:
            raise Http404
        changes = compared(other.content if other else None, kept.content, self.request.user)
        if request.GET.get("export") == "csv":
            return _exported(f"{order.number}-{version}.csv", changes)
        others = every.exclude(version=version).values_list("version", flat=True).order_by("version")[:200]
        context: dict[str, Any] = {"order": order, "version": kept, "previous": other, "changes": changes}
        context["others"] = list(others)
        return render(request, "orders/order_version.html", context)


def _exported(name: str, changes: list[tuple[str, Any, Any]]) -> HttpResponse:
    """The differences as a file: formulas are neutralised as in every export."""
    columns = [
        Column("field", _("Field"), value=lambda row: row[0]), Column("before", _("Before"), value=lambda row: row[1]),
        Column("after", _("After"), value=lambda row: row[2]),
    ]  # fmt: skip
    content = "".join(csv_lines(columns, iter([tuple(str(one or "") for one in row) for row in changes])))
    return HttpResponse(
        content,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{slugify(name[:-4])}.csv"'},
    )
