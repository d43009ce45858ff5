"""The company's settings: data, logo, tax rates."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import ValidationError
from django.db.models import Prefetch
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from ordermgmt.company import services
from ordermgmt.company.forms import (
    AbroadForm,
    AbroadRuleForm,
    AbroadRules,
    CompanyForm,
    LogoForm,
    TaxProfileForm,
    TaxRateForm,
)
from ordermgmt.company.models import TaxProfile, TaxRate
from ordermgmt.lib.http import Request

_RIGHT = "company.change_settings"


def _page(request: Request, status: int = 200, **forms: Any) -> HttpResponse:
    seller = services.default_seller()
    rates = TaxRate.objects.order_by("category", "-valid_from")
    context = {
        "seller": seller,
        "form": CompanyForm(instance=seller),
        "logo_form": LogoForm(),
        "rate_form": TaxRateForm(initial={"profile": seller.tax_profile_id}),
        "profiles": TaxProfile.objects.prefetch_related(Prefetch("rates", rates)),
        **forms,
    }
    return render(request, "company/company.html", context, status=status)


@require_http_methods(["GET", "POST"])
@permission_required(_RIGHT, raise_exception=True)
def company(request: Request) -> HttpResponse:
    """Everything that documents print about the company; POST saves its data."""
    if request.method != "POST":
        return _page(request)
    seller = services.default_seller()
    form = CompanyForm(request.POST, instance=seller)
    if not form.is_valid():
        return _page(request, 422, form=form)
    services.edit_company(seller, actor=request.user, **form.cleaned_data)
    messages.success(request, _("The company's data is saved."))
    return redirect("company:company")


@require_http_methods(["GET", "POST"])
@permission_required(_RIGHT, raise_exception=True)
def logo(request: Request) -> HttpResponse:
    """GET shows the logo; POST keeps a new one or takes it away."""
    seller = services.default_seller()
    if request.method == "GET":
        if not seller.logo:
            raise Http404
        headers = {"X-Content-Type-Options": "nosniff"}
        return HttpResponse(bytes(seller.logo), content_type=seller.logo_type, headers=headers)
    form = LogoForm(request.POST, request.FILES)
    remove = "remove" in request.POST
    if not remove and not form.is_valid():
        return _page(request, 422, logo_form=form)
    try:
        services.set_logo(seller, upload=None if remove else form.cleaned_data["logo"], actor=request.user)
    except ValidationError as error:
        form.add_error("logo", error.messages)
        return _page(request, 422, logo_form=form)
    messages.success(request, _("The logo is saved."))
    return redirect("company:company")


@require_http_methods(["GET", "POST"])
@permission_required(_RIGHT, raise_exception=True)
def profile(request: Request, pk: int) -> HttpResponse:
    """A tax profile: what its documents are and print, its dated rates, and how sales abroad are taxed."""
    found = get_object_or_404(TaxProfile, pk=pk)
    if request.method != "POST":
        return _profile_page(request, found)
    form = TaxProfileForm(request.POST, instance=found)
    if not form.is_valid():
        return _profile_page(request, found, 422, form=form)
    services.edit_tax_profile(found, actor=request.user, **form.cleaned_data)
    messages.success(request, _("The tax profile is saved."))
    return redirect("company:company")


@require_POST
@permission_required(_RIGHT, raise_exception=True)
def abroad(request: Request, pk: int) -> HttpResponse:
    """Which category a sale abroad gets: the countries of the union, and the rules in their order."""
    found = get_object_or_404(TaxProfile, pk=pk)
    form, rules = AbroadForm(request.POST), AbroadRules(request.POST)
    if not (form.is_valid() and rules.is_valid()):
        return _profile_page(request, found, 422, abroad_form=form, rules=rules)
    kept = {"union": form.cleaned_data["union"], "rules": rules.rules()}  # type: ignore[attr-defined]  # of our formset class
    try:
        services.edit_tax_profile(found, actor=request.user, abroad={name: one for name, one in kept.items() if one})
    except ValidationError as error:
        form.add_error(None, error)
        return _profile_page(request, found, 422, abroad_form=form, rules=rules)
    messages.success(request, _("The rules for sales abroad are saved. Orders and drafts that exist keep their lines."))
    return redirect("company:profile", pk)


def _profile_page(request: Request, found: TaxProfile, status: int = 200, **forms: Any) -> HttpResponse:
    rules = [AbroadRuleForm.initial_of(one) for one in found.abroad.get("rules", [])]
    context: dict[str, Any] = {
        "profile": found, "rates": found.rates.order_by("category", "-valid_from"),
        "abroad": services.abroad_rules(found), "form": TaxProfileForm(instance=found),
        "abroad_form": AbroadForm(initial={"union": " ".join(found.abroad.get("union", []))}),
        "rules": AbroadRules(initial=rules), **forms,
    }  # fmt: skip
    return render(request, "company/profile.html", context, status=status)


@require_POST
@permission_required(_RIGHT, raise_exception=True)
def rate(request: Request) -> HttpResponse:
    """Sets a tax rate from a day on."""
    form = TaxRateForm(request.POST)
    if not form.is_valid():
        return _page(request, 422, rate_form=form)
    data = form.cleaned_data
    profile = data.pop("profile")
    try:
        services.set_tax_rate(profile, actor=request.user, **data)
    except ValidationError as error:
        form.add_error(None, error)
        return _page(request, 422, rate_form=form)
    messages.success(request, _("The tax rate is saved."))
    return redirect("company:company")
