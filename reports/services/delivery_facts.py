"""What was promised and when it came: of orders, and what customers say depending on it."""

from typing import TYPE_CHECKING, Any

from django.db.models import (
    Avg,
    Case,
    CharField,
    Count,
    DateField,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce, TruncMonth
from django.utils.translation import gettext_lazy as _

from fulfilment.events import ARRIVED
from fulfilment.models import Feedback, Shipment
from ordermgmt.activity.models import Event
from ordermgmt.company.services import business_date
from ordermgmt.lib.tables import Column as ListColumn
from orders.models import Order, OrderStep

from .dated import day_of, known, moment_of, until
from .facts import Facts, Params, Rows
from .filtering import orders_at, period, sold_in
from .order_facts import order_columns, order_link, with_people
from .shares import days_of

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

#: Late is what came after its promise; what has not left yet though it was promised is overdue.
OUTCOMES = {
    "in_time": _("In time"), "late": _("Delivered late"), "overdue": _("Overdue, not delivered yet"),
    "coming": _("Still to come"), "unknown": _("Not known"),
}  # fmt: skip
_AWAY = (Order.State.SHIPPED, Order.State.RECTIFICATION, Order.State.ACCEPTED)
_RUNNING = (Order.State.PLACED, Order.State.IN_PRODUCTION)


def with_arrival(orders: Rows, params: Params) -> Rows:
    """Promised orders with the day on which the last of them came, whether that was in time, and by how much it was not.

    What came counts by its confirmed arrival, else by the day it left; the penalties of the contract use the same days.
    Imported orders came when their source says so. A running order is overdue from the day after the promise on.
    """
    day = day_of(params)
    confirmed: Any = F("delivered_on")
    if moment := moment_of(params):  # an arrival that was confirmed since was not known then
        told = Event.objects.filter(
            type=ARRIVED.name, subject_type="fulfilment.shipment", subject_id=OuterRef("pk"), at__lt=moment
        )
        confirmed = Case(When(Exists(told), then=confirmed), default=None, output_field=DateField())
    arrived = Coalesce(confirmed, business_date("shipped_at"), output_field=DateField())
    parts = Shipment.objects.filter(until(params, "shipped_at"), order=OuterRef("pk")).annotate(came=arrived)
    steps = OrderStep.objects.filter(until(params, "at"), order=OuterRef("pk"), target__in=_AWAY).exclude(source="")
    rows = orders.exclude(was_promised_date=None).annotate(
        came=Coalesce(
            Subquery(parts.order_by("-came").values("came")[:1]),
            "arrived_on",
            Subquery(steps.order_by("pk").values(day=business_date("at"))[:1]),
        )
    )
    running = Q(was_state__in=_RUNNING) | Q(arrived_on__gt=day)
    outcome = Case(
        When(running, was_promised_date__lt=day, then=Value("overdue")),
        When(running, then=Value("coming")),
        When(came=None, then=Value("unknown")),
        When(came__gt=F("was_promised_date"), then=Value("late")),
        default=Value("in_time"),
        output_field=CharField(),
    )
    last = Case(When(running, then=Value(day)), default=F("came"), output_field=DateField())
    rows = rows.annotate(outcome=outcome)
    return rows.annotate(delay=ExpressionWrapper(last - F("was_promised_date"), output_field=DurationField()))


PROMISES = Facts(
    rows=lambda user, params: with_arrival(with_people(sold_in(user, params)), params),
    dims={"month": TruncMonth("was_promised_date")},
    figures={
        "count": Count("pk"), **{name: Count("pk", filter=Q(outcome=name)) for name in OUTCOMES},
        "mean": Avg("delay", filter=Q(outcome="late")),
    },
    columns=(
        *order_columns(),
        ListColumn("promised_date", _("Promised"), path="was_promised_date", kind="date", nullable=True),
        ListColumn("came", _("Arrived or left"), kind="date", sortable=False),
        ListColumn("outcome", _("Outcome"), value=lambda one: str(OUTCOMES[one.outcome])),
        ListColumn("days", _("Days late"), kind="quantity", value=lambda one: days_of(one.delay) if one.outcome in ("late", "overdue") else None),
    ),
    link=order_link,
    in_currency=False,
)  # fmt: skip


def behind_promise(user: "User", params: Params, outcome: str) -> Rows:
    """The orders that came late, or those that are overdue."""
    return with_arrival(sold_in(user, params), params).filter(outcome=outcome)


def _feedback(user: "User", params: Params) -> Rows:
    """Answers about orders that pass the filters; those that name no order only where nothing narrows orders."""
    imported = Q(source_key__isnull=False, on__lte=params.get("as_of"))
    found = Feedback.objects.visible_to(user).filter(known(params, "recorded_at", imported))
    condition = period(params, "order__")
    return found.filter(condition).select_related("order__owner") if condition else found.select_related("order__owner")


_SAID_OF = ["late", "in_time", "overdue"]


def _rated(user: "User", params: Params) -> Rows:
    """Scores of orders with a promise, with what became of it."""
    same = with_arrival(orders_at(params), params).filter(pk=OuterRef("order"))
    rows = _feedback(user, params).exclude(score=None).filter(Exists(same.filter(outcome__in=_SAID_OF)))
    return rows.annotate(outcome=Subquery(same.values("outcome")[:1]))


_SAID = (
    ListColumn("order", _("Order"), path="order.number", nullable=True),
    ListColumn("customer", _("Customer"), path="order.customer_name", sortable=False),
    ListColumn("on", _("Date"), kind="date", nullable=True),
    ListColumn("score", _("Score"), kind="count", nullable=True),
    ListColumn("satisfied", _("Satisfied"), kind="bool"),
    ListColumn("text", _("What the customer says"), sortable=False),
)
_SCORES: dict[str, Any] = {
    "count": Count("pk"), "satisfied_count": Count("pk", filter=Q(satisfied=True)),
    "scored": Count("score"), "mean": Avg("score"),
}  # fmt: skip


def _feedback_link(one: Any) -> str:
    return f"{one.order.get_absolute_url()}#feedback" if one.order else "/fulfilment/feedback/"


FEEDBACK = Facts(
    rows=_feedback, dims={"month": TruncMonth("on")}, figures=_SCORES, columns=_SAID, link=_feedback_link, in_currency=False
)  # fmt: skip
RATED = Facts(rows=_rated, figures=_SCORES, columns=_SAID, link=_feedback_link, in_currency=False)
