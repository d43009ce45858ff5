"""The supervisor brings back what dies, leaves no orphan, and stops everything together."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
# A child that itself has a child, as gunicorn and celery have; both write their ids down.
FAMILY = """
import os, subprocess, sys, time, pathlib
folder = pathlib.Path(sys.argv[1])
below = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
(folder / f"{os.getpid()}.pair").write_text(f"{os.getpid()} {below.pid}")
print("up", flush=True)
time.sleep(60)
"""
BOSS = """
import sys
from ordermgmt.operations.supervisor import Child, Supervisor
sys.exit(Supervisor([Child(name, [sys.executable, *sys.argv[1:]]) for name in ("one", "two")]).run())
"""


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


def _pairs(folder: Path, count: int) -> list[tuple[int, int]]:
    for _ in range(200):
        texts = [path.read_text().split() for path in folder.glob("*.pair")]
        if len(texts) >= count and all(len(text) == 2 for text in texts):
            return [(int(a), int(b)) for a, b in texts]
        time.sleep(0.05)
    raise AssertionError("the children did not start")


def _gone(*pids: int) -> bool:
    for _ in range(100):
        if not any(map(_alive, pids)):
            return True
        time.sleep(0.05)
    return False


@pytest.fixture
def boss(tmp_path: Path):
    script = tmp_path / "family.py"
    script.write_text(FAMILY)
    process = subprocess.Popen(
        [sys.executable, "-c", BOSS, str(script), str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    yield process
    process.kill()
    process.stdout.close()
    process.wait()


def test_a_killed_child_takes_its_group_along_and_comes_back(boss: subprocess.Popen[str], tmp_path: Path) -> None:
    first = _pairs(tmp_path, 2)
    os.kill(first[0][0], signal.SIGKILL)
    assert _gone(*first[0])
    third = set(_pairs(tmp_path, 3)) - set(first)
    assert third
    boss.send_signal(signal.SIGTERM)
    output, _ = boss.communicate(timeout=20)
    assert boss.returncode == 0
    assert _gone(*first[1], *third.pop())
    assert "ended with code -9; starts again in 0.5 s" in output
    assert "one    | up" in output


def test_a_killed_supervisor_leaves_no_child_behind(boss: subprocess.Popen[str], tmp_path: Path) -> None:
    masters = [pair[0] for pair in _pairs(tmp_path, 2)]
    boss.kill()
    assert _gone(*masters)
