"""Starts the processes of the application, keeps them alive, and stops them together.

Each child leads a group of its own. When one dies its whole group is killed before it is started again: workers that
outlive their master would otherwise keep the port and reset connections.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import FrameType

_PR_SET_PDEATHSIG = 1
_LONGEST_PAUSE = 30.0
_STEADY = 60.0  # seconds alive after which a death counts as the first one again
_GRACE = 15.0


def _die_with_parent() -> None:
    """Runs in the child: if the supervisor is killed outright, the kernel stops the child."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass
class Child:
    """One supervised process."""

    name: str
    command: Sequence[str]
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None
    started: float = 0.0
    deaths: int = 0
    not_before: float = 0.0

    def start(self) -> None:
        self.process = subprocess.Popen(  # noqa: S603  # our own words
            self.command,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **self.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
            preexec_fn=_die_with_parent,
        )
        self.started = time.monotonic()

    def kill_group(self, how: int = signal.SIGKILL) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, how)


class Supervisor:
    """`run()` blocks until SIGTERM or SIGINT and returns the exit code."""

    def __init__(self, children: Sequence[Child], say: Callable[[str], None] | None = None) -> None:
        self.children = children
        self.say = say or self._print
        self.stopping = threading.Event()
        self._lock = threading.Lock()

    def _print(self, text: str) -> None:
        with self._lock:
            sys.stdout.write(text + "\n")
            sys.stdout.flush()

    def run(self) -> int:
        """Starts everything, watches, restarts what dies, stops all together."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        for child in self.children:
            self._start(child)
        while not self.stopping.wait(0.2):
            for child in self.children:
                self._watch(child)
        self._stop_all()
        return 0

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping.set()

    def _start(self, child: Child) -> None:
        child.start()
        threading.Thread(target=self._forward, args=(child, child.process), daemon=True).start()

    def _forward(self, child: Child, process: subprocess.Popen[str]) -> None:
        for line in process.stdout or ():
            self.say(f"{child.name:<6} | {line.rstrip()}")

    def _watch(self, child: Child) -> None:
        now = time.monotonic()
        if child.process is not None:
            code = child.process.poll()
            if code is None:
                return
            child.kill_group()
            child.deaths = 1 if now - child.started > _STEADY else child.deaths + 1
            pause = min(0.5 * 2 ** (child.deaths - 1), _LONGEST_PAUSE)
            child.process, child.not_before = None, now + pause
            self.say(f"{child.name:<6} | ended with code {code}; starts again in {pause:g} s")
        elif now >= child.not_before:
            self._start(child)

    def _stop_all(self) -> None:
        alive = [child for child in self.children if child.process is not None and child.process.poll() is None]
        for child in alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child.process.pid, signal.SIGTERM)  # type: ignore[union-attr]
        end = time.monotonic() + _GRACE
        for child in alive:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.process.wait(max(0.1, end - time.monotonic()))  # type: ignore[union-attr]
        for child in self.children:
            child.kill_group()
