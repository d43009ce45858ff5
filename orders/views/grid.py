"""What the entry grid shows and is told: rows as JSON, live totals, stock and warnings, both sides of a conflict."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.http import JsonResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from customers.models import Customer
from inventory.models import Product
from inventory.services import free_quantities
from ordermgmt.accounts.models import User
from ordermgmt.company.services import business_today, default_seller
from ordermgmt.lib.calculation import Totals
from ordermgmt.lib.money import ZERO
from ordermgmt.lib.templatetags.ui import amount, price, quantity
from ordermgmt.lib.typed import as_sent
from orders.forms import OrderForm, clean_lines
from orders.models import Order, OrderLine, OrderTemplate
from orders.services import (
    Promise,
    apply_totals,
    build_lines,
    list_price,
    order_promise,
    places_of,
    promises,
    tax_proposal,
    too_early,
    totals_of,
)


def plain(number: Decimal | None) -> str:
    """A number as it stands in an input: no trailing zeros, no exponent, empty for none."""
    return "" if number is None else format(number.normalize(), "f")


def product_facts(product: Product, currency: str, free: Decimal) -> dict[str, Any]:
    """What a row needs to know of its product."""
    listed = list_price(product, currency)
    return {
        "value": product.pk,
        "text": product.sku,
        "name": product.name,
        "unit": product.unit.code,
        "price": plain(listed),
        "priced": "" if listed is None else f"{price(listed, currency)} {currency}",
        "supply": _usual_supply(product),
        "stocked": product.is_stocked,
        "free": quantity(free) if product.is_stocked else "",
        "attributes": [
            {
                "key": one.key, "label": one.label, "kind": one.kind, "unit": one.unit, "choices": one.choices,
                "required": one.required, "help": one.help, "minimum": plain(one.minimum), "maximum": plain(one.maximum),
            }
            for one in product.attributes()
        ],
    }  # fmt: skip


def _usual_supply(product: Product) -> str:
    if product.kind == Product.Kind.SERVICE:
        return str(OrderLine.Supply.SERVICE)
    return str(OrderLine.Supply.STOCK if product.is_stocked else OrderLine.Supply.MAKE)


def grid_lines(lines: Iterable[OrderLine]) -> list[dict[str, Any]]:
    """Stored lines as rows of the grid."""
    rows = list(lines)
    ids = {line.product_id for line in rows if line.product_id}
    related = Product.objects.filter(pk__in=ids).select_related("unit", "specification_template")
    products = {one.pk: one for one in related.prefetch_related("specification_template__attributes")}
    free = free_quantities(ids)
    return [
        {
            "product": line.product_id,
            "facts": product_facts(products[line.product_id], line.order.currency, free[line.product_id])
            if line.product_id
            else None,
            "description": line.description,
            "quantity": plain(line.quantity),
            "unit": line.unit,
            "unit_price": plain(line.unit_price),
            "discount_percent": plain(line.discount_percent) if line.discount_percent else "",
            "supply": line.supply,
            "promised_date": line.promised_date.isoformat() if line.promised_date else "",
            "specification": line.specification,
        }
        for line in rows
    ]


def template_rows(template: OrderTemplate, currency: str, user: User) -> list[dict[str, Any]]:
    """A template's lines as rows of the grid: the list price in `currency`, else the kept one if it is in it, else none.

    A product that is not sold any more leaves its description.
    """
    lines = list(template.lines.all())
    offered = Product.objects.available_to(user).filter(pk__in={line.product_id for line in lines if line.product_id})
    related = offered.select_related("unit", "specification_template")
    products = {one.pk: one for one in related.prefetch_related("specification_template__attributes")}
    free = free_quantities(products)
    rows = []
    for line in lines:
        product = products.get(line.product_id or 0)
        price = list_price(product, currency) if product else None
        if price is None and template.currency == currency:
            price = line.unit_price
        rows.append(
            {
                "product": product.pk if product else None,
                "facts": product_facts(product, currency, free[product.pk]) if product else None,
                "description": line.description,
                "quantity": plain(line.quantity),
                "unit": line.unit,
                "unit_price": plain(price),
                "discount_percent": plain(line.discount_percent) if line.discount_percent else "",
                "supply": line.supply,
                "promised_date": "",
                "specification": line.specification,
            }
        )
    return rows


def header_initial(order: Order | None, customer: Customer | None) -> dict[str, Any]:
    """The header as the form shows it at first."""
    if order is not None:
        names = [name for name in OrderForm.base_fields if name != "customer"]
        return {name: getattr(order, name) for name in names} | {"customer": order.customer_id}
    seller, today = default_seller(), business_today()
    initial: dict[str, Any] = {
        "order_date": today,
        "valid_until": today + dt.timedelta(days=seller.quote_days),
        "acceptance_criteria": _("Complete, undamaged and as described."),
        "currency": seller.currency,
        "language": "en",
        "payment_days": seller.payment_days,
    }
    return initial | (customer_terms(customer) if customer else {})


def customer_terms(customer: Customer) -> dict[str, Any]:
    """What a customer brings along into a new order."""
    return {
        "customer": customer.pk,
        "currency": customer.currency,
        "language": customer.language,
        "payment_days": customer.payment_days,
        "channel": customer.channel,
        **places_of(customer),
    }


def preview(order: Order | None, data: Mapping[str, Any], *, user: User) -> dict[str, Any]:
    """Nets per row, totals, stock and warnings for what is typed so far; rows that are wrong say why."""
    form = OrderForm(as_sent(data.get("header", {})), user=user, customer=order.customer if order else None)
    form.is_valid()
    header = form.cleaned_data
    draft = _unsaved(order, header)
    rows, errors = clean_lines(data.get("lines", []), user=user, currency=draft.currency)
    lines = build_lines(draft, rows.values())
    for place, line in zip(rows, lines, strict=True):
        line.position = place + 1  # as the page counts them, with those that are left out
    left_out = _left_out(errors)
    apply_totals(draft, lines)
    totals = totals_of(draft, lines)
    found = promises(lines, business_today())
    whole = order_promise(lines, found)
    early = too_early(draft.promised_date, whole)
    return {
        "rows": dict(zip(rows, _row_facts(draft, lines, found), strict=True)),
        "promise": _promise_of(whole, left_out),
        "errors": errors,
        "left_out": left_out,
        "net": amount(draft.net_total, draft.currency),
        "taxes": tax_rows(totals, draft.currency),
        "total": amount(draft.gross_total, draft.currency),
        "currency": draft.currency,
        "warnings": [early] * bool(early) + _warnings(order, draft, header, lines, user),
    }


def tax_rows(totals: Totals, currency: str) -> list[dict[str, str]]:
    """What stands between net and total: the tax of each rate, and the rounding where there is one."""
    rows = [
        {"text": _("Tax %(rate)s %%") % {"rate": quantity(tax.rate)}, "amount": amount(tax.tax, currency)}
        for tax in totals.taxes
    ]
    return rows + ([{"text": _("Rounding"), "amount": amount(totals.rounding, currency)}] if totals.rounding else [])


def _unsaved(order: Order | None, header: Mapping[str, Any]) -> Order:
    """The order as typed, never saved."""
    seller = default_seller()
    return Order(
        pk=order.pk if order else None,
        customer=header.get("customer"),
        seller=seller,
        tax_profile=order.tax_profile if order else seller.tax_profile,
        currency=header.get("currency") or (order.currency if order else seller.currency),
        order_date=header.get("order_date") or business_today(),
        promised_date=header.get("promised_date"),
    )


def _row_facts(order: Order, lines: list[OrderLine], found: list[Promise]) -> list[dict[str, Any]]:
    """Net, free stock and promise of each row; rows of one product share its stock in their order."""
    free = free_quantities(line.product_id for line in lines if line.product_id)
    facts = []
    for line, promise in zip(lines, found, strict=True):
        fact: dict[str, Any] = {"net": amount(line.net, order.currency), "promise": promise.text}
        if line.product is not None and line.product.is_stocked:
            left = free[line.product.pk]
            fact["free"] = quantity(max(left, ZERO))
            fact["short"] = line.is_stocked and left < line.quantity
            free[line.product.pk] = left - line.quantity
        facts.append(fact)
    return facts


def _left_out(errors: Collection[int]) -> str:
    """Which lines total and promise do without, as a sentence; empty for none."""
    if not errors:
        return ""
    return ngettext(
        "Not in these totals: line %(lines)s, which can't be read yet.",
        "Not in these totals: lines %(lines)s, which can't be read yet.",
        len(errors),
    ) % {"lines": _(", ").join(str(place + 1) for place in sorted(errors))}


def attention(errors: Collection[int], labels: Iterable[Any] = ()) -> str:
    """What a refused save waits for, as a sentence that names header fields and lines."""
    lines = [_("line %(n)s") % {"n": place + 1} for place in sorted(errors)]
    what = [str(label) for label in labels] + lines
    return _("Not saved yet, this needs your attention: %(what)s.") % {"what": _(", ").join(what)}


def _promise_of(whole: Promise | None, left_out: str) -> dict[str, str] | None:
    """The earliest day of the order as a sentence, with the day to take over where there is one."""
    if whole is None:
        return None
    if whole.day is None:
        return {"date": "", "text": f"{whole.reason} {left_out}".strip()}
    text = _("Earliest delivery %(promise)s.") % {"promise": whole.text}
    return {"date": whole.day.isoformat(), "text": f"{text} {left_out}".strip()}


def _warnings(
    order: Order | None, draft: Order, header: Mapping[str, Any], lines: list[OrderLine], user: User
) -> list[str]:
    found: list[str] = []
    customer = header.get("customer")
    if customer is None:
        return found
    proposal = tax_proposal(draft, lines)
    if proposal is not None and any(line.tax_category == proposal.category for line in lines):
        found.append(proposal.reason)
    if reference := header.get("customer_reference"):
        same = Order.objects.visible_to(user).filter(customer=customer, customer_reference=reference)
        numbers = list(same.exclude(pk=order.pk if order else 0).values_list("number", flat=True)[:3])
        if numbers:
            found.append(
                _("This customer's order number is on %(numbers)s already: is it the same order?")
                % {"numbers": ", ".join(numbers)}
            )
    limit = customer.credit_limit
    if limit is not None:
        balance = customer.balances.filter(currency=draft.currency).first()
        left = limit - (balance.exposure if balance else ZERO) - draft.gross_total
        if left < 0:
            found.append(
                _("This exceeds the credit limit of %(limit)s by %(over)s %(currency)s: placing it needs an approval.")
                % {
                    "limit": amount(limit, draft.currency),
                    "over": amount(-left, draft.currency),
                    "currency": draft.currency,
                }
            )
    return found


def stale_answer(order: Order) -> JsonResponse:
    """What somebody else saved, for the page to show beside what was typed."""
    header = header_initial(order, None)
    shown = {name: _text(value) for name, value in header.items() if name != "customer"}
    body = {
        "message": _(
            "Somebody else changed this draft since you opened it. Nothing of yours is lost: compare and choose."
        ),
        "version": order.version,
        "theirs": {"header": shown, "lines": grid_lines(order.order_lines)},
    }
    return JsonResponse(body, status=409)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dt.date):
        return value.isoformat()
    return str(getattr(value, "pk", value))
