"""Real workers, killed and cut off: nothing lost, nothing twice, no page waits (P33, P34, Q1, Q4)."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services import free_port, program

ROOT = Path(__file__).resolve().parents[2]
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


def drive(fault: str, folder: Path, **environment: str) -> dict[str, object]:
    """Runs the driver on a database and folders of its own; gives what it printed."""
    surroundings = {
        **{name: value for name, value in os.environ.items() if name not in ("REDIS_URL", "DATABASE_URL")},
        "VAR_DIR": str(folder), "MEDIA_ROOT": str(folder / "media"), "NUDGE_WORKERS": "yes",
        "DATABASE_URL": f"sqlite:///{folder}/faults.sqlite3", "CLAIM_SECONDS": "4", "SWEEP_AFTER_SECONDS": "3",
        "SECRET_KEY": "only-for-tests-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJ", "PYTHONPATH": str(ROOT),
        "LOG_LEVEL": "ERROR", "DJANGO_SETTINGS_MODULE": "tests.faults.settings", **environment,
    }  # fmt: skip
    common = {"cwd": ROOT, "env": surroundings, "check": True}
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], **common)
    answer = subprocess.run(
        [sys.executable, "-m", "tests.faults.driver", fault], stdout=subprocess.PIPE, timeout=400, **common
    )
    found: dict[str, object] = json.loads(answer.stdout.splitlines()[-1])
    print(fault, found)  # noqa: T201  # the figures, with -s
    return found


def nothing_lost_nothing_twice(found: dict[str, object]) -> None:
    assert (found["done"], found["effects"], found["keys"]) == (100, 100, 100)
    assert found["invariants"] == "kept"
    assert float(str(found["slowest"])) < 1


@pytest.mark.timeout(500)
def test_worker_killed_on_the_embedded_broker(tmp_path):
    found = drive("kill9", tmp_path)
    assert 15 <= int(str(found["done_when_killed"])) < 100
    nothing_lost_nothing_twice(found)


@needs_redis_server
@pytest.mark.timeout(500)
def test_worker_killed_on_redis(tmp_path):
    with redis(tmp_path) as (port, _pid):
        found = drive("kill9", tmp_path, REDIS_URL=f"redis://127.0.0.1:{port}/0")
    assert 15 <= int(str(found["done_when_killed"])) < 100
    nothing_lost_nothing_twice(found)


@needs_redis_server
@pytest.mark.timeout(500)
@pytest.mark.parametrize("fault", ["down", "hung"])
def test_p34_broker_down_or_hung(tmp_path, fault):
    with redis(tmp_path) as (port, pid):
        found = drive(
            fault, tmp_path, REDIS_URL=f"redis://127.0.0.1:{port}/0", BROKER_PID=str(pid), REDIS_PORT=str(port),
            REDIS_SERVER=program("redis-server"),
        )  # fmt: skip
    assert int(str(found["done_without_broker"])) < 100
    assert float(str(found["slowest_page"])) < 1  # "issue" pressed while the broker was away
    assert found["pdfs"] == 3  # and made when it came back
    nothing_lost_nothing_twice(found)


@pytest.mark.timeout(500)
def test_p33_worker_killed_again_and_again_over_a_hundred_invoice_pdfs(tmp_path):
    """N2, Q3, Q4: each issued invoice has one PDF, whole, and the numbers have no hole."""
    found = drive("invoices", tmp_path)
    assert found["kills"] == 3
    assert found["whole"] == 100
    nothing_lost_nothing_twice(found)
