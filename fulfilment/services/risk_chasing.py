"""Risks that ask for work: their owners are reminded once a day until it is done."""

import datetime as dt

from django.db import transaction
from django.db.models import Q

from fulfilment import events
from fulfilment.models import Risk
from ordermgmt.accounts.services import system_user
from ordermgmt.activity.services import record, snapshot
from ordermgmt.company.services import business_today

_MOST = 500


def asks_for(risk: Risk, today: dt.date) -> list[str]:
    """What a risk asks for today, as the codes that events keep: review, mitigation, issue."""
    if risk.state == Risk.State.HAPPENED:
        return ["issue"] if risk.due is None or risk.due <= today else []
    if risk.state != Risk.State.OPEN:
        return []
    late = risk.mitigation_due is not None and risk.mitigation_due <= today and risk.mitigated_on is None
    return ["mitigation"] * late + ["review"] * (risk.review_on <= today)


def remind_risks(today: dt.date | None = None) -> int:
    """Reminds whoever sees to a risk of what it asks for, at most once a day each; gives how many. Run by the schedule."""
    day = today or business_today()
    fresh = Q(reminded_on=None) | Q(reminded_on__lt=day)
    told = 0
    for risk in Risk.objects.asking(day).filter(fresh).select_related("order", "owner").order_by("pk")[:_MOST]:
        told += _remind(risk, fresh, day)
    return told


@transaction.atomic
def _remind(risk: Risk, fresh: Q, day: dt.date) -> bool:
    """Whoever marks the row first reminds; a second worker finds it marked, and what was done meanwhile asks no more."""
    was = snapshot(risk, "reminded_on")
    if not Risk.objects.asking(day).filter(fresh, pk=risk.pk).update(reminded_on=day):
        return False
    risk.reminded_on = day
    person = risk.owner_id if risk.owner.is_active else risk.order.project_manager_id
    record(
        events.RISK_ASKS, risk, root=risk.order, actor=system_user(), before=was, after=snapshot(risk, "reminded_on"),
        title=risk.title, asks=asks_for(risk, day), owner_id=person,
    )  # fmt: skip
    return True
