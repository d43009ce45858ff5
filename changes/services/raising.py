"""Asking for a change: begun, written on, submitted, taken back, withdrawn."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from changes import events
from changes.models import ChangeReason, ChangeRequest, Operation
from ordermgmt.accounts.services import require
from ordermgmt.activity.services import record, snapshot
from ordermgmt.company.services import business_today
from ordermgmt.documents.services import take_number
from orders.models import Order
from orders.services import amended
from orders.services import locked as locked_order

from .base import locked, refuse, step
from .impact import movement
from .judging import void_judgements
from .operations import ALLOWED, amendment_of, check_operations, operations_of, present, takes_none, whole_rows
from .values import Op, check_day
from .values import text as written

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

#: Header fields of a request that its form may set.
FIELDS = ("reason", "text", "wished_date", "source", "contact", "risk")
_RIGHT = "changes.raise_change"


@transaction.atomic
def raise_change(
    order: Order, *, reason: ChangeReason, operations: Sequence[Op] = (), actor: "User", **fields: Any
) -> ChangeRequest:
    """Begins a change request, as a draft of the actor. `fields` are text, wished_date, source, contact and risk.

    Raises PermissionDenied, TransitionRefused for an order that takes none, ValidationError with a sentence for every
    operation that is wrong.
    """
    require(actor, _RIGHT)
    order = locked_order(order)
    if order.state not in ALLOWED:
        raise refuse(takes_none(order), order.get_absolute_url())
    operations = check_operations(order, operations)
    change = ChangeRequest(order=order, reason=reason, requested_by=actor, order_version=order.version, **fields)
    _check_fields(change)
    year = str(business_today().year)
    _measure(change, order, operations)
    change.number = f"CR-{year}-{take_number('changes.change', period=year):05d}"
    change.save()
    _write(change, operations)
    record(events.CHANGE_RAISED, change, root=order, actor=actor, after=_content(change), number=change.number)
    return change


@transaction.atomic
def edit_change(
    change: ChangeRequest, *, version: int, operations: Sequence[Op] | None = None, actor: "User", **fields: Any
) -> ChangeRequest:
    """Writes on a draft: header fields and, unless None, the whole list of operations.

    Raises StaleVersion for another version, TransitionRefused once it is submitted, PermissionDenied for anybody but
    its writer, ValidationError as `raise_change`.
    """
    require(actor, _RIGHT)
    change, order = locked(change, version=version)
    if change.requested_by_id != actor.pk:
        raise PermissionDenied
    if change.state != ChangeRequest.State.DRAFT:
        raise refuse(_("Only a draft is written on: take the request back first."), change.get_absolute_url())
    before = _content(change)
    if unknown := set(fields) - set(FIELDS):
        raise TypeError(f"not a field of a request: {sorted(unknown)}")
    for name, value in fields.items():
        setattr(change, name, value)
    _check_fields(change)
    if operations is not None:
        operations = check_operations(order, operations)
        change.operations.all().delete()
        _write(change, operations)
        _measure(change, order, operations)
    change.order_version = order.version
    change.version += 1
    change.save()
    record(
        events.CHANGE_EDITED, change, root=order, actor=actor, before=before, after=_content(change),
        number=change.number,
    )  # fmt: skip
    return change


@transaction.atomic
def submit_change(change: ChangeRequest, *, actor: "User", version: int | None = None) -> ChangeRequest:
    """Asks for it: from here on its content stays, and the order knows that a change is open.

    Raises TransitionRefused (nothing in it, what was there is not there any more, state), PermissionDenied.
    """
    change, order = locked(change, version=version)
    if change.requested_by_id != actor.pk:
        raise PermissionDenied
    operations = operations_of(change)
    if not operations:
        raise refuse(
            _("The request changes nothing: add an operation."), f"{change.get_absolute_url()}edit/", _("Edit")
        )
    if not change.text.strip():
        raise refuse(_("Say what is wanted and why."), f"{change.get_absolute_url()}edit/", _("Edit"))
    try:
        check_operations(order, operations)
    except ValidationError as error:
        raise refuse(" ".join(error.messages), f"{change.get_absolute_url()}edit/", _("Edit")) from error
    change.submitted_at = timezone.now()
    change.order_version = order.version
    _measure(change, order, operations)
    return step(change, "submit", events.CHANGE_SUBMITTED, actor=actor)


@transaction.atomic
def take_back_change(change: ChangeRequest, *, actor: "User") -> ChangeRequest:
    """Makes it a draft again, by its writer; whatever was judged and approved is void. Raises as `submit_change`."""
    change, _order = locked(change)
    if change.requested_by_id != actor.pk:
        raise PermissionDenied
    change.content_hash, change.beyond_limits = "", False
    void_judgements(change)
    return step(change, "take_back", events.CHANGE_TAKEN_BACK, actor=actor)


@transaction.atomic
def withdraw_change(change: ChangeRequest, *, reason: str, actor: "User") -> ChangeRequest:
    """Nobody wants it any more; by its writer. Raises TransitionRefused (decided already), PermissionDenied."""
    change, _order = locked(change)
    if change.requested_by_id != actor.pk:
        raise PermissionDenied
    change.decision = reason
    return step(change, "withdraw", events.CHANGE_WITHDRAWN, actor=actor, reason=reason)


@transaction.atomic
def refuse_change(change: ChangeRequest, *, reason: str, actor: "User") -> ChangeRequest:
    """Refuses it for a reason, by somebody with the right to approve who did not ask for it."""
    change, _order = locked(change)
    if change.requested_by_id == actor.pk:
        raise refuse(_("Whoever asked for a change can't decide on it."), change.get_absolute_url())
    change.decision = reason
    return step(change, "refuse", events.CHANGE_REFUSED, actor=actor, reason=reason)


@transaction.atomic
def save_reason(
    reason: ChangeReason | None = None,
    *,
    code: str,
    name: str,
    name_zh: str = "",
    is_active: bool = True,
    actor: "User",
) -> ChangeReason:
    """Puts a reason on the company's list or changes it. Raises PermissionDenied, ValidationError (a code twice)."""
    require(actor, "changes.set_rules")
    # Read anew: a form that was checked has the new values in its instance already.
    row = ChangeReason.objects.select_for_update(no_key=True).get(pk=reason.pk) if reason else ChangeReason()
    before = snapshot(row) if reason else None
    row.code, row.name, row.name_zh, row.is_active = code, name, name_zh, is_active
    row.full_clean()
    row.save()
    record(events.REASON_SAVED, row, actor=actor, before=before, after=snapshot(row), code=code)
    return row


def _measure(change: ChangeRequest, order: Order, operations: Iterable[Op]) -> None:
    """By how much the order's net changes, and how much its lines move in all; in its currency."""
    rows = list(operations)
    result = amended(order, amendment_of(order, rows))
    change.net_change = result.order.net_total - order.net_total
    change.moved = movement(order, result.lines)


def _write(change: ChangeRequest, operations: Sequence[Op]) -> None:
    """Stores the operations with what the order says now as their "before"."""
    lines = {line.pk: line for line in change.order.order_lines}
    operations = whole_rows(change.order, operations)
    Operation.objects.bulk_create(
        Operation(
            change=change, seq=seq, kind=op.kind, line_id=op.line, after=op.after,
            before=present(change.order, op.kind, lines.get(op.line or 0)),
        )
        for seq, op in enumerate(operations, start=1)
    )  # fmt: skip


def _check_fields(change: ChangeRequest) -> None:
    change.full_clean(exclude=["state", "number", "order", "requested_by"])
    for name in ("text", "contact"):
        try:
            written(getattr(change, name))
        except ValidationError as error:
            raise ValidationError({name: error.messages}) from error
    try:
        check_day(change.order, change.wished_date)
    except ValidationError as error:
        raise ValidationError({"wished_date": error.messages}) from error
    if change.risk is not None and change.risk.order_id != change.order_id:
        raise ValidationError({"risk": _("This risk belongs to another order.")})
    if not change.reason.is_active and not change.pk:
        raise ValidationError({"reason": _("This reason is not offered any more.")})


def _content(change: ChangeRequest) -> dict[str, Any]:
    rows = change.operations.order_by("seq").values("kind", "line_id", "before", "after")
    return snapshot(change) | {"operations": list(rows)}
