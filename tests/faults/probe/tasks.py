"""A job whose effect can be counted: a number from a gapless series, once per key."""

import time

from django.db import transaction

from ordermgmt.activity.services import job_handler
from ordermgmt.documents.models import NumberSeries
from ordermgmt.documents.services import take_number


@job_handler("probe.count", queue="pdf", attempts=50)
def count(job, progress):
    progress(0, 1)
    time.sleep(0.05)
    with transaction.atomic():
        _row, new = NumberSeries.objects.get_or_create(key=job.key)
        if new:
            take_number("probe")
    time.sleep(0.05)
