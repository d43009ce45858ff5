"""Runs web, worker and beat of the application together, on one machine."""

import fcntl
import os
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from typing import IO, Any

from django.conf import settings
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandError, CommandParser

from ordermgmt.operations.supervisor import Child, Supervisor


def web_command(bind: str, workers: int, threads: int) -> list[str]:
    """gunicorn with threads: pages wait for the database more than they compute."""
    return [
        *(sys.executable, "-m", "gunicorn", "ordermgmt.wsgi", "--bind", bind, "--worker-class", "gthread"),
        *("--workers", str(workers), "--threads", str(threads), "--no-control-socket", "--graceful-timeout", "10"),
        *("--timeout", "60", "--log-level", "warning", "--forwarded-allow-ips", "127.0.0.1"),
    ]


def worker_command() -> list[str]:
    """One worker for all queues, with two processes."""
    return [
        *(
            sys.executable,
            "-W",
            "ignore",
            "-m",
            "celery",
            "-q",
            "-A",
            "ordermgmt",
            "worker",
            "--queues",
            ",".join(settings.WORK_QUEUES),
            "--concurrency",
            "2",
        ),
        *("--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "WARNING"),
    ]


def beat_command() -> list[str]:
    """The clock that starts scheduled jobs."""
    return [sys.executable, "-m", "celery", "-q", "-A", "ordermgmt", "beat", "--loglevel", "WARNING", "--pidfile="]


class Command(BaseCommand):
    help = "Starts web, worker and beat, restarts what dies, stops all together (Ctrl+C)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--prepare", action="store_true", help="first migrate, and in demo mode make the company")
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
        parser.add_argument("--workers", type=int, default=2, help="processes that answer pages")
        parser.add_argument("--threads", type=int, default=4, help="threads in each of them")

    def handle(self, *args: Any, **options: Any) -> None:
        lock = self._only_one()
        port = settings.PORT
        self._check_port(options["host"], port)
        if options["prepare"]:
            self._prepare()
        children = [
            Child("web", web_command(f"{options['host']}:{port}", options["workers"], options["threads"])),
            Child("worker", worker_command()),
            Child("beat", beat_command()),
        ]
        supervisor = Supervisor(children)
        threading.Thread(target=self._announce, args=(supervisor, port), daemon=True).start()
        code = supervisor.run()
        lock.close()
        sys.exit(code)

    def _only_one(self) -> IO[str]:
        """Two of them on one folder would fight over its files."""
        settings.VAR_DIR.mkdir(parents=True, exist_ok=True)
        lock = (settings.VAR_DIR / "serve.lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise CommandError(f"It is running already on {settings.VAR_DIR}. Stop that one first.") from error
        os.set_inheritable(lock.fileno(), False)
        return lock

    def _check_port(self, host: str, port: int) -> None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                raise CommandError(f"Port {port} can't be used ({error.strerror}). Give another: PORT=8080") from error

    def _prepare(self) -> None:
        self.stdout.write("Bringing the database up to date")
        call_command("migrate", verbosity=0, interactive=False)
        if settings.DEMO and "demo" in get_commands():
            try:
                call_command("demo")
            except CommandError as error:  # e.g. somebody works with real data here already
                self.stdout.write(str(error))

    def _announce(self, supervisor: Supervisor, port: int) -> None:
        address = f"http://localhost:{port}"
        for _ in range(300):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2):
                    supervisor.say(f"\n  ordermgmt is ready: {address}\n  Stop it with Ctrl+C.\n")
                    return
            except urllib.error.HTTPError:
                supervisor.say(f"\n  {address} answers, but not as it should: see the lines above.\n")
                return
            except OSError:
                time.sleep(0.2)
