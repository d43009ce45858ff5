"""Migrated databases kept as templates: two hundred migrations cost more than most runs of tests.

A template is known by the migrations it came from. One that has some of the present ones, and no other, is a beginning:
only the rest is migrated. What the seed and `post_migrate` make is made anew each time. SQLite's lie in pytest's cache,
PostgreSQL's in the server itself, as databases called ordermgmt_template_…; of both the newest few are kept.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import django
from django.db import connection

ROOT = Path(__file__).resolve().parent.parent
KEPT = 8


def _made_of() -> dict[str, str]:
    """Each file that a migrated database comes from, with its digest."""
    files = [*ROOT.glob("*/migrations/0*.py"), *ROOT.glob("ordermgmt/*/migrations/0*.py")]
    files += [ROOT / "ordermgmt/lib/database.py", *ROOT.glob("ordermgmt/lib/sqlite3/*.py")]
    found = {str(path.relative_to(ROOT)): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(files)}
    return {"django": django.get_version(), **found}


class Template:
    """The template of the present migrations, beside those of others."""

    def __init__(self, folder: Path, test_name: str) -> None:
        self.folder, self.test_name = folder, test_name
        self.made_of = _made_of()
        self.digest = hashlib.sha256(json.dumps(self.made_of).encode()).hexdigest()[:16]
        self.sqlite = connection.vendor == "sqlite"

    @contextlib.contextmanager
    def taken(self) -> Iterator[None]:
        """One process at a time makes or copies a template; the others wait instead of migrating as well."""
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def copy(self) -> bool:
        """Makes the test database of the template, else of one to begin with; False where there is none."""
        newest = sorted(self.folder.glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in newest:
            of_other = json.loads(path.read_text())
            if of_other.items() <= self.made_of.items() and self._exists(path.stem):
                self._copy_of(path.stem)
                return True
        return False

    @property
    def is_new(self) -> bool:
        """Whether it is to be saved once it is migrated."""
        return not ((self.folder / f"{self.digest}.json").exists() and self._exists(self.digest))

    def save(self) -> None:
        """Keeps the test database, migrated and without the seed."""
        if self.sqlite:
            self._file(self.digest).unlink(missing_ok=True)
            with connection.cursor() as cursor:
                cursor.execute(f"VACUUM INTO '{self._file(self.digest)}'")
        else:
            connection.close()
            self._create(self._name(self.digest), self.test_name)
        (self.folder / f"{self.digest}.json").write_text(json.dumps(self.made_of))
        self._prune()

    def _prune(self) -> None:
        if self.sqlite:
            for path in sorted(self.folder.glob("*.sqlite3"), key=lambda path: path.stat().st_mtime)[:-KEPT]:
                path.unlink()
            return
        with connection._nodb_cursor() as cursor:
            cursor.execute("SELECT datname FROM pg_database WHERE datname LIKE %s ORDER BY oid", [self._name("%")])
            for (name,) in cursor.fetchall()[:-KEPT]:
                cursor.execute(f'DROP DATABASE IF EXISTS "{name}"')

    def another(self, name: str) -> str:
        """The address of one database more, as migrated and empty as the template; `name` is a path with SQLite."""
        if self.sqlite:
            shutil.copyfile(self._file(self.digest), name)
            return f"sqlite:///{name}"
        self._create(name, self._name(self.digest))
        return urlsplit(os.environ["TEST_DATABASE_URL"])._replace(path=f"/{name}").geturl()

    def drop(self, name: str = "") -> None:
        """Takes the copy, or another one, away again; SQLite's lies in a folder that goes by itself."""
        if not self.sqlite:
            connection.close()
            self._create(name or self.test_name, "")

    def _file(self, digest: str) -> Path:
        return self.folder / f"{digest}.sqlite3"

    def _name(self, digest: str) -> str:
        return f"ordermgmt_template_{digest}"

    def _exists(self, digest: str) -> bool:
        if self.sqlite:
            return self._file(digest).exists()
        with connection._nodb_cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [self._name(digest)])
            return cursor.fetchone() is not None

    def _copy_of(self, digest: str) -> None:
        if self.sqlite:
            shutil.copyfile(self._file(digest), self.test_name)
        else:
            self._create(self.test_name, self._name(digest))

    def _create(self, name: str, template: str) -> None:
        """Makes a database of another one on the server in place of an old one; without a template it only goes."""
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            if template:
                cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
