"""The settlement statement of an order: the kept PDF in the language that is asked for."""

from django.conf import settings
from django.contrib.auth.decorators import permission_required
from django.http import FileResponse, Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from billing import services
from billing.models import SettlementPaper
from ordermgmt.activity.models import Job
from ordermgmt.documents.services import file_path
from ordermgmt.lib.http import Request

from .orders import find_order


@require_safe
@permission_required("billing.view_invoice", raise_exception=True)
def settlement_pdf(request: Request, number: str, language: str) -> HttpResponseBase:
    """The kept bytes; while a worker still makes them, a page that waits with its progress."""
    order = find_order(request, number)
    settlement = order.settlements.first()
    if settlement is None or language not in dict(settings.LANGUAGES):
        raise Http404
    paper = SettlementPaper.objects.filter(settlement=settlement, language=language).select_related("file").first()
    if paper is None:
        job = Job.objects.filter(key=f"{services.SETTLEMENT_JOB}:{settlement.pk}:{language}").first()
        template = "billing/_pdf_wait.html" if request.headers.get("HX-Request") else "billing/settlement_wait.html"
        return render(request, template, {"order": order, "job": job})
    if request.headers.get("HX-Request"):
        return HttpResponse(headers={"HX-Redirect": request.path})
    response = FileResponse(
        file_path(paper.file).open("rb"), as_attachment="inline" not in request.GET, filename=paper.file.name,
        content_type="application/pdf",
    )  # fmt: skip
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox"
    return response
