"""One's own profile, password, second factor and sessions."""

from typing import Any

import segno
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from ordermgmt.accounts.forms import ChangePasswordForm, CodeForm, PasswordForm, ProfileForm
from ordermgmt.accounts.models import User, UserSession
from ordermgmt.accounts.services import (
    begin_totp,
    change_password,
    confirm_totp,
    edit_profile,
    end_other_sessions,
    end_session,
    has_two_factor,
    make_recovery_codes,
    needs_two_factor,
    remove_totp,
)

from .middleware import FACTOR


def _me(request: HttpRequest) -> User:
    """The signed-in person: the middleware lets nobody else in."""
    assert isinstance(request.user, User)  # noqa: S101
    return request.user


class ProfileView(View):
    """Name, language, time zone, theme, density; and the way to everything else about oneself."""

    http_method_names = ["get", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show(request, ProfileForm(instance=_me(request)))

    def post(self, request: HttpRequest) -> HttpResponse:
        # A copy: a form that is not valid must not colour the page's own user.
        form = ProfileForm(request.POST, instance=User.objects.get(pk=_me(request).pk))
        if not form.is_valid():
            return self.show(request, form, status=422)
        edit_profile(_me(request), **form.cleaned_data)
        messages.success(request, _("Your profile is saved."))
        return redirect("accounts:profile")

    def show(self, request: HttpRequest, form: ProfileForm, status: int = 200) -> HttpResponse:
        user = _me(request)
        context = {
            "form": form,
            "sessions": UserSession.objects.visible_to(user).open(),
            "present_key": request.session.session_key,
            "two_factor": has_two_factor(user),
            "codes_left": user.recovery_codes.filter(used_at=None).count(),
        }
        return render(request, "accounts/profile.html", context, status=status)


@method_decorator(sensitive_post_parameters(), name="dispatch")
class ChangePasswordView(View):
    """One's own new password."""

    http_method_names = ["get", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        return render(request, "accounts/password.html", {"form": ChangePasswordForm()})

    def post(self, request: HttpRequest) -> HttpResponse:
        form = ChangePasswordForm(request.POST)
        if form.is_valid() and self.performed(request, form):
            messages.success(request, _("Your password is changed; all other sessions have ended."))
            return redirect("accounts:profile")
        return render(request, "accounts/password.html", {"form": form}, status=422)

    def performed(self, request: HttpRequest, form: ChangePasswordForm) -> bool:
        data = form.cleaned_data
        try:
            user = change_password(
                _me(request), old=data["old"], new=data["password"], session_key=request.session.session_key or ""
            )
        except ValidationError as error:
            for field, sentences in error.message_dict.items():
                form.add_error("password" if field == "new" else field, sentences)
            return False
        # The session's own mark of the password, or this device would be signed out as well.
        request.session["_auth_user_hash"] = user.get_session_auth_hash()
        return True


class TwoFactorSetupView(View):
    """Switches two-factor sign-in on: picture, first code, recovery codes."""

    http_method_names = ["get", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        if has_two_factor(_me(request)):
            context = {"on": True, "needed": needs_two_factor(_me(request)), "form": PasswordForm()}
            return render(request, "accounts/two_factor_setup.html", context)
        return self.show(request, CodeForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = CodeForm(request.POST)
        if not form.is_valid():
            return self.show(request, form, status=422)
        try:
            codes = confirm_totp(_me(request), code=form.cleaned_data["code"])
        except ValidationError as error:
            form.add_error("code", error.messages)
            return self.show(request, form, status=422)
        request.session.cycle_key()
        request.session[FACTOR] = True
        return render(request, "accounts/recovery_codes.html", {"codes": codes})

    def show(self, request: HttpRequest, form: CodeForm, status: int = 200) -> HttpResponse:
        try:
            device = begin_totp(_me(request))
        except ValidationError:
            return redirect("accounts:two-factor-setup")
        secret = _grouped(device.config_url.split("secret=")[1].split("&")[0])
        context: dict[str, Any] = {"form": form, "qr": _qr(device.config_url), "secret": secret}
        return render(request, "accounts/two_factor_setup.html", context, status=status)


def _grouped(secret: str) -> str:
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))


def _qr(url: str) -> str:
    """The picture as SVG without inline style, which the content security policy would refuse."""
    return segno.make(url, error="m").svg_inline(scale=5, dark="#000", light="#fff", border=3)


@require_POST
def remove_two_factor(request: HttpRequest) -> HttpResponse:
    """Switches two-factor sign-in off, with the password."""
    return _with_password(request, remove_totp, "accounts/two_factor_setup.html")


@require_POST
def new_recovery_codes(request: HttpRequest) -> HttpResponse:
    """Makes new recovery codes, with the password."""
    return _with_password(request, make_recovery_codes, "accounts/two_factor_setup.html")


def _with_password(request: HttpRequest, verb: Any, template: str) -> HttpResponse:
    user = _me(request)
    form = PasswordForm(request.POST)
    if form.is_valid():
        try:
            codes = verb(user, password=form.cleaned_data["password"])
        except ValidationError as error:
            if hasattr(error, "error_dict"):
                form.add_error(None, [message for messages_ in error.message_dict.values() for message in messages_])
            else:
                form.add_error(None, error.messages)
        else:
            if codes:
                return render(request, "accounts/recovery_codes.html", {"codes": codes})
            messages.success(request, _("Two-factor sign-in is off."))
            return redirect("accounts:profile")
    if not has_two_factor(user):
        return redirect("accounts:two-factor-setup")
    return render(request, template, {"on": True, "needed": needs_two_factor(user), "form": form}, status=422)


@require_POST
def end_one_session(request: HttpRequest, public_id: str) -> HttpResponse:
    """Signs one of one's own devices out."""
    session = get_object_or_404(UserSession.objects.visible_to(_me(request)), public_id=public_id)
    end_session(session, actor=_me(request))
    messages.success(request, _("The session is ended."))
    return redirect("accounts:profile")


@require_POST
def end_others(request: HttpRequest) -> HttpResponse:
    """Signs every device out but this one."""
    end_other_sessions(_me(request), session_key=request.session.session_key or "", actor=_me(request))
    messages.success(request, _("All other sessions are ended."))
    return redirect("accounts:profile")
