"""`manage.py restore FILE`: puts a backup back in place."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ordermgmt.operations.backup import NotPossible, take_back


class Command(BaseCommand):
    help = "Puts the database and files of a backup in place. Stop web and workers first."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--replace", action="store_true", help="lose what is in this database now")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            meta = take_back(options["file"], replace=options["replace"])
        except NotPossible as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Restored as of {meta['made_at']}. Now run: manage.py check_invariants")
