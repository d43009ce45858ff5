"""Mails with single-use links, in the reader's language."""

from django.conf import settings
from django.db import transaction

from ordermgmt.accounts.models import AccessLink, User
from ordermgmt.activity.services import send_mail_effect

from .links import make_link

_TEMPLATES = {AccessLink.Purpose.INVITE: "invitation", AccessLink.Purpose.RESET: "reset"}


def mail_link(user: User, purpose: AccessLink.Purpose, *, key: str) -> None:
    """Makes a link and mails it. Safe to run again: the newest link is the one that works."""
    with transaction.atomic():
        link = make_link(user, purpose)
    send_mail_effect(
        key=key,
        to=user.email,
        language=user.language,
        template=_TEMPLATES[purpose],
        context={
            "name": user.name,
            "link": link,
            "hours": settings.INVITATION_HOURS,
            "minutes": settings.PASSWORD_RESET_MINUTES,
        },
    )
