"""Judging a change: cost, schedule and quality each by somebody, then bound to the order's version and its content."""

import datetime as dt
import hashlib
import json
from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy, override
from django.utils.translation import gettext as _

from changes import events
from changes.models import ApprovalStep, Assessment, ChangeRequest, Consent, Operation
from ordermgmt.accounts.services import require
from ordermgmt.activity.models import Event
from ordermgmt.activity.services import record, snapshot
from ordermgmt.company.services import business_today
from ordermgmt.lib.money import ZERO, total
from orders.models import Order
from orders.services import REQUESTS_COUNTED

from .base import locked, refuse, save_noted, step
from .impact import Impact, impact_of
from .operations import check_operations, operations_of
from .ruling import asked_steps, lacks_rate, lay_out, matching_rules, passes_limit, wanted_steps
from .values import Op

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

Aspect = Assessment.Aspect
State = ChangeRequest.State
_JUDGED_BY_OTHERS = gettext_lazy("It passes a limit of the rules: somebody else judges it, not who asked for it.")


@transaction.atomic
def assess_change(
    change: ChangeRequest,
    *,
    aspect: str,
    level: str,
    note: str = "",
    cost: Decimal = ZERO,
    days: int = 0,
    actor: "User",
) -> ChangeRequest:
    """Judges one aspect of a submitted request; the third judgement makes it assessed and asks for the approvals.

    Raises PermissionDenied, TransitionRefused (not submitted), ValidationError (an effect without a note).
    """
    require(actor, "changes.assess_change")
    require(actor, f"changes.assess_{aspect}")
    change, order = locked(change)
    if change.state not in (State.SUBMITTED, State.ASSESSED):
        raise refuse(_("Only a submitted request is judged."), change.get_absolute_url())
    if actor.pk == change.requested_by_id and (change.beyond_limits or _passes_limit(change, order)):
        raise refuse(str(_JUDGED_BY_OTHERS), change.get_absolute_url())
    change.assessments.filter(aspect=aspect, is_void=False).update(is_void=True)
    one = Assessment(
        change=change, aspect=aspect, level=level, note=note, cost=cost, days=days, assessor=actor,
        order_version=order.version,
    )  # fmt: skip
    if level == Assessment.Level.NONE and (cost or days):
        raise ValidationError({"level": _("There is an effect: say how strong it is.")})
    if level != Assessment.Level.NONE and not note.strip():
        raise ValidationError({"note": _("Say what the effect is.")})
    one.full_clean()
    one.save()
    record(
        events.CHANGE_JUDGED, change, root=order, actor=actor, number=change.number,
        aspect=str(Aspect(aspect)), level=str(level),
    )  # fmt: skip
    judged = set(change.assessments.filter(is_void=False).values_list("aspect", flat=True))
    if judged == set(Aspect.values):
        _bind(change, order)
        if change.state == State.SUBMITTED:
            return step(change, "assess", events.CHANGE_ASSESSED, actor=actor)
        return save_noted(change, events.CHANGE_ASSESSED, actor=actor)
    change.version += 1
    change.save(update_fields=["version"])
    return change


@transaction.atomic
def reassess_change(change: ChangeRequest, *, actor: "User") -> ChangeRequest:
    """Binds a request to the order as it is now: impact and approvals begin anew, the judgements stay.

    Raises TransitionRefused where the order did not move, or where the request no longer fits it.
    """
    require(actor, "changes.assess_change")
    change, order = locked(change)
    if change.state not in (State.ASSESSED, State.APPROVED):
        raise refuse(_("Only a judged request is judged again."), change.get_absolute_url())
    if order.version == change.order_version:
        raise refuse(_("The order did not move since it was judged."), change.get_absolute_url())
    return send_back(change, order, actor=actor)


def send_back(change: ChangeRequest, order: Order, *, actor: "User") -> ChangeRequest:
    """Takes a locked request back to assessed, on the order's present version, and says what moved."""
    try:
        check_operations(order, operations_of(change))
    except ValidationError as error:
        raise refuse(
            " ".join(error.messages), f"{change.get_absolute_url()}do/take_back/", _("Take the request back")
        ) from error
    what = ", ".join(moved(change)) or str(order.version)
    _bind(change, order)
    if change.state == State.APPROVED:
        change.send_back()
    return save_noted(change, events.CHANGE_SENT_BACK, actor=actor, what=what)


def moved(change: ChangeRequest) -> list[str]:
    """What happened to the order since the request was bound to it, in words, the newest last.

    What the order counts of its requests moves nothing: the version stays.
    """
    if change.bound_at is None:
        return []
    rows = Event.objects.filter(root_type="orders.order", root_id=change.order_id, at__gt=change.bound_at)
    found = rows.exclude(subject_type="changes.changerequest").order_by("pk")
    words = []
    for one in found[:50]:
        what = one.data.get("what") if isinstance(one.data, dict) else None
        if what != REQUESTS_COUNTED:
            words.append(_(what) if what else str(one.event_type.plain_message))
    return list(dict.fromkeys(words))[:5]


def _bind(change: ChangeRequest, order: Order) -> Impact:
    """Computes the impact on the present version, keeps it, and lays out the approvals it needs."""
    operations = operations_of(change)
    impact = impact_of(order, operations)
    judged = list(change.assessments.filter(is_void=False))
    impact.extra = total(one.cost for one in judged)
    change.days = max([impact.days, *(one.days for one in judged)])
    change.net_change, change.moved = impact.net, impact.moved
    change.margin_after = impact.margin_after
    levels = [one.level for one in judged if one.aspect == Aspect.QUALITY]
    change.quality = levels[0] if levels else Assessment.Level.NONE
    extra = format(impact.extra.normalize(), "f")
    change.impact = impact.kept() | {"extra_cost": extra, "reasons": _told(order, operations, impact)}
    if lacks_rate(order.currency):
        change.impact["without_rate"] = order.currency
    change.order_version = order.version
    change.bound_at = timezone.now()
    rules = matching_rules(change, order, operations)
    change.needs_consent = any(rule.needs_consent for rule in rules)
    change.beyond_limits = passes_limit(change, order, judged=True)
    ends = order.state == Order.State.IN_PRODUCTION and any(op.kind == Operation.Kind.TERMINATE for op in operations)
    steps = wanted_steps(rules, ends_work=ends)
    change.content_hash = bound_hash(change, order, operations, [(one.role, one.mode) for one in steps])
    lay_out(change, steps)
    return impact


def _told(order: Order, operations: Iterable[Op], impact: Impact) -> dict[str, list[str]]:
    """The reasons for the days in every language: who reads them is not who judged."""
    here = get_language() or settings.LANGUAGE_CODE
    found = {here: impact.reasons}
    for code, _name in settings.LANGUAGES if impact.reasons else ():
        if code != here:
            with override(code):
                found[code] = impact_of(order, list(operations)).reasons
    return found


def bound_hash(change: ChangeRequest, order: Order, operations: Iterable[Op], steps: Iterable[tuple[str, str]]) -> str:
    """The sha256 of what is approved: this order at this version, these operations, this time of asking, these steps.

    The steps are part of it, so that one taken away, added or given to another role is seen like any other content.
    """
    content: dict[str, Any] = {
        "order": order.content_hash(), "version": order.version, "change": change.pk,
        "asked": change.submitted_at.isoformat() if change.submitted_at else "",
        "judged": [[one.pk, one.level] for one in change.assessments.filter(is_void=False)],
        "operations": [[op.kind, op.line, op.before, op.after] for op in operations],
        "steps": [list(one) for one in steps], "consent": change.needs_consent,
    }  # fmt: skip
    if change.beyond_limits:  # only then, so that what was judged before this was kept stays bound
        content["beyond"] = True
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def check_judges(change: ChangeRequest, order: Order) -> None:
    """Raises TransitionRefused where who asked for it judged it and it passes a limit: somebody else judges it first."""
    own = change.assessments.filter(is_void=False, assessor=change.requested_by_id)
    if own.exists() and (change.beyond_limits or _passes_limit(change, order)):
        raise refuse(str(_JUDGED_BY_OTHERS), change.get_absolute_url())


def _passes_limit(change: ChangeRequest, order: Order) -> bool:
    return passes_limit(change, order, judged=bool(change.content_hash))


def void_judgements(change: ChangeRequest) -> None:
    """Writing on a request makes void what was judged and approved."""
    change.assessments.filter(is_void=False).update(is_void=True)
    change.steps.exclude(state=ApprovalStep.State.VOID).update(state=ApprovalStep.State.VOID)


@transaction.atomic
def record_consent(change: ChangeRequest, *, given_by: str, given_on: dt.date, evidence: str, actor: "User") -> Consent:
    """The customer agrees to exactly this content, with evidence. The same content twice is kept once.

    Raises PermissionDenied, TransitionRefused (not judged yet, the order moved), ValidationError (a day ahead).
    """
    require(actor, "changes.record_consent")
    change, order = locked(change)
    if change.state not in (State.ASSESSED, State.APPROVED):
        raise refuse(_("The customer agrees to what is judged, and before it is applied."), change.get_absolute_url())
    check_fresh(change, order)
    if given_on > business_today():
        raise ValidationError({"given_on": _("This day lies ahead.")})
    consent, made = Consent.objects.get_or_create(
        change=change, content_hash=change.content_hash,
        defaults={"given_by": given_by, "given_on": given_on, "evidence": evidence, "recorded_by": actor},
    )  # fmt: skip
    if made:
        record(
            events.CONSENT_RECORDED, change, root=order, actor=actor, after={"consent": snapshot(consent)},
            number=change.number, name=given_by, day=given_on.isoformat(), evidence=evidence,
        )  # fmt: skip
    return consent


def check_fresh(change: ChangeRequest, order: Order) -> None:
    """Raises TransitionRefused, saying what moved, unless order and request are what was judged."""
    same = order.version == change.order_version
    if same and change.content_hash == bound_hash(change, order, operations_of(change), asked_steps(change)):
        return
    raise refuse(
        _("The order moved since the change was judged: %(what)s. It is judged again first.")
        % {"what": ", ".join(moved(change)) or _("version %(n)s") % {"n": order.version}},
        f"{change.get_absolute_url()}do/reassess/",
        _("Judge it again"),
    )
