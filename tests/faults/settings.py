"""The application's own settings with one app more, whose only job the fault tests count."""

from ordermgmt.settings import *  # noqa: F403
from ordermgmt.settings import CELERY_BEAT_SCHEDULE, INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.faults.probe"]
CELERY_BEAT_SCHEDULE = {name: {**entry, "schedule": 2} for name, entry in CELERY_BEAT_SCHEDULE.items()}
