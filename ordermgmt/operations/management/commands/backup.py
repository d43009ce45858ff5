"""`manage.py backup FILE`: database and files as one archive."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ordermgmt.operations.backup import NotPossible, make_backup


class Command(BaseCommand):
    help = "Writes database and files into FILE (.tar or .tar.gz) while the application runs; whole or not at all."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        try:
            meta = make_backup(path)
        except (NotPossible, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{path}: {path.stat().st_size:,} bytes, {meta['vendor']}, {meta['made_at']}")
