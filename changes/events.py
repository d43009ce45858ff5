"""What can happen to a change request."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from ordermgmt.accounts.models import User
from ordermgmt.accounts.roles import Role
from ordermgmt.activity.events import EventType, nobody, register

_PRICES = "orders.view_price"


def _people(event: Any) -> list[Any]:
    """Who asked, and the salesperson and project manager of the order."""
    change = event.subject
    if change is None:
        return []
    order = change.order
    return [one for one in (change.requested_by, order.owner, order.project_manager) if one is not None]


def _type(name: str, message: Any, icon: str = "replace", *, told: bool = True, permission: str = "") -> EventType:
    audience = _people if told else nobody
    return register(EventType(f"changes.{name}", message, audience=audience, icon=icon, permission=permission))


CHANGE_RAISED = _type("raised", _("began the change request {number}"), "plus", told=False, permission=_PRICES)
CHANGE_EDITED = _type("edited", _("wrote on the change request {number}"), "pencil", told=False, permission=_PRICES)
CHANGE_SUBMITTED = _type("submitted", _("asked for a change: {number}"), "send")
CHANGE_TAKEN_BACK = _type("taken_back", _("took the change request {number} back to write on it"), "arrow-back")
CHANGE_WITHDRAWN = _type("withdrawn", _("withdrew the change request {number}: {reason}"), "x")
CHANGE_REFUSED = _type("refused", _("refused the change request {number}: {reason}"), "thumb-down")
CHANGE_JUDGED = _type("judged", _("judged the {aspect} of the change {number}: {level}"), "eye", told=False)
CHANGE_ASSESSED = _type("assessed", _("completed the assessment of the change {number}"), "checklist")
CHANGE_AGREED = _type("agreed", _("agreed to the change {number} as {role}"), "thumb-up", told=False)
CHANGE_APPROVED = _type("approved", _("approved the change {number}"), "thumb-up")
CHANGE_SENT_BACK = _type("sent_back", _("sent the change {number} back to be judged: {what}"), "refresh")
CONSENT_RECORDED = _type("consent_recorded", _("recorded the customer's consent to {number} by {name}"), "file-text")
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
    EventType("changes.applied", _("applied the change {number}"), audience=_concerned, icon="circle-check")
)
CHANGE_ACKNOWLEDGED = _type("acknowledged", _("knows of the change {number}"), "eye", told=False)
REASON_SAVED = _type("reason_saved", _("changed the reason for changes {code}"), "clipboard-list", told=False)
