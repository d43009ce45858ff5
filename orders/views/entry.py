"""Order entry: the page with header and line grid, and the JSON that the grid talks with the server."""

import json
from decimal import Decimal
from typing import Any

from django.contrib.auth.mixins import PermissionRequiredMixin
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views import View

from customers.models import Customer
from ordermgmt.accounts.models import User
from ordermgmt.company.services import default_seller
from ordermgmt.lib.fsm import TransitionRefused
from ordermgmt.lib.typed import as_sent, whole
from orders import services
from orders.forms import OrderForm, clean_lines
from orders.models import Order, OrderLine, OrderTemplate
from orders.services import StaleVersion

from .grid import attention, grid_lines, header_initial, preview, stale_answer, template_rows
from .page import order_or_404

MOST_LINES = 20_000


class BadRequest(Exception):
    """What was sent is not what the grid sends."""


def read_json(request: HttpRequest) -> dict[str, Any]:
    """The request's JSON object with exact decimals. Raises BadRequest."""
    try:
        data = json.loads(request.body, parse_float=Decimal)
        if b"\\ud" in request.body.lower():  # half of a character, which no database keeps
            json.dumps(data, ensure_ascii=False, default=str).encode()
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise BadRequest from error
    rows = data.get("lines", []) if isinstance(data, dict) else None
    sane = isinstance(rows, list) and len(rows) <= MOST_LINES and all(isinstance(row, dict) for row in rows)
    if not sane or not isinstance(data.get("header", {}), dict):
        raise BadRequest
    if "\\u0000" in request.body.decode("utf-8", "replace"):
        raise BadRequest
    return dict(data)


class EntryPage(PermissionRequiredMixin, View):
    """Entering needs the right to create orders, and every request is about what the person may see."""

    permission_required = "orders.create_order"
    raise_exception = True
    request: Any

    @property
    def user(self) -> User:
        return self.request.user

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().dispatch(request, *args, **kwargs)
        except BadRequest:
            return JsonResponse({"message": _("The page sent something unreadable. Load it again.")}, status=400)


class OrderCreateView(EntryPage):
    """An empty order, or one for a given customer (`?customer=C00001`)."""

    def get(self, request: HttpRequest) -> HttpResponse:
        wanted = request.GET.get("customer", "").replace("\x00", "")
        customer = Customer.objects.visible_to(self.user).active().filter(number=wanted).first() if wanted else None
        form = OrderForm(user=self.user, chosen=customer, initial=header_initial(None, customer))
        template = _template(self.user, request.GET.get("template", ""))
        currency = customer.currency if customer else default_seller().currency
        rows = template_rows(template, currency, self.user) if template else []
        return _entry_page(request, form, None, rows, customer)


class OrderEditView(EntryPage):
    """A draft to go on with."""

    permission_required = "orders.edit_order"

    def get(self, request: HttpRequest, number: str) -> HttpResponse:
        order = order_or_404(self.user, number)
        if order.state != Order.State.DRAFT:
            return redirect(order.get_absolute_url())
        form = OrderForm(user=self.user, customer=order.customer, initial=header_initial(order, order.customer))
        return _entry_page(request, form, order, grid_lines(order.order_lines), order.customer)


def _template(user: User, wanted: str) -> OrderTemplate | None:
    """The template whose lines a new order begins with (`?template=7`)."""
    pk = whole(wanted)
    return None if pk is None else OrderTemplate.objects.visible_to(user).filter(pk=pk).first()


def _entry_page(
    request: HttpRequest, form: OrderForm, order: Order | None, lines: list[dict[str, Any]], customer: Customer | None
) -> HttpResponse:
    context = {
        "form": form,
        "order": order,
        "customer": customer,
        "templates": OrderTemplate.objects.visible_to(form.user)[:100],
        "grid": {
            "number": order.number if order else "",
            "version": order.version if order else 0,
            "customer": customer.pk if customer else None,
            "contact": order.contact_id if order else None,
            "lines": lines,
            "supplies": [{"value": value, "text": str(text)} for value, text in OrderLine.Supply.choices],
            "user": request.user.pk,
        },
    }
    return render(request, "orders/order_form.html", context)


class OrderSaveView(EntryPage):
    """Saves a draft: makes it at first, then changes it. Answers with the draft's number and version.

    422 with errors per field and per row, 409 with both versions where somebody else saved in between.
    """

    def post(self, request: HttpRequest, number: str = "") -> JsonResponse:
        data = read_json(request)
        order = order_or_404(self.user, number) if number else None
        form = OrderForm(as_sent(data.get("header", {})), user=self.user, customer=order.customer if order else None)
        valid = form.is_valid()
        currency = form.cleaned_data.get("currency") or (order.currency if order else "EUR")
        rows, errors = clean_lines(data.get("lines", []), user=self.user, currency=currency)
        if not valid or errors:
            names = [form.fields[name].label for name in form.errors if name in form.fields]
            message = attention(errors, names)
            return JsonResponse({"header": form.errors, "lines": errors, "message": message}, status=422)
        return self._save(order, form.cleaned_data, list(rows.values()), data)

    def _save(
        self, order: Order | None, header: dict[str, Any], rows: list[dict[str, Any]], data: dict[str, Any]
    ) -> JsonResponse:
        customer = header.pop("customer")
        try:
            if order is None:
                saved = services.create_order(customer=customer, actor=self.user, lines=rows, **header)
            else:
                version = data.get("version")
                saved = services.edit_order(
                    order,
                    version=version if isinstance(version, int) else 0,
                    header=header,
                    lines=rows,
                    actor=self.user,
                )
        except StaleVersion:
            return stale_answer(Order.objects.with_number(self.user, order.number if order else ""))
        except TransitionRefused as refused:
            return JsonResponse({"message": str(refused)}, status=409)
        except ValidationError as error:
            return JsonResponse({"message": " ".join(error.messages), "header": {}, "lines": {}}, status=422)
        return JsonResponse(
            {
                "number": saved.number,
                "version": saved.version,
                "url": saved.get_absolute_url(),
                "edit": f"{saved.get_absolute_url()}edit/",
                "save": f"{saved.get_absolute_url()}save/",
            }
        )


class OrderPreviewView(EntryPage):
    """What the order would come to: nets, totals, stock, promises and warnings. Writes nothing."""

    def post(self, request: HttpRequest) -> JsonResponse:
        data = read_json(request)
        number = str(data.get("number") or "")
        order = order_or_404(self.user, number) if number else None
        return JsonResponse(preview(order, data, user=self.user))
