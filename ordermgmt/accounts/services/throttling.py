"""Slows guessing down, per account and per address, without locking the right person out.

A browser that has signed in to an account before carries a signed cookie: it is counted under its own key for that
account, so that strangers who guess at the account can't keep its owner out, and it gets no more tries than anybody else,
whichever other accounts it signs in to between them.
"""

import datetime as dt
import hashlib
import secrets

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from ordermgmt.accounts.models import Throttle, User

_SALT = "accounts.device.named"
_KEPT = dt.timedelta(days=1)


def device_cookie(cookie: str, email: str) -> str:
    """The cookie's new value after a sign-in: it knows the last five accounts of this browser, which keeps its name."""
    device, accounts = _known(cookie)
    known = [one for one in accounts if one != _hashed(email)]
    return signing.dumps([device or secrets.token_hex(8), _hashed(email), *known[:4]], salt=_SALT)


def keys_for(*, email: str, address: str | None, cookie: str) -> list[str]:
    """What a try is counted under."""
    device, accounts = _known(cookie)
    if _hashed(email) in accounts:
        return [f"device:{device}:{_hashed(email)}"]
    return [f"account:{_hashed(email)}", f"address:{address or 'unknown'}"]


def seconds_to_wait(keys: list[str]) -> int:
    """How long this try must wait; 0 when it may go on."""
    now = timezone.now()
    blocked = Throttle.objects.filter(key__in=keys, blocked_until__gt=now)
    until = list(blocked.values_list("blocked_until", flat=True))
    return max((int((one - now).total_seconds()) + 1 for one in until if one), default=0)


@transaction.atomic
def count_failure(keys: list[str]) -> None:
    """Counts a wrong try under each key; past the free tries the wait doubles up to the longest."""
    now = timezone.now()
    Throttle.objects.filter(last_failure_at__lt=now - _KEPT).delete()
    for key in sorted(keys):
        Throttle.objects.get_or_create(key=key)
    for row in Throttle.objects.select_for_update(no_key=True).filter(key__in=keys).order_by("key"):
        free = settings.SIGN_IN_TRIES_PER_ADDRESS if row.key.startswith("address:") else settings.SIGN_IN_TRIES
        row.failures += 1
        row.last_failure_at = now
        if row.failures >= free:
            steps = min(row.failures - free, 10)
            wait = min(settings.SIGN_IN_WAIT_SECONDS * 2**steps, settings.SIGN_IN_LONGEST_WAIT_SECONDS)
            row.blocked_until = now + dt.timedelta(seconds=wait)
        row.save()


def block(key: str, *, seconds: int) -> None:
    """Lets nothing happen under the key for a while."""
    now = timezone.now()
    Throttle.objects.update_or_create(
        key=key, defaults={"last_failure_at": now, "blocked_until": now + dt.timedelta(seconds=seconds)}
    )


@transaction.atomic
def may_go_on(user: User, *, most: int) -> bool:
    """Counts one piece of heavy work of a person; False when it is more than `most` within this minute."""
    now = timezone.now()
    key = f"heavy:{user.pk}:{now:%Y%m%d%H%M}"
    Throttle.objects.get_or_create(key=key, defaults={"last_failure_at": now})
    Throttle.objects.filter(key=key).update(failures=F("failures") + 1)
    return Throttle.objects.values_list("failures", flat=True).get(key=key) <= most


def forget_failures(keys: list[str]) -> None:
    """After a right password the account or device starts afresh; its address does not, or one own account would
    wipe the trace of guessing at others."""
    Throttle.objects.filter(key__in=[key for key in keys if not key.startswith("address:")]).delete()


def _hashed(email: str) -> str:
    return hashlib.sha256(email.strip().lower().encode()).hexdigest()[:32]


def _known(cookie: str) -> tuple[str, list[str]]:
    """The browser's name in its cookie, and the accounts that signed in there; nothing of a cookie that is not ours."""
    try:
        device, *accounts = signing.loads(cookie, salt=_SALT, max_age=settings.DEVICE_COOKIE_DAYS * 86400)
    except (signing.BadSignature, ValueError):
        return "", []
    return str(device), [str(one) for one in accounts]
