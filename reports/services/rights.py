"""With which rights a figure was made, and whether a reader still has them."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ordermgmt.accounts.roles import Role

from .definitions import Report

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

#: Begins the right to see what a scope sees, among permissions, which have no blank.
_AS = "as "


def scope_of(user: "User") -> str:
    """What decides what this reader sees: two people with the same text see the same figures.

    Sellers and project managers see by name and team; finance sees everything, a manager the department.
    """
    roles = sorted(str(role) for role in Role if user.has_role(role))
    if user.is_system:
        return "system"
    if set(roles) <= {Role.FINANCE, Role.FINANCE_MANAGER}:
        return "+".join(roles)
    if set(roles) <= {Role.FINANCE, Role.FINANCE_MANAGER, Role.MANAGER}:
        return f"{'+'.join(roles)}:{user.department_id}"
    return f"{'+'.join(roles)}:{user.pk}:{user.team_id}:{user.department_id}"


def rights_used(report: Report, user: "User") -> list[str]:
    """The rights without which what this reader got would have looked different, or not been made: permissions, and
    whose documents they see."""
    sections = report.sections
    asked = {one.permission for one in sections} | {column.permission for one in sections for column in one.columns}
    held = {report.permission, *report.also} | {one for one in asked if one and user.has_perm(one)}
    return [*sorted(held), f"{_AS}{scope_of(user)}"]


def has_rights(user: "User", rights: Iterable[str]) -> bool:
    """Whether the reader has every one of them now."""
    scope = f"{_AS}{scope_of(user)}"
    return all(one == scope if one.startswith(_AS) else user.has_perm(one) for one in rights)
