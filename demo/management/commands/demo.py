"""`manage.py demo`: makes the demo company, once."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from demo.services import NotEmpty, make_company


class Command(BaseCommand):
    """Makes an invented company with a year of orders behind it, so that there is something to look at."""

    help = "Makes the demo company with a year of invented orders, once; a second run changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--orders", type=int, default=100, help="about how many orders in the year")

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        self.stdout.write("Making the demo company …")
        try:
            made = make_company(orders=options["orders"])
        except NotEmpty as error:
            raise CommandError(str(error)) from error
        if made is None:
            self.stdout.write("The demo company is there already.")
            return
        what = ", ".join(f"{count} {name}" for name, count in made.items())
        self.stdout.write(f"{what} in {time.monotonic() - started:.0f} s.")
