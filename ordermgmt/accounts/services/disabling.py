"""Taking a person's access away, and giving it back."""

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from ordermgmt.accounts import events
from ordermgmt.accounts.models import User
from ordermgmt.accounts.roles import Role
from ordermgmt.activity.services import record

from .granting import keep_an_administrator
from .links import drop_links
from .rights import locked, require
from .sessions import end_all_sessions


@transaction.atomic
def disable_user(user: User, *, actor: User) -> User:
    """Ends all sessions and open links of a person at once; what they did stays under their name.

    Raises PermissionDenied for oneself, ValidationError for the last administrator. A second call changes nothing.
    """
    require(actor, "accounts.manage_users")
    if actor.pk == user.pk:
        raise PermissionDenied(_("Nobody disables themselves."))
    if Role.ADMIN in user.role_codes and user.is_active:
        keep_an_administrator(user)
    user = locked(user)
    drop_links(user)
    end_all_sessions(user)
    if user.is_active:
        user.is_active = False
        user.save(update_fields=["is_active"])
        record(
            events.USER_DISABLED,
            user,
            actor=actor,
            before={"is_active": True},
            after={"is_active": False},
            name=user.name,
        )
    return user


@transaction.atomic
def enable_user(user: User, *, actor: User) -> User:
    """Lets a disabled person sign in again. Raises ValidationError for somebody who never accepted an invitation."""
    require(actor, "accounts.manage_users")
    user = locked(user)
    if user.is_invited:
        raise ValidationError(_("This person has not accepted the invitation: send a new one."), code="invited")
    if not user.is_active:
        user.is_active = True
        user.save(update_fields=["is_active"])
        record(
            events.USER_ENABLED,
            user,
            actor=actor,
            before={"is_active": False},
            after={"is_active": True},
            name=user.name,
        )
    return user
