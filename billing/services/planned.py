"""What the plans of running orders had still to bring on a past day: the plan in force then, less what was billed."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Exists, OuterRef, QuerySet, Subquery

from billing import events
from billing.models import Instalment, InstalmentPlan, Invoice
from ordermgmt.activity.models import Event
from ordermgmt.company.services import business_day_end
from ordermgmt.lib.money import quantise
from orders.models import Order, OrderStep

from .receivables import sum_of

_OPEN = [state for state in Order.State.values if state not in ("draft", "settled", "cancelled")]


@dataclass(frozen=True)
class PlannedAt:
    """One instalment of a plan that was on no document yet."""

    customer_id: int
    currency: str
    due_date: dt.date
    amount: Decimal


def planned_at(day: dt.date, orders: QuerySet[Order]) -> Iterator[PlannedAt]:
    """The instalments that were planned at the end of the day for those of `orders` that were open then.

    Their days are those that were agreed with the plan; a milestone that moved them since does not count.
    """
    over = business_day_end(day)
    steps = OrderStep.objects.filter(order=OuterRef("pk"), at__lt=over).order_by("-pk")
    running = orders.annotate(was=Subquery(steps.values("target")[:1])).filter(was__in=_OPEN).order_by()
    newest = InstalmentPlan.objects.filter(order=OuterRef("order"), created_at__lt=over).order_by("-pk")
    plans = InstalmentPlan.objects.filter(order__in=running.values("pk"), pk=Subquery(newest.values("pk")[:1]))
    removed = Event.objects.filter(type=events.PLAN_REMOVED.name, subject_type="billing.instalmentplan", at__lt=over)
    documents = Instalment.objects.filter(plan=OuterRef("pk"), invoice__issue_date__lte=day)
    completed = Invoice.objects.issued().filter(
        order=OuterRef("order"), completes=True, issue_date__lte=day, issued_at__gte=OuterRef("created_at")
    )  # which leaves nothing of a plan, whatever came off it
    plans = plans.exclude(Exists(completed))
    plans = plans.exclude(pk__in=removed.values("subject_id")).annotate(billed=sum_of(documents, "plan")).order_by("pk")
    fields = ("billed", "content", "order__customer_id", "order__currency")
    for gone, content, customer, currency in plans.values_list(*fields).iterator():
        left = quantise(gone, currency)
        for row in content:
            amount = Decimal(row["amount"])
            taken = min(left, amount)  # documents take instalments in the order of the plan
            left -= taken
            if amount > taken:
                yield PlannedAt(customer, currency, dt.date.fromisoformat(row["due_date"]), amount - taken)
