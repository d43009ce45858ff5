"""What the lists of change requests can be narrowed by."""

import django_filters as filters
from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from changes.models import ChangeReason, ChangeRequest, PurchaseDecision
from changes.services import mine, waiting_for


class ChangeFilter(filters.FilterSet):
    """Requests by text, state, reason, who asked and when."""

    q = filters.CharFilter(
        method="search", label=_("Search"), max_length=100,
        help_text=_("Any part of the request's or order's number, customer or text."),
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )  # fmt: skip
    status = filters.ChoiceFilter(
        method="in_status", label=_("Status"), help_text=_("Still open, or decided for good."),
        choices=[("open", _("Open")), ("closed", _("Closed"))],
    )  # fmt: skip
    state = filters.MultipleChoiceFilter(
        choices=ChangeRequest.State.choices, label=_("State"), help_text=_("One or several."),
        widget=forms.SelectMultiple(attrs={"size": 4}),
    )  # fmt: skip
    reason = filters.ModelChoiceFilter(
        queryset=ChangeReason.objects.all(), label=_("Reason"), help_text=_("From the company's list.")
    )
    mine = filters.ChoiceFilter(
        method="own", label=_("Requested by"), help_text=_("Only what you asked for."), choices=[("yes", _("Me"))]
    )
    waiting = filters.ChoiceFilter(
        method="waits", label=_("Waiting for"), help_text=_("Only what you are asked to judge, approve, apply or acknowledge."),
        choices=[("me", _("Me"))],
    )  # fmt: skip
    since = filters.DateFilter(
        field_name="requested_at", lookup_expr="date__gte", label=_("From"), help_text=_("Entered on or after this day."),
        widget=forms.DateInput(attrs={"type": "date"}),
    )  # fmt: skip

    class Meta:
        model = ChangeRequest
        fields = ["q", "status", "state", "reason", "mine", "waiting", "since"]

    def search(self, queryset: QuerySet[ChangeRequest], name: str, value: str) -> QuerySet[ChangeRequest]:
        return queryset.filter(
            Q(number__icontains=value) | Q(order__search_text__found=value) | Q(text__icontains=value)
        )

    def in_status(self, queryset: QuerySet[ChangeRequest], name: str, value: str) -> QuerySet[ChangeRequest]:
        is_open = Q(state__in=["draft", "submitted", "assessed", "approved"])
        return queryset.filter(is_open if value == "open" else ~is_open)

    def waits(self, queryset: QuerySet[ChangeRequest], name: str, value: str) -> QuerySet[ChangeRequest]:
        user = self.request.user
        return queryset.filter(
            Q(pk__in=waiting_for(user).order_by().values("pk")) | Q(pk__in=mine(user).values("change"))
        )

    def own(self, queryset: QuerySet[ChangeRequest], name: str, value: str) -> QuerySet[ChangeRequest]:
        return queryset.filter(requested_by=self.request.user)


class DecisionFilter(filters.FilterSet):
    """Purchases that changes touched, by what is decided and by text."""

    q = filters.CharFilter(
        method="search", label=_("Search"), max_length=100,
        help_text=_("Any part of the purchase order's or request's number, supplier or material."),
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )  # fmt: skip
    status = filters.ChoiceFilter(
        method="in_status", label=_("Status"), help_text=_("Still to be decided, or decided."),
        choices=[("open", _("Open")), ("decided", _("Decided"))],
    )  # fmt: skip

    class Meta:
        model = PurchaseDecision
        fields = ["q", "status"]

    def search(self, queryset: QuerySet[PurchaseDecision], name: str, value: str) -> QuerySet[PurchaseDecision]:
        found = Q(number__icontains=value) | Q(supplier__icontains=value) | Q(sku__icontains=value)
        return queryset.filter(found | Q(change__number__icontains=value))

    def in_status(self, queryset: QuerySet[PurchaseDecision], name: str, value: str) -> QuerySet[PurchaseDecision]:
        return queryset.filter(choice="") if value == "open" else queryset.exclude(choice="")
