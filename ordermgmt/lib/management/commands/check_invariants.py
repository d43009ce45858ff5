"""`manage.py check_invariants`: prints every row that breaks what must always hold."""

import itertools
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ordermgmt.lib.invariants import all_invariants, violations


class Command(BaseCommand):
    help = "Prints every row that breaks an invariant; none and exit code 0 when all is well."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("codes", nargs="*", help="only these (S1) or all of a letter (S)")
        parser.add_argument("--list", action="store_true", help="print what would be checked")
        parser.add_argument("--limit", type=int, default=200, help="stop after so many rows")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["list"]:
            for one in all_invariants():
                self.stdout.write(f"{one.code:4} {one.sentence}")
            return
        found = 0
        for violation in itertools.islice(violations(options["codes"]), options["limit"]):
            self.stdout.write(str(violation))
            found += 1
        if found:
            raise CommandError(f"{found} rows break what must always hold")
