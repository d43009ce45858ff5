"""A PostgreSQL and a Redis of our own for the tests, on free ports, gone when the tests are done."""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

_PG = ("initdb", "pg_ctl")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def program(name: str) -> str:
    """The path of a program, also where Debian hides PostgreSQL's; "" where there is none."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return shutil.which(name) or next((str(folder / name) for folder in versions if (folder / name).exists()), "")


def _as_user(user: str) -> list[str]:
    """PostgreSQL refuses to run as root."""
    return ["runuser", "-u", user, "--"] if os.geteuid() == 0 else []


def _unprivileged() -> str:
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise RuntimeError("PostgreSQL needs a user other than root")


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """A fresh cluster; yields the address of its database."""
    user = _unprivileged() if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    folder = Path(tempfile.mkdtemp(prefix="ordermgmt-pg-"))
    if os.geteuid() == 0:
        shutil.chown(folder, user)
    data, port = folder / "data", free_port()
    prefix = _as_user(user)

    def quietly(*command: str, check: bool = True) -> None:
        subprocess.run([*prefix, *command], stdout=subprocess.DEVNULL, cwd="/", check=check)

    quietly(program("initdb"), "-D", str(data), "-U", "tests", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -k {folder} -c fsync=off -c max_connections=200"
    control = (program("pg_ctl"), "-D", str(data))
    try:
        quietly(*control, "-w", "-l", str(folder / "log"), "-o", options, "start")
        yield f"postgres://tests@127.0.0.1:{port}/postgres"
    finally:
        quietly(*control, "-m", "immediate", "stop", check=False)
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def redis() -> Iterator[str]:
    """A Redis that keeps nothing; yields its address."""
    folder, port = tempfile.mkdtemp(prefix="ordermgmt-redis-"), free_port()
    server = subprocess.Popen(
        [program("redis-server"), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
        cwd=folder,
        stdout=subprocess.DEVNULL,
    )
    try:
        for _ in range(100):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
                break
            time.sleep(0.05)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def services(install: Callable[[list[str]], bool] = lambda packages: False) -> Iterator[dict[str, str]]:
    """TEST_DATABASE_URL and TEST_REDIS_URL: those of the environment, else of services started for this."""
    wanted = []
    if not os.environ.get("TEST_DATABASE_URL") and not all(map(program, _PG)):
        wanted.append("postgresql")
    if not os.environ.get("TEST_REDIS_URL") and not program("redis-server"):
        wanted.append("redis-server")
    if wanted and not install(wanted):
        raise SystemExit(f"The whole suite needs these programs. Run: apt-get install {' '.join(wanted)}")
    with contextlib.ExitStack() as stack:
        yield {
            "TEST_DATABASE_URL": os.environ.get("TEST_DATABASE_URL") or stack.enter_context(postgres()),
            "TEST_REDIS_URL": os.environ.get("TEST_REDIS_URL") or stack.enter_context(redis()),
        }
