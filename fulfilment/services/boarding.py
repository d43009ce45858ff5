"""The board of orders by state: which column takes a card from which, and the mark by which pages notice a change."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from ordermgmt.activity.models import Event
from ordermgmt.company.services import business_today
from orders.models import Order

from .watching import watched

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

State = Order.State
COLUMNS = (State.PLACED, State.IN_PRODUCTION, State.SHIPPED, State.RECTIFICATION, State.ACCEPTED)
SHOWN = 40
#: From a state to the next: the right it takes, and the page of the deed.
_STEPS = {
    (State.PLACED, State.IN_PRODUCTION): ("orders.start_order", "/orders/{}/do/start/"),
    (State.IN_PRODUCTION, State.SHIPPED): ("fulfilment.ship_order", "/fulfilment/orders/{}/ship/"),
    (State.SHIPPED, State.ACCEPTED): ("fulfilment.accept_order", "/orders/{}/do/record_acceptance/"),
    (State.SHIPPED, State.RECTIFICATION): ("fulfilment.accept_order", "/orders/{}/do/record_acceptance/"),
    (State.RECTIFICATION, State.SHIPPED): ("fulfilment.rectify_order", "/fulfilment/orders/{}/rectify/"),
}


@dataclass(frozen=True)
class Move:
    """A column that takes a card, and the page on which that is done."""

    target: str
    label: str
    url: str


@dataclass(frozen=True)
class Column:
    """One state with its cards: (order, moves, late); `more` where not all are shown."""

    state: str
    label: str
    cards: list[tuple[Order, list[Move], bool]]
    more: bool


def moves_of(order: Order, user: "User") -> list[Move]:
    """Where this person may take the order next; what stands in the way is said on the page of the deed."""
    return [
        Move(target, str(State(target).label), url.format(order.number))
        for (source, target), (permission, url) in _STEPS.items()
        if source == order.state and user.has_perm(permission)
    ]


def refusal(order: Order, target: str, user: "User") -> str:
    """Why a column does not take the card, which one it is and where it may go; empty where it does."""
    if not (why := _refused(order, target, user)):
        return ""
    said = f"{order.number} · {order.customer_name}: {why}"
    if ways := ", ".join(f"“{move.label}”" for move in moves_of(order, user)):
        return said + " " + _("It may go to: %(states)s.") % {"states": ways}
    return said + " " + _("There is no other column for it now.")


def _refused(order: Order, target: str, user: "User") -> str:
    """The reason alone."""
    if target == order.state:
        return _("The order stands there already.")
    names = {"from": order.get_state_display(), "to": str(State(target).label)}
    step = _STEPS.get((State(order.state), State(target)))
    if step is None:
        return _("There is no step from “%(from)s” to “%(to)s”.") % names
    if not user.has_perm(step[0]):
        return _("Taking an order from “%(from)s” to “%(to)s” is not among your rights.") % names
    return ""


def board(user: "User", selection: str) -> list[Column]:
    """The columns with what the person sees, the earliest promise first: a query per column, however many orders."""
    rows = watched(Order.objects.visible_to(user), user, selection).select_related("project_manager")
    today, columns = business_today(), []
    for state in COLUMNS:
        found = list(
            rows.filter(state=state).defer("search_text", "note", "terms").order_by("promised_date", "pk")[: SHOWN + 1]
        )
        cards = [(order, moves_of(order, user), order.is_late(today)) for order in found[:SHOWN]]
        columns.append(Column(state, str(state.label), cards, len(found) > SHOWN))
    return columns


def board_mark(user: "User", selection: str) -> str:
    """A word that changes when anything happens: the newest event's key, found in one step of an index."""
    newest = Event.objects.order_by("-pk").values_list("pk", flat=True).first()
    roles = ".".join(sorted(user.role_codes))
    return f'"{newest}-{business_today():%j}-{user.pk}-{user.language}-{selection}-{roles}"'
