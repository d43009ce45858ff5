"""Signed-in devices: begun, seen, ended."""

import re

from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils import timezone

from ordermgmt.accounts import events
from ordermgmt.accounts.models import User, UserSession
from ordermgmt.activity.services import record

_BROWSERS = (
    ("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("MicroMessenger", "WeChat"),
    ("Chrome", "Chrome"), ("CriOS", "Chrome"), ("Safari", "Safari"), ("curl", "curl"),
)  # fmt: skip
_SYSTEMS = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"),
    ("Mac OS X", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux"),
)  # fmt: skip


def device_name(user_agent: str) -> str:
    """What a person recognises their device by ("Firefox, Windows"); the start of the raw text where it is unknown."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    return ", ".join(part for part in (browser, system) if part) or re.sub(r"[^\x20-\x7e]", "", user_agent)[:60]


def begin_session(user: User, *, session_key: str, address: str | None, user_agent: str) -> UserSession:
    """Notes a device as signed in."""
    session, _made = UserSession.objects.update_or_create(
        session_key=session_key,
        defaults={"user": user, "address": address, "device": device_name(user_agent), "ended_at": None},
    )
    return session


def touch_session(session_key: str, *, address: str | None) -> None:
    """Notes that a device was seen now; called once a minute at most."""
    UserSession.objects.filter(session_key=session_key).update(seen_at=timezone.now(), address=address)


def close_session(session_key: str) -> None:
    """Notes the end of a session that is over anyway: signed out, idle too long."""
    UserSession.objects.filter(session_key=session_key, ended_at=None).update(ended_at=timezone.now())


def end_all_sessions(user: User, *, but: str = "") -> int:
    """Ends every session of a person except the one with the key `but`. Returns how many were open."""
    keys = list(user.sessions.open().exclude(session_key=but).values_list("session_key", flat=True))
    Session.objects.filter(session_key__in=keys).delete()
    return UserSession.objects.filter(session_key__in=keys).update(ended_at=timezone.now())


@transaction.atomic
def end_session(session: UserSession, *, actor: User) -> None:
    """Signs one device out at once. A second call changes nothing."""
    if not UserSession.objects.filter(pk=session.pk, ended_at=None).update(ended_at=timezone.now()):
        return
    Session.objects.filter(session_key=session.session_key).delete()
    record(events.SESSION_ENDED, session.user, actor=actor, device=session.device)


@transaction.atomic
def end_other_sessions(user: User, *, session_key: str, actor: User) -> int:
    """Signs out every device of a person but the present one. Returns how many."""
    ended = end_all_sessions(user, but=session_key)
    if ended:
        record(events.SESSION_ENDED, user, actor=actor, device=str(ended))
    return ended
