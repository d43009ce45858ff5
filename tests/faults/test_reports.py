"""Reports in real worker processes: progress that moves, cancel that stops, a kill that leaves one result, shared work."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection

from ordermgmt.activity.models import Job
from ordermgmt.activity.services import cancel_job
from ordermgmt.activity.services.jobs import retry_job
from reports.models import ReportRun
from reports.services import definitions, start_report
from tests.factories.orders import person

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True), pytest.mark.timeout(900)]
ROOT = Path(__file__).resolve().parents[2]
STEPS = 18


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """`workers()` starts a worker of two processes on the database of the test."""
    from tests.faults.probe import tasks  # noqa: F401  # registers the slow report here too

    started: list[subprocess.Popen[bytes]] = []
    address = urlsplit(os.environ["TEST_DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    surroundings = {
        **{name: value for name, value in os.environ.items() if name != "REDIS_URL"},
        "DATABASE_URL": address, "VAR_DIR": str(tmp_path), "MEDIA_ROOT": str(tmp_path / "media"),
        "CLAIM_SECONDS": "4", "SWEEP_AFTER_SECONDS": "1", "LOG_LEVEL": "ERROR", "PYTHONPATH": str(ROOT),
        "SECRET_KEY": "only-for-tests-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJ",
        "DJANGO_SETTINGS_MODULE": "tests.faults.settings",
    }  # fmt: skip

    def start() -> subprocess.Popen[bytes]:
        command = [
            "celery",
            "-A",
            "ordermgmt",
            "worker",
            "-B",
            "-c",
            "2",
            "-l",
            "ERROR",
            "-Q",
            "upkeep,default,reports",
        ]
        schedule = str(tmp_path / f"schedule{len(started)}")
        worker = subprocess.Popen(
            [sys.executable, "-m", *command, "-s", schedule], cwd=ROOT, env=surroundings, start_new_session=True
        )
        started.append(worker)
        return worker

    yield start
    for one in started:
        kill(one)
    definitions._registry.reports.pop("probe", None)


def kill(worker: subprocess.Popen[bytes]) -> None:
    if worker.poll() is None:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()


def until(reached: Callable[[], Any], seconds: float = 180) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := reached():
            return found
        time.sleep(0.05)
    pytest.fail("it did not come")


def ask(key: str, trace: Path) -> tuple[ReportRun, Callable[[], Job], Callable[[], list[str]]]:
    run, job = start_report("probe", {"trace": str(trace)}, actor=person(key))
    return run, lambda: Job.objects.get(pk=job.pk), lambda: trace.read_text().splitlines() if trace.exists() else []


def test_progress_cancel_retry_kill_and_shared_work(workers: Any, tmp_path: Path) -> None:
    worker = workers()

    run, job, steps = ask("finance", tmp_path / "progress")
    seen: list[int] = []
    until(lambda: seen.append(job().progress) or job().state == "done")
    assert sorted(seen) == seen
    assert len(set(seen)) >= 4  # of six sections
    assert len(steps()) == STEPS
    assert ReportRun.objects.get(pk=run.pk).result["sections"]["part5"]["totals"][0]["count"] == 3000

    run, job, steps = ask("finance", tmp_path / "cancel")
    until(lambda: len(steps()) >= 3)
    cancel_job(job(), actor=person("finance"))
    until(lambda: job().state == "cancelled", 20)
    stopped = len(steps())
    time.sleep(1)
    assert len(steps()) == stopped < STEPS  # nothing goes on behind
    assert ReportRun.objects.get(pk=run.pk).result is None
    retry_job(job(), actor=person("finance"))
    until(lambda: job().state == "done")
    assert ReportRun.objects.get(pk=run.pk).result is not None

    trace = tmp_path / "shared"
    (first, job, steps), (second, other, _same) = ask("finance", trace), ask("finance2", trace)
    until(lambda: job().state == other().state == "done")
    assert len(steps()) == STEPS
    assert len({line.split()[0] for line in steps()}) == 1
    results = [ReportRun.objects.get(pk=one.pk).result for one in (first, second)]
    assert results[0] == results[1] is not None

    run, job, steps = ask("finance", tmp_path / "killed")
    until(lambda: len(steps()) >= 4)
    kill(worker)
    assert ReportRun.objects.get(pk=run.pk).result is None
    workers()
    until(lambda: job().state == "done")
    assert len({line.split()[0] for line in steps()}) == 2  # begun twice
    assert ReportRun.objects.filter(params=run.params).exclude(result=None).count() == 1
    assert not ReportRun.objects.exclude(making=None).exists()
