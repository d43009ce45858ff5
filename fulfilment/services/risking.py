"""The risks of an order: noted, reviewed, mitigated; an issue when they happen, until that is solved."""

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from fulfilment import events
from fulfilment.models import Risk
from ordermgmt.accounts.services import require
from ordermgmt.activity.events import EventType
from ordermgmt.activity.services import note_sent, record, sent_before, snapshot
from ordermgmt.company.services import business_today
from ordermgmt.lib.conflict import check_version
from ordermgmt.lib.fsm import Blocker, TransitionRefused, check_transition
from ordermgmt.lib.money import ZERO
from orders.models import Order
from orders.services import locked

from .planning import plan_blocked

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

_RIGHT = "fulfilment.manage_risk"


@transaction.atomic
def add_risk(order: Order, *, key: str = "", actor: "User", **fields: Any) -> Risk:
    """Notes a risk: `title`, `category`, `probability`, `impact`, `owner`, `review_on` and what is done about it.

    The same `key` twice is one risk. Raises PermissionDenied, TransitionRefused (a finished order), ValidationError.
    """
    require(actor, _RIGHT)
    order = locked(order)
    form = f"risk:{order.pk}"
    if known := sent_before(Risk, form, key):
        return known
    if found := plan_blocked(order):
        raise TransitionRefused(found)
    risk = _checked(Risk(order=order, **fields))
    risk.save()
    note_sent(risk, form, key)
    return _noted(risk, events.RISK_NOTED, actor)


@transaction.atomic
def review_risk(risk: Risk, *, version: int | None = None, actor: "User", **fields: Any) -> Risk:
    """Judges it anew and says when to look again.

    Raises PermissionDenied, TransitionRefused (it is over), StaleVersion where it is not at `version` any more.
    """
    require(actor, _RIGHT)
    risk, was = _locked(risk, version)
    if risk.state != Risk.State.OPEN:
        raise TransitionRefused([Blocker(_("The risk is over; note a new one."))])
    for name, value in fields.items():
        setattr(risk, name, value)
    if any(was[name] != value for name, value in snapshot(risk, "mitigation", "mitigation_due").items()):
        risk.mitigated_on = None  # something else is to be done now, or it is to be done again
    _checked(risk).save()
    return _noted(risk, events.RISK_REVIEWED, actor, was)


@transaction.atomic
def mitigate_risk(risk: Risk, *, probability: int, impact: int, actor: "User") -> Risk:
    """What was to be done against it is done; `probability` and `impact` say what remains of it.

    Done a second time it changes nothing. Raises PermissionDenied, TransitionRefused (over, nothing was to be done),
    ValidationError (off the scale).
    """
    require(actor, _RIGHT)
    risk, was = _locked(risk)
    if risk.mitigated_on is not None:
        return risk
    if found := mitigation_blocked(risk):
        raise TransitionRefused(found)
    risk.probability, risk.impact, risk.mitigated_on = probability, impact, business_today()
    risk.full_clean(exclude=["state", "order", "owner"])
    risk.save()
    return _noted(risk, events.RISK_MITIGATED, actor, was, mitigation=risk.mitigation)


def mitigation_blocked(risk: Risk) -> list[Blocker]:
    """Why nothing can be reported as done against it; empty when it can."""
    if risk.state != Risk.State.OPEN:
        return [Blocker(_("The risk is over; note a new one."))]
    if not risk.mitigation:
        return [Blocker(_("Nothing was to be done against it: review it and say what is."))]
    return []


@transaction.atomic
def realise_risk(
    risk: Risk, *, outcome: str, days: int = 0, cost: Decimal = ZERO, due: dt.date | None = None, actor: "User"
) -> Risk:
    """It happened and is an issue now: what, how many days it costs and how much, in the order's currency; `due` is the
    day by which it is to be solved.

    Raises PermissionDenied, TransitionRefused (it is over already), ValidationError.
    """
    if due is not None and due < business_today():
        raise ValidationError({"due": _("The date is in the past.")})
    return _step(
        risk, "realise", events.RISK_HAPPENED, actor, "outcome", outcome=outcome, days=days, cost=cost, due=due
    )


@transaction.atomic
def resolve_risk(risk: Risk, *, resolution: str, days: int, cost: Decimal, actor: "User") -> Risk:
    """The issue is solved: how, and what it took in the end, in days and in the order's currency.

    Raises PermissionDenied, TransitionRefused (it has not happened, is solved already), ValidationError.
    """
    return _step(risk, "resolve", events.RISK_SOLVED, actor, "resolution", resolution=resolution, days=days, cost=cost)


@transaction.atomic
def close_risk(risk: Risk, *, outcome: str, actor: "User") -> Risk:
    """It can't happen any more. Raises PermissionDenied, TransitionRefused (it is over already), ValidationError."""
    return _step(risk, "close", events.RISK_CLOSED, actor, "outcome", outcome=outcome)


def _step(risk: Risk, step: str, event: EventType, actor: "User", said: str, **fields: Any) -> Risk:
    require(actor, _RIGHT)
    risk, was = _locked(risk)
    check_transition(getattr(risk, step), actor)
    if not fields[said].strip():
        raise ValidationError({said: _("Say what happened.") if said == "outcome" else _("Say how it was solved.")})
    for name, value in fields.items():
        setattr(risk, name, value)
    getattr(risk, step)()
    risk.full_clean(exclude=["state", "order", "owner"])
    risk.save()
    return _noted(risk, event, actor, was, days=risk.days, **{said: fields[said]})


@transaction.atomic
def close_left_risks(order: Order, *, actor: "User | None") -> int:
    """What may still have happened to an order that is over can't any more; gives how many. Told twice it finds none."""
    order = locked(order)
    found = list(Risk.objects.open().filter(order=order).select_for_update(no_key=True))
    for risk in found:
        was = snapshot(risk)
        risk.order, risk.outcome = order, _("The order is over: %(state)s.") % {"state": order.state_label}
        risk.close()
        risk.version += 1
        risk.save()
        _noted(risk, events.RISK_CLOSED, actor, was, days=0, outcome=risk.outcome)
    return len(found)


def _locked(risk: Risk, version: int | None = None) -> tuple[Risk, dict[str, Any]]:
    """The row as it stands, after its order: the order comes first for everybody who touches both.

    What is saved of it is its next version. Raises StaleVersion where it is not at `version`.
    """
    order = locked(risk.order)
    row = Risk.objects.select_for_update(no_key=True).get(pk=risk.pk)
    check_version(row, version)
    row.order = order
    was = snapshot(row)
    row.version += 1
    return row, was


def _checked(risk: Risk) -> Risk:
    risk.full_clean(exclude=["state", "order"])
    if risk.review_on < business_today():
        raise ValidationError({"review_on": _("The date is in the past.")})
    if not risk.owner.is_active:
        raise ValidationError({"owner": _("Choose somebody who is active.")})
    return risk


def _noted(risk: Risk, event: EventType, actor: "User | None", was: dict[str, Any] | None = None, **data: Any) -> Risk:
    record(
        event, risk, root=risk.order, actor=actor, before=was, after=snapshot(risk), title=risk.title, score=risk.score,
        review_on=str(risk.review_on), owner_id=risk.owner_id, **data,
    )  # fmt: skip
    return risk
