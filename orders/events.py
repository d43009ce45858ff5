"""What can happen to an order."""

from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ordermgmt.activity.events import EventType, nobody, register

#: Facts that carry prices are kept from those who see none.
_PRICES = "orders.view_price"


def _people(event: Any) -> list[Any]:
    """The salesperson and the project manager of the order."""
    order = event.root
    return [person for person in (order.owner, order.project_manager) if person is not None] if order else []


def _what(data: dict[str, Any]) -> dict[str, Any]:
    """What was noted, in the reader's language: it is kept as the English words that facts.py marks."""
    kept = data.get("what")
    return data | {"what": gettext(kept)} if kept else data


def _type(
    name: str,
    message: Any,
    icon: str = "point",
    *,
    told: bool = True,
    permission: str = "",
    words: Any = dict,
    quiet: bool = False,
) -> EventType:
    audience = _people if told else nobody
    secrets = {"cost_total": "orders.view_cost"}
    return register(
        EventType(
            f"orders.{name}",
            message,
            audience=audience,
            icon=icon,
            permission=permission,
            secrets=secrets,
            words=words,
            quiet=quiet,
        )
    )


ORDER_CREATED = _type("created", _("created the order"), "plus", told=False, permission=_PRICES)
ORDER_EDITED = _type("edited", _("changed the order"), "pencil", told=False, permission=_PRICES)
ORDER_AMENDED = _type("amended", _("applied a change to the order"), "replace", told=False, permission=_PRICES)
ORDER_DELETED = _type("deleted", _("deleted the draft {number}"), "trash", told=False, permission=_PRICES)
ORDER_IMPORTED = _type("imported", _("imported the order in state {state}"), "file-import", told=False)
ORDER_PLACED = _type("placed", _("placed the order"), "check")
ORDER_STARTED = _type("started", _("started the work"), "player-play")
ORDER_ASSIGNED = _type("assigned", _("assigned {name}"), "user-check")
ORDER_SCHEDULED = _type("scheduled", _("promised delivery on {date}"), "calendar")
ORDER_HELD = _type("held", _("put the order on hold: {reason}"), "hand-stop")
ORDER_RESUMED = _type("resumed", _("resumed the order"), "player-play")
ORDER_FINISHED = _type("finished", _("reported everything shipped"), "truck")
ORDER_EXTENDED = _type("extended", _("took up the work again for what was ordered in addition"), "player-play")
ORDER_ACCEPTED = _type("accepted", _("recorded the acceptance: {evidence}"), "circle-check")
ORDER_REJECTED = _type("rejected", _("started the rectification"), "tool")
ORDER_REDELIVERED = _type("redelivered", _("delivered again after rectification"), "truck")
ORDER_SETTLED = _type("settled", _("settled the order"), "lock")
ORDER_REOPENED = _type("reopened", _("reopened the account: {reason}"), "lock-open")
ORDER_CANCELLED = _type("cancelled", _("cancelled the order: {reason}"), "ban")
TERMINATION_AGREED = _type("termination_agreed", _("agreed to the termination"), "check")
DEPOSIT_WAIVED = _type("deposit_waived", _("waived the deposit: {reason}"), "coin-off")
APPROVAL_ASKED = _type("approval_asked", _("asked for an approval: {kinds}"), "help-circle", permission=_PRICES)
APPROVAL_GRANTED = _type("approval_granted", _("granted the approval: {kinds}"), "thumb-up", permission=_PRICES)
APPROVAL_REFUSED = _type("approval_refused", _("refused the approval: {kinds}"), "thumb-down", permission=_PRICES)
FACTS_NOTED = _type("facts_noted", _("noted {what}"), "notes", told=False, permission=_PRICES, words=_what)
#: Counts handed down; the deed that moved them has its own event.
COUNTS_NOTED = _type(
    "counts_noted", _("noted {what}"), "notes", told=False, permission=_PRICES, words=_what, quiet=True
)
TEMPLATE_SAVED = _type("template_saved", _("kept the lines as the template “{name}”"), "template", told=False)
TEMPLATE_SHARED = _type("template_shared", _("changed who sees the template “{name}”"), "share", told=False)
TEMPLATE_DELETED = _type("template_deleted", _("deleted the template “{name}”"), "trash", told=False)
CUSTOMER_CHANGED = _type("customer_changed", _("changed the customer to {name}"), "users", told=False)
QUOTATION_SENT = _type("quotation_sent", _("made the quotation PDF, revision {revision}"), "file-text", told=False)
