# ruff: noqa: E402  (Django must be set up before the models are imported)
"""Issuing through the pages by many people at once, what a PDF costs, and a document of 10,000 lines.

    DATABASE_URL=postgres://… make bench ARGS="billing issue|einvoice|pdf|huge [number]"

`issue` starts gunicorn and eight people who sign in and press the button over HTTP; `einvoice` does the same where every
document is validated as an EN 16931 invoice before it gets its number; `huge` measures a page in the meantime.
The database must be one of its own: it is filled with a made-up company.
"""

import contextlib
import functools
import http.client
import os
import re
import resource
import secrets
import socket
import statistics
import subprocess
import sys
import threading
import time
import urllib.parse
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ordermgmt.settings")

import django

django.setup()

import logging

from django.core.management import call_command
from django.utils import timezone

from billing import services
from billing.models import Invoice
from billing.pdf import invoice_pdf

logging.disable(logging.CRITICAL)
USERS = 8
PASSWORD = secrets.token_urlsafe(16)


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


@contextlib.contextmanager
def served(workers: int = 2):
    """The application as it is served, by gunicorn on a free port: (port, its process id)."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    command = ["gunicorn", "ordermgmt.wsgi", "--bind", f"127.0.0.1:{port}", "--worker-class", "gthread",
               "--workers", str(workers), "--threads", "4", "--keep-alive", "60", "--no-control-socket", "--log-level", "error"]  # fmt: skip
    surroundings = os.environ | {"LOG_LEVEL": "ERROR", "SITE_URL": f"http://127.0.0.1:{port}"}
    server = subprocess.Popen([sys.executable, "-m", *command], env=surroundings)  # noqa: S603  # our own program
    try:
        for _ in range(300):
            with contextlib.suppress(OSError), contextlib.closing(Visitor(port)) as visitor:
                if visitor.get("/healthz")[0] == 200:
                    break
            time.sleep(0.2)
        yield port, server.pid
    finally:
        server.terminate()
        server.wait()


def used(parent: int) -> float:
    """Seconds of processor that the workers of a server have used, which a busy machine does not change (Linux)."""
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12]) if int(fields[1]) == parent else 0
    return ticks / os.sysconf("SC_CLK_TCK")


class Visitor:
    """A browser's essentials: one kept connection, cookies, and the token of the last form."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
        self.cookies: dict[str, str] = {}
        self.token = ""

    def close(self) -> None:
        self.connection.close()

    def get(self, url: str) -> tuple[int, str]:
        return self._ask("GET", url)

    def post(self, url: str, **data: object) -> tuple[int, str]:
        return self._ask("POST", url, urllib.parse.urlencode({"csrfmiddlewaretoken": self.token, **data}))

    def _ask(self, method: str, url: str, body: str | None = None) -> tuple[int, str]:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if body is not None:
            headers |= {"Content-Type": "application/x-www-form-urlencoded"}
        self.connection.request(method, url, body, headers)
        answer = self.connection.getresponse()
        text = answer.read().decode(errors="replace")
        for given in answer.headers.get_all("Set-Cookie", []):
            name, _, value = given.partition(";")[0].partition("=")
            self.cookies[name] = value
        if found := re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', text):
            self.token = found.group(1)
        return answer.status, text

    def sign_in(self, email: str) -> None:
        self.get("/login/")
        status, text = self.post("/login/", email=email, password=PASSWORD)
        if status != 302:
            raise SystemExit(f"{email} can't sign in: {status} {text[:500]}")


def people() -> list[str]:
    """Eight people of finance with a password; returns their addresses."""
    from ordermgmt.accounts.models import RoleAssignment, User
    from ordermgmt.accounts.roles import Role

    made = []
    for place in range(1, USERS + 1):
        given = {"name": f"Bench {place}", "joined_at": timezone.now()}
        user, _ = User.objects.get_or_create(email=f"bench{place}@example.com", defaults=given)
        RoleAssignment.objects.get_or_create(user=user, role=Role.FINANCE)
        user.set_password(PASSWORD)
        user.save()
        made.append(user.email)
    return made


def press(visitor: Visitor, references: list[str], answers: list[tuple[int, float, float]]) -> None:
    """One person who opens each draft and presses its button: status, and seconds of the page and of the button."""
    for reference in references:
        started = time.perf_counter()
        status, text = visitor.get(f"/billing/invoices/{reference}/do/issue/")
        shown = time.perf_counter()
        version = re.search(r'name="version" value="(\d+)"', text)
        if status == 200 and version:
            status, text = visitor.post(f"/billing/invoices/{reference}/do/issue/", version=version.group(1))
        answers.append((status, shown - started, time.perf_counter() - shown))


def issue(number: int, *, electronic: bool = False) -> None:
    """How many documents a minute eight people issue, and that no number is missing."""
    from customers.models import Customer
    from ordermgmt.company.models import SellerProfile, TaxProfile

    SellerProfile.objects.update(vat_id="DE136695976", address="Werkstr. 1\n80331 München", country="DE")
    Customer.objects.update(country="DE")
    TaxProfile.objects.update(e_invoice="factur-x" if electronic else "")
    drafts = [draft(3).reference for _ in range(number)]
    answers: list[tuple[int, float, float]] = []
    with served() as (port, server):
        visitors = [Visitor(port) for _ in range(USERS)]
        for visitor, email in zip(visitors, people(), strict=True):
            visitor.sign_in(email)
        hands = [
            threading.Thread(target=press, args=(visitor, drafts[place::USERS], answers))
            for place, visitor in enumerate(visitors)
        ]
        started, before = time.perf_counter(), used(server)
        for hand in hands:
            hand.start()
        for hand in hands:
            hand.join()
        seconds, worked = time.perf_counter() - started, used(server) - before
    bad = [status for status, *_times in answers if status != 302]
    gaps = [gap for *_series, missing in services.number_gaps() for gap in missing]
    print(f"{number} issued over HTTP by {USERS} people in {seconds:.1f} s: {number / seconds * 60:.0f} a minute")
    for name, times in (("page", [one[1] for one in answers]), ("button", [one[2] for one in answers])):
        times.sort()
        print(f"{name}: median {_ms(statistics.median(times))}, 95th {_ms(times[int(len(times) * 0.95) - 1])}")
    print(f"processor: {_ms(worked / number)} for each, page and button; load {os.getloadavg()[0]:.1f}")
    print(f"refused {len(bad)}, missing numbers {len(gaps)}")
    TaxProfile.objects.update(e_invoice="")
    if bad or gaps:
        raise SystemExit(f"answers {sorted(set(bad))}, gaps {gaps[:20]}")


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


def pdf(rounds: int) -> None:
    """What a PDF costs: the first of a process, then warm, short and long, in English and Chinese."""
    for label, lines, language in (
        ("cold, 10 lines", 10, "en"), ("10 lines", 10, "en"), ("10 lines, Chinese", 10, "zh-hans"),
        ("1,000 lines", 1000, "en"), ("1,000 lines, Chinese", 1000, "zh-hans"),
    ):  # fmt: skip
        from tests.factories.orders import person

        one = services.issue_invoice(draft(lines, language), actor=person("finance2"))
        one = Invoice.objects.select_related("seller", "customer", "order").get(pk=one.pk)
        times, worked, size = [], [], 0
        for _ in range(1 if lines > 100 or label.startswith("cold") else rounds):
            started, before = time.perf_counter(), time.process_time()
            size = len(invoice_pdf(one))
            times.append((time.perf_counter() - started) * 1000)
            worked.append((time.process_time() - before) * 1000)
        print(
            f"{label:24} {statistics.median(times):8.0f} ms, of the processor {statistics.median(worked):8.0f} ms "
            f"{size / 1000:8.0f} kB", flush=True,
        )  # fmt: skip


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
    with served() as (port, _server), contextlib.closing(Visitor(port)) as visitor, step("print"):
        visitor.sign_in(people()[0])
        visitor.get("/billing/")
        printing = threading.Event()
        times: list[float] = []
        watch = threading.Thread(target=_look, args=(visitor, printing, times))
        watch.start()
        size = _printed_elsewhere(one)
        printing.set()
        watch.join()
        times.sort()
    print(f"a page meanwhile: {len(times)} times, median {_ms(statistics.median(times))}, slowest {_ms(times[-1])}")
    print(f"{lines} lines, due {one.due}, {size / 1e6:.1f} MB, order total {one.order.gross_total}")
    lines_and_tax = sum((line.net for line in one.lines.all()), Decimal(0)) + one.tax_total
    if not one.due == one.order.gross_total == lines_and_tax:
        raise SystemExit("the sums differ")


def _printed_elsewhere(one: Invoice) -> int:
    """The document made in a process of its own, as a worker does; prints what that took of memory. Returns its size."""
    made = subprocess.run(  # noqa: S603  # our own program
        [sys.executable, __file__, "print", str(one.pk)], check=True, stdout=subprocess.PIPE, text=True
    )
    size, peak = made.stdout.split()
    print(f"printing process: peak {int(peak) / 1024:.0f} MiB", flush=True)
    return int(size)


def _print_one(pk: int) -> None:
    size = len(invoice_pdf(Invoice.objects.select_related("seller", "customer", "order").get(pk=pk)))
    print(size, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def _look(visitor: Visitor, until: threading.Event, times: list[float]) -> None:
    while not until.is_set():
        started = time.perf_counter()
        visitor.get("/billing/")
        times.append(time.perf_counter() - started)
        until.wait(0.5)


if __name__ == "__main__":
    what, given = (sys.argv[1] if len(sys.argv) > 1 else "issue"), sys.argv[2] if len(sys.argv) > 2 else ""
    if what == "print":
        _print_one(int(given))
    else:
        prepare()
        electronic = functools.partial(issue, electronic=True)
        work, usual = {
            "issue": (issue, 300), "einvoice": (electronic, 300), "pdf": (pdf, 10), "huge": (huge, 10_000),
        }[what]  # fmt: skip
        work(int(given or usual))
