"""People in the timeline and in the command palette."""

from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from ordermgmt.accounts.models import User
from ordermgmt.activity.services import register_root
from ordermgmt.lib.palette import Hit, command, provider
from ordermgmt.lib.panels import Panel, register


def _with_history(user: User) -> QuerySet[User]:
    """Whose sign-ins and role changes one may read: everybody's for administrators, else one's own."""
    if user.has_perm("accounts.manage_users"):
        return User.objects.visible_to(user)
    return User.objects.people().filter(pk=user.pk)


def _found(user: User, text: str, limit: int) -> list[Hit]:
    people = User.objects.visible_to(user).filter(Q(name__icontains=text) | Q(email__icontains=text))
    return [Hit(one.name, one.get_absolute_url(), one.email) for one in people.order_by("name", "pk")[:limit]]


def _joining(request: Any, _nothing: Any) -> dict[str, Any] | None:
    """Who was invited and has not come yet, the longest ago first."""
    rows = User.objects.visible_to(request.user).filter(joined_at=None, is_active=True).order_by("pk")
    found = list(rows[:6])
    return {"people": found[:5], "more": len(found) > 5} if found else None


register(
    Panel(
        "home", "joining", _("Invited, not joined yet"), "accounts/_home_joining.html", _joining, order=20,
        permission="accounts.manage_users",
    )
)  # fmt: skip
register_root(User, url=User.get_absolute_url, visible=_with_history, label=str, name=_("user"))
provider("users", _("Users"), _found, permission="accounts.manage_users")
command(_("My profile"), "/profile/", keywords="profile password language 个人资料 密码 语言")
command(_("Invite a person"), "/users/invite/", permission="accounts.manage_users", keywords="user 邀请 用户")
command(_("Teams"), "/teams/", permission="accounts.manage_users", keywords="department 团队 部门")
command(_("Permissions"), "/permissions/", permission="accounts.view_permissions", keywords="roles matrix 权限 角色")
