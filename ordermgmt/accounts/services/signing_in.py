"""The moment of signing in, seen from the audit."""

import logging

from django.contrib.auth import authenticate
from django.db import transaction
from django.http import HttpRequest

from ordermgmt.accounts import events
from ordermgmt.accounts.models import User
from ordermgmt.activity.services import record

from .throttling import count_failure, forget_failures, seconds_to_wait

log = logging.getLogger("ordermgmt.access")


class MustWait(Exception):
    """Too many wrong tries; `seconds` until the next one counts."""

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        super().__init__(seconds)


def check_password(request: HttpRequest, *, email: str, password: str, keys: list[str], address: str) -> User | None:
    """The person, or None for a wrong address or password, in about the same time. Raises MustWait unasked."""
    if seconds := seconds_to_wait(keys):
        log.warning("sign-in throttled", extra={"address": address})
        raise MustWait(seconds)
    user = authenticate(request, username=email.strip(), password=password)
    if isinstance(user, User) and not user.is_system:
        return user
    note_failure(email=email, keys=keys, address=address)
    return None


@transaction.atomic
def note_failure(*, email: str, keys: list[str], address: str) -> None:
    """Counts and records a failed try. The address typed is recorded only as far as it names somebody."""
    count_failure(keys)
    log.warning("sign-in failed", extra={"address": address})
    known = User.objects.people().filter(email__iexact=email.strip()).first()
    if known is not None:
        record(events.SIGN_IN_FAILED, known, actor=None, address=address)


@transaction.atomic
def note_sign_in(user: User, *, keys: list[str], address: str) -> None:
    """Records a completed sign-in and forgets the wrong tries before it."""
    forget_failures(keys)
    log.info("signed in", extra={"user": user.pk, "address": address})
    record(events.SIGNED_IN, user, actor=user, address=address)


@transaction.atomic
def note_sign_out(user: User) -> None:
    """Records that a person signed out."""
    record(events.SIGNED_OUT, user, actor=user)


@transaction.atomic
def record_denial(user: User, *, what: str) -> None:
    """One audit line for a page or deed that was refused (A4)."""
    from ordermgmt.activity.events import DENIED

    log.warning("denied", extra={"user": user.pk, "what": what})
    record(DENIED, user, actor=user, what=what)
