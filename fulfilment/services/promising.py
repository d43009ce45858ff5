"""By when an order can be promised: from stock, or after the material's lead time and the time work centres have free."""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from fulfilment.models import RoutingStep
from inventory.models import SupplierPrice
from inventory.services import free_quantities
from orders.models import OrderLine
from orders.services import Promise, arriving, by_lead_time, stock_promise, unclaimed

from .capacity import booked_minutes, capacities, day_text, days_of, hours, is_made, lay

#: Promises look so many days ahead; further nobody promises anything.
_AHEAD = 400
#: A gap of more days than a weekend's is a work centre that is full.
_WEEKEND = 3
Steps = dict[int, list[RoutingStep]]
Free = dict[int, dict[dt.date, int]]


def promise_lines(lines: Sequence[OrderLine], today: dt.date) -> list[Promise]:
    """The earliest day of each line in turn. Lines share stock and work centres in their order. Nine queries at most."""
    ids = {line.product_id for line in lines if line.product_id}
    left, leads, coming = free_quantities(ids), _lead_days(lines), unclaimed(ids, today)
    steps = _steps({line.product_id for line in lines if is_made(line)})
    free = _free(steps, today)
    found = []
    for line in lines:
        promise = stock_promise(line, left, today) or arriving(line, left, coming)
        if promise is None and is_made(line) and (own := steps.get(line.product_id or 0)):
            promise = _worked(line, own, free, today, leads.get(line.product_id or 0, 0))
        found.append(promise or by_lead_time(line, today, leads.get(line.product_id or 0)))
    return found


def _lead_days(lines: Sequence[OrderLine]) -> dict[int, int]:
    """Calendar days until the material of a product (by id) is there: its own lead time, else the fastest supplier's."""
    found = {line.product.pk: line.product.lead_days for line in lines if line.product}
    asked = [pk for pk, days in found.items() if not days]
    prices = SupplierPrice.objects.filter(product__in=asked, supplier__is_active=True).select_related("supplier")
    for price in prices if asked else []:
        days = price.lead_days or price.supplier.lead_days
        if days and (not found[price.product_id] or days < found[price.product_id]):
            found[price.product_id] = days
    return found


def _steps(products: set[int | None]) -> Steps:
    found: Steps = defaultdict(list)
    for step in RoutingStep.objects.filter(product__in=products).select_related("work_centre") if products else []:
        found[step.product_id].append(step)
    return found


def _free(steps: Steps, today: dt.date) -> Free:
    """The free minutes of each work centre (by id) that is asked for, day by day."""
    centres = {step.work_centre_id: step.work_centre for own in steps.values() for step in own}
    if not centres:
        return {}
    last = today + dt.timedelta(days=_AHEAD)
    able, booked = capacities(centres.values(), today, last), booked_minutes(centres.values(), today, last)
    return {
        pk: {day: max(0, able[pk, day] - booked.get((pk, day), 0)) for day in days_of(today, last)} for pk in centres
    }


def _worked(line: OrderLine, steps: list[RoutingStep], free: Free, today: dt.date, lead: int) -> Promise:
    """When its work is done, one step after the other from the day the material is there; what it takes is gone."""
    ready = today + dt.timedelta(days=lead)
    text = ngettext("material takes %(days)s day", "material takes %(days)s days", lead)
    reasons = [text % {"days": lead}] if lead else []
    for step in steps:
        slots, minutes = free[step.work_centre_id], step.minutes(line.quantity)
        laid, rest = lay({day: open_ for day, open_ in slots.items() if day >= ready}, minutes)
        if rest:
            return Promise(None, _("%(centre)s is full for more than a year") % {"centre": step.work_centre.name})
        begun, done = min(laid), max(laid)
        for day, taken in laid.items():
            slots[day] -= taken
        reasons.append(_reason(step, minutes, ready, begun, done))
        ready = done
    return Promise(ready, ", ".join(reasons))


def _reason(step: RoutingStep, minutes: int, ready: dt.date, begun: dt.date, done: dt.date) -> str:
    """Why a step takes until then: the work centre is full before, or its hours simply take that long."""
    values = {"centre": step.work_centre.name, "hours": hours(minutes), "day": day_text(done)}
    if (begun - ready).days > _WEEKEND:
        return _("%(centre)s full until %(day)s") % (values | {"day": day_text(begun)})
    return _("%(centre)s %(hours)s h until %(day)s") % values
