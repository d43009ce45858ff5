"""A job whose effect can be counted (a number from a gapless series, once per key), and a report that takes its time."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django import forms
from django.db import transaction

from ordermgmt.activity.services import job_handler
from ordermgmt.documents.models import NumberSeries
from ordermgmt.documents.services import take_number
from reports.services.definitions import Column, Report, Section, register


@job_handler("probe.count", queue="pdf", attempts=50)
def count(job, progress):
    progress(0, 1)
    time.sleep(0.05)
    with transaction.atomic():
        _row, new = NumberSeries.objects.get_or_create(key=job.key)
        if new:
            take_number("probe")
    time.sleep(0.05)


def slow_report() -> Report:
    """A report of six sections that each take a moment; each step leaves a line in the file that its reader names."""

    def rows(section: str) -> Callable[[Any, dict[str, Any]], Iterator[dict[str, Any]]]:
        def found(user: Any, params: dict[str, Any]) -> Iterator[dict[str, Any]]:
            for number in range(3000):
                if number % 1000 == 0:
                    time.sleep(0.15)
                    with Path(params["trace"]).open("a") as trace:
                        trace.write(f"{os.getpid()} {section} {number}\n")
                yield {"number": number, "count": 1}

        return found

    columns = (Column("number", "Number", "number"), Column("count", "Count", "count"))
    parts = tuple(Section(f"part{n}", f"Part {n}", columns, rows(f"part{n}"), "number", "count") for n in range(6))
    return Report(key="probe", title="Probe", summary="", form=TraceForm, sections=parts, compares=False)


class TraceForm(forms.Form):
    """Where the steps leave their lines."""

    trace = forms.CharField()


register(slow_report())
