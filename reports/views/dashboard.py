"""The dashboard of one's role: kept figures, charts with their tables, and the way to the documents."""

from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.views.decorators.http import require_GET, require_POST

from ordermgmt.activity.models import Job, WorkState
from ordermgmt.lib.http import Request
from reports.services import Dashboard, ask_figures, dashboards_for, figures_for

from .pages import chart_data, shown_rows


def _chosen(request: Request, key: str) -> tuple[Dashboard | None, list[Dashboard]]:
    """The wanted dashboard, or the first of one's roles. Raises Http404 for one of other roles."""
    own = dashboards_for(request.user)
    if not key:
        return (own[0] if own else None), own
    board = next((one for one in own if one.key == key), None)
    if board is None:
        raise Http404
    return board, own


@require_GET
@permission_required("reports.view_dashboard", raise_exception=True)
def page(request: Request) -> HttpResponse:
    """Shows what is kept; where nothing is yet, the page asks for it and waits."""
    board, own = _chosen(request, request.GET.get("show", ""))
    kept = figures_for(board, request.user, get_language() or "en") if board else None
    tiles = [_shown(index, tile) for index, tile in enumerate((kept.data or {}).get("tiles", []))] if kept else []
    job = Job.objects.filter(key=kept.job_key).first() if kept and not kept.data else None
    failed = job is not None and job.state in (WorkState.FAILED, WorkState.CANCELLED)
    context = {"failed": failed, "board": board, "boards": own, "kept": kept, "tiles": tiles}
    return render(request, "reports/dashboard.html", context)


@require_POST
@permission_required("reports.view_dashboard", raise_exception=True)
def refresh(request: Request) -> HttpResponse:
    """Asks the worker to make the figures now."""
    board, _own = _chosen(request, request.POST.get("show", ""))
    if board is None:
        raise Http404
    ask_figures(board, actor=request.user)
    return redirect(f"{reverse('reports:dashboard')}?show={board.key}")


def _shown(index: int, tile: dict[str, Any]) -> dict[str, Any]:
    return (
        tile
        | {"id": f"tile-{index}", "data_id": f"data-{index}", "rows_shown": shown_rows(tile)}
        | ({"chart_data": chart_data(tile)} if tile["kind"] == "chart" else {})
    )
