"""The worker application: `celery -A ordermgmt worker` and `celery -A ordermgmt beat`."""

import os

from celery import Celery
from celery.signals import setup_logging
from django.conf import settings
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ordermgmt.settings")
TRANSPORT_ALIASES["filebroker"] = "ordermgmt.lib.filebroker:Transport"

app = Celery("ordermgmt")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.set_default()  # for threads too: celery's "current app" is one per thread


@setup_logging.connect
def _keep_our_logging(**_: object) -> None:
    """Celery would put its own format over the JSON of the house."""
    import logging.config

    logging.config.dictConfig(settings.LOGGING)
