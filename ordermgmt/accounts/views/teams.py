"""Departments, teams, and the table of permissions."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import ValidationError
from django.db.models import Count, Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.http import require_POST

from ordermgmt.accounts.forms import DepartmentForm, TeamForm
from ordermgmt.accounts.models import Department, Team
from ordermgmt.accounts.roles import LABELS, PERMISSIONS, Role, app_label, permission_label
from ordermgmt.accounts.services import remove_team, save_department, save_team

from .users import MANAGE, _me


@MANAGE
def team_list(request: HttpRequest) -> HttpResponse:
    """Departments with their teams and the number of members."""
    teams = Team.objects.annotate(size=Count("members")).order_by("name")
    departments = Department.objects.prefetch_related(Prefetch("teams", queryset=teams))
    return render(request, "accounts/team_list.html", {"departments": departments})


@method_decorator(MANAGE, name="dispatch")
class _EditView(View):
    """Makes or changes a department or a team."""

    http_method_names = ["get", "post"]

    def blank(self, pk: int | None) -> tuple[Any, Any]:
        """The object (new without a key) and its form."""
        raise NotImplementedError

    def perform(self, instance: Any, data: dict[str, Any]) -> None:
        raise NotImplementedError

    def get(self, request: HttpRequest, pk: int | None = None) -> HttpResponse:
        instance, form = self.blank(pk)
        return render(request, "accounts/team_form.html", {"instance": instance, "form": form})

    def post(self, request: HttpRequest, pk: int | None = None) -> HttpResponse:
        instance, form = self.blank(pk)
        if form.is_valid():
            try:
                self.perform(instance, form.cleaned_data)
            except ValidationError as error:
                for sentences in error.message_dict.values():
                    form.add_error("name", sentences)
            else:
                messages.success(request, _("%(name)s is saved.") % {"name": form.cleaned_data["name"]})
                return redirect("accounts:team-list")
        return render(request, "accounts/team_form.html", {"instance": instance, "form": form}, status=422)


class DepartmentView(_EditView):
    """A department."""

    def blank(self, pk: int | None) -> tuple[Any, Any]:
        department = get_object_or_404(Department, pk=pk) if pk else Department()
        return department, DepartmentForm(self.request.POST or None, initial={"name": department.name})

    def perform(self, instance: Any, data: dict[str, Any]) -> None:
        save_department(instance, **data, actor=_me(self.request))


class TeamView(_EditView):
    """A team."""

    def blank(self, pk: int | None) -> tuple[Any, Any]:
        team = get_object_or_404(Team, pk=pk) if pk else Team()
        initial = {"name": team.name, "department": team.department_id or self.request.GET.get("department")}
        return team, TeamForm(self.request.POST or None, initial=initial)

    def perform(self, instance: Any, data: dict[str, Any]) -> None:
        save_team(instance, **data, actor=_me(self.request))


@MANAGE
@require_POST
def delete_team(request: HttpRequest, pk: int) -> HttpResponse:
    """Removes a team that nothing belongs to."""
    team = get_object_or_404(Team, pk=pk)
    try:
        remove_team(team, actor=_me(request))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("%(name)s is removed.") % {"name": team.name})
    return redirect("accounts:team-list")


@permission_required("accounts.view_permissions", raise_exception=True)
def permission_matrix(request: HttpRequest) -> HttpResponse:
    """Which role may do what, from the one table that also decides it."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for code, holders in PERMISSIONS.items():
        row = {"code": code, "label": permission_label(code), "held": [role in holders for role in Role]}
        groups.setdefault(app_label(code), []).append(row)
    context = {"roles": [LABELS[role] for role in Role], "groups": groups.items()}
    return render(request, "accounts/permissions.html", context)
