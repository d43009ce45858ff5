"""Change requests of the tests, made by the real services: Sally asks, unless somebody else is named."""

from typing import Any

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
from ordermgmt.company.services import business_today
from orders.models import Order

from .orders import person


def reason(code: str = "SCOPE") -> ChangeReason:
    """A reason of the shipped list."""
    return ChangeReason.objects.get(code=code)


def fresh(change: ChangeRequest) -> ChangeRequest:
    """The request as it is in the database now."""
    return ChangeRequest.objects.select_related("order").get(pk=change.pk)


def more(order: Order, quantity: Any = "2") -> Op:
    """The first line in another quantity."""
    return Op("quantity", order.order_lines[0].pk, str(quantity))


def asked(order: Order, *operations: Op, actor: str = "sales", **fields: Any) -> ChangeRequest:
    """A draft: the first line in twice the quantity unless operations are given."""
    fields.setdefault("text", "The customer wants it so.")
    fields.setdefault("reason", reason())
    chosen = operations or (more(order, order.order_lines[0].quantity * 2),)
    return fresh(raise_change(order, operations=chosen, actor=person(actor), **fields))


def submitted(order: Order, *operations: Op, actor: str = "sales", **fields: Any) -> ChangeRequest:
    """Asked for."""
    return fresh(submit_change(asked(order, *operations, actor=actor, **fields), actor=person(actor)))


def judged(change: ChangeRequest, *, by: str = "pm", level: str = "none", days: int = 0) -> ChangeRequest:
    """All three aspects judged by Paula, with an effect on quality and days on the schedule if wanted."""
    for aspect in ("cost", "schedule", "quality"):
        felt = {"quality": level, "schedule": "low" if days else "none"}.get(aspect, "none")
        note = "it is felt" if felt != "none" else ""
        assess_change(
            fresh(change),
            aspect=aspect,
            level=felt,
            note=note,
            days=days if aspect == "schedule" else 0,
            actor=person(by),
        )
    return fresh(change)


def assessed(order: Order, *operations: Op, **given: Any) -> ChangeRequest:
    """Asked for and judged."""
    return judged(submitted(order, *operations), **given)


def agreed(change: ChangeRequest) -> ChangeRequest:
    """Every step granted by somebody who holds the role, and the customer's consent where it is needed."""
    while (step := next_step(fresh(change))) is not None:
        approve_change(fresh(change), actor=person(step.role))
    if fresh(change).needs_consent:
        record_consent(
            fresh(change), given_by="Mr Wang", given_on=business_today(), evidence="letter", actor=person("sales")
        )
    return fresh(change)


def approved(order: Order, *operations: Op, **given: Any) -> ChangeRequest:
    """Approved by everybody the rules ask."""
    return agreed(assessed(order, *operations, **given))


def applied(order: Order, *operations: Op, **given: Any) -> ChangeRequest:
    """Applied by Paula."""
    return fresh(apply_change(approved(order, *operations, **given), actor=person("pm")))
