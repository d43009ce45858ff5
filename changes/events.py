"""What can happen to a change request."""

import datetime as dt
from typing import Any

from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from ordermgmt.accounts.models import User
from ordermgmt.accounts.roles import LABELS, Role
from ordermgmt.activity.events import EventType, nobody, register
from ordermgmt.company.services import business_day
from ordermgmt.lib.templatetags.ui import day

_PRICES = "orders.view_price"
_COST = "orders.view_cost"
#: What is kept of a request that not everybody may read who reads the audit.
_SECRETS = {"impact": _COST, "margin_after": _COST, "net_change": _PRICES, "moved": _PRICES}


def _people(event: Any) -> list[Any]:
    """Who asked, and the salesperson and project manager of the order."""
    change = event.subject
    if change is None:
        return []
    order = change.order
    return [one for one in (change.requested_by, order.owner, order.project_manager) if one is not None]


def _role(data: dict[str, Any]) -> dict[str, Any]:
    """The role in the reader's language; events of before kept its name."""
    return data | {"role": str(LABELS[Role(data["role"])])} if data.get("role") in {one.value for one in Role} else data


#: What the codes of a judgement are called: events stand below the models that keep them.
_JUDGED = {
    "cost": _("Cost"), "schedule": _("Schedule"), "quality": _("Quality"),
    "none": _("None"), "low": _("Low"), "medium": _("Medium"), "high": _("High"),
}  # fmt: skip


def _judgement(data: dict[str, Any]) -> dict[str, Any]:
    """Aspect and level in the reader's language; events of before kept the English words, which are the codes."""
    kept = {name: data.get(name, "") for name in ("aspect", "level")}
    return data | {name: str(_JUDGED.get(str(code).lower(), code)) for name, code in kept.items()}


def _consent(data: dict[str, Any]) -> dict[str, Any]:
    """Who agreed, on which day and with what evidence; events of before kept the name alone."""
    if not data.get("day"):
        return data
    given = day(dt.date.fromisoformat(data["day"]))
    text = _t("%(name)s on %(day)s (%(evidence)s)")
    return data | {"name": text % {"name": data["name"], "day": given, "evidence": data.get("evidence", "")}}


def _type(
    name: str, message: Any, icon: str = "replace", *, told: bool = True, permission: str = "", words: Any = dict
) -> EventType:
    audience = _people if told else nobody
    return register(
        EventType(
            f"changes.{name}",
            message,
            audience=audience,
            icon=icon,
            permission=permission,
            secrets=_SECRETS,
            words=words,
        )
    )


CHANGE_RAISED = _type("raised", _("began the change request {number}"), "plus", told=False, permission=_PRICES)
CHANGE_EDITED = _type("edited", _("wrote on the change request {number}"), "pencil", told=False, permission=_PRICES)
CHANGE_SUBMITTED = _type("submitted", _("asked for a change: {number}"), "send")
CHANGE_TAKEN_BACK = _type("taken_back", _("took the change request {number} back to write on it"), "arrow-back")
CHANGE_WITHDRAWN = _type("withdrawn", _("withdrew the change request {number}: {reason}"), "x")
CHANGE_REFUSED = _type("refused", _("refused the change request {number}: {reason}"), "thumb-down")
CHANGE_JUDGED = _type(
    "judged", _("judged the {aspect} of the change {number}: {level}"), "eye", told=False, words=_judgement
)
CHANGE_ASSESSED = _type("assessed", _("completed the assessment of the change {number}"), "checklist")
CHANGE_AGREED = _type("agreed", _("agreed to the change {number} as {role}"), "thumb-up", told=False, words=_role)
CHANGE_APPROVED = _type("approved", _("approved the change {number}"), "thumb-up")
CHANGE_SENT_BACK = _type("sent_back", _("sent the change {number} back to be judged: {what}"), "refresh")
CONSENT_RECORDED = _type(
    "consent_recorded", _("recorded the customer's consent to {number} by {name}"), "file-text", words=_consent
)
DELEGATED = _type("delegated", _("lets {name} approve changes from {since} to {until}"), "user-plus", told=False)
DELEGATION_ENDED = _type("delegation_ended", _("ended the delegation to {name}"), "user-off", told=False)
RULE_SAVED = _type("rule_saved", _("set the approval rule “{name}”"), "shield", told=False)


def _concerned(event: Any) -> list[Any]:
    """The people of the order, and whoever must acknowledge it."""
    change = event.subject
    if change is None:
        return []
    asked = change.acknowledgements.select_related("user")
    roles = [one.role for one in asked if one.user_id is None]
    named = [one.user for one in asked if one.user_id is not None]
    return [
        *_people(event),
        *named,
        *(User.objects.active().with_role(*(Role(role) for role in roles)) if roles else []),
    ]


CHANGE_APPLIED = register(
    EventType(
        "changes.applied", _("applied the change {number}"), audience=_concerned, icon="circle-check", secrets=_SECRETS
    )
)


def _asked_step(event: Any) -> list[Any]:
    """Who can grant the step that waits: its role's holders and their deputies, but nobody who asked or judged."""
    change = event.subject
    step = None if change is None else change.steps.waiting().order_by("seq").first()
    if change is None or step is None:
        return []
    barred = {change.requested_by_id, *change.assessments.values_list("assessor_id", flat=True)}
    holders = list(User.objects.active().with_role(Role(step.role)))
    today = business_day(event.at)
    deputies = User.objects.active().filter(
        deputyships__owner__in=holders,
        deputyships__ended=False,
        deputyships__since__lte=today,
        deputyships__until__gte=today,
    )
    return [one for one in {*holders, *deputies} if one.pk not in barred]


def _unaware(event: Any) -> list[Any]:
    """Who was asked to acknowledge the change and did not."""
    change = event.subject
    if change is None:
        return []
    open_rows = list(change.acknowledgements.filter(acknowledged_at=None).select_related("user"))
    roles = [Role(one.role) for one in open_rows if one.user_id is None]
    named = [one.user for one in open_rows if one.user is not None]
    return [*named, *(User.objects.active().with_role(*roles) if roles else [])]


def _judges(event: Any) -> list[Any]:
    """Who may judge what nobody has judged yet, and the people of the order."""
    change = event.subject
    if change is None:
        return []
    judged = set(change.assessments.filter(is_void=False).values_list("aspect", flat=True))
    finance = [] if "cost" in judged else list(User.objects.active().with_role(Role.FINANCE))
    return [*_people(event), *finance]


CHANGE_STEP_DUE = register(
    EventType(
        "changes.step_due", _("reminds of the change {number}: it waits for {role}"), audience=_asked_step, icon="clock"
    )
)
CHANGE_UNJUDGED = register(
    EventType(
        "changes.unjudged", _("reminds of the change {number}: it waits to be judged"), audience=_judges, icon="clock"
    )
)
CHANGE_UNREAD = register(
    EventType(
        "changes.unread",
        _("reminds of the applied change {number}: say that you know"),
        audience=_unaware,
        icon="clock",
    )
)


def _buyers(event: Any) -> list[Any]:
    """Who may decide on purchases of the order, its project manager first of all."""
    change = event.subject
    if change is None:
        return []
    manager = change.order.project_manager
    return [manager] if manager is not None else list(User.objects.active().with_role(Role.MANAGER))


PURCHASE_UNDECIDED = register(
    EventType(
        "changes.purchase_undecided",
        _("reminds of the applied change {number}: decide on the purchase {purchase}"),
        audience=_buyers,
        icon="clock",
    )
)
PURCHASE_DECIDED = _type(
    "purchase_decided", _("decided on {sku} of {purchase} after the change {number}: {choice}"), "truck", told=False
)
CHANGE_ACKNOWLEDGED = _type("acknowledged", _("knows of the change {number}"), "eye", told=False)
REASON_SAVED = _type("reason_saved", _("changed the reason for changes {code}"), "clipboard-list", told=False)
