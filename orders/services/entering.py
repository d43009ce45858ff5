"""Entering and editing: `create_order`, `edit_order`, `duplicate_order`, `delete_draft`."""

import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from customers.models import Address, Customer
from inventory.models import Product
from ordermgmt.activity.services import record, snapshot
from ordermgmt.company.services import TAXED, DayRates, business_today, default_seller
from ordermgmt.documents.services import take_number
from ordermgmt.lib.rows import write_columns
from ordermgmt.lib.searching import search_text
from orders import events
from orders.models import Order, OrderLine

from .base import locked, refuse, save_noted
from .taxing import tax_proposal
from .totals import apply_totals, check_size

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

#: Header fields that a form may set.
HEADER = (
    "contact", "owner", "language", "customer_reference", "order_date", "requested_date", "promised_date",
    "valid_until", "payment_days", "billing_address", "delivery_address", "terms", "note", "acceptance_criteria", "currency",
    "region", "channel",
)  # fmt: skip
#: Line fields that a form may set.
LINE = (
    "product", "description", "specification", "unit", "quantity", "unit_price", "discount_percent", "tax_category",
    "supply", "promised_date",
)  # fmt: skip


def places_of(customer: Customer) -> dict[str, str]:
    """Where a customer's order is billed and delivered unless somebody says otherwise: two addresses and the region."""
    found: dict[str, Address] = {}
    for address in customer.addresses.order_by("-is_default", "pk"):
        found.setdefault(address.kind, address)
    billing = found.get(Address.Kind.BILLING)
    delivery = found.get(Address.Kind.DELIVERY) or billing
    with translation.override(customer.language):  # the customer reads the country's name on every document
        return {
            "billing_address": billing.as_text() if billing else "",
            "delivery_address": delivery.as_text() if delivery else "",
            "region": delivery.region if delivery else "",
        }


def next_number(on: dt.date) -> str:
    """The next order number of a year, e.g. SO-2026-00001; given at creation, so drafts that are deleted leave gaps."""
    return f"SO-{on.year}-{take_number('order', period=str(on.year)):05d}"


def build_lines(order: Order, rows: Iterable[Mapping[str, Any]]) -> list[OrderLine]:
    """Unsaved lines from cleaned rows, with the product's defaults where a row is silent.

    Without a category of its own a line is taxed as the customer's country or certificate asks for.
    """
    given, rates = list(rows), DayRates(order.order_date or business_today())
    lines = [_line(order, position, row, rates) for position, row in enumerate(given, start=1)]
    proposal = tax_proposal(order, lines)
    for line, row in zip(lines, given, strict=True):
        if proposal is not None and not row.get("tax_category") and line.tax_category in TAXED:
            line.tax_category = proposal.category
    return lines


def _line(order: Order, position: int, row: Mapping[str, Any], rates: DayRates) -> OrderLine:
    product: Product | None = row.get("product")
    line = OrderLine(order=order, position=position, **{name: row[name] for name in LINE if row.get(name) is not None})
    if product is not None:
        _take_defaults(line, product, row, rates)
    elif not row.get("supply"):
        line.supply = OrderLine.Supply.SERVICE if order.kind == Order.Kind.SERVICE else OrderLine.Supply.MAKE
    return line


def list_price(product: Product, currency: str) -> Decimal | None:
    """The list price of one unit in `currency`; None where the product has none in it."""
    return product.list_price if product.currency == currency and product.list_price > 0 else None


def _take_defaults(line: OrderLine, product: Product, row: Mapping[str, Any], rates: DayRates) -> None:
    line.unit_cost = rates.convert(product.cost, product.currency, line.order.currency)
    line.list_price = list_price(product, line.order.currency)
    line.description = line.description or product.name
    line.unit = line.unit or product.unit.code
    if row.get("unit_price") is None:
        if line.list_price is None:
            raise ValidationError(
                _("%(sku)s has no list price in %(currency)s: type a price.")
                % {"sku": product.sku, "currency": line.order.currency}
            )
        line.unit_price = line.list_price
    if not row.get("tax_category"):
        line.tax_category = product.tax_category
    if not row.get("supply"):
        if product.kind == "service":
            line.supply = OrderLine.Supply.SERVICE
        else:
            line.supply = OrderLine.Supply.STOCK if product.is_stocked else OrderLine.Supply.MAKE


def describe_order(order: Order, lines: list[OrderLine]) -> None:
    """Fields of the order that follow from its lines."""
    order.is_stock_only = bool(lines) and all(line.supply == OrderLine.Supply.STOCK for line in lines)
    services = [line for line in lines if line.supply == OrderLine.Supply.SERVICE]
    order.kind = Order.Kind.SERVICE if lines and len(services) == len(lines) else Order.Kind.GOODS
    contact = order.contact.name if order.contact else ""
    texts = dict.fromkeys(
        text for line in lines for text in (line.product.sku if line.product else "", line.description)
    )
    order.search_text = search_text(
        order.number, order.customer_name, order.customer_reference, contact, order.note, *texts
    )[:20000]  # fmt: skip


@transaction.atomic
def create_order(
    *, customer: Customer, actor: "User", lines: Iterable[Mapping[str, Any]] = (), kind: str = "", **header: Any
) -> Order:
    """A new draft with the customer's terms as defaults. The actor owns it unless `owner` says otherwise.

    `lines` are mappings of LINE fields; prices, units and tax categories come from the product where absent. Raises
    PermissionDenied without the right, ValidationError for a product without a price in the order's currency,
    TypeError for a header field that is not in HEADER.
    """
    if not actor.has_perm("orders.create_order"):
        raise PermissionDenied
    unknown = set(header) - set(HEADER)
    if unknown:
        raise TypeError(f"not a header field: {sorted(unknown)}")
    seller = default_seller()
    today = business_today()
    defaults: dict[str, Any] = {
        "owner": None if actor.is_system else actor,
        "currency": customer.currency,
        "language": customer.language,
        "payment_days": customer.payment_days,
        "order_date": today,
        "valid_until": today + dt.timedelta(days=seller.quote_days),
        "acceptance_criteria": _("Complete, undamaged and as described."),
        "channel": customer.channel,
        **places_of(customer),
    }
    given = {key: value for key, value in header.items() if value is not None}
    order = Order(
        customer=customer, customer_name=customer.name, seller=seller, tax_profile=seller.tax_profile,
        kind=kind or Order.Kind.GOODS, **(defaults | given),
    )  # fmt: skip
    order.team = order.owner.team if order.owner else customer.team
    built = build_lines(order, lines)
    apply_totals(order, built)
    check_size(order, built)
    order.number = next_number(order.order_date)
    describe_order(order, built)
    order.save()
    OrderLine.objects.bulk_create(built)
    record(events.ORDER_CREATED, order, actor=actor, after=snapshot(order))
    return order


@transaction.atomic
def edit_order(
    order: Order, *, version: int, header: Mapping[str, Any], lines: Iterable[Mapping[str, Any]] | None, actor: "User"
) -> Order:
    """Changes a draft: header fields and, unless None, the whole list of lines.

    Raises StaleVersion when `version` is not the present one, TransitionRefused when the order is no draft any more
    (then a change request is the way), PermissionDenied without the right.
    """
    if not actor.has_perm("orders.edit_order"):
        raise PermissionDenied
    order = locked(order, version=version)
    if order.state != Order.State.DRAFT:
        raise refuse(
            _("Only a draft is edited freely; a placed order is changed by a change request."), order.get_absolute_url()
        )
    before = snapshot(order) | {"lines": [line.content() for line in order.order_lines]}
    for name in HEADER:
        if name in header:
            setattr(order, name, header[name])
    if "owner" in header and order.owner:
        order.team = order.owner.team
    built = order.order_lines if lines is None else build_lines(order, lines)
    apply_totals(order, built)
    check_size(order, built)
    describe_order(order, built)
    order.version += 1
    order.save()
    if lines is None:
        write_columns(built, ["net", "tax_rate"])
    else:
        order.lines.all().delete()
        OrderLine.objects.bulk_create(built)
    order.order_lines = built
    after = snapshot(order) | {"lines": [line.content() for line in built]}
    record(events.ORDER_EDITED, order, actor=actor, before=before, after=after)
    return order


@transaction.atomic
def change_customer(order: Order, *, customer: Customer, actor: "User") -> Order:
    """Gives a draft to another customer, whose addresses, days to pay and language come along; lines, prices and
    currency stay. Approvals lapse with the content they were bound to.

    Raises TransitionRefused for anything but a draft, ValidationError for a customer who may not order or whom the
    actor may not see, PermissionDenied without the right.
    """
    if not actor.has_perm("orders.edit_order"):
        raise PermissionDenied
    order = locked(order)
    if order.state != Order.State.DRAFT or order.versions.exists():
        raise refuse(_("Only a draft that was never placed can get another customer."), order.get_absolute_url())
    if not Customer.objects.visible_to(actor).active().filter(pk=customer.pk).exists():
        raise ValidationError({"customer": _("Choose an active customer of yours.")})
    order.customer, order.customer_name, order.contact = customer, customer.name, None
    order.language, order.payment_days = customer.language, customer.payment_days
    order.channel = customer.channel
    for name, value in places_of(customer).items():
        setattr(order, name, value)
    lines = order.order_lines
    apply_totals(order, lines)
    describe_order(order, lines)
    write_columns(lines, ["net", "tax_rate"])
    return save_noted(order, events.CUSTOMER_CHANGED, actor=actor, name=customer.name)


@transaction.atomic
def duplicate_order(order: Order, *, actor: "User") -> Order:
    """A new draft with the same customer, terms and lines at today's list prices' discounts; dates start afresh."""
    rows = [
        {name: getattr(line, name) for name in LINE if name != "promised_date"}
        for line in order.lines.select_related("product__unit")
    ]
    return create_order(
        customer=order.customer, actor=actor, lines=rows, kind=order.kind, contact=order.contact,
        currency=order.currency, language=order.language, payment_days=order.payment_days,
        billing_address=order.billing_address, delivery_address=order.delivery_address, region=order.region,
        channel=order.channel, terms=order.terms,
        acceptance_criteria=order.acceptance_criteria,
    )  # fmt: skip


@transaction.atomic
def delete_draft(order: Order, *, actor: "User") -> None:
    """Removes a draft that never was a promise. Raises TransitionRefused for any other state."""
    if not actor.has_perm("orders.edit_order"):
        raise PermissionDenied
    order = locked(order)
    if order.state != Order.State.DRAFT or order.versions.exists():
        raise refuse(_("Only a draft can be deleted; cancel the order instead."), order.get_absolute_url())
    record(events.ORDER_DELETED, order, actor=actor, before=snapshot(order), number=order.number)
    order.delete()
