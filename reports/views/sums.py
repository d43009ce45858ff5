"""The daily sums: how current they are, and what the nightly comparison with the documents found."""

import datetime as dt

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from ordermgmt.lib.http import Request
from reports.models import DirtyDay, SumsCheck
from reports.services import difference_rows

_CHECKS = 14


@require_GET
@permission_required("reports.check_sums", raise_exception=True)
def page(request: Request) -> HttpResponse:
    """The last comparisons, and the differences of the newest."""
    checks = list(SumsCheck.objects.defer("differences")[:_CHECKS])
    last = SumsCheck.objects.first()
    context = {
        "checks": checks,
        "waiting": DirtyDay.objects.count(),
        "last": last,
        "rows": [row | {"day": dt.date.fromisoformat(row["day"])} for row in difference_rows(last)],
    }
    return render(request, "reports/sums.html", context)
