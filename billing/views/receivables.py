"""Aged receivables, statements of account, differences and exchange results."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from billing import services
from billing.forms import DayForm, RateForm
from billing.pdf import statement_context, statement_pdf
from customers.models import Customer
from ordermgmt.company.models import ExchangeRate
from ordermgmt.company.services import business_today, default_seller
from ordermgmt.lib.http import Request
from ordermgmt.lib.money import total
from ordermgmt.lib.pdf import PdfUnavailable
from ordermgmt.lib.tables.paging import Page, Sort, keyset_page

from .parts import csv_file, period


@require_safe
@permission_required("billing.view_payment", raise_exception=True)
def ageing(request: Request) -> HttpResponse | StreamingHttpResponse:
    """What every customer owed at the end of a day, by days since it was due."""
    form = DayForm(request.GET or None)
    day = (form.cleaned_data["day"] if form.is_valid() else None) or business_today()
    customers = Customer.objects.visible_to(request.user)
    if request.GET.get("export") == "csv":
        head = ["customer", "name", "currency", *services.BUCKETS, "open", "credit", "balance"]
        cells = ([row.customer.number, row.customer.name, row.currency, *row.shown, row.open, row.credit, row.balance]
                 for row in services.aged_receivables(day, customers) if row.customer)  # fmt: skip
        return csv_file(f"ageing-{day}", head, cells)
    cursors = {name: request.GET.get(name, "") for name in ("after", "before")}
    page = keyset_page(services.accounts_at(day, customers), Sort("customer__name"), size=50, **cursors)
    heads = [_("Not due"), "1–30", "31–60", "61–90", "91+", _("Retention")]
    context = {
        "form": form, "day": day, "rows": services.aged_of(day, page.rows), "page": page,
        "totals": services.aged_totals(day, customers), "heads": heads,
    }  # fmt: skip
    return render(request, "billing/ageing.html", context, status=422 if form.is_bound and form.errors else 200)


@require_safe
@permission_required("billing.view_payment", raise_exception=True)
def statement(request: Request, number: str) -> HttpResponse:
    """What moved a customer's account in a period, and what was open at its end; the same as PDF."""
    customer = get_object_or_404(Customer.objects.visible_to(request.user), number=number)
    form, start, end = period(request)
    status = 422 if form.is_bound and form.errors else 200
    problem = ""
    if status == 200 and request.GET.get("format") == "pdf":
        try:
            content = statement_pdf(customer, start, end)
        except PdfUnavailable as error:
            problem, status = str(error), 503
        else:
            response = HttpResponse(content, content_type="application/pdf")
            response["Content-Disposition"] = f'attachment; filename="statement-{customer.number}-{end}.pdf"'
            return response
    context = statement_context(customer, start, end) | {"form": form, "problem": problem}
    return render(request, "billing/statement.html", context, status=status)


@require_safe
@permission_required("billing.view_payment", raise_exception=True)
def differences(request: Request) -> HttpResponse:
    """Imported orders for which another amount was paid than they cost, each with the reason."""
    sources = services.sources(request.user)
    source = request.GET.get("source", "").replace("\x00", "")
    if source not in sources:
        source = sources[0] if sources else ""
    found = services.reconcile(request.user, source) if source else None
    cursors = {name: request.GET.get(name, "") for name in ("after", "before")}
    page = keyset_page(found.orders, Sort("off", falling=True), size=100, **cursors) if found else Page([])
    context = {
        "sources": sources, "source": source, "found": found, "page": page,
        "rows": services.differences_of(page.rows),
    }  # fmt: skip
    return render(request, "billing/differences.html", context)


@require_http_methods(["GET", "POST"])
@permission_required("billing.view_payment", raise_exception=True)
def exchange(request: Request) -> HttpResponse:
    """Gain and loss between foreign documents and their payments in a period; a POST keeps a rate."""
    form, start, end = period(request)
    rate_form, status = RateForm(initial={"day": business_today()}), 422 if form.is_bound and form.errors else 200
    if request.method == "POST":
        if not request.user.has_perm("billing.set_exchange_rate"):
            raise PermissionDenied
        rate_form, status = RateForm(request.POST), 422
        if rate_form.is_valid():
            try:
                services.set_exchange_rate(actor=request.user, **rate_form.cleaned_data)
            except ValidationError as error:
                rate_form.add_error(None, error)
            else:
                messages.success(request, _("The rate is kept."))
                return redirect("billing:exchange")
    rows = services.exchange_results(Customer.objects.visible_to(request.user), start=start, end=end)
    context = {
        "form": form, "rate_form": rate_form, "rows": rows, "total": total(one.result for one in rows),
        "base": default_seller().currency, "rates": ExchangeRate.objects.all()[:50],
    }  # fmt: skip
    return render(request, "billing/exchange.html", context, status=status)
