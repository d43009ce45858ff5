"""Backup and restore, on the database that the tests run on: what comes back is what was there."""

import contextlib
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.db import connection

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.django_db  # or the template is not made when nothing else runs
FACTS = """
from orders.models import Order; from ordermgmt.activity.models import Event; from ordermgmt.documents.models import StoredFile
print(Order.objects.count(), Event.objects.count(), StoredFile.objects.count(), sum(o.gross_total for o in Order.objects.all()))
"""


def manage(place: dict[str, str], *words: str, fails: bool = False) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *words], cwd=ROOT, env={**os.environ, **place}, capture_output=True, text=True
    )
    assert bool(done.returncode) is fails, done.stdout + done.stderr
    return done.stdout + done.stderr


@contextlib.contextmanager
def empty_database(folder: Path):
    """The address of an empty database of the kind that the tests run on."""
    if connection.vendor != "postgresql":
        yield f"sqlite:///{folder}/empty.sqlite3"
        return
    import psycopg

    address, name = urlsplit(os.environ["TEST_DATABASE_URL"]), f"backup_{os.getpid()}"
    with psycopg.connect(urlunsplit(address._replace(path="/postgres")), autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
        try:
            yield urlunsplit(address._replace(path=f"/{name}"))
        finally:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def places(another_database, tmp_path):
    """Two installations with databases and folders of their own: one migrated, one with nothing at all."""
    with empty_database(tmp_path) as empty:
        made = []
        for number, url in enumerate((another_database(), empty)):
            folder = tmp_path / f"place{number}"
            folder.mkdir()
            made.append(
                {"DATABASE_URL": url, "VAR_DIR": str(folder), "MEDIA_ROOT": str(folder / "media"), "DEBUG": "",
                 "DEMO": "", "SECRET_KEY": "only-for-tests-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJ",
                 "DJANGO_SETTINGS_MODULE": "ordermgmt.settings"}
            )  # fmt: skip
        yield made


@pytest.mark.timeout(300)
def test_what_was_backed_up_comes_back(places, tmp_path):
    here, there = places
    manage(here, "demo", "--orders", "1")
    media = Path(here["MEDIA_ROOT"])
    media.mkdir(exist_ok=True)
    (media / "kept.txt").write_text("file")
    file = str(tmp_path / "backup.tar.gz")
    assert "bytes" in manage(here, "backup", file)
    before = manage(here, "shell", "-v0", "-c", FACTS)
    assert "Restored" in manage(there, "restore", file)
    assert manage(there, "shell", "-v0", "-c", FACTS) == before
    assert (Path(there["MEDIA_ROOT"]) / "kept.txt").read_text() == "file"
    manage(there, "check_invariants")
    # triggers came along: history can't be rewritten in the restored database either
    refused = "from ordermgmt.activity.models import Event; Event.objects.update(type='x')"
    assert "append" in manage(there, "shell", "-v0", "-c", refused, fails=True)
    # where people work nothing is lost by accident; said plainly, it is replaced
    assert "in use" in manage(there, "restore", file, fails=True)
    manage(there, "restore", file, "--replace")
    assert manage(there, "shell", "-v0", "-c", FACTS) == before


def test_what_is_not_whole_is_refused(places, tmp_path):
    broken = tmp_path / "broken.tar"
    broken.write_bytes(b"no archive")
    assert "not a whole backup" in manage(places[0], "restore", str(broken), fails=True)
    with tarfile.open(broken, "w") as archive:
        (tmp_path / "backup.json").write_text('{"format": 1, "sha256": "0"}')
        (tmp_path / "database").write_text("changed")
        archive.add(tmp_path / "backup.json", "backup.json")
        archive.add(tmp_path / "database", "database")
    assert "not what it was" in manage(places[0], "restore", str(broken), fails=True)
    assert "No such file" in manage(places[0], "backup", str(tmp_path / "nowhere" / "b.tar"), fails=True)
