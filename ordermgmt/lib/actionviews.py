"""The one view behind every verb on an object: confirm, perform, explain a refusal."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views import View

from ordermgmt.lib.actions import Action, ActionSet
from ordermgmt.lib.conflict import StaleVersion
from ordermgmt.lib.fields import add_errors
from ordermgmt.lib.fsm import Blocker, TransitionRefused
from ordermgmt.lib.http import Request
from ordermgmt.lib.typed import whole


class ActionView(View):
    """GET shows consequences, form and blockers; POST performs the service and goes back to the object.

    A subclass names `actions` and gives `queryset(user)` from `visible_to`: what one may not see is 404, what one may
    not do 403. A form that opens as a dialog sends the header X-Dialog and gets the bare form back.
    """

    request: Request
    actions: ActionSet
    result: Any = None  # what the service returned, once it did
    lookup = "number"
    http_method_names = ["get", "post"]

    def queryset(self) -> models.QuerySet[Any]:
        """What this person may see."""
        raise Http404

    def back(self, instance: Any) -> str:
        """Where a performed action leads."""
        return str(instance.get_absolute_url())

    def title(self, instance: Any) -> str:
        """What the verb is done to, in the heading of its form."""
        return str(instance)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        action = self.actions.get(kwargs["name"])
        if action is None:
            raise Http404
        self.action: Action = action
        self.instance = get_object_or_404(self.queryset(), **{self.lookup: kwargs[self.lookup]})
        if not action.permitted(self.instance, request.user):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def form_class(self) -> type[forms.BaseForm]:
        return self.action.form

    def bound(self, data: Any = None, files: Any = None) -> forms.BaseForm:
        """The action's form; one that takes `instance` or `user` is given them."""
        form_class = self.form_class()
        extra = {
            name: value
            for name, value in {"instance": self.instance, "user": self.request.user}.items()
            if name in getattr(form_class, "takes", ())
        }
        return form_class(data, files, **extra)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.show(self.bound())

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = self.bound(request.POST, request.FILES)
        if not form.is_valid():
            return self.show(form, status=422)
        if self.stale(request):
            return self.show(form, [self.stale_blocker()], status=409)
        try:
            self.result = self.action.perform(self.instance, actor=request.user, **form.cleaned_data)
        except TransitionRefused as refused:
            return self.show(form, refused.blockers, status=409)
        except StaleVersion:
            return self.show(form, [self.stale_blocker()], status=409)
        except ValidationError as error:
            add_errors(form, error)
            return self.show(form, status=422)
        done = self.action.done(self.result) if callable(self.action.done) else self.action.done
        messages.success(request, str(done))
        return self.leave(self.back(self.instance) if self.still_visible() else "/")

    def still_visible(self) -> bool:
        """Whether the person may still open what the verb was done to: a step may take it out of their sight."""
        model = type(self.instance)
        return (
            not model._default_manager.filter(pk=self.instance.pk).exists()
            or self.queryset().filter(pk=self.instance.pk).exists()
        )

    def stale(self, request: HttpRequest) -> bool:
        """Whether the page that sent this was opened on another version."""
        if getattr(self.form_class(), "sent_once", False):
            return False  # the form carries a key of its own: sent again, it leads to what the first one made
        seen = whole(request.POST.get("version"))
        return seen is not None and hasattr(self.instance, "version") and seen != self.instance.version

    def stale_blocker(self) -> Blocker:
        return Blocker(
            _("Somebody changed this since you opened the page. Look at it again before you confirm."),
            self.back(self.instance),
            _("Open the present state"),
        )

    def leave(self, url: str) -> HttpResponse:
        if not self.request.headers.get("X-Dialog"):
            return redirect(url)
        return HttpResponse(status=204, headers={"X-Location": url})

    def show(self, form: forms.BaseForm, blockers: list[Blocker] | None = None, status: int = 200) -> HttpResponse:
        found = self.action.blockers(self.instance, self.request.user) if blockers is None else blockers
        context = {
            "action": self.action,
            "instance": self.instance,
            "title": self.title(self.instance),
            "form": form,
            "blockers": found,
            "consequences": self.action.consequences(self.instance) if self.action.consequences and not found else [],
            "back": self.back(self.instance),
            "path": self.request.path,
        }
        dialog = bool(self.request.headers.get("X-Dialog"))
        template = "components/action_form.html" if dialog else "action.html"
        return render(self.request, template, context, status=status)
