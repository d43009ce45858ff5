"""What the entry grid asks while one types: products, a customer's terms, pasted rows, order numbers."""

import csv
from typing import Any

from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, JsonResponse

from customers.models import Customer
from inventory.models import Product
from inventory.services import free_quantities
from ordermgmt.accounts.models import User
from ordermgmt.lib.autocomplete import LIMIT, AutocompleteView
from ordermgmt.lib.money import ZERO
from ordermgmt.lib.templatetags.ui import amount
from orders.models import Order

from .entry import BadRequest, EntryPage, read_json
from .grid import customer_terms, plain, product_facts
from .paste import read_table


def _typed(request: HttpRequest, name: str = "q") -> str:
    return request.GET.get(name, "").replace("\x00", "").strip()[:200]


def find_products(user: User, text: str) -> QuerySet[Product]:
    """What may be sold and begins with, or contains, what was typed; the number counts before the name."""
    offered = Product.objects.available_to(user)
    if text:
        offered = offered.filter(Q(sku__istartswith=text) | Q(name__icontains=text) | Q(sku__icontains=text))
    return offered.select_related("unit", "specification_template").prefetch_related(
        "specification_template__attributes"
    )


class ProductLookup(EntryPage):
    """Products for a row of the grid, with price, stock and specification."""

    def get(self, request: HttpRequest) -> JsonResponse:
        text, currency = _typed(request), _typed(request, "currency")[:3] or "EUR"
        found = list(find_products(self.user, text).order_by("sku")[:LIMIT])
        exact = [one for one in found if one.sku.lower() == text.lower()]
        found = exact + [one for one in found if one not in exact]
        free = free_quantities(one.pk for one in found)
        return JsonResponse({"results": [product_facts(one, currency, free[one.pk]) for one in found]})


class CustomerLookup(EntryPage):
    """A customer's terms, contacts and credit, for the header."""

    def get(self, request: HttpRequest, pk: int) -> JsonResponse:
        if pk >= 2**62:
            raise Http404
        customer = Customer.objects.visible_to(self.user).active().filter(pk=pk).first()
        if customer is None:
            raise Http404
        contacts = customer.contacts.filter(is_active=True).order_by("-is_primary", "name")
        balance = customer.balances.filter(currency=customer.currency).first()
        used = balance.exposure if balance else ZERO
        credit: dict[str, Any] = {"used": amount(used, customer.currency), "currency": customer.currency}
        if customer.credit_limit is not None:
            credit["limit"] = amount(customer.credit_limit, customer.currency)
            credit["left"] = amount(customer.credit_limit - used, customer.currency)
        return JsonResponse(
            {
                "terms": customer_terms(customer),
                "contacts": [{"value": one.pk, "text": one.name} for one in contacts[:100]],
                "credit": credit,
            }
        )


class PasteView(EntryPage):
    """Rows of a spreadsheet, read and checked; nothing is written."""

    def post(self, request: HttpRequest) -> JsonResponse:
        data = read_json(request)
        text = data.get("text")
        if not isinstance(text, str) or len(text) > 2_000_000:
            raise BadRequest
        currency = str(data.get("currency") or "EUR")[:3]
        try:
            return JsonResponse(read_table(text, user=self.user, currency=currency))
        except csv.Error as error:  # a cell longer than any
            raise BadRequest from error


class OrderAutocomplete(AutocompleteView):
    """Orders by number, customer or reference."""

    permission = "orders.view_order"

    def results(self, text: str) -> list[dict[str, Any]]:
        found = (
            Order.objects.visible_to(self.request.user).filter(search_text__found=text).order_by("-order_date", "-pk")
        )
        rows = found.values_list("pk", "number", "customer_name")[:LIMIT]
        return [{"value": pk, "text": number, "hint": name} for pk, number, name in rows]


__all__ = ["CustomerLookup", "OrderAutocomplete", "PasteView", "ProductLookup", "plain"]
