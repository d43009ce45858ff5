"""Departments and teams."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import ProtectedError
from django.utils.translation import gettext as _

from ordermgmt.accounts import events
from ordermgmt.accounts.models import Department, Team, User
from ordermgmt.activity.services import record, snapshot

from .rights import require


@transaction.atomic
def save_department(department: Department, *, name: str, actor: User) -> Department:
    """Makes or renames a department. Raises ValidationError for a name that is taken."""
    require(actor, "accounts.manage_users")
    before = snapshot(department, "name") if department.pk else {}
    department.name = name.strip()
    department.full_clean()
    department.save()
    record(
        events.DEPARTMENT_SAVED,
        department,
        actor=actor,
        before=before,
        after=snapshot(department, "name"),
        name=department.name,
    )
    return department


@transaction.atomic
def save_team(team: Team, *, name: str, department: Department, actor: User) -> Team:
    """Makes, renames or moves a team. Raises ValidationError for a name that its department has already."""
    require(actor, "accounts.manage_users")
    before = snapshot(team, "name", "department") if team.pk else {}
    team.name, team.department = name.strip(), department
    team.full_clean()
    team.save()
    after = snapshot(team, "name", "department")
    record(events.TEAM_SAVED, team, actor=actor, before=before, after=after, name=team.name)
    return team


@transaction.atomic
def remove_team(team: Team, *, actor: User) -> None:
    """Removes a team that nobody and nothing belongs to. Raises ValidationError otherwise."""
    require(actor, "accounts.manage_users")
    gone = snapshot(team)
    record(events.TEAM_REMOVED, team, actor=actor, before=gone, after=None, name=team.name)
    try:
        team.delete()
    except ProtectedError as error:
        raise ValidationError(
            _("People, customers or orders still belong to this team: move them first."), code="in_use"
        ) from error
