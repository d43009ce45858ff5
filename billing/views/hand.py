"""A document that bills no order: header and line grid, and the JSON that the grid talks with the server."""

import json
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from billing import services
from billing.forms import HandForm, clean_hand_adjustments, clean_hand_lines
from billing.forms.hand import Cleaned
from billing.models import DocumentAdjustment, Invoice
from customers.models import Customer
from inventory.models import Product
from ordermgmt.company.models import TaxRate
from ordermgmt.company.services import business_today, default_seller, tax_rates
from ordermgmt.lib.autocomplete import LIMIT, AutocompleteView
from ordermgmt.lib.conflict import StaleVersion
from ordermgmt.lib.fsm import TransitionRefused
from ordermgmt.lib.money import ZERO, quantise
from ordermgmt.lib.templatetags.ui import amount, quantity
from ordermgmt.lib.typed import as_sent
from orders.views.entry import EntryPage, read_json
from orders.views.grid import tax_rows
from orders.views.lookup import ProductLookup

from .invoices import find

#: So many allowances and charges may stand on one document.
_MOST = 20


class HandPage(EntryPage):
    """Every request of the page needs the right to draft invoices."""

    permission_required = "billing.draft_invoice"

    def form(self, data: Any = None, **initial: Any) -> HandForm:
        """The header, bound to `data` if there is any."""
        documents = Invoice.objects.visible_to(self.user).issued().exclude(kind=Invoice.Kind.CREDIT_NOTE)
        customers = Customer.objects.visible_to(self.user).active()
        return HandForm(data, customers=customers, documents=documents, initial=initial)

    def rows(self, data: dict[str, Any], form: HandForm, taxing: services.HandTaxing) -> Cleaned:
        """The rows that were sent, cleaned, with the rates of today; of a checked header comes what they are taxed as."""
        sent = data.get("lines", [])
        wanted = {row["product"] for row in sent if isinstance(row.get("product"), int) and 0 < row["product"] < 2**62}
        products = Product.objects.available_to(self.user).in_bulk(wanted)
        service = form.cleaned_data.get("supply") == "service"
        rates = tax_rates(default_seller().tax_profile, business_today())
        return clean_hand_lines(
            sent, products=products, rates=rates,
            category_of=lambda product: taxing.category(product, service=service),
        )  # fmt: skip

    def over_all(self, data: dict[str, Any]) -> Cleaned:
        """The allowances and charges that were sent, cleaned."""
        sent = data.get("adjustments", [])
        rows = [row for row in sent if isinstance(row, dict)][:_MOST] if isinstance(sent, list) else []
        return clean_hand_adjustments(rows, rates=tax_rates(default_seller().tax_profile, business_today()))

    def draft(self, reference: str) -> Invoice:
        """A draft without an order. Raises Http404."""
        invoice = find(self.user, reference)
        if invoice.order_id is not None:
            raise Http404
        return invoice


class HandCreateView(HandPage):
    """An empty document: `?customer=`, or `?kind=debit_note&original=` for one that adds to an invoice."""

    def get(self, request: HttpRequest) -> HttpResponse:
        wanted = {name: request.GET.get(name, "").replace("\x00", "")[:40] for name in ("customer", "original", "kind")}
        customers = Customer.objects.visible_to(self.user).active()
        customer = customers.filter(number=wanted["customer"]).first() if wanted["customer"] else None
        original = Invoice.objects.visible_to(self.user).issued().filter(number=wanted["original"]).first()
        initial = {
            "customer": original.customer_id if original else customer and customer.pk,
            "original": original and original.pk, "kind": wanted["kind"] or Invoice.Kind.STANDARD,
        }  # fmt: skip
        return entry_page(request, self.form(**initial), None)


class HandEditView(HandPage):
    """A draft to go on with."""

    def get(self, request: HttpRequest, reference: str) -> HttpResponse:
        invoice = self.draft(reference)
        if not invoice.is_draft:
            return redirect(invoice)
        reference_row = invoice.references.first()
        names = ("kind", "reason", "delivery_date", "payment_days", "language", "note", *services.REFERENCES)
        initial = {name: getattr(invoice, name) for name in names} | {"customer": invoice.customer_id}
        initial["prepaid"] = _plain(invoice.prepaid) if invoice.prepaid else ""
        return entry_page(request, self.form(**initial, original=reference_row and reference_row.original_id), invoice)


def entry_page(request: HttpRequest, form: HandForm, invoice: Invoice | None) -> HttpResponse:
    """The page with the grid."""
    lines = [
        {
            "typed": line.sku, "description": line.description, "quantity": _plain(line.quantity), "unit": line.unit,
            "unit_price": _plain(line.unit_price), "tax_category": line.tax_category,
            "discount_percent": _plain(line.discount_percent) if line.discount_percent else "",
        }
        for line in (invoice.lines.all() if invoice else [])
    ]  # fmt: skip
    grid = {"version": invoice.version if invoice else 0, "lines": lines, "user": request.user.pk}
    over_all: list[dict[str, str]] = [
        {"kind": one.kind, "reason": one.reason, "tax_category": one.tax_category,
         **({"percent": _plain(one.percent)} if one.percent else {"amount": _plain(one.amount)})}
        for one in (invoice.adjustments.all() if invoice else [])
    ]  # fmt: skip
    context = {
        "form": form, "invoice": invoice, "grid": grid, "categories": TaxRate.Category.choices,
        "adjustments": [*over_all, {}, {}, {}], "adjustment_kinds": DocumentAdjustment.Kind.choices,
        "adjusted": bool(over_all),
    }  # fmt: skip
    return render(request, "billing/invoice_hand.html", context)


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


class HandPreviewView(HandPage):
    """What the document would come to. Writes nothing."""

    def post(self, request: HttpRequest) -> JsonResponse:
        data = read_json(request)
        form = self.form(as_sent(data.get("header", {})))
        form.is_valid()
        customer = form.cleaned_data.get("customer")
        currency = customer.currency if customer else default_seller().currency
        taxing = services.hand_taxing(customer)
        rows, errors = self.rows(data, form, taxing)
        over_all, wrong = self.over_all(data)
        prepaid = form.cleaned_data.get("prepaid") or ZERO
        try:
            totals, nets = services.hand_totals(
                rows.values(), currency, adjustments=over_all.values(), prepaid=quantise(prepaid, currency)
            )
        except ValidationError:  # an allowance that can't be; saving says why
            totals, nets = services.hand_totals(rows.values(), currency)
        return JsonResponse(
            {
                "rows": {
                    place: {"net": amount(net, currency), "tax": f"{row['tax_category']} {quantity(row['tax_rate'])} %"}
                    for (place, row), net in zip(rows.items(), nets, strict=True)
                },
                "errors": errors,
                "wrong": wrong,
                "net": amount(totals.tax_basis, currency),
                "taxes": tax_rows(totals, currency) + _paid_before(totals.prepaid, currency),
                "total": amount(totals.due, currency),
                "currency": currency,
                "warnings": taxing.reasons({row["tax_category"] for row in rows.values()}),
            }
        )


def _paid_before(prepaid: Decimal, currency: str) -> list[dict[str, str]]:
    return [{"text": _("Paid before"), "amount": amount(-prepaid, currency)}] if prepaid else []


class HandSaveView(HandPage):
    """Makes the draft, or changes it. Sent twice with one key it is made once.

    422 with errors per field and per row, 409 where somebody else changed or issued it in between.
    """

    def post(self, request: HttpRequest, reference: str = "") -> JsonResponse:
        data = read_json(request)
        invoice = self.draft(reference) if reference else None
        form = self.form(as_sent(data.get("header", {})))
        valid = form.is_valid()
        rows, errors = self.rows(data, form, services.hand_taxing(form.cleaned_data.get("customer")))
        over_all, wrong = self.over_all(data)
        if not valid or errors or wrong:
            return JsonResponse({"header": form.errors, "lines": errors, "adjustments": wrong}, status=422)
        try:
            saved = self._save(invoice, form, list(rows.values()), list(over_all.values()), data)
        except StaleVersion:
            text = _("Somebody changed this draft meanwhile. Open it anew in another tab and compare.")
            return JsonResponse({"message": text}, status=409)
        except TransitionRefused as refused:
            return JsonResponse({"message": str(refused)}, status=409)
        except ValidationError as error:
            return JsonResponse({"message": " ".join(error.messages), "header": {}, "lines": {}}, status=422)
        return JsonResponse({"url": saved.get_absolute_url(), "version": saved.version})

    def _save(
        self, invoice: Invoice | None, form: HandForm, rows: list[Any], over_all: list[Any], data: dict[str, Any]
    ) -> Invoice:
        customer = form.cleaned_data["customer"]
        if invoice is None:
            key = f"hand:{self.user.pk}:{str(data.get('key') or '')[:60]}" if data.get("key") else None
            return services.draft_by_hand(
                customer, rows, actor=self.user, source_key=key, adjustments=over_all, **form.header()
            )
        version = data.get("version")
        return services.rewrite_by_hand(
            invoice, rows, customer=customer, version=version if isinstance(version, int) else 0, actor=self.user,
            adjustments=over_all if "adjustments" in data else None, **form.header(),
        )  # fmt: skip


class HandProducts(ProductLookup):
    """Products for a row of the grid; what is specified when one orders is not asked here."""

    permission_required = "billing.draft_invoice"

    def get(self, request: HttpRequest) -> JsonResponse:
        found = json.loads(super().get(request).content)
        return JsonResponse({"results": [one | {"attributes": []} for one in found["results"]]})


class InvoiceAutocomplete(AutocompleteView):
    """Issued documents by number or customer."""

    permission = "billing.view_invoice"

    def results(self, text: str) -> list[dict[str, Any]]:
        found = Invoice.objects.visible_to(self.request.user).issued().exclude(kind=Invoice.Kind.CREDIT_NOTE)
        found = found.filter(Q(number__icontains=text) | Q(customer_name__icontains=text)).order_by("-pk")
        rows = found.values_list("pk", "number", "customer_name")[:LIMIT]
        return [{"value": pk, "text": number, "hint": name} for pk, number, name in rows]
