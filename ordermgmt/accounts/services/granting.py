"""Roles and teams: what a person may do and whose work they see."""

from collections.abc import Iterable

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from ordermgmt.accounts import events
from ordermgmt.accounts.models import RoleAssignment, Team, User
from ordermgmt.accounts.roles import Role
from ordermgmt.activity.services import record, snapshot

from .rights import locked, require


def keep_an_administrator(leaving: User) -> None:
    """Raises ValidationError where `leaving` is the last administrator who can sign in.

    Locks every administrator's row first, in one order, so that two who remove each other at once can't both succeed.
    """
    admins = User.objects.with_role(Role.ADMIN).select_for_update(no_key=True).order_by("pk")
    if not any(admin.is_active and admin.pk != leaving.pk for admin in admins):
        raise ValidationError(_("At least one active administrator must remain."), code="last_admin")


@transaction.atomic
def assign_roles(user: User, *, roles: Iterable[str], actor: User) -> User:
    """Gives a person exactly these roles; they count from the person's next request.

    Raises PermissionDenied for one's own roles, ValueError for an unknown one, ValidationError for the last
    administrator.
    """
    require(actor, "accounts.manage_users")
    if actor.pk == user.pk:
        raise PermissionDenied(_("Nobody changes their own roles."))
    wanted = {Role(role) for role in roles}
    if Role.ADMIN in user.role_codes and Role.ADMIN not in wanted:
        keep_an_administrator(user)
    user = locked(user)
    before = set(user.role_codes)
    if before == wanted:
        return user
    user.role_assignments.exclude(role__in=wanted).delete()
    RoleAssignment.objects.bulk_create(RoleAssignment(user=user, role=role) for role in sorted(wanted - before))
    user.forget_roles()
    record(
        events.ROLES_ASSIGNED,
        user,
        actor=actor,
        before={"roles": sorted(before)},
        after={"roles": sorted(wanted)},
        name=user.name,
    )
    return user


@transaction.atomic
def assign_team(user: User, *, team: Team | None, actor: User) -> User:
    """Moves a person to a team (or none): from now on they see that team's customers and orders."""
    require(actor, "accounts.manage_users")
    user = locked(user)
    if user.team_id == (team.pk if team else None):
        return user
    before = snapshot(user, "team")
    user.team = team
    user.save(update_fields=["team"])
    record(events.TEAM_ASSIGNED, user, actor=actor, before=before, after=snapshot(user, "team"), name=user.name)
    return user
