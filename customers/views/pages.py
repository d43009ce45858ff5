"""One customer: the page, entering and editing, and the verbs."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db import models
from django.db.models import QuerySet
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from customers import services
from customers.actions import ADDRESS_ACTIONS, CERTIFICATE_ACTIONS, CONTACT_ACTIONS, CUSTOMER_ACTIONS
from customers.forms import CustomerForm, TermsForm
from customers.models import Address, Contact, Customer, ExemptionCertificate
from ordermgmt.company.services import business_today, default_seller
from ordermgmt.lib.actionviews import ActionView
from ordermgmt.lib.conflict import StaleVersion
from ordermgmt.lib.countries import country_name
from ordermgmt.lib.http import Request

from .lists import match_keys, similar_to


@permission_required("customers.view_customer", raise_exception=True)
def detail(request: Request, number: str) -> HttpResponse:
    """Everything about a customer that this person may see."""
    rows = Customer.objects.visible_to(request.user).select_related("owner", "team")
    customer = get_object_or_404(rows, number=number)
    sees_people = request.user.has_perm("customers.view_contact")
    places = customer.addresses.all()
    context = {
        "customer": customer,
        "country": country_name(customer.country),
        "contacts": customer.contacts.all() if sees_people else [],
        "addresses": places if sees_people else places.filter(kind=Address.Kind.DELIVERY),
        "balances": customer.balances.all() if request.user.has_perm("customers.view_balance") else [],
        "actions": [one for one in CUSTOMER_ACTIONS.offered(customer, request.user) if _of_menu(one, customer)],
        "sees_people": sees_people,
        "sees_money": request.user.has_perm("customers.view_balance"),
        "edits": request.user.has_perm("customers.edit_customer"),
        "takes_certificates": sees_people and default_seller().tax_profile.certificates,
        "today": business_today(),
    }
    return render(request, "customers/customer_detail.html", context)


def _of_menu(action: Any, customer: Customer) -> bool:
    hidden = {"add-contact", "add-address", "add-certificate", "activate" if customer.is_active else "deactivate"}
    return action.name not in hidden


@require_http_methods(["GET", "POST"])
@permission_required("customers.create_customer", raise_exception=True)
def create(request: Request) -> HttpResponse:
    """Enters a customer. Likeness to another is a warning that can be confirmed."""
    initial = {"name": request.GET.get("name", "").replace("\x00", "")[:200], "owner": request.user.pk}
    form = CustomerForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        found = _unconfirmed(request, form, None)
        if found is not None:
            return _form(request, form, None, status=422, **found)
        customer = services.create_customer(actor=request.user, **form.fields_given())
        messages.success(request, _("Customer %(number)s has been entered.") % {"number": customer.number})
        return redirect(_page_of(request, customer))
    return _form(request, form, None, status=422 if request.method == "POST" else 200)


@require_http_methods(["POST"])
@permission_required("customers.create_customer", raise_exception=True)
def create_quick(request: Request) -> JsonResponse:
    """Enters a customer by name alone, out of a select; language and currency as the form would propose them."""
    given = {"kind": "company", "currency": "EUR", "language": "en", "name": request.POST.get("text", "")}
    form = CustomerForm({**given, "owner": request.user.pk})
    if "owner" in form.errors:  # not a salesperson: the customer is nobody's yet
        form = CustomerForm(given)
    if not form.is_valid():
        texts = [str(text) for found in form.errors.values() for text in found]
        return JsonResponse({"errors": form.errors.get_json_data(), "message": " ".join(texts)}, status=422)
    if (found := _unconfirmed(request, form, None)) is not None:
        return JsonResponse({"message": _likeness(found)}, status=409)
    customer = services.create_customer(actor=request.user, **form.fields_given())
    return JsonResponse({"value": customer.pk, "text": customer.name, "hint": customer.number}, status=201)


def _likeness(found: dict[str, Any]) -> str:
    """Who is alike, in a sentence for the field where the name was typed."""
    names = ", ".join(f"{customer.name} ({customer.number})" for customer, _shared in found["similar"])
    if not names:
        return _(
            "A customer of another team is called like this. Choose “Enter a new customer” again if this is another."
        )
    return _("There is %(names)s already. Choose “Enter a new customer” again if this is another.") % {"names": names}


@require_http_methods(["GET", "POST"])
@permission_required("customers.edit_customer", raise_exception=True)
def edit(request: Request, number: str) -> HttpResponse:
    """Changes a customer's own data; a stale form gets both values to choose from."""
    customer = get_object_or_404(Customer.objects.visible_to(request.user), number=number)
    form = CustomerForm(request.POST or None, instance=customer)
    if request.method == "POST" and form.is_valid():
        found = _unconfirmed(request, form, customer)
        if found is not None:
            return _form(request, form, customer, status=422, **found)
        version = form.cleaned_data["version"] or 0
        try:
            services.edit_customer(customer, actor=request.user, version=version, **form.fields_given())
        except StaleVersion:
            return _conflict(request, form, number)
        messages.success(request, _("The customer has been saved."))
        return redirect(_page_of(request, customer))
    return _form(request, form, customer, status=422 if request.method == "POST" else 200)


def _page_of(request: Request, customer: Customer) -> str:
    """The customer's page; of one that was given away: the list."""
    seen = Customer.objects.visible_to(request.user).filter(pk=customer.pk).exists()
    return customer.get_absolute_url() if seen else "/customers/"


def _unconfirmed(request: Request, form: CustomerForm, customer: Customer | None) -> dict[str, Any] | None:
    """Who is alike, unless that has been confirmed or the telling fields were not touched."""
    if request.POST.get("confirmed"):
        return None
    if customer is not None and not {"name", "tax_id", "email", "phone"} & set(form.changed_data):
        return None
    found = similar_to(request.user, match_keys(form.cleaned_data), apart_from=customer.pk if customer else None)
    return {**found, "ask": True} if found["similar"] or found["hidden"] else None


def _conflict(request: Request, form: CustomerForm, number: str) -> HttpResponse:
    """What was typed beside what somebody else saved in the meantime; saving again takes what was typed."""
    fresh = get_object_or_404(Customer.objects.visible_to(request.user), number=number)
    present = CustomerForm(instance=fresh)
    differing = [
        (form[name].label, _shown(present, name, present[name].initial), _shown(form, name, form[name].value()))
        for name in form.fields
        if name != "version" and form.fields[name].has_changed(present[name].initial, form[name].value())
    ]
    data = request.POST.copy()
    data["version"] = str(fresh.version)
    return _form(request, CustomerForm(data, instance=fresh), fresh, status=409, differing=differing)


def _shown(form: CustomerForm, name: str, value: Any) -> str:
    field = form.fields[name]
    if isinstance(field, forms.ModelChoiceField):
        chosen = field.queryset.filter(pk=value).first() if value and field.queryset is not None else None
        return str(chosen or "–")
    if isinstance(field, forms.ChoiceField):
        return str(dict(field.choices).get(str(value or ""), value))  # type: ignore[arg-type]  # choices are pairs
    return str(field.prepare_value(value) or "–")


def _form(request: Request, form: CustomerForm, customer: Customer | None, *, status: int, **more: Any) -> HttpResponse:
    context = {"form": form, "customer": customer, "terms": TermsForm, **more}
    return render(request, "customers/customer_form.html", context, status=status)


class CustomerAction(ActionView):
    """The verbs on a customer."""

    actions = CUSTOMER_ACTIONS

    def queryset(self) -> models.QuerySet[Any]:
        return Customer.objects.visible_to(self.request.user)

    def back(self, instance: Any) -> str:
        return _page_of(self.request, instance)


class ContactAction(ActionView):
    """The verbs on a contact."""

    actions = CONTACT_ACTIONS
    lookup = "pk"

    def queryset(self) -> QuerySet[Contact]:
        visible = Customer.objects.visible_to(self.request.user)
        return Contact.objects.filter(customer__in=visible.values("pk")).select_related("customer")


class AddressAction(ActionView):
    """The verbs on an address."""

    actions = ADDRESS_ACTIONS
    lookup = "pk"

    def queryset(self) -> QuerySet[Address]:
        visible = Customer.objects.visible_to(self.request.user)
        return Address.objects.filter(customer__in=visible.values("pk")).select_related("customer")


class CertificateAction(ActionView):
    """The verbs on an exemption certificate."""

    actions = CERTIFICATE_ACTIONS
    lookup = "pk"

    def queryset(self) -> QuerySet[ExemptionCertificate]:
        visible = Customer.objects.visible_to(self.request.user)
        return ExemptionCertificate.objects.filter(customer__in=visible.values("pk")).select_related("customer")
