"""Invitations: an administrator names a person, the person chooses a password."""

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from ordermgmt.accounts import events
from ordermgmt.accounts.models import AccessLink, Team, User
from ordermgmt.activity.services import record, snapshot

from .links import drop_links, use_link
from .passwords import check_password_rules
from .people import described, new_user
from .rights import locked, require

_ACCEPTED = ("name", "is_active", "joined_at")


@transaction.atomic
def invite_user(
    *,
    email: str,
    name: str,
    roles: Sequence[str] = (),
    team: Team | None = None,
    language: str = "en",
    actor: User,
) -> User:
    """Makes a person who can't sign in yet; the mail with the link is written by the worker after commit.

    Raises PermissionDenied, and ValidationError for an address that is taken or malformed.
    """
    require(actor, "accounts.manage_users")
    user = new_user(email=email, name=name, roles=roles, team=team, language=language)
    user.is_active = False
    user.save(update_fields=["is_active"])
    record(events.USER_INVITED, user, actor=actor, before={}, after=described(user), name=user.name)
    return user


@transaction.atomic
def invite_again(user: User, *, actor: User) -> User:
    """Sends a new link; the old one stops working. Raises ValidationError for somebody who is in already."""
    require(actor, "accounts.manage_users")
    user = locked(user)
    if not user.is_invited:
        raise ValidationError(_("This person has accepted the invitation already."), code="joined")
    drop_links(user, AccessLink.Purpose.INVITE)
    record(events.USER_INVITED, user, actor=actor, name=user.name)
    return user


@transaction.atomic
def accept_invitation(link: AccessLink, *, name: str, password: str) -> User:
    """Uses the link: the person has a password and can sign in. Raises ValidationError for a weak password or a
    link that was used meanwhile."""
    user = locked(link.user)
    before = snapshot(user, *_ACCEPTED)
    user.name = name.strip()
    check_password_rules(password, user)
    if not use_link(link):
        raise ValidationError(_("This link has been used already."), code="used")
    user.set_password(password)
    user.is_active = True
    user.joined_at = timezone.now()
    user.save(update_fields=["name", "password", "is_active", "joined_at"])
    record(events.INVITATION_ACCEPTED, user, actor=user, before=before, after=snapshot(user, *_ACCEPTED))
    return user
