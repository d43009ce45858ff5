"""A few change requests on running orders, each at another stage: asked for, judged, applied and not yet acknowledged; one
takes less, so that somebody decides on what is on order for it."""

import datetime as dt

from changes.models import ChangeReason, ChangeRequest
from changes.services import (
    Op,
    apply_change,
    approve_change,
    assess_change,
    next_step,
    raise_change,
    record_consent,
    submit_change,
)
from fulfilment.models import MaterialSupply
from ordermgmt.accounts.roles import Role
from ordermgmt.accounts.services import users_with_role
from ordermgmt.company.services import business_today
from orders.models import Order, OrderLine

_STAGES = ("submitted", "assessed", "applied")
_WORDS = (
    ("SCOPE", "One more of the first line, as agreed on the telephone; two weeks later is fine."),
    ("DESIGN", "The customer changed the layout: one more unit, delivered two weeks later."),
    ("RISK", "The supplier is late: one more spare part, and two weeks more time."),
)


def ask_for_changes() -> int:
    """Asks for changes of the newest running orders that make or perform something. Returns how many."""
    made = 0
    running = Order.objects.filter(state=Order.State.IN_PRODUCTION, on_hold=False, promised_date__isnull=False)
    rows = running.exclude(project_manager=None).exclude(owner=None).select_related("owner", "project_manager")
    for order in rows.order_by("-pk")[:40]:
        line = next(
            (one for one in order.order_lines if one.supply in (OrderLine.Supply.MAKE, OrderLine.Supply.SERVICE)), None
        )
        if line is None or made == len(_STAGES):
            continue
        _ask(order, line, _STAGES[made], *_WORDS[made])
        made += 1
    return made + _less_is_needed()


def _less_is_needed() -> int:
    """One unit less of a line for which material is on order."""
    rows = MaterialSupply.objects.filter(quantity__gt=0, need__order__state="in_production", need__order__on_hold=False)
    free = rows.exclude(need__order__open_changes__gt=0).exclude(need__order__unread_changes__gt=0)
    for one in free.select_related("need__order__owner", "need__order__project_manager", "need__order_line")[:20]:
        order, line = one.need.order, one.need.order_line
        floor = max(line.qty_shipped, line.qty_invoiced - line.qty_credited)
        if line.due - 1 > floor and order.owner and order.project_manager:
            _ask_for(order, [_quantity(line, -1)], "applied", "SCOPE", "One unit less: the customer keeps an old one.")
            return 1
    return 0


def _quantity(line: OrderLine, more: int) -> Op:
    return Op("quantity", line.pk, format((line.due + more).normalize(), "f"))


def _ask(order: Order, line: OrderLine, stage: str, code: str, text: str) -> None:
    if order.promised_date is None:
        return
    later = order.promised_date + dt.timedelta(days=14)
    _ask_for(order, [_quantity(line, 1), Op("promised_date", after=str(later))], stage, code, text)


def _ask_for(order: Order, operations: list[Op], stage: str, code: str, text: str) -> None:
    seller, pm = order.owner, order.project_manager
    if seller is None or pm is None:
        return
    change = raise_change(
        order, reason=ChangeReason.objects.get(code=code), operations=operations, text=text, actor=seller
    )
    submit_change(change, actor=seller)
    if stage == "submitted":
        return
    for aspect in ("cost", "schedule", "quality"):
        late = aspect == "schedule" and len(operations) > 1
        assess_change(
            change, aspect=aspect, level="low" if late else "none", days=14 if late else 0,
            note="Fits into the plan of the shop floor." if late else "", actor=pm,
        )  # fmt: skip
    if stage == "applied":
        _carry_through(ChangeRequest.objects.get(pk=change.pk))


def _carry_through(change: ChangeRequest) -> None:
    order = change.order
    if order.owner is None or order.project_manager is None:
        return
    while (step := next_step(ChangeRequest.objects.get(pk=change.pk))) is not None:
        approver = users_with_role(Role(step.role)).exclude(pk__in=[order.owner.pk, order.project_manager.pk]).first()
        if approver is None:
            return
        approve_change(change, actor=approver)
    if ChangeRequest.objects.get(pk=change.pk).needs_consent:
        record_consent(
            change, given_by=order.customer_name, given_on=business_today(), evidence="Signed letter on file",
            actor=order.owner,
        )  # fmt: skip
    apply_change(change, actor=order.project_manager)
