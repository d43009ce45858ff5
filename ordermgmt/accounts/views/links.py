"""Pages behind mailed links, and the one that asks for such a link."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views import View
from django.views.decorators.debug import sensitive_post_parameters

from ordermgmt.accounts.forms import AcceptForm, ForgotForm, NewPasswordForm
from ordermgmt.accounts.models import AccessLink
from ordermgmt.accounts.services import accept_invitation, ask_password_reset, find_link, reset_password


@method_decorator([login_not_required, sensitive_post_parameters("password", "again")], name="dispatch")
class _LinkView(View):
    """A form for the reader of a link that still works, in their language; 410 for any other link."""

    purpose: AccessLink.Purpose
    template = ""
    http_method_names = ["get", "post"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        link = find_link(kwargs["token"], self.purpose)
        if link is None:
            return render(request, "accounts/link_dead.html", {"purpose": self.purpose}, status=410)
        self.link = link
        with override(link.user.language):
            return super().dispatch(request, *args, **kwargs)

    def blank(self) -> NewPasswordForm:
        return NewPasswordForm()

    def bound(self) -> NewPasswordForm:
        return NewPasswordForm(self.request.POST)

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        return self.show(self.blank())

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        form = self.bound()
        if not form.is_valid():
            return self.show(form, status=422)
        try:
            self.perform(form)
        except ValidationError as error:
            form.add_error("password", error.messages)
            return self.show(form, status=422)
        messages.success(request, _("Your password is set. Sign in with it."))
        return redirect("accounts:sign-in")

    def perform(self, form: NewPasswordForm) -> None:
        reset_password(self.link, password=form.cleaned_data["password"])

    def show(self, form: NewPasswordForm, status: int = 200) -> HttpResponse:
        return render(self.request, self.template, {"form": form, "person": self.link.user}, status=status)


class AcceptView(_LinkView):
    """An invited person chooses name and password."""

    purpose = AccessLink.Purpose.INVITE
    template = "accounts/invitation.html"

    def blank(self) -> NewPasswordForm:
        return AcceptForm(initial={"name": self.link.user.name})

    def bound(self) -> NewPasswordForm:
        return AcceptForm(self.request.POST)

    def perform(self, form: NewPasswordForm) -> None:
        accept_invitation(self.link, name=form.cleaned_data["name"], password=form.cleaned_data["password"])


class ResetView(_LinkView):
    """A person who forgot the password chooses a new one."""

    purpose = AccessLink.Purpose.RESET
    template = "accounts/reset.html"


@method_decorator(login_not_required, name="dispatch")
class ForgotView(View):
    """Asks for a link; the answer is the same whether or not the address is known."""

    http_method_names = ["get", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        return render(request, "accounts/forgot.html", {"form": ForgotForm()})

    def post(self, request: HttpRequest) -> HttpResponse:
        form = ForgotForm(request.POST)
        if not form.is_valid():
            return render(request, "accounts/forgot.html", {"form": form}, status=422)
        ask_password_reset(form.cleaned_data["email"])
        return render(request, "accounts/forgot.html", {"sent": True})
