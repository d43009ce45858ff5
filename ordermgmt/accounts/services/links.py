"""Single-use links: made when the mail is written, kept as a digest, used once."""

import datetime as dt
import hashlib
import secrets

from django.conf import settings
from django.utils import timezone

from ordermgmt.accounts.models import AccessLink, User

LIFETIMES = {
    AccessLink.Purpose.INVITE: dt.timedelta(hours=settings.INVITATION_HOURS),
    AccessLink.Purpose.RESET: dt.timedelta(minutes=settings.PASSWORD_RESET_MINUTES),
}
PATHS = {AccessLink.Purpose.INVITE: "invite", AccessLink.Purpose.RESET: "password/reset"}


def digest(token: str) -> str:
    """What is stored of a token: who reads the database can't use it."""
    return hashlib.sha256(token.encode()).hexdigest()


def make_link(user: User, purpose: AccessLink.Purpose) -> str:
    """A new link for the person, on the configured host; earlier ones of its kind stop working."""
    drop_links(user, purpose)
    token = secrets.token_urlsafe(32)
    AccessLink.objects.create(
        user=user, purpose=purpose, token_digest=digest(token), expires_at=timezone.now() + LIFETIMES[purpose]
    )
    return f"{settings.SITE_URL.rstrip('/')}/{PATHS[purpose]}/{token}/"


def drop_links(user: User, *purposes: AccessLink.Purpose) -> None:
    """Makes open links useless, all of them where no purpose is named."""
    links = user.access_links.filter(used_at=None)
    (links.filter(purpose__in=purposes) if purposes else links).update(used_at=timezone.now())


def find_link(token: str, purpose: AccessLink.Purpose) -> AccessLink | None:
    """The link that can still be used, or None."""
    return (
        AccessLink.objects.select_related("user")
        .filter(token_digest=digest(token), purpose=purpose, used_at=None, expires_at__gt=timezone.now())
        .first()
    )


def use_link(link: AccessLink) -> bool:
    """Takes the link; False where somebody was faster."""
    return bool(AccessLink.objects.filter(pk=link.pk, used_at=None).update(used_at=timezone.now()))
