"""Telling a worker that there is work: after commit, from a thread of its own, never in the way of a page.

The row in the database is the truth and the nudge only saves waiting: where the broker is down, hangs, or the process
dies in between, the sweep finds the row. So every failure here is logged and forgotten.
"""

import logging
import os
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from celery import current_app
from django.conf import settings
from django.db import transaction

log = logging.getLogger(__name__)

_QUEUE_LIMIT = 2000
_PAUSE_AFTER_FAILURE = 5.0


@dataclass(frozen=True)
class Nudge:
    """One message for a worker: run this task with the key of this row."""

    task: str
    pk: int
    queue: str = "default"


def _send(nudge: Nudge) -> None:
    """Hands the message to the broker. Time-outs come with the connection's settings; nothing is tried twice."""
    current_app.send_task(nudge.task, args=[nudge.pk], queue=nudge.queue, retry=False, ignore_result=True)


class _Nudger:
    """A bounded queue and a daemon thread that empties it. Made anew in every forked process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pid = 0
        self._waiting: queue.Queue[Nudge] = queue.Queue(_QUEUE_LIMIT)
        self._quiet_until = 0.0

    def put(self, nudge: Nudge) -> None:
        """Leaves the message and returns at once; drops it where too many wait."""
        self._start()
        try:
            self._waiting.put_nowait(nudge)
        except queue.Full:
            log.warning("too many nudges wait, the sweep will find %s %s", nudge.task, nudge.pk)

    def _start(self) -> None:
        if self._pid == os.getpid():
            return
        with self._lock:
            if self._pid != os.getpid():
                self._waiting = queue.Queue(_QUEUE_LIMIT)
                threading.Thread(target=self._run, args=(self._waiting,), name="nudge", daemon=True).start()
                self._pid = os.getpid()

    def _run(self, waiting: queue.Queue[Nudge]) -> None:
        while True:
            nudge = waiting.get()
            if time.monotonic() < self._quiet_until:
                continue  # the broker failed a moment ago: leave it to the sweep
            try:
                _send(nudge)
            except Exception as error:  # noqa: BLE001  # whatever the broker does, the thread must live on
                self._quiet_until = time.monotonic() + _PAUSE_AFTER_FAILURE
                log.warning("the broker did not take a nudge: %s", error)


_nudger = _Nudger()
_deliver: Callable[[Nudge], None] = _nudger.put


def nudge_after_commit(task: str, pk: int, *, queue: str = "default") -> None:
    """Tells a worker of a row once the transaction has been committed; after a rollback nobody hears of it."""
    if settings.NUDGE_WORKERS:
        message = Nudge(task, pk, queue)
        transaction.on_commit(lambda: _deliver(message), robust=True)


def nudge_now(task: str, pk: int, *, queue: str = "default") -> None:
    """Tells a worker at once, from within a worker (the sweep). Raises what the broker raises."""
    _send(Nudge(task, pk, queue))
