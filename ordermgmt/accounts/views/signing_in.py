"""Signing in and out."""

import time
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, logout
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views import View
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from ordermgmt.accounts.forms import CodeForm, SignInForm
from ordermgmt.accounts.models import User
from ordermgmt.accounts.services import (
    MustWait,
    begin_session,
    check_code,
    check_password,
    close_session,
    demo_logins,
    device_cookie,
    has_two_factor,
    keys_for,
    note_failure,
    note_sign_in,
    note_sign_out,
    seconds_to_wait,
)

from .middleware import FACTOR, SEEN, STARTED
from .web import DEVICE_COOKIE, client_address, safe_next, set_device_cookie

_PENDING = "pending_sign_in"
_PENDING_SECONDS = 600
_PENDING_TRIES = 5


def _keys(request: HttpRequest, email: str) -> list[str]:
    cookie = request.COOKIES.get(DEVICE_COOKIE, "")
    return keys_for(email=email, address=client_address(request), cookie=cookie)


def _wait_sentence(seconds: int) -> str:
    minutes = max(1, round(seconds / 60))
    return ngettext(
        "Too many wrong tries. Wait %(minutes)d minute and try again.",
        "Too many wrong tries. Wait %(minutes)d minutes and try again.",
        minutes,
    ) % {"minutes": minutes}


def _complete(request: HttpRequest, user: User, *, second_factor: bool, wanted: str) -> HttpResponse:
    """Begins the session under a new id and remembers the browser."""
    address = client_address(request)
    keys = _keys(request, user.email)
    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[-1])
    now = int(time.time())
    request.session.update({STARTED: now, SEEN: now, FACTOR: second_factor})
    begin_session(
        user,
        session_key=request.session.session_key or "",
        address=address or None,
        user_agent=request.headers.get("user-agent", ""),
    )
    note_sign_in(user, keys=keys, address=address)
    response = redirect(safe_next(request, wanted))
    set_device_cookie(response, device_cookie(request.COOKIES.get(DEVICE_COOKIE, ""), user.email))
    return response


@method_decorator([login_not_required, sensitive_post_parameters("password")], name="dispatch")
class SignInView(View):
    """E-mail address and password."""

    http_method_names = ["get", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        wanted = request.GET.get("next", "")
        if request.user.is_authenticated:
            return redirect(safe_next(request, wanted))
        return self.show(request, SignInForm(), wanted)

    def post(self, request: HttpRequest) -> HttpResponse:
        wanted = request.POST.get("next", "")
        form = SignInForm(request.POST)
        if not form.is_valid():
            return self.show(request, form, wanted, status=422)
        email, password = form.cleaned_data["email"], form.cleaned_data["password"]
        keys = _keys(request, email)
        try:
            user = check_password(request, email=email, password=password, keys=keys, address=client_address(request))
        except MustWait as wait:
            form.add_error(None, _wait_sentence(wait.seconds))
            return self.show(request, form, wanted, status=429)
        if user is None:
            form.add_error(None, _("This e-mail address and password do not fit together."))
            return self.show(request, form, wanted, status=422)
        if not has_two_factor(user):
            return _complete(request, user, second_factor=False, wanted=wanted)
        request.session.cycle_key()
        request.session[_PENDING] = {"user": user.pk, "at": int(time.time()), "tries": 0, "next": wanted}
        return redirect("accounts:two-factor")

    def show(self, request: HttpRequest, form: SignInForm, wanted: str, status: int = 200) -> HttpResponse:
        context = {"form": form, "next": wanted, "demo_logins": demo_logins()}
        return render(request, "accounts/sign_in.html", context, status=status)


@method_decorator(login_not_required, name="dispatch")
class TwoFactorView(View):
    """The second step, for ten minutes and five tries after the password."""

    http_method_names = ["get", "post"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        pending = request.session.get(_PENDING, {})
        fresh = pending and time.time() - pending["at"] < _PENDING_SECONDS and pending["tries"] < _PENDING_TRIES
        user = User.objects.active().filter(pk=pending["user"]).first() if fresh else None
        if user is None:
            request.session.pop(_PENDING, None)
            return redirect("accounts:sign-in")
        self.user, self.pending = user, pending
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest) -> HttpResponse:
        return render(request, "accounts/two_factor.html", {"form": CodeForm()})

    def post(self, request: HttpRequest) -> HttpResponse:
        form = CodeForm(request.POST)
        keys = _keys(request, self.user.email)
        if not form.is_valid():
            return render(request, "accounts/two_factor.html", {"form": form}, status=422)
        if seconds := seconds_to_wait(keys):
            form.add_error(None, _wait_sentence(seconds))
            return render(request, "accounts/two_factor.html", {"form": form}, status=429)
        if check_code(self.user, form.cleaned_data["code"]):
            del request.session[_PENDING]
            return _complete(request, self.user, second_factor=True, wanted=self.pending["next"])
        note_failure(email=self.user.email, keys=keys, address=client_address(request))
        request.session[_PENDING] = self.pending | {"tries": self.pending["tries"] + 1}
        form.add_error("code", _("This code is not right, or it has been used already."))
        return render(request, "accounts/two_factor.html", {"form": form}, status=422)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Ends the session."""
    if isinstance(request.user, User):
        close_session(request.session.session_key or "")
        note_sign_out(request.user)
    logout(request)
    messages.success(request, _("You are signed out."))
    return redirect("accounts:sign-in")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that was opened before the present session, or sent from elsewhere."""
    return render(request, "403_csrf.html", status=403)
