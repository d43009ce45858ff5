"""Long work: asked for in the transaction of a verb, done by a worker, watched on a page."""

import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise

from ordermgmt.activity.models import Job, WorkState

from .nudging import nudge_after_commit
from .recording import origin

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

RUN_JOB = "activity.run_job"
QUEUES = ("default", "pdf", "reports", "import")

Progress = Callable[..., None]
JobFunction = Callable[[Job, Any], dict[str, Any] | None]


class Cancelled(Exception):
    """Raised by `progress()` in a handler whose job somebody cancelled; what it holds open is rolled back."""


class ClaimLost(Exception):
    """Another worker has taken the job over, because this one was silent for too long. Stop at once."""


class Rejected(Exception):
    """A handler's word that trying again is no use; the sentence is shown to whoever asked."""


@dataclass(frozen=True)
class JobHandler:
    """How jobs of one kind are done: in which queue, how often tried, whether the bell rings when they are done."""

    kind: str
    run: JobFunction
    queue: str
    attempts: int
    announce: bool
    label: str | Promise


_handlers: dict[str, JobHandler] = {}


def job_handler(
    kind: str, *, queue: str = "default", attempts: int = 5, announce: bool | None = None, label: str | Promise = ""
) -> Callable[[JobFunction], JobFunction]:
    """Decorates `run(job, progress) -> dict | None` in `<app>/tasks.py` as the handler of `kind`.

    The handler may be killed and run again at any point, so its effects carry a unique key of their own (often
    `job.key`). It calls `progress(done, total, note)` now and then, outside or inside its own transactions; that
    raises `Cancelled` when somebody cancelled. What it returns is kept as `job.result`: `{"file": public id of a
    StoredFile}` and `{"url": "/…"}` become links on the job's page. `Rejected` fails the job without another try.
    """
    if queue not in QUEUES:
        raise ValueError(f"no worker listens to the queue {queue}")

    def wrap(run: JobFunction) -> JobFunction:
        rings = announce if announce is not None else queue in ("reports", "import")
        _handlers[kind] = JobHandler(kind, run, queue, attempts, rings, label or kind)
        return run

    return wrap


def handler_of(kind: str) -> JobHandler | None:
    """The handler of that kind of job; None for a kind that the code no longer has."""
    return _handlers.get(kind)


@transaction.atomic
def enqueue(
    kind: str,
    *,
    key: str | None = None,
    params: dict[str, Any] | None = None,
    actor: "User | None",
    title: str = "",
    announce: bool | None = None,
) -> Job:
    """Asks for a job; a worker starts it after the surrounding transaction was committed.

    With a `key` that is known already the job of that key is returned, started anew if it failed or was cancelled.
    Raises KeyError for a kind without handler.
    """
    handler = _handlers[kind]
    values = {
        "kind": kind,
        "queue": handler.queue,
        "title": (title or str(handler.label))[:200],
        "params": params or {},
        "announce": handler.announce if announce is None else announce,
        "request_id": origin.get().request_id,
        "requested_by": actor,
    }
    if key is None:
        job, made = Job.objects.create(**values), True
    else:
        job, made = Job.objects.get_or_create(key=key, defaults=values)
    if made:
        nudge_after_commit(RUN_JOB, job.pk, queue=job.queue)
    elif job.state in (WorkState.FAILED, WorkState.CANCELLED):
        _start_again(job)
    return job


def _start_again(job: Job) -> None:
    now = timezone.now()
    fresh = {
        "state": WorkState.QUEUED, "attempts": 0, "due_at": now, "nudged_at": now, "claim": None, "claimed_until": None,
        "error": "", "note": "", "progress": 0, "total": 0, "cancel_asked": False, "finished_at": None,
    }  # fmt: skip
    ended = [WorkState.FAILED, WorkState.CANCELLED]
    if Job.objects.filter(pk=job.pk, state__in=ended).update(**fresh):
        nudge_after_commit(RUN_JOB, job.pk, queue=job.queue)
    job.refresh_from_db()


def _check_owner(job: Job, actor: "User") -> None:
    if job.requested_by_id != actor.pk and not actor.has_perm("activity.view_operations"):
        raise PermissionDenied


@transaction.atomic
def cancel_job(job: Job, *, actor: "User") -> Job:
    """Takes a waiting job back at once; a running one stops at its next sign of progress. A finished one stays.

    Raises PermissionDenied for a job of somebody else.
    """
    _check_owner(job, actor)
    Job.objects.filter(pk=job.pk, state=WorkState.QUEUED).update(
        state=WorkState.CANCELLED, cancel_asked=True, finished_at=timezone.now()
    )
    Job.objects.filter(pk=job.pk, state=WorkState.RUNNING).update(cancel_asked=True)
    job.refresh_from_db()
    return job


@transaction.atomic
def retry_job(job: Job, *, actor: "User") -> Job:
    """Starts a failed or cancelled job anew; any other stays as it is. Raises PermissionDenied as `cancel_job`."""
    _check_owner(job, actor)
    _start_again(job)
    return job


def job_progress(job: Job, token: uuid.UUID, stop: threading.Event) -> Progress:
    """The `progress` that a handler is given: it writes, keeps the claim, and tells of a cancel or a lost claim."""

    def progress(done: int, total: int = 0, note: str = "") -> None:
        job.progress, job.total, job.note = done, total, note[:200]
        held = Job.objects.held(job.pk, token)
        if stop.is_set() or not held.update(progress=done, total=total, note=job.note):
            raise ClaimLost
        if Job.objects.filter(pk=job.pk, cancel_asked=True).exists():
            raise Cancelled

    return progress
