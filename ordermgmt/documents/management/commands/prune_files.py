"""`manage.py prune_files`: removes files that a crash left without a row."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from ordermgmt.documents.services import prune_files


class Command(BaseCommand):
    help = "Removes files of the store that have no row, and prints them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--older-than", type=float, default=86_400, help="seconds; younger files stay")

    def handle(self, *args: Any, **options: Any) -> None:
        for path in prune_files(older_than=options["older_than"]):
            self.stdout.write(path)
