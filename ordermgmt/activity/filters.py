"""How the audit and the list of jobs can be narrowed."""

from typing import Any

import django_filters
from django.contrib.auth import get_user_model
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ordermgmt.activity.events import all_types
from ordermgmt.activity.models import Event, Job, WorkState
from ordermgmt.activity.services import all_roots
from ordermgmt.lib.typed import whole

SOURCES = [
    ("page", _("page")),
    ("task", _("background work")),
    ("import", _("import")),
    ("command", _("command")),
    ("api", _("API")),
]


def _type_choices() -> list[tuple[str, str]]:
    return [(one.name, one.name) for one in all_types()]


def _root_choices() -> list[tuple[str, Any]]:
    return [(one.key, one.name) for one in all_roots()]


def _people(_request: Any) -> Any:
    people: Any = get_user_model().objects
    return people.order_by("name")


class AuditFilter(django_filters.FilterSet):
    """Filters of the audit; `q` finds a request id or the key of an object."""

    q = django_filters.CharFilter(label=_("Request id or key"), method="search", max_length=64)
    type = django_filters.ChoiceFilter(label=_("What"), choices=_type_choices)
    actor = django_filters.ModelChoiceFilter(label=_("Who"), queryset=_people)
    root_type = django_filters.ChoiceFilter(label=_("About"), choices=_root_choices)
    source = django_filters.ChoiceFilter(label=_("By way of"), choices=SOURCES)
    since = django_filters.DateFilter(label=_("From"), field_name="at", lookup_expr="date__gte")
    until = django_filters.DateFilter(label=_("To"), field_name="at", lookup_expr="date__lte")

    class Meta:
        model = Event
        fields: list[str] = []

    def search(self, queryset: Any, _name: str, value: str) -> Any:
        """An exact request id, or the key of subject or root."""
        value = value.replace("\x00", "").strip()
        wanted = Q(request_id=value)
        if (pk := whole(value)) is not None:
            wanted |= Q(root_id=pk) | Q(subject_id=pk)
        return queryset.filter(wanted)


class JobFilter(django_filters.FilterSet):
    """Filters of the list of jobs."""

    q = django_filters.CharFilter(label=_("Search"), field_name="title", lookup_expr="icontains", max_length=100)
    state = django_filters.ChoiceFilter(label=_("State"), choices=WorkState.choices)

    class Meta:
        model = Job
        fields: list[str] = []
