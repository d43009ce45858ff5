"""What the company sets about changes, its reasons and rules; and whom people let decide in their place."""

from typing import Any

from django.contrib.auth.mixins import PermissionRequiredMixin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet, Value
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy
from django.views import View

from changes import services
from changes.actions import DELEGATION_ACTIONS, REASON_ACTIONS, RULE_ACTIONS
from changes.forms import ChangeReasonForm, DelegationForm, RuleForm
from changes.models import ApprovalRule, ChangeReason, Delegation
from ordermgmt.company.services import default_seller
from ordermgmt.lib.actionviews import ActionView
from ordermgmt.lib.tables import Column, ListView

_RULES = "changes.set_rules"


class CreatePage(PermissionRequiredMixin, View):
    """A form that makes one row through a service. A subclass gives form(), save(), title and where it leads back."""

    permission_required = _RULES
    raise_exception = True
    request: Any
    title: Any = ""
    parent: Any = ""
    back = ""

    def form(self, data: Any = None) -> BaseForm:
        raise NotImplementedError

    def save(self, data: dict[str, Any]) -> None:
        raise NotImplementedError

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._show(self.form())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = self.form(request.POST)
        if form.is_valid():
            try:
                self.save(form.cleaned_data)
            except ValidationError as error:
                form.add_error(None, error)
            else:
                return redirect(self.back)
        return self._show(form, 422)

    def _show(self, form: BaseForm, status: int = 200) -> HttpResponse:
        context = {"form": form, "title": self.title, "parent": self.parent, "back": self.back}
        return render(self.request, "changes/setup_form.html", context, status=status)


class ReasonList(ListView):
    """Why orders are changed, as the company names it."""

    key = "changes.reasons"
    title = gettext_lazy("Reasons for changes")
    permission = _RULES
    default_sort = "code"
    new_url = "/changes/reasons/new/"
    new_label = gettext_lazy("Add a reason")
    new_permission = _RULES
    empty_text = gettext_lazy("Add a reason: a request can't be written without one.")
    columns = [
        Column("code", gettext_lazy("Code")),
        Column("name", gettext_lazy("Name")),
        Column("name_zh", gettext_lazy("Chinese name"), sortable=False),
        Column("is_active", gettext_lazy("Offered"), kind="bool", sortable=False),
    ]

    def queryset(self) -> QuerySet[ChangeReason]:
        return ChangeReason.objects.all()

    def row_url(self, row: ChangeReason) -> str:
        return f"/changes/reasons/{row.pk}/do/edit/"


class ReasonCreate(CreatePage):
    """A new reason."""

    title, parent = gettext_lazy("Add a reason"), gettext_lazy("Reasons for changes")
    back = "/changes/reasons/"

    def form(self, data: Any = None) -> BaseForm:
        return ChangeReasonForm(data)

    def save(self, data: dict[str, Any]) -> None:
        services.save_reason(actor=self.request.user, **data)


class ReasonActionView(ActionView):
    """Changing a reason."""

    actions = REASON_ACTIONS
    lookup = "pk"

    def queryset(self) -> QuerySet[ChangeReason]:
        return ChangeReason.objects.all()

    def back(self, instance: ChangeReason) -> str:
        return "/changes/reasons/"


class RuleList(ListView):
    """Who must agree to what, a sentence each; everybody who sees changes may read it."""

    key = "changes.rules"
    title = gettext_lazy("Approval rules of changes")
    permission = "changes.view_rules"
    default_sort = "pk"
    new_url = "/changes/rules/new/"
    new_label = gettext_lazy("Add a rule")
    new_permission = _RULES
    empty_text = gettext_lazy("Without a rule every change waits for a manager.")
    columns = [
        Column("name", gettext_lazy("Name"), sortable=False),
        Column("rule", gettext_lazy("Rule"), value=lambda row: row.sentence(row.currency)),
        Column("is_active", gettext_lazy("In force"), kind="bool", sortable=False),
    ]

    def queryset(self) -> QuerySet[ApprovalRule]:
        money = Value(default_seller().currency)
        return ApprovalRule.objects.annotate(currency=money).prefetch_related("steps")

    def row_url(self, row: ApprovalRule) -> str:
        return f"/changes/rules/{row.pk}/do/edit/" if self.request.user.has_perm(_RULES) else ""


class RuleCreate(CreatePage):
    """A new rule."""

    title, parent = gettext_lazy("Add a rule"), gettext_lazy("Approval rules of changes")
    back = "/changes/rules/"

    def form(self, data: Any = None) -> BaseForm:
        return RuleForm(data)

    def save(self, data: dict[str, Any]) -> None:
        services.save_rule(actor=self.request.user, **data)


class RuleActionView(ActionView):
    """Changing a rule."""

    actions = RULE_ACTIONS
    lookup = "pk"

    def queryset(self) -> QuerySet[ApprovalRule]:
        return ApprovalRule.objects.all()

    def back(self, instance: ApprovalRule) -> str:
        return "/changes/rules/"


class DelegationList(ListView):
    """Who decides in whose place, and when."""

    key = "changes.delegations"
    title = gettext_lazy("Delegations")
    permission = "changes.approve_change"
    default_sort = "-pk"
    new_url = "/changes/delegations/new/"
    new_label = gettext_lazy("Name a deputy")
    new_permission = "changes.approve_change"
    empty_text = gettext_lazy("Name a deputy before you are away.")
    columns = [
        Column("owner", gettext_lazy("For"), path="owner.name", sortable=False),
        Column("deputy", gettext_lazy("Deputy"), path="deputy.name", sortable=False),
        Column("since", gettext_lazy("From"), kind="date"),
        Column("until", gettext_lazy("Until"), kind="date"),
        Column("reason", gettext_lazy("Reason"), sortable=False),
        Column("ended", gettext_lazy("Ended early"), kind="bool", sortable=False),
    ]

    def queryset(self) -> QuerySet[Delegation]:
        return Delegation.objects.visible_to(self.request.user).select_related("owner", "deputy")

    def row_url(self, row: Delegation) -> str:
        return f"/changes/delegations/{row.pk}/do/end/" if row.owner_id == self.request.user.pk else ""


class DelegationCreate(CreatePage):
    """Naming a deputy for some days."""

    permission_required = "changes.approve_change"
    title, parent = gettext_lazy("Name a deputy"), gettext_lazy("Delegations")
    back = "/changes/delegations/"

    def form(self, data: Any = None) -> BaseForm:
        return DelegationForm(data, user=self.request.user)

    def save(self, data: dict[str, Any]) -> None:
        services.delegate(actor=self.request.user, **data)


class DelegationActionView(ActionView):
    """Ending a delegation."""

    actions = DELEGATION_ACTIONS
    lookup = "pk"

    def queryset(self) -> QuerySet[Delegation]:
        return Delegation.objects.filter(owner=self.request.user)

    def back(self, instance: Delegation) -> str:
        return "/changes/delegations/"
