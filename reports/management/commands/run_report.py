"""`manage.py run_report KEY`: a report from the shell or from cron."""

import argparse
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError
from django.utils import translation

from ordermgmt.accounts.models import User
from ordermgmt.accounts.services import system_user
from reports.services import FORMATS, WHOLE, compute_report, export, quiet, reports_for, whole_file


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
        parser.add_argument("--section", default="", help="only this section, e.g. by_year")
        parser.add_argument("--output", type=Path, help="write to this file instead of the standard output")
        parser.add_argument("--user", help="e-mail of the person whose view of the order book is meant")
        parser.add_argument("--language", default="en", help="en or zh-hans")

    def handle(self, *args: Any, **options: Any) -> None:
        with translation.override(options["language"]), self._made(options) as made:
            if options["output"]:
                shutil.copyfile(made, options["output"])
            else:
                with made.open("rb") as content:
                    shutil.copyfileobj(content, sys.stdout.buffer)
                sys.stdout.buffer.flush()

    @contextmanager
    def _made(self, options: dict[str, Any]) -> Iterator[Path]:
        """The file: every row where its format can hold them."""
        key, params = options["key"], dict(self._pair(text) for text in options["param"])
        reader, file_format = self._reader(options["user"]), options["format"]
        try:
            if file_format in WHOLE:
                asked = {"user": reader, "file_format": file_format, "only": options["section"], "progress": quiet}
                with whole_file(key, params, **asked) as (made, _rights):
                    yield made
                return
            result = compute_report(key, params, user=reader)
        except KeyError as error:
            raise CommandError(f"There is no report {key!r}; there are: {_known()}.") from error
        except PermissionDenied as error:
            raise CommandError(f"{options['user']} may not read this report.") from error
        except ValueError as error:
            raise CommandError(str(error)) from error
        with TemporaryDirectory() as folder:
            made = Path(folder) / "report"
            made.write_bytes(export(result, file_format, options["section"], language=options["language"]))
            yield made

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
