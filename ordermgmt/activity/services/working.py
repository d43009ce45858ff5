"""What the worker does: jobs and deliveries, each claimed, run, and noted; and the sweep that finds the lost ones."""

import datetime as dt
import logging
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import OperationalError, connection, connections, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from ordermgmt.activity import events
from ordermgmt.activity.models import Delivery, Job, Work, WorkState

from .jobs import RUN_JOB, Cancelled, ClaimLost, JobHandler, Rejected, handler_of, job_progress
from .notifying import MAIL, mail_event, notify
from .nudging import nudge_now
from .recording import DELIVER, NOTIFY, Origin, origin, record
from .subscribing import subscription_named

log = logging.getLogger(__name__)

DELIVERY_ATTEMPTS = 8
_SWEEP_LIMIT = 500
_LOOK_FOR_CANCEL = 2.0


def pause_after(attempts: int) -> dt.timedelta:
    """How long to wait after so many failures: 10 s, 20 s, 40 s … at most 20 minutes."""
    return dt.timedelta(seconds=min(5 * 2**attempts, 1200))


def _end(work: Work, token: uuid.UUID, state: WorkState, **values: object) -> bool:
    """Notes the end of an attempt, if this worker still holds the row."""
    ended = None if state == WorkState.QUEUED else timezone.now()
    held = type(work).objects.held(work.pk, token)
    return bool(held.update(state=state, claim=None, claimed_until=None, finished_at=ended, **values))


def _try_again(work: Work, token: uuid.UUID, error: str) -> None:
    due = timezone.now() + pause_after(work.attempts)
    _end(work, token, WorkState.QUEUED, due_at=due, error=error)


@contextmanager
def _as_task(request_id: str) -> Iterator[None]:
    before = origin.set(Origin(request_id=request_id, source="task"))
    try:
        yield
    finally:
        origin.reset(before)


# --- deliveries ----------------------------------------------------------------------------------------------


def deliver(pk: int) -> None:
    """Carries out one effect of one event, if nobody else holds it. Never raises: failures are noted in the row."""
    token = Delivery.objects.claim(pk, seconds=settings.CLAIM_SECONDS)
    if token is None:
        return
    delivery = Delivery.objects.select_related("event__actor").get(pk=pk)
    try:
        if delivery.attempts > DELIVERY_ATTEMPTS:
            raise RuntimeError("the worker died in each attempt")
        with _as_task(delivery.event.request_id):
            _carry_out(delivery, token)
    except ClaimLost:
        log.warning("delivery %s was taken over by another worker", pk)
    except Exception as error:
        log.exception("delivery %s failed", pk)
        _delivery_failed(delivery, token, _sentence(error))


def _carry_out(delivery: Delivery, token: uuid.UUID) -> None:
    event, effect = delivery.event, delivery.effect
    if effect.startswith(MAIL):
        mail_event(event, int(effect.removeprefix(MAIL)))
        _end(delivery, token, WorkState.DONE)
        return
    subscription = None if effect == NOTIFY else subscription_named(effect)
    if subscription is None and effect != NOTIFY:
        raise LookupError(f"nothing is called {effect} any more")
    if subscription is not None and not subscription.atomic:
        subscription.effect(event)
        _end(delivery, token, WorkState.DONE)
        return
    with transaction.atomic():  # effect and note stand or fall together: whoever lost the claim writes nothing
        (subscription.effect if subscription else notify)(event)
        if not _end(delivery, token, WorkState.DONE, error=""):
            raise ClaimLost


def _delivery_failed(delivery: Delivery, token: uuid.UUID, error: str) -> None:
    if delivery.attempts < DELIVERY_ATTEMPTS:
        _try_again(delivery, token, error)
        return
    with transaction.atomic():
        if _end(delivery, token, WorkState.FAILED, error=error):
            log.error("delivery %s is dead: %s", delivery.pk, error)
            if delivery.event.type != events.DELIVERY_DIED.name:
                record(events.DELIVERY_DIED, delivery, actor=None, effect=delivery.effect, error=error)


@transaction.atomic
def retry_delivery(delivery: Delivery) -> None:
    """Gives a dead delivery all its attempts again."""
    now = timezone.now()
    fresh = {"state": WorkState.QUEUED, "attempts": 0, "due_at": now, "nudged_at": now - dt.timedelta(days=1)}
    Delivery.objects.failed().filter(pk=delivery.pk).update(finished_at=None, **fresh)


# --- jobs ----------------------------------------------------------------------------------------------------


def run_job(pk: int, *, keep_alive: bool = False) -> None:
    """Does one job, if nobody else holds it. Never raises: the end of it is noted in the row.

    `keep_alive` renews the claim from a thread with a database connection of its own, as real workers do.
    """
    token = Job.objects.claim(pk, seconds=settings.CLAIM_SECONDS)
    if token is None:
        return
    job: Job = Job.objects.select_related("requested_by").get(pk=pk)
    handler = handler_of(job.kind)
    if handler is None:
        _job_failed(job, token, _("Nothing in this version does work of the kind “%s”.") % job.kind)
    elif job.cancel_asked:
        _end(job, token, WorkState.CANCELLED)
    elif job.attempts > handler.attempts:
        _job_failed(job, token, job.error or _("The worker died in each attempt."))
    else:
        watched = connection.connection if handler.queue == "reports" else None
        with _as_task(job.request_id), _claim_kept(job, token, keep_alive, watched) as stop:
            _attempt(job, handler, token, stop)


def _attempt(job: Job, handler: JobHandler, token: uuid.UUID, stop: threading.Event) -> None:
    try:
        result = handler.run(job, job_progress(job, token, stop))
    except Cancelled:
        _end(job, token, WorkState.CANCELLED)
    except ClaimLost:
        log.warning("job %s was taken over by another worker", job.public_id)
    except Rejected as error:
        _job_failed(job, token, str(error))
    except Exception as error:  # noqa: BLE001  # noted in the row, and logged
        _attempt_failed(job, handler, token, error)
    else:
        with transaction.atomic():
            if _end(job, token, WorkState.DONE, result=result, error="") and job.announce:
                record(events.JOB_DONE, job, actor=None, title=job.title)


def _attempt_failed(job: Job, handler: JobHandler, token: uuid.UUID, error: Exception) -> None:
    if isinstance(error, OperationalError) and Job.objects.filter(pk=job.pk, cancel_asked=True).exists():
        _end(job, token, WorkState.CANCELLED)  # its query was stopped, see _claim_kept
        return
    log.error("job %s failed", job.public_id, exc_info=error)
    if job.attempts < handler.attempts:
        _try_again(job, token, _sentence(error))
    else:
        _job_failed(job, token, _sentence(error))


def _job_failed(job: Job, token: uuid.UUID, error: str) -> None:
    with transaction.atomic():
        if _end(job, token, WorkState.FAILED, error=error):
            log.error("job %s (%s) failed for good: %s", job.public_id, job.kind, error)
            record(events.JOB_FAILED, job, actor=None, title=job.title, error=error)


@contextmanager
def _claim_kept(job: Job, token: uuid.UUID, keep_alive: bool, watched: Any = None) -> Iterator[threading.Event]:
    """Renews the claim while the handler works, so that a long silence is not taken for a death.

    A `watched` connection (of work that only reads until its end) has its query stopped when somebody cancels the job:
    one long query gives no sign of progress.
    """
    ended, lost = threading.Event(), threading.Event()
    pause = settings.CLAIM_SECONDS / 4
    pause = min(pause, _LOOK_FOR_CANCEL) if hasattr(watched, "cancel") else pause

    def renew() -> None:
        while not ended.wait(pause):
            until = timezone.now() + dt.timedelta(seconds=settings.CLAIM_SECONDS)
            try:
                if not Job.objects.held(job.pk, token).update(claimed_until=until):
                    lost.set()
                    break
                if hasattr(watched, "cancel") and Job.objects.filter(pk=job.pk, cancel_asked=True).exists():
                    watched.cancel()
            except Exception:
                log.exception("the claim on job %s could not be renewed", job.public_id)
            finally:
                connections.close_all()

    thread = threading.Thread(target=renew, name="claim", daemon=True)
    if keep_alive:
        thread.start()
    try:
        yield lost
    finally:
        ended.set()
        if keep_alive:
            thread.join()


def _sentence(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:1000]


# --- what was lost -------------------------------------------------------------------------------------------


def sweep() -> int:
    """Tells workers of all work of which they were not told lately: lost messages, dead workers, retries that are due.

    Gives the number of rows. Raises what the broker raises; the next sweep goes on from there.
    """
    jobs = Job.objects.forgotten(seconds=settings.SWEEP_AFTER_SECONDS).order_by("nudged_at")
    lost = [(Job, RUN_JOB, pk, queue) for pk, queue in jobs.values_list("pk", "queue")[:_SWEEP_LIMIT]]
    deliveries = Delivery.objects.forgotten(seconds=settings.SWEEP_AFTER_SECONDS).order_by("nudged_at")
    found = [
        *lost,
        *((Delivery, DELIVER, pk, "default") for pk in deliveries.values_list("pk", flat=True)[:_SWEEP_LIMIT]),
    ]
    for model, task, pk, queue in found:
        nudge_now(task, pk, queue=queue)
        model.objects.filter(pk=pk).update(nudged_at=timezone.now())
    return len(found)


def work_off(*, limit: int = 10_000) -> int:
    """Does everything that is due in this very process, until nothing is left; for commands and tests."""
    done = 0
    while done < limit:
        now = timezone.now()
        due = (
            Delivery.objects.filter(state=WorkState.QUEUED, due_at__lte=now).order_by("id").values_list("pk", flat=True)
        )
        jobs = Job.objects.filter(state=WorkState.QUEUED, due_at__lte=now).order_by("id").values_list("pk", flat=True)
        batch = [(deliver, pk) for pk in due[:200]] + [(run_job, pk) for pk in jobs[:50]]
        if not batch:
            break
        for work, pk in batch:
            work(pk)
        done += len(batch)
    return done
