"""Change requests as facts: when they were asked for, when they were decided, and what they are worth."""

from typing import TYPE_CHECKING

from django.db.models import (
    Avg,
    Case,
    Count,
    DurationField,
    ExpressionWrapper,
    F,
    Max,
    OuterRef,
    Q,
    Subquery,
    Sum,
    When,
)
from django.db.models.functions import Coalesce, TruncMonth
from django.utils.translation import gettext_lazy as _

from changes.models import ApprovalGrant, ChangeRequest
from ordermgmt.company.services import business_date
from ordermgmt.lib.tables import Column as ListColumn

from .dated import as_it_was, known, until
from .facts import Facts, Params, Rows
from .filtering import period
from .order_facts import PRICE
from .shares import days_of

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

_State = ChangeRequest.State
#: What later events may move on a request, and the report adds up or divides by.
MOVED = ("state", "net_change", "submitted_at", "changed_at", "applied_at")
_GRANTED = (_State.APPROVED, _State.APPLIED)


def _changes(user: "User", params: Params) -> Rows:
    """Requests that were asked for, with the moment of the last consent or of the refusal."""
    imported = Q(source=ChangeRequest.Source.IMPORT) & until(params, "submitted_at")
    asked = ChangeRequest.objects.visible_to(user).filter(known(params, "requested_at", imported))
    found = as_it_was(asked.filter(period(params, "order__")), params, *MOVED).exclude(was_state=_State.DRAFT)
    grants = ApprovalGrant.objects.filter(until(params, "at"), step__change=OuterRef("pk")).order_by()
    last = Subquery(grants.values("step__change").annotate(last=Max("at")).values("last"))
    decided = Case(
        When(was_state__in=_GRANTED, then=Coalesce(last, F("was_applied_at"), F("was_changed_at"))),
        When(was_state=_State.REFUSED, then=F("was_changed_at")),
    )
    rows = found.order_by().select_related("order", "reason").defer("impact", "text")
    rows = rows.annotate(decided_at=decided)
    return rows.annotate(stay=ExpressionWrapper(F("decided_at") - F("was_submitted_at"), output_field=DurationField()))


CHANGES = Facts(
    rows=_changes,
    dims_of={"month": lambda _params: TruncMonth(business_date("was_submitted_at"))},
    figures={
        "count": Count("pk"), "open": Count("pk", filter=Q(was_state__in=[_State.SUBMITTED, _State.ASSESSED])),
        "applied": Count("pk", filter=Q(was_state=_State.APPLIED)), "refused": Count("pk", filter=Q(was_state=_State.REFUSED)),
        "asked": Sum("was_net_change"), "value": Sum("was_net_change", filter=Q(was_state=_State.APPLIED), default=0), "mean": Avg("stay"),
    },
    columns=(
        ListColumn("number", _("Change")),
        ListColumn("order", _("Order"), path="order.number"),
        ListColumn("customer", _("Customer"), path="order.customer_name"),
        ListColumn("reason", _("Reason"), path="reason", sortable=False),
        ListColumn("state", _("State"), value=lambda one: str(_State(one.was_state).label)),
        ListColumn("submitted_at", _("Asked for"), path="was_submitted_at", kind="datetime", nullable=True),
        ListColumn("days", _("Days to the decision"), kind="quantity", value=lambda one: days_of(getattr(one, "stay", None))),
        ListColumn("asked", _("Net change"), path="was_net_change", kind="amount", permission=PRICE),
    ),
    link=lambda one: one.get_absolute_url(),
    currency="order__currency",
)  # fmt: skip
