"""Backup and restore: database and files as one archive, written whole or not at all."""

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

_FORMAT = 1
_META, _DATABASE, _MEDIA = "backup.json", "database", "media"


class NotPossible(Exception):
    """A backup can't be made or taken back; the text says why and what to do."""


def make_backup(path: Path) -> dict[str, Any]:
    """Writes database and files into a tar archive (gzip where the name ends in .gz); returns what it says of itself.

    The database comes first, as it is at one moment; files are only ever added, so those it speaks of are all there.
    Raises NotPossible.
    """
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        dump = Path(folder, _DATABASE)
        _dump_database(dump)
        meta = {
            "format": _FORMAT, "vendor": connection.vendor, "made_at": timezone.now().isoformat(timespec="seconds"),
            "sha256": _digest(dump), "migrations": len(MigrationRecorder(connection).applied_migrations()),
        }  # fmt: skip
        Path(folder, _META).write_text(json.dumps(meta), encoding="utf-8")
        whole = Path(folder, "whole")
        with tarfile.open(whole, "w:gz" if path.name.endswith(".gz") else "w") as archive:
            archive.add(Path(folder, _META), _META)
            archive.add(dump, _DATABASE)
            if Path(settings.MEDIA_ROOT).is_dir():
                archive.add(settings.MEDIA_ROOT, _MEDIA)
        with whole.open("rb") as file:
            os.fsync(file.fileno())
        whole.replace(path)
    return meta


def take_back(path: Path, *, replace: bool = False) -> dict[str, Any]:
    """Puts a backup's database and files in place, and brings the database up to the code's migrations.

    Raises NotPossible where the archive is not whole, was made on the other kind of database, or there are people in
    this database already and `replace` does not say that they may go.
    """
    with tempfile.TemporaryDirectory() as folder:
        meta = _unpacked(path, Path(folder))
        if not replace and _in_use():
            raise NotPossible(
                "This database is in use. Restore into an empty one, or say --replace to lose what is here."
            )
        _load_database(Path(folder, _DATABASE))
        if Path(folder, _MEDIA).is_dir():
            shutil.copytree(Path(folder, _MEDIA), settings.MEDIA_ROOT, dirs_exist_ok=True)
    call_command("migrate", verbosity=0)
    return meta


def _unpacked(path: Path, folder: Path) -> dict[str, Any]:
    try:
        with tarfile.open(path) as archive:
            archive.extractall(folder, filter="data")
        meta: dict[str, Any] = json.loads(Path(folder, _META).read_text(encoding="utf-8"))
    except (OSError, tarfile.TarError, ValueError) as error:
        raise NotPossible(f"{path.name} is not a whole backup: {error}") from error
    if meta["format"] != _FORMAT or _digest(Path(folder, _DATABASE)) != meta["sha256"]:
        raise NotPossible(f"{path.name} is not a whole backup: its database is not what it was when it was made.")
    if meta["vendor"] != connection.vendor:
        text = f"{path.name} holds a {meta['vendor']} database, this is {connection.vendor}."
        raise NotPossible(f"{text} To change between them use export_data and import_data.")
    return meta


def _in_use() -> bool:
    from ordermgmt.accounts.models import User

    if User._meta.db_table not in connection.introspection.table_names():
        return False
    return User.objects.people().exists()


def _dump_database(to: Path) -> None:
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        with sqlite3.connect(to) as copy:
            connection.connection.backup(copy)
        copy.close()
    else:
        _postgres("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={to}")


def _load_database(dump: Path) -> None:
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        source = sqlite3.connect(dump)
        source.backup(connection.connection)
        source.close()
        connection.close()
    else:
        connection.close()
        flags = ("--clean", "--if-exists", "--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error")
        _postgres("pg_restore", *flags, str(dump))


def _postgres(program: str, *arguments: str) -> None:
    """Runs one of PostgreSQL's own programs on our database; the password goes by the environment."""
    command, env = connection.client.settings_to_cmd_args_env(connection.settings_dict, [])
    where = command[1:-1]
    try:
        subprocess.run(  # noqa: S603  # arguments of our own, no shell
            [program, *where, f"--dbname={command[-1]}", *arguments], env={**os.environ, **(env or {})}, check=True,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
    except FileNotFoundError as error:
        raise NotPossible(f"{program} is not installed. Run: apt-get install postgresql-client") from error
    except subprocess.CalledProcessError as error:
        raise NotPossible(f"{program} said: {error.stderr.strip()[-500:]}") from error


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
