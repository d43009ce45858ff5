"""What every view of the sign-in needs to know about a request."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.http import url_has_allowed_host_and_scheme

DEVICE_COOKIE = settings.DEVICE_COOKIE_NAME


def client_address(request: HttpRequest) -> str:
    """The reader's address: behind n proxies of our own, the n-th from the right of what they noted."""
    if settings.TRUSTED_PROXIES:
        noted = [part.strip() for part in request.headers.get("x-forwarded-for", "").split(",") if part.strip()]
        if len(noted) >= settings.TRUSTED_PROXIES:
            return str(noted[-settings.TRUSTED_PROXIES])
    return str(request.META.get("REMOTE_ADDR", ""))


def safe_next(request: HttpRequest, wanted: str) -> str:
    """The page asked for where it is one of ours, the start page otherwise (P30)."""
    if wanted and url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure()):
        return wanted
    return "/"


def set_device_cookie(response: HttpResponse, value: str) -> None:
    """Remembers that this browser has signed in here before."""
    response.set_cookie(
        DEVICE_COOKIE,
        value,
        max_age=settings.DEVICE_COOKIE_DAYS * 86400,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def to_login() -> HttpResponse:
    """Sends the whole page to the sign-in page, where a fragment or a dialog was asked for."""
    return HttpResponse(status=204, headers={"HX-Redirect": settings.LOGIN_URL, "X-Location": settings.LOGIN_URL})
