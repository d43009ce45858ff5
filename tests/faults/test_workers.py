"""Real workers, killed and cut off: nothing lost, nothing twice, no page waits (P33, P34, Q1, Q4).

With SQLite they hear of work by the embedded broker, with PostgreSQL by a Redis that the tests may stop.
"""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.services import free_port, program

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.django_db  # or the template is not made when nothing else runs
needs_redis_server = pytest.mark.skipif(not program("redis-server"), reason="there is no redis-server to stop")


@contextlib.contextmanager
def redis(folder: Path) -> Iterator[tuple[int, int]]:
    """A Redis that a test may stop: (port, process id)."""
    port = free_port()
    command = [program("redis-server"), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=folder)
    try:
        yield port, server.pid
    finally:
        server.kill()
        server.wait()


@pytest.fixture
def drive(another_database: Callable[[], str], tmp_path: Path) -> Callable[..., dict[str, object]]:
    """Runs the driver on a database and folders of its own; gives what it printed."""
    surroundings = {
        **{key: value for key, value in os.environ.items() if key not in ("REDIS_URL", "DATABASE_URL")},
        "VAR_DIR": str(tmp_path), "MEDIA_ROOT": str(tmp_path / "media"), "NUDGE_WORKERS": "yes",
        "DATABASE_URL": another_database(), "CLAIM_SECONDS": "4", "SWEEP_AFTER_SECONDS": "3",
        "SECRET_KEY": "only-for-tests-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJ", "PYTHONPATH": str(ROOT),
        "LOG_LEVEL": "ERROR", "DJANGO_SETTINGS_MODULE": "tests.faults.settings",
    }  # fmt: skip

    def run(fault: str, **environment: str) -> dict[str, object]:
        answer = subprocess.run(
            [sys.executable, "-m", "tests.faults.driver", fault], stdout=subprocess.PIPE, timeout=550, check=True,
            cwd=ROOT, env={**surroundings, **environment},
        )  # fmt: skip
        found: dict[str, object] = json.loads(answer.stdout.splitlines()[-1])
        print(fault, found)  # noqa: T201  # the figures, with -s
        return found

    return run


def nothing_lost_nothing_twice(found: dict[str, object]) -> None:
    assert (found["done"], found["effects"], found["keys"]) == (100, 100, 100)
    assert found["invariants"] == "kept"
    assert float(str(found["slowest"])) < 1


@pytest.mark.timeout(500)
@pytest.mark.skipif(bool(os.environ.get("TEST_DATABASE_URL")), reason="the embedded broker goes with SQLite")
def test_worker_killed_on_the_embedded_broker(drive):
    found = drive("kill9")
    assert 15 <= int(str(found["done_when_killed"])) < 100
    nothing_lost_nothing_twice(found)


@needs_redis_server
@pytest.mark.postgres
@pytest.mark.timeout(500)
def test_worker_killed_on_redis(drive, tmp_path):
    with redis(tmp_path) as (port, _pid):
        found = drive("kill9", REDIS_URL=f"redis://127.0.0.1:{port}/0")
    assert 15 <= int(str(found["done_when_killed"])) < 100
    nothing_lost_nothing_twice(found)


@needs_redis_server
@pytest.mark.postgres
@pytest.mark.timeout(500)
@pytest.mark.parametrize("fault", ["down", "hung"])
def test_p34_broker_down_or_hung(drive, tmp_path, fault):
    with redis(tmp_path) as (port, pid):
        found = drive(
            fault, REDIS_URL=f"redis://127.0.0.1:{port}/0", BROKER_PID=str(pid), REDIS_PORT=str(port),
            REDIS_SERVER=program("redis-server"),
        )  # fmt: skip
    assert int(str(found["done_without_broker"])) < 100
    assert float(str(found["slowest_page"])) < 1  # "issue" pressed while the broker was away
    assert found["pdfs"] == 3  # and made when it came back
    nothing_lost_nothing_twice(found)


@pytest.mark.timeout(600)
def test_p33_worker_killed_again_and_again_over_a_hundred_invoice_pdfs(drive, tmp_path):
    """N2, Q3, Q4: each issued invoice has one PDF, whole, and the numbers have no hole."""
    with contextlib.ExitStack() as services:
        broker = {}
        if os.environ.get("TEST_DATABASE_URL"):
            port, _pid = services.enter_context(redis(tmp_path))
            broker["REDIS_URL"] = f"redis://127.0.0.1:{port}/0"
        found = drive("invoices", **broker)
    assert found["kills"] == 3
    assert found["whole"] == 100
    nothing_lost_nothing_twice(found)
