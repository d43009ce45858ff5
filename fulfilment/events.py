"""What can happen on the way from the warehouse to acceptance."""

from typing import Any

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from ordermgmt.activity.events import EventType, nobody, register


def _people(event: Any) -> list[Any]:
    """The salesperson and the project manager of the order."""
    order = event.root
    return [person for person in (order.owner, order.project_manager) if person is not None] if order else []


def _owner(event: Any) -> list[Any]:
    """Whoever is to put it right."""
    from ordermgmt.accounts.models import User

    return list(User.objects.filter(pk=event.data.get("owner_id"), is_active=True))


SHIPPED = register(
    EventType("fulfilment.shipped", _("shipped {number}: line {lines}"), audience=_people, icon="truck-delivery")
)
SERVICE_DELIVERED = register(
    EventType("fulfilment.service_delivered", _("delivered {number}: line {lines}"), audience=_people, icon="checklist")
)
TRACKED = register(EventType("fulfilment.tracked", _("gave {number} to {carrier} {tracking_number}"), icon="truck"))
ARRIVED = register(
    EventType(
        "fulfilment.arrived", _("confirmed the arrival of {number}, received by {received_by}"), icon="home-check"
    )
)
PROOF_ADDED = register(
    EventType("fulfilment.proof_added", _("added the proof of delivery to {number}"), icon="home-check")
)
EXAMINED = register(
    EventType(
        "fulfilment.examined",
        _("recorded acceptance round {round}: line {accepted} accepted, line {rejected} rejected"),
        audience=_people,
        icon="clipboard-check",
    )
)
INSPECTED = register(
    EventType(
        "fulfilment.inspected", _("inspected before dispatch: line {passed} passed, line {failed} failed"),
        audience=_people, icon="clipboard-check",
    )
)  # fmt: skip
RECTIFICATION_STARTED = register(
    EventType(
        "fulfilment.rectification_started",
        _("has line {line} put right by {owner} until {due}"),
        audience=_owner,
        icon="tool",
    )
)
RECTIFICATION_DONE = register(
    EventType("fulfilment.rectification_done", _("put line {line} right: {result}"), audience=_people, icon="tools")
)


def _milestone(name: str, message: Any, icon: str) -> EventType:
    return register(EventType(f"fulfilment.milestone_{name}", message, audience=_owner, icon=icon))


MILESTONE_ADDED = _milestone("added", _("planned milestone {code} {name} for {forecast}"), "calendar")
MILESTONE_CHANGED = _milestone("changed", _("changed milestone {code} {name}"), "pencil")
MILESTONE_MOVED = _milestone("moved", _("moved milestone {code} {name} to {forecast}: {reason}"), "calendar")
MILESTONE_REACHED = _milestone("reached", _("reached milestone {code} {name} on {actual}"), "circle-check")
MILESTONE_REOPENED = _milestone(
    "reopened", _("took back that milestone {code} {name} was reached: {reason}"), "circle-check"
)
MILESTONE_REMOVED = _milestone("removed", _("removed milestone {code} {name}"), "trash")
PLAN_IMPORTED = register(
    EventType(
        "fulfilment.plan_imported", _("imported the plan: {made} milestones new, {changed} changed"), icon="upload"
    )
)
ROUNDS_IMPORTED = register(
    EventType(
        "fulfilment.rounds_imported", _("imported {count} rounds of acceptance, the last one of {last}"), icon="upload"
    )
)
DEFECTS_IMPORTED = register(
    EventType("fulfilment.defects_imported", _("imported {count} defects, {open} of them open"), icon="upload")
)
DEFECT_FOUND = register(
    EventType("fulfilment.defect_found", _("found on line {line}: {text}"), audience=_people, icon="alert-triangle")
)
DEFECT_CORRECTED = register(
    EventType("fulfilment.defect_corrected", _("corrected on line {line}: {text}"), audience=_people, icon="check")
)


#: What becomes of goods that came back, by the code that rows and events keep.
DISPOSITIONS = {"restock": _("Back to stock"), "repair": _("To repair"), "scrap": _("Scrap")}


def _returned(data: dict[str, Any]) -> dict[str, Any]:
    """The lines of a return as "1 × 2 (Scrap)", with the dispositions in the reader's language."""
    lines = data.get("lines", "")
    if isinstance(lines, str):  # kept as a sentence by events of before
        return data
    told = (
        f"{one['line']} × {one['quantity']} ({DISPOSITIONS.get(one['disposition'], one['disposition'])})"
        for one in lines
    )
    return data | {"lines": ", ".join(told)}


RETURNED = register(
    EventType(
        "fulfilment.returned", _("took back {number}: line {lines}, {reason}"), audience=_people, icon="arrow-back",
        words=_returned,
    )
)  # fmt: skip
REPLACED = register(
    EventType("fulfilment.replaced", _("sent new goods with {number}: line {lines}"), audience=_people, icon="replace")
)
SENT_AGAIN = register(
    EventType(
        "fulfilment.sent_again", _("sent {number} for what came back: line {lines}"), audience=_people,
        icon="truck-delivery",
    )
)  # fmt: skip
WAIVED = register(
    EventType("fulfilment.waived", _("waived the acceptance: {reason}"), audience=_people, icon="clipboard-check")
)


def _risk(name: str, message: Any) -> EventType:
    return register(EventType(f"fulfilment.risk_{name}", message, audience=_owner, icon="alert-triangle"))


RISK_NOTED = _risk("noted", _("noted the risk “{title}” ({score} of 25)"))
RISK_REVIEWED = _risk("reviewed", _("reviewed the risk “{title}” ({score} of 25), again on {review_on}"))
RISK_MITIGATED = _risk(
    "mitigated", _("did what was to be done against the risk “{title}” ({score} of 25 remain): {mitigation}")
)
RISK_CLOSED = _risk("closed", _("closed the risk “{title}”: {outcome}"))
RISK_SOLVED = register(
    EventType(
        "fulfilment.risk_solved", _("solved the issue “{title}”, {days} days lost: {resolution}"), audience=_people,
        icon="circle-check",
    )
)  # fmt: skip


#: What a risk asks for, by the code that events keep.
_ASKED = {
    "review": _("to be reviewed"), "mitigation": _("what is done against it is due"), "issue": _("to be solved"),
}  # fmt: skip


def _asked(data: dict[str, Any]) -> dict[str, Any]:
    """What a risk asks for, in the reader's language."""
    asks = data.get("asks", [])
    return data | {"asks": ", ".join(str(_ASKED.get(one, one)) for one in asks) if isinstance(asks, list) else asks}


RISK_ASKS = register(
    EventType(
        "fulfilment.risk_asks", _("reminds of the risk “{title}”: {asks}"), audience=_owner, channels=("bell", "mail"),
        icon="alert-triangle", words=_asked,
    )
)  # fmt: skip
RISK_CATEGORY_SAVED = register(
    EventType("fulfilment.risk_category_saved", _("saved the risk category {name}"), icon="alert-triangle")
)
RISK_SCALE_SAVED = register(
    EventType(
        "fulfilment.risk_scale_saved", _("set the scales of risks: middling from {middle}, high from {high}"),
        icon="alert-triangle",
    )
)  # fmt: skip
RISK_HAPPENED = register(
    EventType(
        "fulfilment.risk_happened", _("reports that the risk “{title}” happened, {days} days lost: {outcome}"),
        audience=_people, icon="alert-triangle",
    )
)  # fmt: skip
CRITERION_TEMPLATE_SAVED = register(
    EventType("fulfilment.criterion_template_saved", _("saved the criterion template “{title}”"), icon="checklist")
)
CRITERIA_TAKEN_OVER = register(
    EventType("fulfilment.criteria_taken_over", _("agreed {count} criteria from the templates"), icon="checklist")
)
CRITERION_AGREED = register(
    EventType("fulfilment.criterion_agreed", _("agreed the criterion “{title}”"), audience=_people, icon="checklist")
)
CRITERION_DROPPED = register(
    EventType("fulfilment.criterion_dropped", _("dropped the criterion “{title}”"), audience=_people, icon="trash")
)
TERM_AGREED = register(
    EventType("fulfilment.term_agreed", _("agreed that {days} days of silence count as acceptance"), icon="clock")
)
DEEMED_SOON = register(
    EventType(
        "fulfilment.deemed_soon", _("reminds: without an objection the order counts as accepted on {day}"),
        audience=_people, channels=("bell", "mail"), icon="clock",
    )
)  # fmt: skip
DEEMED = register(
    EventType(
        "fulfilment.deemed", _("took the order as accepted: no objection until {day}"), audience=_people,
        icon="clipboard-check",
    )
)  # fmt: skip


def _capacity(name: str, message: Any, *, told: bool = False) -> EventType:
    """Whatever is booked on work centres, and how they are set up."""
    return register(EventType(f"fulfilment.{name}", message, icon="calendar", audience=_people if told else nobody))


CENTRE_SAVED = _capacity("centre_saved", _("saved the work centre {name}"))
CALENDAR_CHANGED = _capacity("calendar_changed", _("changed the calendar of {centre} from {day} to {last}: {reason}"))
CALENDAR_RESTORED = _capacity("calendar_restored", _("took back the exception of {day}"))
CENTRE_OVERLOADED = _capacity(
    "centre_overloaded", _("left {centre} booked {over} minutes above its capacity on {day}: {reason}")
)
ROUTING_SAVED = _capacity("routing_saved", _("said what {sku} asks of {centre}"))
ROUTING_REMOVED = _capacity("routing_removed", _("{sku} asks nothing of {centre} any more"))
CAPACITY_BOOKED = _capacity("capacity_booked", _("booked {hours} h of {centre} from {first} to {last}"))
CAPACITY_OVERLOADED = _capacity(
    "capacity_overloaded", _("booked {centre} above its capacity on {day}: {reason}"), told=True
)
BOOKING_RELEASED = _capacity("booking_released", _("gave back {hours} h of {centre} on {day}"))
BOOKINGS_RELEASED = _capacity("bookings_released", _("gave back {count} bookings, {hours} h"))
BOOKINGS_MOVED = _capacity("bookings_moved", _("moved the {hours} booked hours of {name} to {day}"))
PLAN_TEMPLATE_SAVED = register(
    EventType("fulfilment.plan_template_saved", _("saved the plan template {name}"), icon="template")
)
PLAN_APPLIED = register(
    EventType("fulfilment.plan_applied", _("planned {count} milestones by the template {name}"), icon="template")
)
FEED_RENEWED = register(EventType("fulfilment.feed_renewed", _("made a private calendar address"), icon="calendar"))
FEED_REVOKED = register(
    EventType("fulfilment.feed_revoked", _("took the private calendar address back"), icon="calendar")
)
FEEDBACK_ASKED = register(
    EventType("fulfilment.feedback_asked", _("asked the customer for feedback ({to})"), icon="message-circle")
)
FEEDBACK_PLANNED = register(
    EventType(
        "fulfilment.feedback_planned", _("has the customer asked every {days} days from {next_on} on"),
        icon="message-circle",
    )
)  # fmt: skip
FEEDBACK_GIVEN = register(
    EventType(
        "fulfilment.feedback_given", _("received feedback of {by}: {score} of 5"), audience=_people,
        icon="message-circle",
    )
)  # fmt: skip
CORRECTION_OPENED = register(
    EventType(
        "fulfilment.correction_opened", _("asks {owner} to see to a score of {score} by {due}"), audience=_owner,
        channels=("bell", "mail"), icon="alert-triangle",
    )
)  # fmt: skip
CORRECTION_ASSIGNED = register(
    EventType(
        "fulfilment.correction_assigned", _("has {owner} see to the low score by {due}"), audience=_owner,
        icon="alert-triangle",
    )
)  # fmt: skip
CORRECTION_DONE = register(
    EventType("fulfilment.correction_done", _("saw to the low score: {result}"), audience=_people, icon="circle-check")
)
MATERIAL_PLANNED = register(
    EventType(
        "fulfilment.material_planned", _("reckoned what material it takes: {count} items, {missing} missing"),
        icon="clipboard-list",
    )
)  # fmt: skip
MATERIAL_ORDERED = register(
    EventType(
        "fulfilment.material_ordered", _("drafted {number} to {supplier} for it: {skus}"), icon="package-import",
    )
)  # fmt: skip
PRODUCED = register(EventType("fulfilment.produced", _("reported line {lines} made; used {used}"), icon="tools"))
PRODUCTION_TAKEN_BACK = register(
    EventType(
        "fulfilment.production_taken_back", _("took back the report that line {lines} was made: {reason}"),
        icon="arrow-back",
    )
)  # fmt: skip
MATERIAL_LATE = register(
    EventType(
        "fulfilment.material_late", _("entered that {supplier} brings {sku} ({number}) on {day}, {days} days too late"),
        audience=_people, channels=("bell", "mail"), icon="alert-triangle",
    )
)  # fmt: skip
SUPPLIER_CHANGED = register(
    EventType(
        "fulfilment.supplier_changed",
        _("has {supplier} deliver {sku} ({number}) on about {day} instead of {old}: {reason}"), audience=_people,
        icon="replace",
    )
)  # fmt: skip


def _beyond(data: dict[str, Any]) -> dict[str, Any]:
    """How the new plan keeps the promise, in the reader's language."""
    days = int(data.get("days") or 0)
    late = ngettext("%(days)s day after the promise", "%(days)s days after the promise", days) % {"days": days}
    return data | {"days": late if days else gettext("the promise is kept")}


ORDER_REPLANNED = register(
    EventType(
        "fulfilment.order_replanned",
        _("moved {count} milestones, done by {ends}, {days}: {reason}"), audience=_people, icon="calendar",
        words=_beyond,
    )
)  # fmt: skip


def _assigned(event: Any) -> list[Any]:
    """Whoever is assigned."""
    from ordermgmt.accounts.models import User

    return list(User.objects.filter(pk=event.data.get("user_id"), is_active=True))


def _staff(name: str, message: Any, icon: str, audience: Any = nobody, permission: str = "") -> EventType:
    return register(EventType(f"fulfilment.{name}", message, audience=audience, icon=icon, permission=permission))


STAFF_SAVED = _staff("staff_saved", _("set up {name}"), "user-cog")
SKILL_SAVED = _staff("skill_saved", _("saved the skill {name}"), "tool")
COST_RATE_SET = _staff(
    "cost_rate_set", _("set what an hour of {name} costs from {day} on"), "calculator", permission="orders.view_cost"
)
ABSENCE_ADDED = _staff("absence_added", _("entered that {name} is off from {day} to {last}: {reason}"), "calendar-off")
HOURS_BOOKED = _staff("hours_booked", _("booked {hours} h on {day} for {number}"), "clock")
HOURS_LOCKED = _staff("hours_locked", _("locked the hours up to {day}"), "lock")
HOURS_OPENED = _staff("hours_opened", _("opened the hours after {day} again: {reason}"), "lock")
ASSIGNMENT_MADE = _staff(
    "assignment_made", _("assigned {name} to {what}: {hours} h from {first} to {last}"), "user-plus"
)
ASSIGNMENT_MOVED = _staff("assignment_moved", _("moved the work of {name} on {what} to {first} – {last}"), "calendar")
ASSIGNMENT_ENDED = _staff("assignment_ended", _("took {name} off {what}: {hours} h given back"), "user-off")
ASSIGNMENT_SHORT = _staff(
    "assignment_short", _("left {hours} h of {name} for {what} without a free day: look for somebody"),
    "alert-triangle", _people,
)  # fmt: skip
STAFF_REPLACED = _staff("staff_replaced", _("put {new} in the place of {old}, {hours} h: {reason}"), "replace", _people)
# Everybody who sees the person reads these, whether or not they see the order: no customer, no word of the work.
WORK_GIVEN = _staff(
    "work_given", _("assigned work of {number}: {hours} h from {first} to {last}"), "user-plus", _assigned
)
WORK_MOVED = _staff("work_moved", _("moved the work of {number} to {first} – {last}"), "calendar", _assigned)
WORK_TAKEN = _staff("work_taken", _("took work of {number} back: {hours} h"), "user-off", _assigned)
WORK_OFF = _staff("work_off", _("took {hours} h of {number} off {day}"), "calendar-off", _assigned)
CORRECTION_REPLACED = _staff(
    "correction_replaced", _("replaced {old} by {new} because of the low score"), "replace", _owner
)
