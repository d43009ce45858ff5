"""A clock that can be set, so that a year of work can be done in a minute, step by step and in order."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

from django.utils import timezone


class Clock:
    """What `timezone.now()` answers while the demo company lives its year."""

    def __init__(self, at: dt.datetime) -> None:
        self.at = at

    def now(self) -> dt.datetime:
        return self.at


@contextmanager
def travelling(clock: Clock) -> Iterator[None]:
    """Inside, it is as late as the clock says. Only for a company that was empty before: see `make_company`."""
    real = timezone.now
    timezone.now = clock.now
    try:
        yield
    finally:
        timezone.now = real
