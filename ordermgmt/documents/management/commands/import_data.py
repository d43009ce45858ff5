"""`manage.py import_data PROFILE FOLDER`: reads a folder of files by a profile that ships with the application."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ordermgmt.accounts.models import User
from ordermgmt.accounts.services import system_user
from ordermgmt.documents.services.importing import Report, run_import
from ordermgmt.documents.services.profiles import load_profile, shipped_profiles, steps_from_folder
from ordermgmt.lib.importing import Outcome, Unreadable


class Command(BaseCommand):
    help = "Imports the files of a folder by a profile. The same files again change nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("profile", help=f"one of: {', '.join(one.key for one in shipped_profiles())}")
        parser.add_argument("folder", type=Path, help="where the files lie")
        parser.add_argument("--dry-run", action="store_true", help="say what would happen and write nothing")
        parser.add_argument("--format", choices=["text", "json"], default="text")
        parser.add_argument("--all-or-nothing", action="store_true", help="one refused object undoes everything")
        parser.add_argument("--user", default="", help="e-mail of the person in whose name it is done")
        parser.add_argument("--owner", default="", help="e-mail of the salesperson who gets customers without one")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            profile = load_profile(options["profile"])
        except KeyError as error:
            known = ", ".join(one.key for one in shipped_profiles())
            raise CommandError(f"There is no profile {options['profile']}. Known are: {known}.") from error
        actor = _person(options["user"]) or system_user()
        try:
            steps = steps_from_folder(profile, options["folder"])
        except Unreadable as error:
            raise CommandError(str(error)) from error
        report = run_import(
            steps,
            source=profile.source,
            actor=actor,
            mode="all" if options["all_or_nothing"] else profile.mode,
            dry_run=options["dry_run"],
            options={**profile.options, "owner": _person(options["owner"])},
        )
        if options["format"] == "json":
            self.stdout.write(json.dumps({"profile": profile.key, **report.as_json()}, ensure_ascii=False, indent=1))
        else:
            self._tell(report)
        if options["all_or_nothing"] and report.refused:
            raise CommandError("Nothing was written: something was refused.")

    def _tell(self, report: Report) -> None:
        for step in report.steps:
            counts = ", ".join(f"{step.counts[outcome]} {outcome.value}" for outcome in Outcome)
            self.stdout.write(f"{step.label}: {counts}")
            for kind, problems in (("refused", step.problems), ("note", step.warnings)):
                for problem in problems:
                    where = f"{problem.place}, {problem.column}" if problem.column else problem.place
                    self.stdout.write(f"  {kind}: {where}: {problem.sentence}")
        if not report.written:
            self.stdout.write("Nothing was written.")


def _person(email: str) -> User | None:
    if not email:
        return None
    user = User.objects.filter(email__iexact=email, is_active=True).first()
    if user is None:
        raise CommandError(f"There is no active person with the address {email}.")
    return user
