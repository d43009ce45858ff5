#!/usr/bin/env python
"""Django's command line for ordermgmt."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ordermgmt.settings")
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        _ = settings.SECRET_KEY
    except ImproperlyConfigured as error:
        sys.exit(str(error))  # one sentence that names the variable says more than a traceback
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
