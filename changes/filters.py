"""What the lists of change requests can be narrowed by."""

import django_filters as filters
from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from changes.models import ChangeReason, ChangeRequest
from changes.services import waiting_for


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
        method="waits", label=_("Waiting for"), help_text=_("Only what you are asked to judge, approve or apply."),
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
        return queryset.filter(pk__in=waiting_for(self.request.user).order_by().values("pk"))

    def own(self, queryset: QuerySet[ChangeRequest], name: str, value: str) -> QuerySet[ChangeRequest]:
        return queryset.filter(requested_by=self.request.user)
