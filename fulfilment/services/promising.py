"""By when an order can be promised: from stock, or after the material's lead time and the time work centres have free."""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from fulfilment.models import RoutingStep
from inventory.services import free_quantities
from orders.models import OrderLine
from orders.services import Promise, arriving, by_lead_time, stock_promise, unclaimed

from .capacity import booked_minutes, capacities, day_text, days_of, hours, is_made, lay
from .readying import Materials, lead_days

#: Promises look so many days ahead; further nobody promises anything.
_AHEAD = 400
#: A gap of more days than a weekend's is a work centre that is full.
_WEEKEND = 3
Steps = dict[int, list[RoutingStep]]
Free = dict[int, dict[dt.date, int]]


def promise_lines(lines: Sequence[OrderLine], today: dt.date) -> list[Promise]:
    """The earliest day of each line in turn. Lines share stock and work centres in their order. Eleven queries at most, and
    one for each level of a bill of material."""
    ids = {line.product_id for line in lines if line.product_id}
    left, coming = free_quantities(ids), unclaimed(ids, today)
    leads = lead_days(line.product for line in lines if line.product)
    materials = Materials(line for line in lines if is_made(line) and line.supply != OrderLine.Supply.SERVICE)
    steps = _steps({line.product_id for line in lines if is_made(line)})
    free = _free(steps, today)
    found = []
    for line in lines:
        promise = stock_promise(line, left, today) or arriving(line, left, coming)
        if promise is None and is_made(line):
            promise = _made(line, steps.get(line.product_id or 0, []), free, today, leads, materials)
        found.append(promise or by_lead_time(line, today, leads.get(line.product_id or 0)))
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


def _made(
    line: OrderLine, steps: list[RoutingStep], free: Free, today: dt.date, leads: dict[int, int], materials: Materials
) -> Promise | None:
    """From the day its material is there: by its routing, else by its lead time; None where neither is known of it."""
    ready, lead = materials.ready(line), leads.get(line.product_id or 0, 0)
    if ready is None:
        text = ngettext("material takes %(days)s day", "material takes %(days)s days", lead) % {"days": lead}
        return _worked(line, steps, free, today, lead, text) if steps else None
    if ready.days is None:
        return Promise(None, _("no lead time known for %(sku)s") % {"sku": ready.sku})
    text = _told(ready.sku, ready.days, ready.work)
    if steps:
        return _worked(line, steps, free, today, ready.days, text)
    if not ready.days:
        return None
    work = ngettext("making it takes %(days)s day", "making it takes %(days)s days", lead) % {"days": lead}
    day = today + dt.timedelta(days=ready.days + lead)
    return Promise(day, ", ".join([text, work] if lead else [text]))


def _told(sku: str, days: int, work: int) -> str:
    """What the material takes: the component that decides, and the assemblies on its way."""
    found = []
    if days > work:
        text = ngettext("%(sku)s takes %(days)s day", "%(sku)s takes %(days)s days", days - work)
        found.append(text % {"sku": sku, "days": days - work})
    if work:
        found.append(ngettext("assemblies take %(days)s day", "assemblies take %(days)s days", work) % {"days": work})
    return ", ".join(found)


def _worked(line: OrderLine, steps: list[RoutingStep], free: Free, today: dt.date, lead: int, material: str) -> Promise:
    """When its work is done, one step after the other from the day the material is there; what it takes is gone."""
    ready = today + dt.timedelta(days=lead)
    reasons = [material] if lead else []
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
