"""The containers' files hold together, and each of our services' very command works on PostgreSQL and Redis."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from tests.services import free_port, program

ROOT = Path(__file__).resolve().parent.parent.parent
BIN = Path(sys.executable).parent
GIVEN = {
    "SITE_HOST": "orders.example.com",
    "SECRET_KEY": "k" * 20 + "0123456789abcdefghijklmnopqrstuvwxyz",
    "POSTGRES_PASSWORD": "pgpass",
    "REDIS_PASSWORD": "redispass",
}
OURS = ("migrate", "web", "worker", "beat")


def _config(*words: str, **given: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **given}
    command = [str(BIN / "docker-compose"), "-f", "docker-compose.yml", "config", *words]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)


@pytest.fixture(scope="module")
def composed() -> dict[str, Any]:
    done = _config("--format", "json", **GIVEN)
    assert not done.stderr
    return json.loads(done.stdout)


def test_compose_takes_the_file() -> None:
    done = _config("-q", **GIVEN)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("missing", GIVEN)
def test_nothing_starts_without_what_must_be_given(missing: str) -> None:
    done = _config(**{name: value for name, value in GIVEN.items() if name != missing})
    # The packaged Compose forgets its exit code; it says what is missing and prints no file.
    assert done.stdout == ""
    assert f"required variable {missing} is missing" in done.stderr


def test_the_worker_listens_to_everything_that_is_scheduled(composed: dict[str, Any]) -> None:
    command = composed["services"]["worker"]["command"]
    assert command[command.index("--queues") + 1] == ",".join(settings.WORK_QUEUES)
    scheduled = {name: one["options"].get("queue", "default") for name, one in settings.CELERY_BEAT_SCHEDULE.items()}
    assert set(scheduled.values()) <= set(settings.WORK_QUEUES)
    assert scheduled["sweep"] == "upkeep"


def test_every_service_is_watched_confined_and_nobody_is_root(composed: dict[str, Any]) -> None:
    services = composed["services"]
    assert set(services) == {*OURS, "postgres", "redis", "proxy"}
    for name, service in services.items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert name == "migrate" or service["healthcheck"]["test"], name
    assert [name for name, service in services.items() if service.get("ports")] == ["proxy"]
    assert {name for name, service in services.items() if set(service["networks"]) == {"inside"}} == {
        "postgres",
        "redis",
    }
    assert composed["networks"]["inside"]["internal"] is True
    assert all(services[name]["user"] not in ("root", "0") for name in ("postgres", "redis"))
    users = [line.split()[1] for line in (ROOT / "Dockerfile").read_text().splitlines() if line.startswith("USER ")]
    assert users == ["10001:10001", "1000:1000"]


def test_what_is_written_lies_on_a_volume(composed: dict[str, Any]) -> None:
    for name in OURS:
        targets = {volume["target"] for volume in composed["services"][name]["volumes"]}
        assert targets == {"/var/lib/ordermgmt"}
    assert set(composed["volumes"]) == {"files", "database", "broker", "certificates", "proxy-config"}


def test_every_variable_that_compose_sets_is_one_we_read(composed: dict[str, Any]) -> None:
    from ordermgmt.settings import env

    assert set(composed["services"]["web"]["environment"]) <= env.names


def test_dockerfile_passes_the_linter() -> None:
    done = subprocess.run([str(BIN / "hadolint"), "Dockerfile"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_what_the_dockerfile_copies_is_there() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    for line in (ROOT / "Dockerfile").read_text().splitlines():
        if line.startswith("COPY ") and "--from" not in line:
            for source in line.split()[1:-1]:
                assert (ROOT / source).exists()
                assert source not in ignored


# --- the very commands -----------------------------------------------------------------------------------------


def _pieces(composed: dict[str, Any], name: str, port: int, folder: Path) -> tuple[list[str], dict[str, str]]:
    """Command and environment of a service, with this machine's services and folders put in place of the containers'."""
    service = composed["services"][name]
    command = [
        word.replace("0.0.0.0:8000", f"127.0.0.1:{port}").replace("/tmp/beat-schedule", str(folder / "beat-schedule"))  # noqa: S108
        for word in service["command"]
    ]
    environment = {
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "LD_LIBRARY_PATH": os.environ.get("LD_LIBRARY_PATH", ""),
        **service["environment"],
        "VAR_DIR": str(folder),
        "MEDIA_ROOT": str(folder / "media"),
        "DATABASE_URL": _database("deploy"),
        "REDIS_URL": os.environ["TEST_REDIS_URL"].rsplit("/", 1)[0] + "/9",
    }
    return command, environment


def _database(name: str) -> str:
    return os.environ["TEST_DATABASE_URL"].rsplit("/", 1)[0] + f"/ordermgmt_{name}"


@pytest.fixture
def database() -> Iterator[None]:
    import psycopg

    with psycopg.connect(os.environ["TEST_DATABASE_URL"], autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS ordermgmt_deploy WITH (FORCE)")
        connection.execute("CREATE DATABASE ordermgmt_deploy")
        yield
        connection.execute("DROP DATABASE ordermgmt_deploy WITH (FORCE)")


def _answer(port: int, path: str) -> tuple[int, str]:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Host": "localhost"})
    try:
        with urllib.request.urlopen(request, timeout=5) as response:  # noqa: S310
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError as error:
        return 0, str(error)


@pytest.mark.postgres
@pytest.mark.redis
@pytest.mark.timeout(400)
@pytest.mark.xdist_group("deploy")
def test_each_command_of_ours_works(composed: dict[str, Any], database: None, tmp_path: Path) -> None:
    port = free_port()
    with contextlib.ExitStack() as stack:
        for name in OURS:
            command, environment = _pieces(composed, name, port, tmp_path)
            if name == "migrate":
                subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
                continue
            log = stack.enter_context((tmp_path / f"{name}.log").open("w"))
            process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True
            )
            stack.callback(process.wait, 30)
            stack.callback(os.killpg, process.pid, signal.SIGTERM)
        end = time.monotonic() + 90
        while (answer := _answer(port, "/readyz"))[0] != 200 and time.monotonic() < end:
            time.sleep(0.5)
        logs = {path.name: path.read_text()[-3000:] for path in tmp_path.glob("*.log")}
        assert answer[0] == 200, (answer, logs)
        assert _answer(port, "/healthz") == (200, "ok\n")
        _checks_pass(composed, port, tmp_path)


def _checks_pass(composed: dict[str, Any], port: int, folder: Path) -> None:
    for name in ("web", "worker", "beat"):
        _command, environment = _pieces(composed, name, port, folder)
        kind, *words = composed["services"][name]["healthcheck"]["test"]
        words = [
            word.replace(":8000", f":{port}").replace("find /tmp", f"find {folder}").replace("$$", "$")
            for word in words
        ]
        command = ["sh", "-c", words[0]] if kind == "CMD-SHELL" else words
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=40)
        assert done.returncode == 0, (name, done.stdout, done.stderr)


@pytest.mark.redis
def test_the_command_of_redis_asks_for_the_password(composed: dict[str, Any], tmp_path: Path) -> None:
    service = composed["services"]["redis"]
    port = free_port()
    command = [program(service["command"][0]), *service["command"][1:], "--port", str(port), "--bind", "127.0.0.1"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL)
    client = [program("redis-cli"), "-p", str(port), "ping"]
    try:
        for _ in range(50):
            plain = subprocess.run(client, capture_output=True, text=True).stdout
            if "NOAUTH" in plain:
                break
            time.sleep(0.1)
        assert "NOAUTH" in plain
        env = {**os.environ, **service["environment"]}
        assert subprocess.run(client, env=env, capture_output=True, text=True).stdout.strip() == "PONG"
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(tmp_path, ignore_errors=True)
