"""What must be right on a machine for the application to work, and how to mend what is not."""

import ctypes
import os
import shutil
import smtplib
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from . import probes
from .probes import Trouble

_LIBRARIES = {
    "libpango-1.0.so.0": "libpango-1.0-0",
    "libpangoft2-1.0.so.0": "libpangoft2-1.0-0",
    "libharfbuzz-subset.so.0": "libharfbuzz-subset0",
}
_MINIMUM_FREE = 1_000_000_000  # bytes
_CLOCK_TOLERANCE = 5  # seconds


@dataclass(frozen=True)
class Check:
    """`look` returns what it found, or raises Trouble; `mend` says what to do then."""

    name: str | Promise
    look: Callable[[], str]
    mend: str | Promise


@dataclass(frozen=True)
class Finding:
    """The outcome of one check."""

    name: str
    ok: bool
    found: str
    mend: str


def examine() -> list[Finding]:
    """Every check, also after one has failed."""
    return [_examined(check) for check in CHECKS]


def _examined(check: Check) -> Finding:
    try:
        return Finding(str(check.name), True, check.look(), "")
    except Trouble as trouble:
        return Finding(str(check.name), False, str(trouble), str(check.mend))


def migrations() -> str:
    """Every migration is applied. Raises Trouble."""
    try:
        executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
        open_ = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        raise Trouble(type(error).__name__) from error
    if open_:
        raise Trouble(_("%(count)s not applied") % {"count": len(open_)})
    return _("all applied")


def pango() -> str:
    """The libraries that make PDFs can be loaded. Raises Trouble."""
    missing = [package for library, package in _LIBRARIES.items() if not _loads(library)]
    if missing:
        raise Trouble(_("missing: %(what)s") % {"what": " ".join(missing)})
    return _("found")


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def fonts() -> str:
    """A font with Chinese characters is there: one of the machine or the packaged one. Raises Trouble."""
    if shutil.which("fc-list"):
        listed = subprocess.run(  # noqa: S603
            [shutil.which("fc-list") or "", ":lang=zh-cn", "family"], capture_output=True, text=True, check=False
        )
        if family := next((line.strip() for line in listed.stdout.splitlines() if line.strip()), ""):
            return family
    try:
        import pylopdf_fonts_zh_cn
    except ImportError as error:
        raise Trouble(_("no font with Chinese characters")) from error
    return str(next(Path(pylopdf_fonts_zh_cn.__path__[0]).rglob("*.[ot]tf")).name)


def media() -> str:
    """A file can be written to the media folder, and read back. Raises Trouble."""
    folder = Path(settings.MEDIA_ROOT)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder) as file:
            file.write(b"probe")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise Trouble(f"{folder}: {error.strerror}") from error
    return str(folder)


def disk() -> str:
    """Room for files and the embedded database. Raises Trouble."""
    free = shutil.disk_usage(settings.VAR_DIR if settings.VAR_DIR.exists() else settings.BASE_DIR).free
    text = _("%(size)s GB free") % {"size": f"{free / 1e9:.1f}"}
    if free < _MINIMUM_FREE:
        raise Trouble(text)
    return text


def secret_key() -> str:
    """The key is long, and nobody else on the machine can read its file. Raises Trouble."""
    file = settings.VAR_DIR / "secret_key"
    if os.environ.get("SECRET_KEY") or os.environ.get("SECRET_KEY_FILE"):
        return _("from the environment")
    if file.stat().st_mode & 0o077:
        raise Trouble(_("%(file)s can be read by others") % {"file": file})
    return str(file)


def mail() -> str:
    """The mail server lets us in. Raises Trouble."""
    if not settings.EMAIL_HOST:
        return _("no server: mails are written to %(folder)s") % {"folder": settings.EMAIL_FILE_PATH}
    connect = smtplib.SMTP_SSL if settings.EMAIL_USE_SSL else smtplib.SMTP
    try:
        with connect(settings.EMAIL_HOST, settings.EMAIL_PORT, timeout=5) as server:
            if settings.EMAIL_USE_TLS:
                server.starttls()
            if settings.EMAIL_HOST_USER:
                server.login(settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD)
    except (OSError, smtplib.SMTPException) as error:
        raise Trouble(f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT} {type(error).__name__}") from error
    return f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"


def clock() -> str:
    """Our clock and the database's agree. Raises Trouble."""
    if connection.vendor != "postgresql":
        return _("the database is on this machine")
    try:
        with connection.cursor() as cursor:
            before = time.time()
            cursor.execute("SELECT clock_timestamp()")
            theirs: datetime = cursor.fetchone()[0]
    except DatabaseError as error:
        raise Trouble(type(error).__name__) from error
    away = abs(theirs.timestamp() - before)
    if away > _CLOCK_TOLERANCE:
        raise Trouble(_("%(seconds)s seconds apart") % {"seconds": round(away)})
    return f"{timezone.now():%Y-%m-%d %H:%M:%S} UTC"


CHECKS = (
    Check(
        gettext_lazy("Database"),
        probes.database,
        gettext_lazy("Start the database server, and see that DATABASE_URL names it with the right user and password."),
    ),
    Check(gettext_lazy("Migrations"), migrations, gettext_lazy("Run: python manage.py migrate")),
    Check(
        gettext_lazy("Broker"),
        probes.broker,
        gettext_lazy("Start Redis and see that REDIS_URL names it; without REDIS_URL, VAR_DIR must be writable."),
    ),
    Check(
        gettext_lazy("Worker and schedule"),
        probes.heartbeats,
        gettext_lazy("Start them: python manage.py serve, or celery -A ordermgmt worker and celery -A ordermgmt beat."),
    ),
    Check(
        gettext_lazy("Libraries for PDFs"),
        pango,
        gettext_lazy("Run: apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"),
    ),
    Check(
        gettext_lazy("Chinese font"),
        fonts,
        gettext_lazy("Run: python3 make.py setup, or apt-get install fonts-noto-cjk"),
    ),
    Check(
        gettext_lazy("Media folder"),
        media,
        gettext_lazy("Give the user of the application the right to write there, or set MEDIA_ROOT to another folder."),
    ),
    Check(
        gettext_lazy("Disk"), disk, gettext_lazy("Free some space, or move VAR_DIR and MEDIA_ROOT to a larger disk.")
    ),
    Check(
        gettext_lazy("Secret key"),
        secret_key,
        gettext_lazy("Run: chmod 600 on that file. Whoever may have read it can sign in as anybody: make a new one."),
    ),
    Check(
        gettext_lazy("Mail"),
        mail,
        gettext_lazy("Correct EMAIL_HOST, EMAIL_PORT, EMAIL_USER, EMAIL_PASSWORD and EMAIL_SECURITY."),
    ),
    Check(
        gettext_lazy("Clock"),
        clock,
        gettext_lazy("Keep the clocks of both machines by NTP: dates of invoices and signatures depend on them."),
    ),
)
