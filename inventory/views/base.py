"""What the form pages of inventory share."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views import View

from ordermgmt.lib.conflict import StaleVersion
from ordermgmt.lib.fields import add_errors
from ordermgmt.lib.http import Request
from ordermgmt.lib.typed import whole


class FormPage(View):
    """GET shows a form, POST calls one verb and leaves. A refusal keeps everything that was typed."""

    request: Request
    found: Any = None
    permission = ""
    title: str | Promise = ""
    template = "inventory/form.html"
    back = "/inventory/products/"
    back_label: Any = ""

    def instance(self) -> models.Model | None:
        """What is edited; None when something new is made. Raises Http404 for what this person may not see."""
        return None

    def form(self, data: Any = None) -> forms.BaseForm:
        """The form, empty or filled."""
        raise NotImplementedError

    def perform(self, form: Any) -> Any:
        """Calls the verb and returns what it made or changed."""
        raise NotImplementedError

    def target(self, made: Any) -> str:
        """Where to go when it is done."""
        return str(made.get_absolute_url())

    def said(self, made: Any) -> str:
        """What is told when it is done."""
        return _("Saved.")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.found = self.instance()
        if not self.request.user.has_perm(self.permission):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.show(self.form())

    def post(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        form = self.form(request.POST)
        if not form.is_valid():
            return self.show(form, 422)
        try:
            made = self.perform(form)
        except ValidationError as error:
            add_errors(form, error)
            return self.show(form, 422)
        except StaleVersion as stale:
            return self.conflict(form, stale)
        messages.success(request, self.said(made))
        return redirect(self.target(made))

    def seen_version(self) -> int | None:
        """The version of the page that sent the form."""
        return whole(self.request.POST.get("version"), digits=9)

    def conflict(self, form: forms.BaseForm, stale: StaleVersion) -> HttpResponse:
        """Both values side by side; saving again overwrites knowingly."""
        self.found = stale.instance
        present = [
            (bound.label, _shown(getattr(stale.instance, bound.name, "")))
            for bound in form
            if str(getattr(stale.instance, bound.name, "")) != str(form.cleaned_data.get(bound.name, ""))
        ]
        return self.show(form, 409, conflict=present)

    def show(self, form: forms.BaseForm, status: int = 200, **more: Any) -> HttpResponse:
        context = {
            "form": form, "title": self.title, "back": self.back, "back_label": self.back_label, "found": self.found,
            **more,
        }  # fmt: skip
        return render(self.request, self.template, context, status=status)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return "–" if value is None or value == "" else str(value)
