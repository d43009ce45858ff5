"""Signs of life of the background processes."""

import datetime as dt

from django.utils import timezone

from ordermgmt.activity.models import Heartbeat


def heartbeat(name: str = "worker") -> None:
    """Notes that the process of that kind is alive."""
    Heartbeat.objects.update_or_create(name=name, defaults={"at": timezone.now()})


def last_heartbeat(name: str = "worker") -> dt.datetime | None:
    """When a process of that kind was last alive; None if it never was."""
    return Heartbeat.objects.filter(name=name).values_list("at", flat=True).first()


def is_alive(name: str = "worker", *, seconds: float = 60) -> bool:
    """Whether a process of that kind gave a sign of life during the last `seconds`."""
    at = last_heartbeat(name)
    return at is not None and timezone.now() - at < dt.timedelta(seconds=seconds)
