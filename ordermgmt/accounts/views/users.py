"""Administrators' pages about people."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views import View

from ordermgmt.accounts.actions import USER_ACTIONS
from ordermgmt.accounts.forms import ROLE_CHOICES, InviteForm
from ordermgmt.accounts.models import User
from ordermgmt.accounts.roles import Role
from ordermgmt.accounts.services import has_two_factor, invite_user
from ordermgmt.lib.actionviews import ActionView

MANAGE = permission_required("accounts.manage_users", raise_exception=True)
_STATES = {
    "active": Q(is_active=True),
    "invited": Q(is_active=False, joined_at=None),
    "disabled": Q(is_active=False, joined_at__isnull=False),
}


def typed(request: HttpRequest, name: str) -> str:
    """A parameter of the address as text that any database takes."""
    return request.GET.get(name, "").replace("\x00", "").strip()[:200]


def _found(request: HttpRequest) -> QuerySet[User]:
    users = User.objects.people().select_related("team__department").prefetch_related("role_assignments")
    if text := typed(request, "q"):
        users = users.filter(Q(name__icontains=text) | Q(email__icontains=text))
    if (role := typed(request, "role")) in set(Role):
        users = users.with_role(Role(role))
    return users.filter(_STATES.get(typed(request, "state"), Q()))


@MANAGE
def user_list(request: HttpRequest) -> HttpResponse:
    """Everybody, found by name, address, role or state."""
    page = Paginator(_found(request).order_by("name", "pk"), 50).get_page(typed(request, "page"))
    context = {
        "page": page,
        "roles": ROLE_CHOICES,
        "states": [("active", _("Active")), ("invited", _("Invited")), ("disabled", _("Disabled"))],
        "chosen": {name: typed(request, name) for name in ("q", "role", "state")},
    }
    return render(request, "accounts/user_list.html", context)


@MANAGE
def user_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One person: roles, team, state, and what may be done about them."""
    users = User.objects.visible_to(_me(request)).select_related("team__department")
    person = get_object_or_404(users.prefetch_related("role_assignments"), pk=pk)
    own = person.pk == _me(request).pk
    context = {
        "person": person,
        "actions": []
        if own
        else [one for one in USER_ACTIONS.offered(person, request.user) if not one.blockers(person)],
        "two_factor": has_two_factor(person),
        "sessions": person.sessions.open()[:20],
    }
    return render(request, "accounts/user_detail.html", context)


def _me(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101
    return request.user


@method_decorator(MANAGE, name="dispatch")
class InviteView(View):
    """Invites a person."""

    http_method_names = ["get", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        initial = {"language": _me(request).language}
        return render(request, "accounts/invite.html", {"form": InviteForm(initial=initial)})

    def post(self, request: HttpRequest) -> HttpResponse:
        form = InviteForm(request.POST)
        if form.is_valid():
            try:
                person = invite_user(**form.cleaned_data, actor=_me(request))
            except ValidationError as error:
                _put(form, error)
            else:
                messages.success(request, _("The invitation is on its way to %(email)s.") % {"email": person.email})
                return redirect("accounts:user-detail", person.pk)
        return render(request, "accounts/invite.html", {"form": form}, status=422)


def _put(form: Any, error: ValidationError) -> None:
    """Stands each sentence at its field; what belongs to none stands above the form."""
    for field, sentences in error.message_dict.items():
        form.add_error(field if field in form.fields else None, sentences)


class UserActionView(ActionView):
    """Every verb of an administrator on a person."""

    actions = USER_ACTIONS
    lookup = "pk"

    def queryset(self) -> QuerySet[User]:
        return User.objects.visible_to(_me(self.request))


def autocomplete(request: HttpRequest) -> JsonResponse:
    """Colleagues by name or address, for mentions and assignments; `role` narrows it down."""
    people = User.objects.visible_to(_me(request)).filter(is_active=True)
    if text := typed(request, "q"):
        people = people.filter(Q(name__icontains=text) | Q(email__icontains=text))
    roles = [Role(role) for role in request.GET.getlist("role") if role in set(Role)]
    if roles:
        people = people.with_role(*roles)
    found = [{"value": one.pk, "text": one.name, "hint": one.email} for one in people.order_by("name", "pk")[:20]]
    return JsonResponse({"results": found})
