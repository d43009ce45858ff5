"""`manage.py create_admin`: the first administrator of a new installation, who then invites everybody else."""

import argparse
import getpass
import os
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from ordermgmt.accounts.models import User
from ordermgmt.accounts.roles import Role
from ordermgmt.accounts.services import create_user, system_user


class Command(BaseCommand):
    """Asks for the password, or takes it from ADMIN_PASSWORD where nobody can type."""

    help = "Make an administrator. The password is asked for, or read from the environment variable ADMIN_PASSWORD."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("name")

    def handle(self, *args: Any, **options: Any) -> None:
        if User.objects.filter(email__iexact=options["email"]).exists():
            raise CommandError(_("There is somebody with this address already."))
        password = os.environ.get("ADMIN_PASSWORD") or getpass.getpass()
        try:
            validate_password(password, User(email=options["email"], name=options["name"]))
            create_user(
                email=options["email"], name=options["name"], roles=[Role.ADMIN], password=password, actor=system_user()
            )
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(_("Done: %(email)s can sign in.") % {"email": options["email"]})
