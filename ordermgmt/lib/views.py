"""Pages that belong to no app: start page, search, command palette."""

from dataclasses import asdict

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from ordermgmt.lib.palette import find, quick_commands


def _query(request: HttpRequest) -> str:
    return request.GET.get("q", "").replace("\x00", "")[:200]


def home(request: HttpRequest) -> HttpResponse:
    """Each role's work queues."""
    return render(request, "home.html", {"quick": quick_commands(request.user)})


def search(request: HttpRequest) -> HttpResponse:
    """What the search box finds, as a page."""
    text = _query(request)
    return render(request, "search.html", {"groups": find(request.user, text, 20), "global_query": text})


def palette(request: HttpRequest) -> JsonResponse:
    """What the palette shows for what was typed."""
    groups = find(request.user, _query(request))
    return JsonResponse({"groups": [group | {"hits": [asdict(hit) for hit in group["hits"]]} for group in groups]})
