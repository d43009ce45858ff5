"""People who ask the same at the same moment share the work; whoever takes over from the dead makes one result."""

import datetime as dt
import time
from threading import Barrier, Event, Thread
from typing import Any

import pytest
from django.db import connection, connections
from django.utils import timezone

from customers.services import create_customer
from ordermgmt.accounts.models import User
from ordermgmt.activity.models import Job
from ordermgmt.activity.services import cancel_job, working
from ordermgmt.activity.services.working import run_job
from reports.models import ReportRun
from reports.services import asking, fill_run, start_export, start_report
from reports.tasks import export_report
from tests.factories.orders import person
from tests.reports.test_run_report import order

pytestmark = pytest.mark.django_db


@pytest.fixture
def made(monkeypatch: Any) -> list[str]:
    """Who computed, in order; computing takes a moment and shows its progress."""
    seen: list[str] = []
    compute = asking.compute_report

    def slow(key: str, raw: Any, *, user: Any, progress: Any) -> Any:
        seen.append(user.email)
        for step in range(6):
            progress(step, 6, "slow")
            time.sleep(0.1)
        return compute(key, raw, user=user, progress=progress)

    monkeypatch.setattr(asking, "compute_report", slow)
    monkeypatch.setattr(asking, "_LOOK_EVERY", 0.05)
    return seen


def both(runs: list[ReportRun], between: Any = None) -> None:
    """Two workers take the two jobs at the same moment."""
    barrier = Barrier(len(runs))

    def work(run: ReportRun) -> None:
        try:
            barrier.wait()
            run_job(Job.objects.get(key=run.job_key).pk)
        finally:
            connections.close_all()

    threads = [Thread(target=work, args=(run,)) for run in runs]
    for thread in threads:
        thread.start()
    if between:
        between()
    for thread in threads:
        thread.join()


def asked(*keys: str) -> list[ReportRun]:
    return [start_report("sales", {"currency": "EUR"}, actor=person(key))[0] for key in keys]


def book() -> None:
    order(person("sales"), create_customer(actor=person("sales"), name="Nord"), "100", dt.date(2025, 1, 5))


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
class TestAtTheSameMoment:
    def test_the_work_is_done_once(self, made: list[str], monkeypatch: Any) -> None:
        book()
        runs = asked("finance", "finance2")
        both(runs)
        first, second = (ReportRun.objects.get(pk=run.pk) for run in runs)
        assert len(made) == 1
        assert first.result == second.result is not None
        assert first.finished_at == second.finished_at
        assert set(Job.objects.filter(kind="reports.run").values_list("state", flat=True)) == {"done"}
        assert not ReportRun.objects.exclude(making=None).exists()
        # Without the claim both compute: that is what it is for.
        monkeypatch.setattr(asking, "_claim", lambda run, question: True)
        ReportRun.objects.update(finished_at=timezone.now() - dt.timedelta(hours=1))
        both([start_report("orders", {}, actor=person(key))[0] for key in ("finance", "finance2")])
        assert len(made) == 3

    def test_people_who_see_different_things_do_not_share(self, made: list[str]) -> None:
        book()
        runs = asked("finance", "sales")
        both(runs)
        assert sorted(made) == sorted(person(key).email for key in ("finance", "sales"))

    def test_who_waits_takes_over_from_a_cancelled_one(self, made: list[str]) -> None:
        book()
        runs = asked("finance", "finance2")

        def cancel() -> None:
            while not made:
                time.sleep(0.01)
            worker = next(run for run in runs if run.requested_by.email == made[0])
            cancel_job(Job.objects.get(key=worker.job_key), actor=worker.requested_by)

        both(runs, cancel)
        states = sorted(Job.objects.filter(kind="reports.run").values_list("state", flat=True))
        assert states == ["cancelled", "done"]
        assert len(made) == 2
        assert ReportRun.objects.exclude(result=None).count() == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_cancel_stops_a_query_that_gives_no_sign(monkeypatch: Any) -> None:
    started = Event()

    def endless(key: str, raw: Any, *, user: Any, progress: Any) -> Any:
        progress(0, 1, "one query")
        started.set()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(60)")

    monkeypatch.setattr(asking, "compute_report", endless)
    monkeypatch.setattr(working, "_LOOK_FOR_CANCEL", 0.5)
    (run,) = asked("finance")
    job = Job.objects.get(key=run.job_key)

    def work() -> None:
        run_job(job.pk, keep_alive=True)
        connections.close_all()

    thread, begun = Thread(target=work), time.monotonic()
    thread.start()
    assert started.wait(10)
    cancel_job(job, actor=person("finance"))
    thread.join(30)
    assert time.monotonic() - begun < 30
    job.refresh_from_db()
    assert job.state == "cancelled"
    assert ReportRun.objects.get(pk=run.pk).making is None


def test_the_work_of_a_killed_worker_is_taken_over(made: list[str], finance: Any) -> None:
    book()
    dead, mine = asked("finance", "finance2")
    question = asking.digest_of(
        dead.key,
        dead.params,
        dead.language,
        asking.rights_used(asking.report_by_key("sales"), finance),
    )
    now = timezone.now()
    ReportRun.objects.filter(pk=dead.pk).update(making=question)
    Job.objects.filter(key=dead.job_key).update(state="running", claimed_until=now - dt.timedelta(seconds=1))
    assert fill_run(mine).result is not None
    assert made == [mine.requested_by.email]
    dead = ReportRun.objects.get(pk=dead.pk)
    assert dead.making is None
    assert fill_run(dead).result == mine.result  # run again, it finds what is there
    assert len(made) == 1


def test_a_job_that_was_killed_goes_on_with_its_own_work(made: list[str], finance: Any) -> None:
    book()
    (run,) = asked("finance")
    question = asking.digest_of(
        run.key,
        run.params,
        run.language,
        asking.rights_used(asking.report_by_key("sales"), finance),
    )
    ReportRun.objects.filter(pk=run.pk).update(making=question)
    assert fill_run(ReportRun.objects.get(pk=run.pk)).result is not None
    assert fill_run(ReportRun.objects.get(pk=run.pk)).making is None
    assert len(made) == 1


def answers(client: Any, pages: list[str]) -> list[int]:
    """How each page answers; files are read to their end."""
    found = [client.get(page) for page in pages]
    for one in found:
        b"".join(one)
    return [one.status_code for one in found]


def test_a_result_of_others_documents_is_not_read_any_more(finance: Any, sales: Any, client_of: Any) -> None:
    """The permissions are the same ones; whose orders they open is not."""
    book()
    for who, change in (
        (finance, lambda: finance.role_assignments.update(role="sales")),
        (sales, lambda: User.objects.filter(pk=sales.pk).update(team=None)),
    ):
        run = fill_run(start_report("orders", {}, actor=who)[0])
        job = start_export(run, "csv", actor=who)
        Job.objects.filter(pk=job.pk).update(result=export_report(job, lambda *_: None))
        pages = [
            f"/reports/runs/{run.public_id}/",
            f"/reports/runs/{run.public_id}/csv/",
            f"/reports/files/{job.public_id}/",
        ]
        assert answers(client_of(who), pages) == [200, 200, 200]
        change()
        assert answers(client_of(User.objects.get(pk=who.pk)), pages) == [403, 403, 403]
