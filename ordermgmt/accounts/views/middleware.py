"""What happens around every page: session limits, private pages, a second factor where it is needed, denials."""

import re
import time
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import patch_vary_headers

from ordermgmt.accounts.models import User
from ordermgmt.accounts.services import (
    begin_session,
    close_session,
    may_go_on,
    needs_enrolment,
    record_denial,
    touch_session,
)

from .web import client_address, to_login

Next = Callable[[HttpRequest], HttpResponse]
STARTED, SEEN, FACTOR = "started", "seen", "second_factor"
_TOUCH_SECONDS = 60
_FILES = re.compile(r"(\.pdf|\.xml|/pdf/|/statement/|/(csv|xlsx|pdf)/|^/reports/runs/[^/]+/json/)$")
_SENDS = re.compile(r"^/documents/imports/|/do/(send|mail)[a-z_-]*/$|^/reports/runs/[^/]+/[a-z]+/whole/$")
_WITHOUT_FACTOR = ("/profile/two-factor/", "/logout/", "/static/", "/login/")


class SessionLimits:
    """Ends a session that idled too long or is too old; notes a device as seen once a minute."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        if isinstance(user, User):
            now = int(time.time())
            started, seen = request.session.get(STARTED), request.session.get(SEEN, 0)
            if started is None:
                self.begin(request, user, now)
            elif now - started > settings.SESSION_ABSOLUTE_SECONDS or now - seen > settings.SESSION_IDLE_SECONDS:
                close_session(request.session.session_key or "")
                logout(request)
            elif now - seen >= _TOUCH_SECONDS:
                request.session[SEEN] = now
                touch_session(request.session.session_key or "", address=client_address(request) or None)
        return self.get_response(request)

    def begin(self, request: HttpRequest, user: User, now: int) -> None:
        """A session that somebody else than the sign-in page began (a command, a test) gets its limits here."""
        request.session[STARTED] = request.session[SEEN] = now
        begin_session(
            user,
            session_key=request.session.session_key or "",
            address=client_address(request) or None,
            user_agent=request.headers.get("user-agent", ""),
        )


class SecondFactorRequired:
    """Leads people whose role needs a second factor to the page where they set it up, until they have one."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        if settings.TWO_FACTOR_ROLES and isinstance(user, User) and not request.session.get(FACTOR):
            if request.path.startswith(_WITHOUT_FACTOR):
                return self.get_response(request)
            if needs_enrolment(user):
                return redirect("/profile/two-factor/")
            request.session[FACTOR] = True
        return self.get_response(request)


class PrivatePages:
    """Keeps what a signed-in person reads out of every cache, and sends a fragment's request to the sign-in page."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        login = response.status_code == 302 and response.headers.get("Location", "").startswith(settings.LOGIN_URL)
        if login and (request.headers.get("hx-request") or request.headers.get("x-dialog")):
            response = to_login()
        private = request.user.is_authenticated or request.path.startswith(("/login", "/invite", "/password"))
        if private and "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "no-store"
            patch_vary_headers(response, ["Cookie"])
        return response


class HeavyWork:
    """Answers 429 when somebody asks for more exports, imports, PDFs or mails within a minute than settings allow."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        if isinstance(user, User) and is_heavy(request) and not may_go_on(user, most=settings.HEAVY_PER_MINUTE):
            response = render(request, "429.html", status=429)
            response["Retry-After"] = "60"
            return response
        return self.get_response(request)


def is_heavy(request: HttpRequest) -> bool:
    """Whether the request makes a file, reads one, or sends a mail."""
    writes = request.method == "POST"
    return bool("export" in request.GET or _FILES.search(request.path) or (writes and _SENDS.search(request.path)))


class Denials:
    """Writes one audit line for each refusal: a missing right (403), an object out of reach (404 of a known page)."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        match = request.resolver_match
        out_of_reach = response.status_code == 404 and match is not None and bool(match.kwargs)
        if (response.status_code == 403 or out_of_reach) and isinstance(request.user, User):
            record_denial(request.user, what=f"{response.status_code} {request.method} {request.path[:200]}")
        return response
