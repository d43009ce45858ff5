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
from ordermgmt.company.forms import CompanyForm, LogoForm, TaxProfileForm, TaxRateForm
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
    """A tax profile: what its documents are and print, and its dated rates."""
    found = get_object_or_404(TaxProfile, pk=pk)
    form = TaxProfileForm(request.POST or None, instance=found)
    status = 200
    if request.method == "POST":
        if form.is_valid():
            services.edit_tax_profile(found, actor=request.user, **form.cleaned_data)
            messages.success(request, _("The tax profile is saved."))
            return redirect("company:company")
        status = 422
    context = {"profile": found, "form": form, "rates": found.rates.order_by("category", "-valid_from")}
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
