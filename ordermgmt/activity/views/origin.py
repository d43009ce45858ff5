"""Every write that a page makes carries the request's id."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from ordermgmt.activity.services import Origin, origin


def origin_middleware(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Marks what happens during a request as done by a page, with the id that `RequestIdMiddleware` gave it."""

    def middleware(request: HttpRequest) -> HttpResponse:
        before = origin.set(Origin(request_id=getattr(request, "id", ""), source="page"))
        try:
            return get_response(request)
        finally:
            origin.reset(before)

    return middleware
