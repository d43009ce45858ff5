"""What the pages of reports share: a period, and a table as CSV."""

import csv
import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any

from django.http import StreamingHttpResponse

from billing.forms import PeriodForm
from ordermgmt.company.services import business_today
from ordermgmt.lib.http import Request
from ordermgmt.lib.tables.exporting import safe_text


class _Echo:
    def write(self, value: str) -> str:
        return value


def csv_file(name: str, head: list[str], rows: Iterable[list[Any]]) -> StreamingHttpResponse:
    """A table as CSV: UTF-8 with byte order mark, commas, no formulas."""

    def lines() -> Iterator[str]:
        writer = csv.writer(_Echo())
        yield "\ufeff" + writer.writerow(head)
        for row in rows:
            yield writer.writerow([safe_text(cell) if isinstance(cell, str) else cell for cell in row])

    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8", headers=headers)


def period(request: Request) -> tuple[PeriodForm, dt.date, dt.date]:
    """The chosen period; this year up to today unless it makes sense."""
    form = PeriodForm(request.GET or None)
    today = business_today()
    chosen = form.cleaned_data if form.is_valid() else {}
    end = chosen.get("end") or today
    return form, chosen.get("start") or end.replace(month=1, day=1), end
