"""The register of change requests, and the page of one."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from billing.models import Invoice
from billing.services import invoices_to_correct
from changes import services
from changes.actions import CHANGE_ACTIONS
from changes.filters import ChangeFilter
from changes.models import Acknowledgement, Assessment, ChangeRequest
from changes.panels import with_actions
from changes.services import compare_order, impact_of
from ordermgmt.company.services import business_today
from ordermgmt.lib.http import Request
from ordermgmt.lib.money import total
from ordermgmt.lib.tables import Column, ListView

from .standing import waits_for

#: States in which nothing more happens to a request.
DECIDED = (ChangeRequest.State.APPLIED, ChangeRequest.State.REFUSED, ChangeRequest.State.WITHDRAWN)


class ChangeList(ListView):
    """The register: every request that the reader may see."""

    key = "changes.changes"
    title = gettext_lazy("Change requests")
    permission = "changes.view_change"
    template = "changes/change_list.html"
    filterset_class = ChangeFilter
    default_sort = "-pk"
    empty_text = gettext_lazy("Ask for a change on the page of a placed order.")
    columns = [
        Column("number", gettext_lazy("Number")),
        Column("order", gettext_lazy("Order"), path="order.number", link=lambda row: row.order.get_absolute_url()),
        Column("customer", gettext_lazy("Customer"), path="order.customer_name", sortable=False),
        Column("state", gettext_lazy("State"), kind="badge"),
        Column("reason", gettext_lazy("Reason"), sortable=False),
        Column("net", gettext_lazy("Net change"), path="net_change", kind="amount", permission="orders.view_price"),
        Column("by", gettext_lazy("Requested by"), path="requested_by.name", sortable=False),
        Column("submitted_at", gettext_lazy("Submitted"), kind="datetime", nullable=True),
        Column("wished_date", gettext_lazy("Wished by"), kind="date", nullable=True, default=False),
        Column("text", gettext_lazy("What and why"), sortable=False, default=False),
    ]

    def queryset(self) -> QuerySet[ChangeRequest]:
        rows = ChangeRequest.objects.visible_to(self.request.user)
        return rows.select_related("order", "reason", "requested_by")


def change_or_404(user: Any, number: str) -> ChangeRequest:
    """The request of that number, where this reader may see it."""
    rows = ChangeRequest.objects.visible_to(user)
    named = rows.select_related("order__customer", "order__tax_profile", "applied_by", "reason", "requested_by", "risk")
    return get_object_or_404(named, number=number)


@require_safe
def change_detail(request: Request, number: str) -> HttpResponseBase:
    """One request: what it changes, before and after side by side, and where it stands."""
    user = request.user
    if not user.has_perm("changes.view_change"):
        raise PermissionDenied
    change = change_or_404(user, number)
    offered = CHANGE_ACTIONS.offered(change, user)
    mine = change.requested_by_id == user.pk
    barred = services.excluded(change) if change.is_open else set()
    asked = services.next_step(change) if change.state == ChangeRequest.State.ASSESSED else None
    may_decide = asked is not None and services.acts_for(asked, user, barred)[0]
    hidden = set() if mine else {"submit", "take_back", "withdraw"}
    hidden |= set() if may_decide else {"approve"}
    hidden |= {"refuse"} if mine else set()
    told = list(change.acknowledgements.select_related("user", "acknowledged_by"))
    hidden |= set() if _asked(told, user) else {"acknowledge"}
    actions = [one for one in offered if one.name not in hidden]
    context: dict[str, Any] = {
        "change": change,
        "order": change.order,
        "actions": actions,
        "may_edit": mine and change.state == ChangeRequest.State.DRAFT,
        "comparison": comparison_of(change, prices=user.has_perm("orders.view_price")),
        "judged": list(change.assessments.filter(is_void=False).select_related("assessor")),
        "steps": _steps(change),
        "consent": change.consents.filter(content_hash=change.content_hash).select_related("recorded_by").first(),
        "moved": services.moved(change) if _is_stale(change) else [],
        "stale": _is_stale(change),
        "told": told,
        "purchases": with_actions(list(services.decisions_of(change, user)), user),
        "corrections": _corrections(change, user),
        "today": business_today(),
        "sees_prices": user.has_perm("orders.view_price"),
        "sees_cost": user.has_perm("orders.view_cost"),
    }
    context["impact"] = _impact(change, context["judged"])
    context["kept"] = services.kept_impact(change, context["judged"]) if change.state in DECIDED else None
    context["able"] = services.able_to_grant(asked, barred) if asked else []
    context["apart"] = _apart(change, user, barred) if asked else ""
    context["waits_for"] = waits_for(context)
    return render(request, "changes/change_detail.html", context)


@require_safe
def change_register(request: Request) -> HttpResponseBase:
    """Counted and summed: by reason, days per state, value per order and customer."""
    if not request.user.has_perm("changes.view_change"):
        raise PermissionDenied
    context = services.register_of(request.user) | {"sees_prices": request.user.has_perm("orders.view_price")}
    return render(request, "changes/change_register.html", context)


def comparison_of(change: ChangeRequest, *, prices: bool) -> Any:
    """Before and after: as the order is now while it is open, as it was then once it is decided."""
    if change.state in DECIDED:
        return services.compare_decided(change, prices=prices)
    operations = list(change.operations.all())
    return compare_order(change.order, operations, prices=prices) if operations else None


def _apart(change: ChangeRequest, user: Any, barred: set[int]) -> str:
    """Whether the reader approves changes but not this one, because they "asked" for it or "judged" it."""
    if user.pk not in barred or not user.has_perm("changes.approve_change"):
        return ""
    return "asked" if change.requested_by_id == user.pk else "judged"


def _impact(change: ChangeRequest, judged: list[Assessment]) -> Any:
    """What it means for the order as it is now, with what was judged on top; None for drafts without an operation and
    for what is decided."""
    operations = list(change.operations.all())
    if not operations or change.state in DECIDED:
        return None
    impact = impact_of(change.order, operations)
    impact.extra = total(one.cost for one in judged)
    return impact


def _corrections(change: ChangeRequest, user: Any) -> list[Any]:
    """Issued documents that finance credits and bills again because of it."""
    if change.state != ChangeRequest.State.APPLIED or not user.has_perm("billing.view_invoice"):
        return []
    return list(invoices_to_correct(Invoice.objects.filter(order=change.order_id)).order_by("pk"))


def _steps(change: ChangeRequest) -> list[Any]:
    rows = change.steps.filter(content_hash=change.content_hash).order_by("seq")
    return list(rows.prefetch_related("grants__user", "grants__behalf"))


def _is_stale(change: ChangeRequest) -> bool:
    return change.state in ("assessed", "approved") and change.order.version != change.order_version


def _asked(told: list[Acknowledgement], user: Any) -> bool:
    """Whether this person is still to acknowledge it."""
    return any(
        one.acknowledged_at is None
        and (one.user_id == user.pk or (one.user_id is None and one.role in user.role_codes))
        for one in told
    )
