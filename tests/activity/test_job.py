"""Jobs: asked for once, done once, watched, cancelled, tried again."""

import datetime as dt

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from ordermgmt.activity.models import Event, Job, Notification, WorkState
from ordermgmt.activity.services import (
    Cancelled,
    Rejected,
    cancel_job,
    enqueue,
    job_handler,
    retry_job,
    run_job,
    work_off,
)

RUNS: list[str] = []
HOW = {"now": "well"}


@job_handler("tests.report", queue="reports", attempts=3, label="A report")
def report(job, progress):
    RUNS.append(str(job.public_id))
    progress(1, 4, "first quarter")
    if HOW["now"] == "cancelled":
        Job.objects.filter(pk=job.pk).update(cancel_asked=True)
        progress(2, 4)
    if HOW["now"] == "broken":
        raise OSError("no space left")
    if HOW["now"] == "rejected":
        raise Rejected("The period ends before it begins.")
    if HOW["now"] == "lost":
        Job.objects.filter(pk=job.pk).update(claim=None)
        progress(2, 4)
    return {"url": "/orders/", "rows": 4}


@pytest.fixture(autouse=True)
def _well():
    HOW["now"] = "well"
    RUNS.clear()


@pytest.fixture
def job(sales):
    return enqueue("tests.report", key="report:1", params={"year": 2026}, actor=sales)


def test_works(job, sales, client_of):
    assert (job.state, job.queue, job.title) == (WorkState.QUEUED, "reports", "A report")
    run_job(job.pk)
    job.refresh_from_db()
    assert (job.state, job.result, job.percent) == (WorkState.DONE, {"url": "/orders/", "rows": 4}, 100)
    page = client_of(sales).get(job.get_absolute_url()).content.decode()
    assert 'href="/orders/"' in page
    assert "hx-trigger" not in page  # an ended job is not asked for again
    work_off()
    assert Notification.objects.get().user == sales


def test_waiting_job_is_asked_for_again(job, sales, client_of):
    page = client_of(sales).get(job.get_absolute_url(), headers={"HX-Request": "true"}).content.decode()
    assert "hx-trigger" in page
    assert "<html" not in page


def test_json(job, sales, client_of):
    run_job(job.pk)
    answer = client_of(sales).get(f"{job.get_absolute_url()}json/").json()
    assert (answer["state"], answer["percent"], answer["result"]["rows"]) == ("done", 100, 4)


def test_p33_second_run_with_the_same_key_does_nothing(job, sales):
    assert enqueue("tests.report", key="report:1", actor=sales).pk == job.pk
    for _again in range(3):
        run_job(job.pk)
    assert enqueue("tests.report", key="report:1", actor=sales).state == WorkState.DONE
    run_job(job.pk)
    assert len(RUNS) == 1


def test_somebody_elses_job_is_not_found(job, sales2, admin, client_of):
    for path in ("", "json/"):
        assert client_of(sales2).get(f"{job.get_absolute_url()}{path}").status_code == 404
    for verb in ("cancel", "retry"):
        assert client_of(sales2).post(f"{job.get_absolute_url()}{verb}/").status_code == 404
    with pytest.raises(PermissionDenied):
        cancel_job(job, actor=sales2)
    assert client_of(admin).get(job.get_absolute_url()).status_code == 200
    assert job.title not in client_of(sales2).get("/activity/jobs/").content.decode()


@pytest.mark.parametrize("verb", ["cancel", "retry"])
def test_get_is_refused(job, sales, client_of, verb):
    assert client_of(sales).get(f"{job.get_absolute_url()}{verb}/").status_code == 405


def test_waiting_job_is_cancelled_at_once_and_twice_is_once(job, sales, client_of):
    for _again in range(2):
        assert client_of(sales).post(f"{job.get_absolute_url()}cancel/").status_code == 302
    run_job(job.pk)
    job.refresh_from_db()
    assert (job.state, RUNS) == (WorkState.CANCELLED, [])


def test_running_job_stops_at_its_next_sign_of_progress(job):
    HOW["now"] = "cancelled"
    run_job(job.pk)
    job.refresh_from_db()
    assert (job.state, job.result) == (WorkState.CANCELLED, None)


def test_finished_job_stays(job, sales, client_of):
    run_job(job.pk)
    client_of(sales).post(f"{job.get_absolute_url()}cancel/")
    client_of(sales).post(f"{job.get_absolute_url()}retry/")
    job.refresh_from_db()
    assert job.state == WorkState.DONE


def test_failure_is_tried_again_then_told_with_its_reason(job, sales, client_of):
    HOW["now"] = "broken"
    for _attempt in range(3):
        job.refresh_from_db()
        with time_machine.travel(job.due_at + dt.timedelta(seconds=1), tick=True):
            run_job(job.pk)
    job.refresh_from_db()
    assert (job.state, job.error, len(RUNS)) == (WorkState.FAILED, "OSError: no space left", 3)
    assert Event.objects.filter(type="activity.job_failed", subject_id=job.pk).count() == 1
    with time_machine.travel(timezone.now() + dt.timedelta(days=1), tick=True):
        work_off()
    assert Notification.objects.get().user == sales
    HOW["now"] = "well"
    client_of(sales).post(f"{job.get_absolute_url()}retry/")
    run_job(job.pk)
    job.refresh_from_db()
    assert (job.state, job.error) == (WorkState.DONE, "")


def test_rejected_is_not_tried_again(job):
    HOW["now"] = "rejected"
    run_job(job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempts) == (WorkState.FAILED, 1)
    assert job.error == "The period ends before it begins."


def test_taken_over_by_another_worker(job):
    HOW["now"] = "lost"
    run_job(job.pk)
    job.refresh_from_db()
    assert job.state == WorkState.RUNNING  # the other worker's business now


def test_worker_that_died_each_time(job):
    for _attempt in range(3):
        assert Job.objects.claim(job.pk, seconds=-1)
    run_job(job.pk)
    job.refresh_from_db()
    assert (job.state, RUNS) == (WorkState.FAILED, [])
    assert "died" in job.error


def test_killed_worker_is_noticed_after_its_claim_ran_out(job):
    Job.objects.claim(job.pk, seconds=60)
    run_job(job.pk)
    assert RUNS == []
    with time_machine.travel(timezone.now() + dt.timedelta(seconds=61), tick=True):
        run_job(job.pk)
    assert len(RUNS) == 1


def test_failed_job_is_started_anew_by_asking_again(job, sales):
    HOW["now"] = "rejected"
    run_job(job.pk)
    HOW["now"] = "well"
    again = enqueue("tests.report", key="report:1", actor=sales)
    assert (again.pk, again.state) == (job.pk, WorkState.QUEUED)


def test_kind_without_handler(job, sales):
    with pytest.raises(KeyError):
        enqueue("tests.unheard_of", actor=sales)
    Job.objects.filter(pk=job.pk).update(kind="tests.gone")
    run_job(job.pk)
    job.refresh_from_db()
    assert job.state == WorkState.FAILED


def test_queue_without_worker():
    with pytest.raises(ValueError, match="queue"):
        job_handler("tests.x", queue="nowhere")


def test_link_leads_nowhere_else(job):
    job.result = {"url": "//evil.example/"}
    assert job.link == ""


def test_retry_by_its_owner_only(job, sales2):
    with pytest.raises(PermissionDenied):
        retry_job(job, actor=sales2)


def test_cancelled_is_an_exception_of_its_own():
    assert not issubclass(Cancelled, Rejected)
