"""Asking for a report, and making its answer once: people who ask the same and may see the same share the work."""

import datetime as dt
import hashlib
import json
import time
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.core.serializers.json import DjangoJSONEncoder
from django.db import IntegrityError, transaction
from django.utils import timezone, translation

from ordermgmt.activity.models import Job, WorkState
from ordermgmt.activity.services import record
from ordermgmt.activity.services.jobs import ClaimLost, enqueue
from reports import events
from reports.models import ReportRun

from .definitions import report_by_key
from .rights import rights_used
from .running import Progress, compute_report, quiet

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

#: For so long a result is given to somebody else who asks for the same and may see the same.
SHARED_FOR = dt.timedelta(minutes=1)
#: How often a job looks whether another one has finished the same work.
_LOOK_EVERY = 0.5


def digest_of(*parts: Any) -> str:
    """A short unique text for plain values."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, cls=DjangoJSONEncoder).encode()).hexdigest()


@transaction.atomic
def start_report(key: str, raw: dict[str, Any], *, actor: "User") -> tuple[ReportRun, Job]:
    """Asks the worker for a report; its page shows progress and then the kept result.

    Asked for the same again while it is being made, the run under way is returned. Raises KeyError for an unknown
    report and PermissionDenied without the right.
    """
    report = report_by_key(key)
    if not report.may_run(actor):
        raise PermissionDenied
    language = translation.get_language() or "en"
    same = {"key": key, "params": raw, "language": language}
    since = timezone.now() - SHARED_FOR
    mine = ReportRun.objects.filter(requested_by=actor, result__isnull=True, requested_at__gte=since, **same)
    run = mine.first()
    if run is None:
        run = ReportRun.objects.create(requested_by=actor, **same)
        record(events.REPORT_RUN, run, actor=actor, title=key)
    job = enqueue("reports.run", key=run.job_key, params={"run": run.pk}, actor=actor)
    return run, job


def _made_already(run: ReportRun) -> ReportRun | None:
    """A result just made of the same question, with the rights that the asker has now."""
    since = run.requested_at - SHARED_FOR
    same = ReportRun.objects.filter(key=run.key, params=run.params, language=run.language, finished_at__gte=since)
    rights = rights_used(report_by_key(run.key), run.requested_by)
    others = same.exclude(result=None).exclude(pk=run.pk).order_by("-finished_at")[:20]
    return next((one for one in others if (one.result or {}).get("rights") == rights), None)


def _claim(run: ReportRun, question: str) -> bool:
    """Takes the work on a question, by its unique key: of all that try one gets it, again after a kill."""
    if ReportRun.objects.filter(pk=run.pk, making=question).exists():
        return True  # this very job was killed, and is run again
    try:
        with transaction.atomic():
            return bool(ReportRun.objects.filter(pk=run.pk, result__isnull=True).update(making=question))
    except IntegrityError:
        return False


def _take_from_the_dead(question: str) -> None:
    """Frees a question whose worker is gone: its job holds no claim any more."""
    holder = ReportRun.objects.filter(making=question).first()
    if holder is not None:
        alive = Job.objects.filter(key=holder.job_key, state=WorkState.RUNNING, claimed_until__gt=timezone.now())
        if not alive.exists():
            ReportRun.objects.filter(pk=holder.pk, making=question).update(making=None)


def _keep(run: ReportRun, result: dict[str, Any], made_at: dt.datetime) -> ReportRun:
    ReportRun.objects.filter(pk=run.pk, result__isnull=True).update(result=result, finished_at=made_at, making=None)
    run.refresh_from_db()
    return run


def fill_run(run: ReportRun, *, progress: Progress = quiet) -> ReportRun:
    """Makes a run's result once and keeps it; a second call changes nothing.

    Where somebody who sees the same is having the same made, it waits for that result; where that work is cancelled
    or its worker dies, it takes over. Rights count as they are now. Raises PermissionDenied where the person lost the
    right or is no longer active.
    """
    person, report = run.requested_by, report_by_key(run.key)
    if run.finished_at is not None:
        return run
    if not person.is_active or not report.may_run(person):
        raise PermissionDenied
    question = digest_of(run.key, run.params, run.language, rights_used(report, person))
    while True:
        if (shared := _made_already(run)) is not None and shared.result and shared.finished_at:
            return _keep(run, shared.result, shared.finished_at)
        if _claim(run, question):
            return _make(run, question, progress)
        if (fresh := ReportRun.objects.get(pk=run.pk)).finished_at is not None:
            return fresh
        _take_from_the_dead(question)
        _wait(question, progress)


def _wait(question: str, progress: Progress) -> None:
    """A moment, with the progress of the other job; cancelling this one does not stop that."""
    holder = ReportRun.objects.filter(making=question).first()
    other = Job.objects.filter(key=holder.job_key).first() if holder else None
    progress(*((other.progress, other.total, other.note) if other else (0, 0, "")))
    if other:
        time.sleep(_LOOK_EVERY)


def _make(run: ReportRun, question: str, progress: Progress) -> ReportRun:
    made_at = timezone.now()
    try:
        if (shared := _made_already(run)) is not None and shared.result and shared.finished_at:
            return _keep(run, shared.result, shared.finished_at)  # it came between looking and claiming
        with translation.override(run.language):
            result = compute_report(run.key, run.params, user=run.requested_by, progress=progress)
    except ClaimLost:
        raise  # another worker does this very job now
    except BaseException:
        ReportRun.objects.filter(pk=run.pk, making=question).update(making=None)
        raise
    return _keep(run, result, made_at)
