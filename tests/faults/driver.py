"""Asks for jobs or issues invoices, kills and stops what carries them, waits, and prints what became of them as JSON.

`python -m tests.faults.driver kill9|down|hung|invoices`: run by test_workers.py with an environment of its own.
"""

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.faults.settings"
django.setup()

from django.conf import settings  # noqa: E402
from django.core.files.storage import default_storage  # noqa: E402
from django.core.management import CommandError, call_command  # noqa: E402
from django.db import transaction  # noqa: E402

from ordermgmt.activity.models import Job  # noqa: E402
from ordermgmt.activity.services import enqueue  # noqa: E402
from ordermgmt.documents.models import NumberSeries  # noqa: E402

JOBS = 100


def worker() -> subprocess.Popen[bytes]:
    """A worker with two processes and its own schedule, leader of a group."""
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
        ",".join(settings.WORK_QUEUES),
    ]
    schedule = os.path.join(os.environ["VAR_DIR"], "schedule")
    return subprocess.Popen([sys.executable, "-m", *command, "-s", schedule], start_new_session=True)


def kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def ask(first: int, number: int) -> float:
    """Asks for jobs, each in a transaction like that of a page; gives the slowest, in seconds."""
    slowest = 0.0
    for place in range(first, first + number):
        started = time.monotonic()
        with transaction.atomic():
            enqueue("probe.count", key=f"probe-{place}", actor=None)
        slowest = max(slowest, time.monotonic() - started)
    return slowest


def probes_done() -> int:
    return Job.objects.filter(kind="probe.count", state="done").count()


def wait(seconds: float, reached: Callable[[], bool]) -> None:
    end = time.monotonic() + seconds
    while not reached() and time.monotonic() < end:
        time.sleep(0.3)


def wait_while_it_goes_on(count: Callable[[], int], wanted: int) -> None:
    """Waits until all is there, or nothing was added for a minute: a loaded machine is slow, not wrong."""
    last, since = -1, time.monotonic()
    while (now := count()) < wanted and time.monotonic() - since < 60:
        if now > last:
            last, since = now, time.monotonic()
        time.sleep(0.5)


def issue(number: int) -> float:
    """Issues invoices of one line each, through the verb that the page calls; gives the slowest, in seconds.

    They are written by hand: the news of a hundred orders' lives would keep the worker busy for longer than the PDFs.
    """
    from billing.services import draft_by_hand, issue_invoice
    from tests.factories.orders import customer_a, person

    slowest, customer, clerk = 0.0, customer_a(), person("finance2")
    line = {
        "description": "Consulting",
        "quantity": 1,
        "unit": "h",
        "unit_price": 100,
        "tax_category": "S",
        "tax_rate": 19,
    }
    drafts = [draft_by_hand(customer, [line], actor=clerk) for _place in range(number)]
    for draft in drafts:
        started = time.monotonic()
        issue_invoice(draft, actor=clerk)
        slowest = max(slowest, time.monotonic() - started)
    return slowest


def invoices(result: dict[str, object]) -> None:
    """A hundred invoices are issued, and the worker that makes their PDFs is killed with -9 again and again."""
    from billing.models import Invoice
    from tests.conftest import seed

    seed()
    result["slowest"] = issue(JOBS)
    made = Invoice.objects.filter(pdf__isnull=False)
    kills, running = 0, worker()
    try:
        for wanted in (10, 25, 40):
            end = time.monotonic() + 90
            while made.count() < wanted and time.monotonic() < end:
                time.sleep(0.1)
            kill(running)
            kills += 1
            running = worker()
        wait_while_it_goes_on(made.count, JOBS)
    finally:
        kill(running)
    stored = [invoice.pdf for invoice in made.select_related("pdf")]
    numbers = Invoice.objects.exclude(number=None).order_by("issued_at", "pk").values_list("number", flat=True)
    result |= {
        "kills": kills,
        "done": len(stored),
        "effects": len({file.pk for file in stored if file}),
        "keys": len(set(numbers)),
        "whole": sum(1 for file in stored if file and file_is_whole(file)),
    }


def issue_by_page(drafts: list[Any]) -> float:
    """Presses “issue” on each, as finance does at a browser; gives the slowest answer, in seconds."""
    from django.test import Client

    from tests.factories.orders import person

    settings.ALLOWED_HOSTS = ["*"]
    client = Client()
    client.force_login(person("finance"), backend=settings.AUTHENTICATION_BACKENDS[-1])
    client.get("/billing/")  # the first page of a process compiles what all later ones use
    slowest = 0.0
    for draft in drafts:
        started = time.monotonic()
        answer = client.post(f"{draft.get_absolute_url()}do/issue/", {"version": draft.version})
        slowest = max(slowest, time.monotonic() - started)
        if answer.status_code != 302:
            raise RuntimeError(answer.content.decode()[:500])
    return slowest


def file_is_whole(file: Any) -> bool:
    """Whether what lies in the media folder is what the row says, to the bit."""
    with default_storage.open(file.path) as stored:
        content = stored.read()
    return content.startswith(b"%PDF") and hashlib.sha256(content).hexdigest() == file.sha256


def jobs(fault: str, result: dict[str, object]) -> None:
    """A hundred small jobs; the worker is killed or the broker fails in the middle."""
    from billing.models import Invoice
    from tests.conftest import seed
    from tests.factories import billing, orders

    broker = int(os.environ.get("BROKER_PID", "0"))
    seed()
    drafts = [] if fault == "kill9" else [billing.drafted(orders.accepted(billing.free_line())) for _place in range(3)]
    made = Invoice.objects.filter(pdf__isnull=False)
    running = worker()
    try:
        if fault == "kill9":
            result["slowest"] = ask(0, JOBS)
            wait(60, lambda: probes_done() >= 15)
            kill(running)
            result["done_when_killed"] = probes_done()
            running = worker()
        else:
            ask(0, JOBS // 2)
            wait(60, lambda: probes_done() >= 5)
            os.kill(broker, signal.SIGSTOP if fault == "hung" else signal.SIGKILL)
            result["slowest"] = ask(JOBS // 2, JOBS // 2)
            result["slowest_page"] = issue_by_page(drafts)
            time.sleep(6)
            result["done_without_broker"] = probes_done()
            if fault == "hung":
                os.kill(broker, signal.SIGCONT)
            else:
                server = (
                    os.environ["REDIS_SERVER"],
                    "--port",
                    os.environ["REDIS_PORT"],
                    "--bind",
                    "127.0.0.1",
                    "--save",
                    "",
                )
                started = subprocess.Popen(server, stdout=subprocess.DEVNULL, cwd=os.environ["VAR_DIR"])
                result["broker"] = started.pid
        wait(150, lambda: probes_done() == JOBS and made.count() == len(drafts))
    finally:
        kill(running)
        if "broker" in result:
            os.kill(int(str(result.pop("broker"))), signal.SIGKILL)
    result["done"] = probes_done()
    result["pdfs"] = made.count()
    result["effects"] = NumberSeries.objects.get(key="probe").last
    result["keys"] = NumberSeries.objects.filter(key__startswith="probe-").count()


def main(fault: str) -> None:
    result: dict[str, object] = {}
    invoices(result) if fault == "invoices" else jobs(fault, result)
    try:
        call_command(
            "check_invariants", *(["A2", "M", "N", "Q"] if fault == "invoices" else ["A2", "Q"]), stdout=sys.stderr
        )
        result["invariants"] = "kept"
    except CommandError as error:
        result["invariants"] = str(error)
    sys.stdout.write(json.dumps(result) + "\n")


main(sys.argv[1])
