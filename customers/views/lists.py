"""The list of customers, and what selects and the entry form ask while somebody types."""

from collections.abc import Iterator
from typing import Any

from django.contrib.auth.decorators import permission_required
from django.db import models
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from customers.actions import CUSTOMER_ACTIONS
from customers.filters import CustomerFilter
from customers.models import Customer, MatchKey
from customers.models.matching import domain_key, name_key, phone_key, tax_key
from ordermgmt.lib.autocomplete import LIMIT, AutocompleteView
from ordermgmt.lib.countries import country_name
from ordermgmt.lib.http import Request
from ordermgmt.lib.tables import Column, ListView
from ordermgmt.lib.typed import whole

Kind = MatchKey.Kind


class CustomerList(ListView):
    """All customers this person may see."""

    key = "customers"
    title = _("Customers")
    permission = "customers.view_customer"
    filterset_class = CustomerFilter
    default_sort = "name"
    actions = CUSTOMER_ACTIONS
    new_url = "/customers/new/"
    new_label = _("New customer")
    new_permission = "customers.create_customer"
    empty_text = _("No customer matches. Clear the filters, or enter the first one.")
    columns = [
        Column("number", _("Number"), link=lambda row: row.get_absolute_url()),
        Column("name", _("Name"), link=lambda row: row.get_absolute_url()),
        Column("country", _("Country"), value=lambda row: country_name(row.country)),
        Column("segment", _("Segment")),
        Column("grade", _("Grade")),
        Column("owner", _("Salesperson"), path="owner.name", nullable=True),
        Column("team", _("Team"), path="team.name", nullable=True, default=False),
        Column("channel", _("Channel"), default=False),
        Column("kind", _("Kind"), default=False),
        Column("tags", _("Tags"), value=lambda row: ", ".join(row.tags), default=False),
        Column("email", _("E-mail"), default=False, permission="customers.view_contact"),
        Column("phone", _("Phone"), default=False, permission="customers.view_contact"),
        Column("tax_id", _("Tax id"), default=False, permission="customers.view_contact"),
        Column("currency", _("Currency"), default=False),
        Column("payment_days", _("Days to pay"), kind="count", default=False, permission="customers.view_balance"),
        Column(
            "credit_limit", _("Credit limit"), kind="amount", nullable=True, default=False,
            permission="customers.view_balance",
        ),
        Column("is_active", _("Active"), kind="bool", default=False),
        Column("created_at", _("Created"), kind="date", default=False),
    ]  # fmt: skip

    def queryset(self) -> models.QuerySet[Any]:
        return Customer.objects.visible_to(self.request.user).select_related("owner", "team")


class CustomerAutocomplete(AutocompleteView):
    """Active customers for a select."""

    permission = "customers.view_customer"

    def results(self, text: str) -> Iterator[dict[str, Any]]:
        found = Customer.objects.visible_to(self.request.user).active().found_by(text).order_by("name", "pk")
        for pk, number, name, country in found.values_list("pk", "number", "name", "country")[:LIMIT]:
            yield {"value": pk, "text": name, "hint": f"{number} {country}".strip()}


def similar_to(user: Any, keys: dict[str, str], *, apart_from: int | None = None) -> dict[str, Any]:
    """Customers that share a name, tax id, mail domain or phone: those the person may see with the reason, and how
    many others there are, of whom only that is said."""
    wanted = {(kind, value) for kind, value in keys.items() if value}
    if not wanted:
        return {"similar": [], "hidden": 0}
    found = Customer.objects.matching(wanted, apart_from=apart_from).prefetch_related("match_keys").order_by("pk")[:50]
    everybody = {customer.pk: customer for customer in found}
    seen = set(Customer.objects.visible_to(user).filter(pk__in=everybody).values_list("pk", flat=True))
    shown = []
    for pk in list(seen)[:5]:
        shared = [key.get_kind_display() for key in everybody[pk].match_keys.all() if (key.kind, key.value) in wanted]
        shown.append((everybody[pk], ", ".join(shared)))
    return {"similar": shown, "hidden": len(everybody) - len(seen)}


def match_keys(data: Any) -> dict[str, str]:
    """The plain forms of what was typed."""
    return {
        Kind.NAME.value: name_key(data.get("name", "")[:200]),
        Kind.TAX_ID.value: tax_key(data.get("tax_id", "")[:40]),
        Kind.DOMAIN.value: domain_key(data.get("email", "")[:254]),
        Kind.PHONE.value: phone_key(data.get("phone", "")[:40]),
    }


@permission_required("customers.create_customer", raise_exception=True)
def similar(request: Request) -> HttpResponse:
    """The warning beside the form while somebody types; empty when nobody is alike."""
    found = similar_to(request.user, match_keys(request.GET), apart_from=whole(request.GET.get("own")))
    return render(request, "customers/_similar.html", {**found, "heading": _t("Is this one of these?")})
