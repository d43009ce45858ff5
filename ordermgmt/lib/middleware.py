"""For every page: the reader's language and time zone, and an address that a database can take."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.http import Http404, HttpRequest, HttpResponseBase
from django.utils import timezone, translation


def reader(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Signed-in people read in the language and time zone of their profile; others in their browser's language."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        user = getattr(request, "user", None)
        if user is None or not user.is_authenticated:
            return get_response(request)
        translation.activate(user.language)
        with timezone.override(ZoneInfo(user.time_zone)):
            return get_response(request)

    return middleware


def readable(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Nothing stands at an address with a NUL in it; PostgreSQL would answer such a look-up with a fault."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if "\x00" in request.path_info:
            raise Http404
        return get_response(request)

    return middleware
