"""The risks of an order: noted, reviewed, and what they cost when they happen."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from fulfilment import events
from fulfilment.models import Risk
from ordermgmt.accounts.services import require
from ordermgmt.activity.events import EventType
from ordermgmt.activity.services import record, snapshot
from ordermgmt.company.services import business_today
from ordermgmt.lib.fsm import Blocker, TransitionRefused, check_transition
from ordermgmt.lib.money import ZERO
from orders.models import Order
from orders.services import locked

from .planning import plan_blocked

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

_RIGHT = "fulfilment.manage_risk"


@transaction.atomic
def add_risk(order: Order, *, actor: "User", **fields: Any) -> Risk:
    """Notes a risk: `title`, `category`, `probability`, `impact`, `owner`, `review_on` and what is done about it.

    Raises PermissionDenied, TransitionRefused (a finished order), ValidationError.
    """
    require(actor, _RIGHT)
    order = locked(order)
    if found := plan_blocked(order):
        raise TransitionRefused(found)
    risk = _checked(Risk(order=order, **fields))
    risk.save()
    return _noted(risk, events.RISK_NOTED, actor)


@transaction.atomic
def review_risk(risk: Risk, *, actor: "User", **fields: Any) -> Risk:
    """Judges it anew and says when to look again. Raises PermissionDenied, TransitionRefused (it is over)."""
    require(actor, _RIGHT)
    risk, was = _locked(risk)
    if risk.state != Risk.State.OPEN:
        raise TransitionRefused([Blocker(_("The risk is over; note a new one."))])
    for name, value in fields.items():
        setattr(risk, name, value)
    _checked(risk).save()
    return _noted(risk, events.RISK_REVIEWED, actor, was)


@transaction.atomic
def realise_risk(risk: Risk, *, outcome: str, days: int = 0, cost: Decimal = ZERO, actor: "User") -> Risk:
    """It happened: what, how many days and how much it costs, in the order's currency.

    Raises PermissionDenied, TransitionRefused (it is over already), ValidationError.
    """
    return _over(risk, "realise", events.RISK_HAPPENED, actor, outcome=outcome, days=days, cost=cost)


@transaction.atomic
def close_risk(risk: Risk, *, outcome: str, actor: "User") -> Risk:
    """It can't happen any more. Raises PermissionDenied, TransitionRefused (it is over already), ValidationError."""
    return _over(risk, "close", events.RISK_CLOSED, actor, outcome=outcome)


def _over(risk: Risk, step: str, event: EventType, actor: "User", **fields: Any) -> Risk:
    require(actor, _RIGHT)
    risk, was = _locked(risk)
    check_transition(getattr(risk, step), actor)
    if not fields["outcome"].strip():
        raise ValidationError({"outcome": _("Say what happened.")})
    for name, value in fields.items():
        setattr(risk, name, value)
    getattr(risk, step)()
    risk.full_clean(exclude=["state", "order", "owner"])
    risk.save()
    return _noted(risk, event, actor, was, outcome=risk.outcome, days=risk.days)


def _locked(risk: Risk) -> tuple[Risk, dict[str, Any]]:
    """The row as it stands, after its order: the order comes first for everybody who touches both."""
    order = locked(risk.order)
    row = Risk.objects.select_for_update().get(pk=risk.pk)
    row.order = order
    return row, snapshot(row)


def _checked(risk: Risk) -> Risk:
    risk.full_clean(exclude=["state", "order"])
    if risk.review_on < business_today():
        raise ValidationError({"review_on": _("The date is in the past.")})
    if not risk.owner.is_active:
        raise ValidationError({"owner": _("Choose somebody who is active.")})
    return risk


def _noted(risk: Risk, event: EventType, actor: "User", was: dict[str, Any] | None = None, **data: Any) -> Risk:
    record(
        event, risk, root=risk.order, actor=actor, before=was, after=snapshot(risk), title=risk.title, score=risk.score,
        review_on=str(risk.review_on), owner_id=risk.owner_id, **data,
    )  # fmt: skip
    return risk
