"""Pages that belong to no app: start page, search, command palette, what can't be read."""

from dataclasses import asdict

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from ordermgmt.lib.palette import find, quick_commands


def _query(request: HttpRequest) -> str:
    return request.GET.get("q", "").replace("\x00", "")[:200]


#: What was sent is larger, or has more parts, than is read at once.
_TOO_MUCH = (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What can't be read; of what is too large it says so in words, to a page, a dialog and a script alike."""
    if not isinstance(exception, _TOO_MUCH):
        return HttpResponseBadRequest(render_to_string("400.html"))
    sentence = _("This is more than can be sent at once. Nothing was saved: send a part of it, then the rest.")
    if request.content_type == "application/json":
        return JsonResponse({"message": sentence}, status=413)
    if request.headers.get("X-Dialog"):
        return HttpResponse(sentence, status=413, content_type="text/plain; charset=utf-8")
    return HttpResponse(render_to_string("413.html", {"sentence": sentence}), status=413)


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
