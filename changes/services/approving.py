"""Approving step by step, by the stored ids of the people; delegations; rules."""

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from changes import events
from changes.models import (
    ApprovalGrant,
    ApprovalRule,
    ApprovalRuleStep,
    ApprovalStep,
    Assessment,
    ChangeRequest,
    Consent,
    Delegation,
    Operation,
)
from changes.models.approval import APPROVERS
from ordermgmt.accounts.roles import Role
from ordermgmt.accounts.services import require, users_with_role
from ordermgmt.activity.services import record, snapshot
from ordermgmt.company.services import business_today, default_seller
from ordermgmt.lib.fsm import Blocker, check_transition
from orders.models import Order

from .base import locked, refuse, step
from .judging import check_fresh, check_judges

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

_RIGHT = "changes.approve_change"
Aspect = Assessment.Aspect


def next_step(change: ChangeRequest) -> ApprovalStep | None:
    """The step that is asked now."""
    rows = ApprovalStep.objects.filter(change=change, content_hash=change.content_hash, state="waiting")
    return rows.order_by("seq").first()


def waiting_for(user: "User") -> QuerySet[ChangeRequest]:
    """The requests that wait for this person: to be judged, approved, agreed to by the customer, applied; the oldest first."""
    rows = ChangeRequest.objects.visible_to(user).select_related("order", "reason")
    mine = Q(pk__in=[])
    for aspect in Aspect.values:
        if user.has_perm(f"changes.assess_{aspect}"):
            done = Assessment.objects.filter(aspect=aspect, is_void=False).values("change")
            mine |= Q(state=ChangeRequest.State.SUBMITTED) & ~Q(pk__in=done)
    if user.has_perm(_RIGHT):
        roles = set(user.role_codes)
        for one in Delegation.objects.active(business_today()).filter(deputy=user).select_related("owner"):
            roles |= set(one.owner.role_codes)
        asked = ApprovalStep.objects.waiting().filter(role__in=roles)
        earlier = ApprovalStep.objects.waiting().filter(change=OuterRef("change"), seq__lt=OuterRef("seq"))
        granted = ApprovalGrant.objects.filter(step=OuterRef("pk"), user=user)
        steps = asked.exclude(Exists(earlier)).exclude(Exists(granted)).values("change")
        judged = Assessment.objects.filter(assessor=user).values("change")
        to_approve = Q(state=ChangeRequest.State.ASSESSED, pk__in=steps) & ~Q(pk__in=judged)
        mine |= to_approve & ~Q(requested_by=user)
    if user.has_perm("changes.record_consent"):
        said = Consent.objects.filter(change=OuterRef("pk"), content_hash=OuterRef("content_hash"))
        mine |= Q(state=ChangeRequest.State.APPROVED, needs_consent=True) & Q(~Exists(said))
    if user.has_perm("changes.apply_change"):
        mine |= Q(state=ChangeRequest.State.APPROVED)
    return rows.filter(mine).order_by("pk")


def excluded(change: ChangeRequest) -> set[int]:
    """Who can't approve it, whatever their roles: who asked for it, and who ever judged it."""
    judged = change.assessments.values_list("assessor_id", flat=True)
    return {change.requested_by_id, *judged}


def acts_for(asked: ApprovalStep, actor: "User", barred: set[int]) -> "tuple[bool, User | None]":
    """Whether the actor may decide this step, and in whose place (None: their own)."""
    if actor.pk in barred:
        return False, None
    if actor.has_role(Role(asked.role)):
        return True, None
    for one in Delegation.objects.active(business_today()).filter(deputy=actor).select_related("owner"):
        if one.owner_id not in barred and one.owner.is_active and one.owner.has_role(Role(asked.role)):
            return True, one.owner
    return False, None


def able_to_grant(asked: ApprovalStep, barred: set[int]) -> "list[User]":
    """Who could decide this step now: holders of its role and their deputies, but nobody barred or who did already."""
    done = barred | set(asked.grants.values_list("user_id", flat=True))
    holders = [one for one in users_with_role(Role(asked.role)) if one.pk not in barred]
    found = {one.pk: one for one in holders}
    standing = Delegation.objects.active(business_today()).filter(owner__in=holders, deputy__is_active=True)
    found |= {one.deputy_id: one.deputy for one in standing.select_related("deputy")}
    return [one for pk, one in sorted(found.items()) if pk not in done]


def approval_blocked(change: ChangeRequest, actor: "User") -> list[Blocker]:
    """Why this person can't approve it now; empty when they can."""
    if change.requested_by_id == actor.pk:
        return [Blocker(_("Whoever asked for a change can't decide on it."))]
    if actor.pk in excluded(change):
        return [Blocker(_("Whoever judged a change can't approve it."))]
    asked = next_step(change)
    if asked is None:
        return [Blocker(_("No approval is open."))]
    if not acts_for(asked, actor, excluded(change))[0]:
        return [Blocker(_("It waits for: %(role)s.") % {"role": asked.role_label})]
    return []


@transaction.atomic
def approve_change(change: ChangeRequest, *, note: str = "", actor: "User") -> ChangeRequest:
    """Grants the step that is asked now; the last one makes the request approved.

    Never by who asked for it or judged it. Raises PermissionDenied, TransitionRefused (the order moved since it was
    judged, somebody else is asked, granted already).
    """
    require(actor, _RIGHT)
    change, order = locked(change)
    check_transition(change.approve, actor)
    if found := approval_blocked(change, actor):
        raise refuse(" ".join(str(one.sentence) for one in found), change.get_absolute_url())
    check_fresh(change, order)
    check_judges(change, order)
    asked = next_step(change)
    if asked is None:
        raise refuse(_("No approval is open."), change.get_absolute_url())
    asked = ApprovalStep.objects.select_for_update(no_key=True).get(pk=asked.pk)
    barred = excluded(change)
    _may, behalf = acts_for(asked, actor, barred)
    if asked.grants.filter(user=actor).exists():
        raise refuse(_("You agreed already; others are still asked."), change.get_absolute_url())
    ApprovalGrant.objects.create(step=asked, user=actor, behalf=behalf, note=note)
    if _complete(asked, order, barred):
        asked.state = ApprovalStep.State.GRANTED
        asked.save(update_fields=["state"])
    record(
        events.CHANGE_AGREED, change, root=order, actor=actor, number=change.number, role=asked.role,
        note=note, behalf=behalf.name if behalf else "",
    )  # fmt: skip
    if next_step(change) is None:
        return step(change, "approve", events.CHANGE_APPROVED, actor=actor)
    change.version += 1
    change.save(update_fields=["version"])
    return change


def _complete(asked: ApprovalStep, order: Order, barred: set[int]) -> bool:
    if asked.mode == ApprovalRuleStep.Mode.ANY:
        return True
    given = {pk for pair in asked.grants.values_list("user_id", "behalf_id") for pk in pair if pk}
    holders = [one for one in users_with_role(Role(asked.role)) if one.pk not in barred]
    seeing = {one.pk for one in holders if Order.objects.visible_to(one).filter(pk=order.pk).exists()}
    return seeing <= given


@transaction.atomic
def delegate(*, deputy: "User", since: dt.date, until: dt.date, reason: str, actor: "User") -> Delegation:
    """For some days somebody else approves in the actor's place. Raises PermissionDenied, ValidationError."""
    require(actor, _RIGHT)
    if not deputy.is_active or not deputy.has_perm(_RIGHT):
        raise ValidationError({"deputy": _("%(name)s may not approve changes.") % {"name": deputy.name}})
    if until < business_today():
        raise ValidationError({"until": _("These days are over.")})
    row = Delegation(owner=actor, deputy=deputy, since=since, until=until, reason=reason)
    row.full_clean()
    row.save()
    record(
        events.DELEGATED, row, actor=actor, after=snapshot(row), name=deputy.name, since=str(since), until=str(until)
    )
    return row


@transaction.atomic
def end_delegation(delegation: Delegation, *, actor: "User") -> Delegation:
    """Ends it at once, by who gave it. A second time changes nothing."""
    row = Delegation.objects.select_for_update(no_key=True).get(pk=delegation.pk)
    if row.owner_id != actor.pk:
        raise PermissionDenied
    if row.ended:
        return row
    before = snapshot(row)
    row.ended = True
    row.save(update_fields=["ended"])
    record(events.DELEGATION_ENDED, row, actor=actor, before=before, after=snapshot(row), name=row.deputy.name)
    return row


@transaction.atomic
def save_rule(
    rule: ApprovalRule | None = None, *, steps: Sequence[dict[str, Any]], actor: "User", **fields: Any
) -> ApprovalRule:
    """Sets a rule with its steps (role, mode, due_days), in their order. What is asked already stays asked.

    Raises PermissionDenied, ValidationError (no step, a role twice, a role that does not approve).
    """
    require(actor, "changes.set_rules")
    roles = [one["role"] for one in steps]
    if not steps:
        raise ValidationError(_("A rule asks at least one role."))
    if len(set(roles)) < len(roles):
        raise ValidationError(_("Each role is asked once."))
    if not set(roles) <= {role.value for role in APPROVERS}:
        raise ValidationError(_("This role does not approve changes."))
    # Read anew: a form that was checked has the new values in its instance already.
    row = ApprovalRule.objects.select_for_update(no_key=True).get(pk=rule.pk) if rule else ApprovalRule()
    money = default_seller().currency
    before = {"rule": row.sentence(money)} if rule else None
    for name, value in fields.items():
        setattr(row, name, value)
    if not set(row.kinds) <= set(Operation.Kind.values):
        raise ValidationError({"kinds": _("This is not a kind of operation.")})
    row.full_clean()
    row.save()
    row.steps.all().delete()
    ApprovalRuleStep.objects.bulk_create(
        ApprovalRuleStep(rule=row, seq=seq, **one) for seq, one in enumerate(steps, start=1)
    )
    record(events.RULE_SAVED, row, actor=actor, before=before, after={"rule": row.sentence(money)}, name=row.name)
    return row
