"""The application's own settings with one app more, whose only job the fault tests count."""

from ordermgmt.settings import *  # noqa: F403
from ordermgmt.settings import CELERY_BEAT_SCHEDULE, INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.faults.probe"]
# What finds lost work runs often; the nightly rooms keep their hours, or they would queue before it.
CELERY_BEAT_SCHEDULE |= {name: {**CELERY_BEAT_SCHEDULE[name], "schedule": 2} for name in ("heartbeat", "sweep")}
