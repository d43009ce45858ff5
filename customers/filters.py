"""How the list of customers can be narrowed."""

from typing import Any

import django_filters
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from ordermgmt.accounts.models import Team
from ordermgmt.accounts.roles import Role
from ordermgmt.accounts.services import users_with_role
from ordermgmt.lib.countries import countries


def _sellers(_request: Any) -> Any:
    return users_with_role(Role.SALES, Role.SALES_MANAGER)


class CustomerFilter(django_filters.FilterSet):
    """Filters of the customer list; `q` searches number, names, tax id, contacts, phones, mails, tags and towns."""

    q = django_filters.CharFilter(label=_("Search"), method="search", max_length=200)
    owner = django_filters.ModelChoiceFilter(label=_("Salesperson"), queryset=_sellers)
    team = django_filters.ModelChoiceFilter(label=_("Team"), queryset=lambda _request: Team.objects.all())
    country = django_filters.ChoiceFilter(label=_("Country"), choices=countries)
    kind = django_filters.ChoiceFilter(label=_("Kind"), choices=Customer.Kind.choices)
    grade = django_filters.ChoiceFilter(label=_("Grade"), choices=Customer.Grade.choices)
    channel = django_filters.ChoiceFilter(label=_("Channel"), choices=Customer.Channel.choices)
    segment = django_filters.CharFilter(label=_("Segment"), lookup_expr="iexact", max_length=60)
    currency = django_filters.CharFilter(label=_("Currency"), lookup_expr="iexact", max_length=3)
    is_active = django_filters.BooleanFilter(label=_("Active"))

    class Meta:
        model = Customer
        fields: list[str] = []

    def search(self, queryset: Any, _name: str, value: str) -> Any:
        """Any fragment, Chinese too."""
        return queryset.found_by(value)
