"""What an administrator may do with a person."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ordermgmt.accounts.forms import RolesForm, TeamChoiceForm
from ordermgmt.accounts.models import User
from ordermgmt.accounts.services import (
    assign_roles,
    assign_team,
    disable_user,
    enable_user,
    invite_again,
    reset_two_factor,
)
from ordermgmt.lib.actions import Action, ActionSet
from ordermgmt.lib.fsm import Blocker

_MANAGE = "accounts.manage_users"


def _disabling(user: User) -> list[str]:
    return [
        _("end every session of %(name)s at once") % {"name": user.name},
        _("make open invitations and password links useless"),
        _("keep everything they did under their name"),
    ]


def _removing_factor(user: User) -> list[str]:
    return [
        _("switch two-factor sign-in of %(name)s off until they set it up again") % {"name": user.name},
        _("make their recovery codes useless"),
    ]


def _when(condition: bool, sentence: str) -> list[Blocker]:
    return [Blocker(sentence)] if condition else []


def _can_disable(user: User) -> list[Blocker]:
    return _when(not user.is_active and not user.is_invited, _("This person is disabled already."))


def _can_enable(user: User) -> list[Blocker]:
    if user.is_invited:
        return [Blocker(_("This person has not accepted the invitation: send a new one."))]
    return _when(user.is_active, _("This person is active already."))


def _can_invite(user: User) -> list[Blocker]:
    return _when(not user.is_invited, _("This person has accepted the invitation already."))


def _action(name: str, label: Any, perform: Any, **more: Any) -> Action:
    return Action(name, label, perform, permission=_MANAGE, **more)


USER_ACTIONS = ActionSet(
    _action(
        "assign-roles",
        gettext_lazy("Roles"),
        assign_roles,
        form=RolesForm,
        icon="shield",
        done=gettext_lazy("The roles are set; they count from the next page on."),
    ),
    _action(
        "assign-team",
        gettext_lazy("Team"),
        assign_team,
        form=TeamChoiceForm,
        icon="users",
        done=gettext_lazy("The team is set."),
    ),
    _action(
        "invite-again",
        gettext_lazy("Invite again"),
        invite_again,
        allowed=_can_invite,
        icon="mail",
        done=gettext_lazy("A new invitation is on its way; the old link is dead."),
    ),
    _action(
        "reset-two-factor",
        gettext_lazy("Reset two-factor sign-in"),
        reset_two_factor,
        consequences=_removing_factor,
        danger=True,
        icon="shield-off",
        done=gettext_lazy("Two-factor sign-in is off until it is set up again."),
    ),
    _action(
        "enable",
        gettext_lazy("Enable"),
        enable_user,
        allowed=_can_enable,
        icon="user-check",
        done=gettext_lazy("This person may sign in again."),
    ),
    _action(
        "disable",
        gettext_lazy("Disable"),
        disable_user,
        allowed=_can_disable,
        consequences=_disabling,
        danger=True,
        icon="user-off",
        done=gettext_lazy("This person can't sign in any more; their sessions are ended."),
    ),
)
