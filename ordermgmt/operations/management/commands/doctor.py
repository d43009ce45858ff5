"""Looks at everything the application stands on and says how to mend what is wrong."""

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils import translation
from django.utils.translation import gettext as _

from ordermgmt.operations.doctor import examine


class Command(BaseCommand):
    help = "Checks database, broker, worker, fonts, libraries, folders, mail and clock; exit code 1 if one is wrong."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        codes = [code for code, _name in settings.LANGUAGES]
        parser.add_argument("--language", choices=codes, default=settings.LANGUAGE_CODE, help="language of the answer")

    def handle(self, *args: Any, **options: Any) -> None:
        with translation.override(options["language"]):
            findings = examine()
            for finding in findings:
                mark = self.style.SUCCESS("✓") if finding.ok else self.style.ERROR("✗")
                self.stdout.write(f"{mark} {finding.name}: {finding.found}")
                if finding.mend:
                    self.stdout.write(f"    → {finding.mend}")
            wrong = sum(not finding.ok for finding in findings)
            self.stdout.write(_("%(count)s to mend") % {"count": wrong} if wrong else _("Everything is in order."))
        if wrong:
            sys.exit(1)
