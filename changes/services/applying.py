"""Applying an approved change: once, in one transaction, on the version it was approved for; everything follows."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from billing.services import draft_by_hand, follow_amendment
from changes import events
from changes.models import ApprovalGrant, ApprovalStep, ChangeRequest, Operation
from fulfilment.services import Standing, follow_change, follow_promise, stand
from ordermgmt.accounts.models import User
from ordermgmt.accounts.services import system_user
from ordermgmt.company.services import business_today, tax_rates
from ordermgmt.lib.fsm import check_transition
from ordermgmt.lib.money import ZERO, total
from orders.models import Order
from orders.services import amend_order, end_amended, extend_order, propose_for

from .acknowledging import ask_to_acknowledge
from .approving import excluded
from .base import locked, refuse, step
from .judging import bound_hash, moved, send_back
from .operations import amendment_of, check_operations, operations_of
from .purchases import ask_to_decide
from .ruling import asked_steps
from .values import Op, fee_of, plan_of, typed

if TYPE_CHECKING:
    from collections.abc import Sequence

Kind = Operation.Kind
SOURCE = "changes.changerequest"


@dataclass
class Moved(Exception):
    """The order moved on since the approval: the request goes back to be judged."""

    what: str


def apply_change(change: ChangeRequest, *, actor: User) -> ChangeRequest:
    """Changes the order as it was approved, or not at all.

    Lines, reservations, totals and balance, the plan and its bookings, material needs, draft invoices and instalments
    follow in the same transaction; touched purchases wait for somebody's decision.
    A request whose order moved is sent back to be judged, and TransitionRefused says what moved. Raises
    PermissionDenied, TransitionRefused (applied already, consent missing, stock that is not there).
    """
    try:
        return _apply(change, actor=actor)
    except Moved as found:
        _return(change, actor=actor)
        raise refuse(
            _("The order moved since the change was approved: %(what)s. It went back to be judged.")
            % {"what": found.what},
            change.get_absolute_url(),
            _("Open the request"),
        ) from found


@transaction.atomic
def _return(change: ChangeRequest, *, actor: User) -> None:
    change, order = locked(change)
    if change.state == ChangeRequest.State.APPROVED and order.version != change.order_version:
        send_back(change, order, actor=actor)


@transaction.atomic
def _apply(change: ChangeRequest, *, actor: User) -> ChangeRequest:
    change, order = locked(change)
    check_transition(change.apply, actor)
    operations = operations_of(change)
    if order.version != change.order_version or change.content_hash != bound_hash(
        change, order, operations, asked_steps(change)
    ):
        raise Moved(", ".join(moved(change)) or _("version %(n)s") % {"n": order.version})
    _check_agreed(change)
    try:
        check_operations(order, operations)
    except ValidationError as error:
        raise refuse(" ".join(error.messages), change.get_absolute_url()) from error
    promised, standing = order.promised_date, stand(order)
    fee = total(fee_of(op, order) for op in operations if op.kind == Kind.TERMINATE)
    order = amend_order(
        order, amendment_of(order, operations), source=SOURCE, source_id=change.pk, version=order.version, actor=actor
    )
    change.applied_version = order.version
    order = extend_order(order, actor=actor)
    _follow(change, order, operations, promised, fee, actor=actor)
    change.order = Order.objects.locked(order.pk)
    _follow_material(change, operations, standing, actor=actor)
    change.order = Order.objects.locked(order.pk)
    change.applied_by, change.applied_at = actor, timezone.now()
    ask_to_acknowledge(change, operations, actor=actor)
    return step(change, "apply", events.CHANGE_APPLIED, actor=actor)


def _check_agreed(change: ChangeRequest) -> None:
    """All guards once more, whoever wrote the rows: granted for this content, by others, and the customer's yes."""
    steps = ApprovalStep.objects.filter(change=change, content_hash=change.content_hash)
    waiting = steps.exclude(state=ApprovalStep.State.GRANTED).exists()
    grants = ApprovalGrant.objects.filter(step__in=steps)
    barred = excluded(change)
    if waiting or not grants or any({one.user_id, one.behalf_id} & barred for one in grants):
        raise refuse(_("The approvals of this request are not complete."), change.get_absolute_url())
    if change.needs_consent and not change.consents.filter(content_hash=change.content_hash).exists():
        raise refuse(
            _("The customer's consent is missing."),
            f"{change.get_absolute_url()}do/consent/",
            _("Record the customer's consent"),
        )


def _follow(
    change: ChangeRequest,
    order: Order,
    operations: "Sequence[Op]",
    promised: dt.date | None,
    fee: Decimal,
    *,
    actor: User,
) -> None:
    """Plan, draft invoices and instalments, and the end of the order with its fee."""
    parts = None
    for op in operations:
        if op.kind == Kind.PROMISED and promised and (new := typed(op)):
            follow_promise(order, days=(new - promised).days, reason=change.number, actor=actor)
        elif op.kind == Kind.PLAN:
            parts = plan_of(op)
    follow_amendment(order, parts=parts, actor=actor)
    for op in operations:
        if op.kind == Kind.TERMINATE:
            _end(change, order, fee, actor=actor)


def _follow_material(change: ChangeRequest, operations: "Sequence[Op]", before: Standing, *, actor: User) -> None:
    """Material needs and bookings follow, and the purchases that are touched wait for somebody's decision."""
    other = {op.line for op in operations if op.kind in (Kind.SPECIFICATION, Kind.TEXT) and op.line is not None}
    ask_to_decide(change, follow_change(change.order, before, respecified=other, actor=actor))


def _end(change: ChangeRequest, order: Order, fee: Decimal, *, actor: User) -> None:
    grants = ApprovalGrant.objects.filter(step__change=change, step__content_hash=change.content_hash)
    finance = grants.filter(step__role__startswith="finance").order_by("-pk").first()
    end_amended(
        order, reason=f"{change.number} {change.text}"[:300], agreed_by=finance.user if finance else None, actor=actor
    )
    if not fee:
        return
    today = business_today()
    proposal = propose_for(order.customer, order.tax_profile, today, service=order.kind == Order.Kind.SERVICE)
    category = proposal.category if proposal else "S"
    draft_by_hand(
        order.customer,
        [
            {
                "description": _("Fee for ending order %(number)s") % {"number": order.number}, "quantity": 1,
                "unit_price": fee, "tax_category": category,
                "tax_rate": tax_rates(order.tax_profile, today).get(category, ZERO),
            }
        ],
        currency=order.currency, language=order.language, seller=order.seller, source_key=f"ending:{change.pk}",
        actor=system_user(),
    )  # fmt: skip
