"""Short questions to what the application stands on; each answers in a second or two, whatever hangs."""

import socket
from contextlib import closing
from datetime import timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone

from ordermgmt.activity.services import last_heartbeat

#: A process that was not heard of for so long counts as gone.
SILENCE = timedelta(seconds=90)


class Trouble(Exception):
    """A probe failed; the text says how, without secrets."""


def database() -> str:
    """A query that touches no table. Raises Trouble."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        raise Trouble(type(error).__name__) from error
    return str(connection.vendor)


def broker() -> str:
    """Redis answers PING within a second; the file broker's folder can be written. Raises Trouble."""
    if settings.EMBEDDED:
        folder = settings.BROKER_DIR / "messages"
        try:
            probe = folder / f".probe-{timezone.now():%H%M%S%f}"
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as error:
            raise Trouble(f"{folder}: {error.strerror}") from error
        return "files"
    _ping_redis()
    return "Redis"


def _ping_redis() -> None:
    import redis

    host = urlsplit(settings.REDIS_URL).hostname or "the socket"
    try:
        with closing(redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)) as client:
            client.ping()
    except (redis.RedisError, OSError, socket.gaierror) as error:
        raise Trouble(f"{type(error).__name__} at {host}") from error


def heartbeats() -> str:
    """The worker lately did what beat asks of it every few seconds, so both live. Raises Trouble."""
    try:
        at = last_heartbeat()
    except DatabaseError as error:
        raise Trouble(type(error).__name__) from error
    if at is None:
        raise Trouble("worker and beat were never seen")
    if timezone.now() - at > SILENCE:
        raise Trouble(f"worker or beat silent since {at:%Y-%m-%d %H:%M:%S} UTC")
    return f"{at:%H:%M:%S} UTC"
