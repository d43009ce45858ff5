"""For load balancers and container engines: is the process alive, can it do its work."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from ordermgmt.operations import probes

_READY = {"database": probes.database, "broker": probes.broker, "worker": probes.heartbeats}


@never_cache
@login_not_required
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 as long as the process answers at all; asks nobody else."""
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
@login_not_required
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when database, broker and worker answer, else 503; says which does not, and no more than that."""
    state = {}
    for name, probe in _READY.items():
        try:
            probe()
            state[name] = "ok"
        except probes.Trouble:
            state[name] = "failed"
    ready = all(value == "ok" for value in state.values())
    return JsonResponse({"ready": ready, **state}, status=200 if ready else 503)
