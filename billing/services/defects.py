"""The end of the defects period: what the contract keeps back until then is dated by the acceptance."""

import datetime as dt
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from billing import events
from billing.models import Instalment, OrderClause
from ordermgmt.activity.services import record
from ordermgmt.company.services import business_today, default_seller
from ordermgmt.lib.instalments import add_months
from orders.models import Order, OrderStep

from .allocating import lock_instalments
from .base import lock_orders
from .terms import keep_terms

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


def accepted_on(order: Order) -> dt.date | None:
    """The day of the acceptance in the company's time zone; None while there is none."""
    steps = OrderStep.objects.filter(order=order, target=Order.State.ACCEPTED).exclude(source=Order.State.SETTLED)
    step = steps.order_by("-pk").first()
    return None if step is None else timezone.localdate(step.at, ZoneInfo(default_seller().time_zone))


def defects_end(order: Order) -> dt.date:
    """When the defects period ends: counted from the acceptance, before it from the day that is promised.

    Raises ValidationError where the clause of the order names no period.
    """
    months = OrderClause.objects.filter(order=order).values_list("defects_months", flat=True).first()
    if not months:
        text = _(
            "Say in the clause of the order how many months the defects period lasts, then plan what waits for it."
        )
        raise ValidationError(text)
    return add_months(accepted_on(order) or order.promised_date or business_today(), months)


def waiting_for_defects(order: Order) -> QuerySet[Instalment]:
    """Planned, or kept back on a document, until the defects period is over; what was released waits no more."""
    rows = Instalment.objects.filter(Q(plan__order=order, plan__is_active=True) | Q(invoice__order=order))
    waiting = rows.filter(trigger=Instalment.Trigger.DEFECTS, paid=0, credited=0)
    return waiting.exclude(invoice__isnull=False, kind=Instalment.Kind.NORMAL).distinct()


@transaction.atomic
def date_defects(order: Order, *, actor: "User") -> int:
    """Moves what waits for the end of the defects period to its day, now that acceptance or clause say another one.

    What something is laid on, and what was released, stays. Returns how many were moved; told twice it changes nothing.
    """
    order = lock_orders([order.pk])[order.pk]
    keys = list(waiting_for_defects(order).values_list("pk", flat=True))
    if not keys or order.state in (Order.State.SETTLED, Order.State.CANCELLED):
        return 0
    end, moved = defects_end(order), 0
    for one in lock_instalments(keys).values():
        if one.due_date != end and not one.is_touched:
            if one.invoice is not None and not one.invoice.is_draft:  # what is on no document yet, nobody owes
                one.agreed_on = keep_terms([one])
            before, one.due_date, moved = one.due_date, end, moved + 1
            one.save(update_fields=["due_date", "agreed_on"])
            record(
                events.DEFECTS_DATED, one, root=order, actor=actor, before={"due_date": before.isoformat()},
                after={"due_date": end.isoformat()}, label=str(one), date=end.isoformat(),
            )  # fmt: skip
    return moved
