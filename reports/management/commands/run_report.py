"""`manage.py run_report KEY`: a report from the shell or from cron."""

import argparse
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import translation

from ordermgmt.accounts.models import User
from ordermgmt.accounts.services import system_user
from reports.services import FORMATS, compute_report, export, reports_for


def _known() -> str:
    return ", ".join(report.key for report in reports_for(system_user()))


class Command(BaseCommand):
    """Prints a report, or writes it to a file."""

    help = "Run a report. Without --user it covers the whole order book."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("key", help="which report, e.g. orders, sales, profit")
        parser.add_argument(
            "--param", action="append", default=[], metavar="k=v", help="a filter, e.g. date_from=2025-01-01"
        )
        parser.add_argument("--format", choices=sorted(FORMATS), default="json")
        parser.add_argument("--section", default="", help="only this section, e.g. by_year (csv and xlsx)")
        parser.add_argument("--output", type=Path, help="write to this file instead of the standard output")
        parser.add_argument("--user", help="e-mail of the person whose view of the order book is meant")
        parser.add_argument("--language", default="en", help="en or zh-hans")

    def handle(self, *args: Any, **options: Any) -> None:
        data = export(self._result(options), options["format"], options["section"], language=options["language"])
        if options["output"]:
            options["output"].write_bytes(data)
        else:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()

    def _result(self, options: dict[str, Any]) -> dict[str, Any]:
        params = dict(self._pair(text) for text in options["param"])
        with translation.override(options["language"]):
            try:
                return compute_report(options["key"], params, user=self._reader(options["user"]))
            except KeyError as error:
                raise CommandError(f"There is no report {options['key']!r}; there are: {_known()}.") from error
            except ValueError as error:
                raise CommandError(str(error)) from error

    def _reader(self, email: str | None) -> User:
        if not email:
            return system_user()
        try:
            return User.objects.get(email__iexact=email, is_active=True)
        except User.DoesNotExist as error:
            raise CommandError(f"There is no active user {email}.") from error

    def _pair(self, text: str) -> tuple[str, str]:
        key, sign, value = text.partition("=")
        if not sign:
            raise CommandError(f"--param takes key=value, not {text!r}.")
        return key, value
