# ruff: noqa: E402  (Django must be set up before the models are imported)
"""Issuing through the pages by many people at once, what a PDF costs, and a document of 10,000 lines.

    DATABASE_URL=postgres://… make bench ARGS="billing issue|pdf|huge [number]"

The database must be one of its own: it is filled with a made-up company.
"""

import contextlib
import os
import resource
import statistics
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ordermgmt.settings")

import django

django.setup()

import logging

from django.conf import settings
from django.core.management import call_command
from django.test import Client

from billing import services
from billing.models import Invoice
from billing.pdf import invoice_pdf

logging.disable(logging.CRITICAL)
USERS = 8


def prepare() -> None:
    """The tables, and the company of the tests in them."""
    from ordermgmt.accounts.models import User
    from tests.conftest import seed

    call_command("migrate", verbosity=0)
    if not User.objects.filter(email="finance@example.com").exists():
        seed()


def draft(lines: int, language: str = "en", **header: object) -> Invoice:
    """A draft over an order with so many lines."""
    from tests.factories import billing, orders

    rows = [
        billing.free_line(place % 7 + 1, "33.33", description=f"Welded frame {place} 焊接机架")
        for place in range(lines)
    ]
    order = orders.started(*rows, language=language)
    return services.draft_invoice(order, actor=orders.person("finance2"), **header)


def press(references: str) -> None:
    """One person who presses the button of each draft; prints status and seconds of each answer."""
    from tests.factories.orders import person

    client = Client(headers={"host": "localhost"})
    client.force_login(person("finance2"), backend=settings.AUTHENTICATION_BACKENDS[-1])
    for reference in references.split(","):
        started = time.perf_counter()
        answer = client.post(f"/billing/invoices/{reference}/do/issue/", {"version": 1})
        print(answer.status_code, time.perf_counter() - started)


def issue(number: int) -> None:
    """How many documents a minute eight people issue, and that no number is missing."""
    drafts = [draft(3).reference for _ in range(number)]
    command = [sys.executable, __file__, "press"]
    started = time.perf_counter()
    people = [
        subprocess.Popen([*command, ",".join(drafts[place::USERS])], stdout=subprocess.PIPE, text=True)  # noqa: S603
        for place in range(USERS)
    ]
    answers = [line.split() for one in people for line in one.communicate()[0].splitlines()]
    seconds = time.perf_counter() - started
    found = [(int(status), float(took)) for status, took in answers]
    times = sorted(one for _status, one in found)
    bad = [status for status, _seconds in found if status != 302]
    gaps = [gap for *_series, missing in services.number_gaps() for gap in missing]
    print(f"{number} issued by {USERS} people in {seconds:.1f} s: {number / seconds * 60:.0f} a minute")
    print(f"median {statistics.median(times) * 1000:.0f} ms, 95th {times[int(len(times) * 0.95) - 1] * 1000:.0f} ms")
    print(f"refused {len(bad)}, missing numbers {len(gaps)}")


def pdf(rounds: int) -> None:
    """What a PDF costs: the first of a process, then warm, short and long, in English and Chinese."""
    for label, lines, language in (
        ("cold, 10 lines", 10, "en"), ("10 lines", 10, "en"), ("10 lines, Chinese", 10, "zh-hans"),
        ("1,000 lines", 1000, "en"), ("1,000 lines, Chinese", 1000, "zh-hans"),
    ):  # fmt: skip
        from tests.factories.orders import person

        one = services.issue_invoice(draft(lines, language), actor=person("finance2"))
        one = Invoice.objects.select_related("seller", "customer", "order").get(pk=one.pk)
        times, size = [], 0
        for _ in range(1 if lines > 100 or label.startswith("cold") else rounds):
            started = time.perf_counter()
            size = len(invoice_pdf(one))
            times.append((time.perf_counter() - started) * 1000)
        print(f"{label:24} {statistics.median(times):8.0f} ms {size / 1000:8.0f} kB")


def huge(lines: int) -> None:
    """A document of very many lines: drafted, issued and printed; time and memory of each step."""
    from tests.factories.orders import person

    steps = []

    @contextlib.contextmanager
    def step(name: str):
        started = time.perf_counter()
        yield
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        steps.append((name, time.perf_counter() - started, peak))
        print(f"{name:10} {steps[-1][1]:7.1f} s, peak {peak:6.0f} MiB", flush=True)

    with step("draft"):
        one = draft(lines)
    with step("issue"):
        one = services.issue_invoice(one, actor=person("finance2"))
    one = Invoice.objects.select_related("seller", "customer", "order").get(pk=one.pk)
    with step("print"):
        size = len(invoice_pdf(one))
    print(f"{lines} lines, due {one.due}, {size / 1e6:.1f} MB, order total {one.order.gross_total}")
    lines_and_tax = sum((line.net for line in one.lines.all()), Decimal(0)) + one.tax_total
    if not one.due == one.order.gross_total == lines_and_tax:
        raise SystemExit("the sums differ")


if __name__ == "__main__":
    what, given = (sys.argv[1] if len(sys.argv) > 1 else "issue"), sys.argv[2] if len(sys.argv) > 2 else ""
    if what == "press":
        press(given)
    else:
        prepare()
        work, usual = {"issue": (issue, 300), "pdf": (pdf, 10), "huge": (huge, 10_000)}[what]
        work(int(given or usual))
