"""Ordering from suppliers: draft, order, confirmed dates, giving up, cancelling."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from inventory import events
from inventory.models import (
    Product,
    PurchaseLine,
    PurchaseOrder,
    Receipt,
    ReceiptLine,
    Supplier,
    SupplierPrice,
    Warehouse,
)
from ordermgmt.activity.services import note_sent, record, sent_before, snapshot
from ordermgmt.company.services import business_today, default_seller
from ordermgmt.documents.services import take_number
from ordermgmt.lib.days import check_days
from ordermgmt.lib.fsm import Blocker, TransitionRefused, check_transition
from ordermgmt.lib.money import HUNDRED, MOST, quantise, total
from ordermgmt.lib.searching import search_text

from .boms import rounded_up
from .checking import check_quantity, check_version, require
from .expecting import expect

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

_RIGHT = "inventory.order_purchase"


def refuse(sentence: str, link: str = "", label: str = "") -> TransitionRefused:
    """A refusal with one reason."""
    return TransitionRefused([Blocker(sentence, link, label)])


def locked_purchase(order: PurchaseOrder, *, version: int | None = None) -> PurchaseOrder:
    """The row under lock, fresh. Raises StaleVersion for another version of it."""
    fresh = PurchaseOrder.objects.locked(order.pk)
    check_version(fresh, version)
    return fresh


def save_noted(order: PurchaseOrder, before: Any, event: Any, *, actor: "User", **data: Any) -> PurchaseOrder:
    """Saves a locked order under its next version and records what differs."""
    order.version += 1
    order.save()
    record(
        event, order, actor=actor, before=before, after=snapshot(order), number=order.number,
        supplier=order.supplier.name, **data,
    )  # fmt: skip
    return order


@transaction.atomic
def draft_purchase(
    supplier: Supplier, *, actor: "User", lines: Iterable[Mapping[str, Any]] = (), key: str = "", **header: Any
) -> PurchaseOrder:
    """A draft to a supplier: `lines` are mappings of product, quantity and, if known, unit_price and needed_by.

    `header` may give warehouse, currency, note, reference, tolerance. Without a warehouse goods go to the default one;
    without a currency prices are in the supplier's; without a tolerance the company's holds. The same `key` twice is one draft.
    Raises PermissionDenied, ValidationError (a supplier that is not bought from any more, a line).
    """
    require(actor, _RIGHT)
    form = f"purchase:{supplier.pk}"
    if key:  # two of the same form wait for each other
        Supplier.objects.select_for_update(no_key=True).get(pk=supplier.pk)
    if known := sent_before(PurchaseOrder, form, key):
        return known
    if not supplier.is_active:
        raise ValidationError({"supplier": _("We do not buy from %(name)s any more.") % {"name": supplier.name}})
    header = {name: value for name, value in header.items() if value not in (None, "")}
    header.setdefault("warehouse", Warehouse.objects.filter(is_default=True).first())
    header.setdefault("currency", supplier.currency)
    header.setdefault("tolerance", default_seller().receipt_tolerance)
    order = PurchaseOrder(supplier=supplier, created_by=actor, **header)
    order.full_clean(exclude=["number", "state"])
    year = str(business_today().year)
    order.number = f"PO-{year}-{take_number('inventory.purchase', period=year):05d}"
    order.search_text = found_by(order)
    order.save()
    for row in lines:
        _add(order, **row)
    _sum(order)
    order.save(update_fields=["total"])
    note_sent(order, form, key)
    record(
        events.PURCHASE_DRAFTED, order, actor=actor, after=snapshot(order), number=order.number, supplier=supplier.name
    )
    return order


def found_by(order: PurchaseOrder) -> str:
    """What a search finds the order by."""
    return search_text(order.number, order.supplier.name, order.reference, order.note)


def _add(
    order: PurchaseOrder, *, product: Product, quantity: Decimal, unit_price: Decimal | None = None,
    needed_by: dt.date | None = None,
) -> PurchaseLine:  # fmt: skip
    check_quantity(product, quantity)
    if needed_by and needed_by < business_today():
        raise ValidationError({"needed_by": _("This day is over.")})
    price = supplier_price(order.supplier, product, quantity, order.currency) if unit_price is None else unit_price
    if price is None:
        text = _("%(supplier)s has no price for %(sku)s in %(currency)s: type one.")
        raise ValidationError(
            {"unit_price": text % {"supplier": order.supplier, "sku": product.sku, "currency": order.currency}}
        )
    net = quantise(price * quantity, order.currency)
    _check_amount(net)
    last = order.lines.aggregate(last=Max("position"))["last"] or 0
    line = PurchaseLine(
        order=order, position=last + 1, product=product, description=product.name, unit=product.unit.code,
        quantity=quantity, most=quantity, unit_price=price, net=net,
        needed_by=needed_by,
    )  # fmt: skip
    expect([line], order.supplier, business_today())
    line.full_clean(exclude=["order"])
    line.save()
    return line


def supplier_price(supplier: Supplier, product: Product, quantity: Decimal, currency: str) -> Decimal | None:
    """What the supplier asks for one unit when so much is bought; None where no price in this currency is known."""
    rows = SupplierPrice.objects.filter(supplier=supplier, product=product, currency=currency, minimum__lte=quantity)
    best = rows.order_by("-minimum").first()
    return best.price if best else None


def _sum(order: PurchaseOrder) -> None:
    order.total = total(order.lines.values_list("net", flat=True))
    _check_amount(order.total)


def _check_amount(amount: Decimal) -> None:
    """Raises ValidationError for more than is kept of an amount."""
    if amount >= MOST:
        raise ValidationError({"quantity": _("This quantity is too large.")})


@transaction.atomic
def add_purchase_line(order: PurchaseOrder, *, key: str = "", actor: "User", **line: Any) -> PurchaseOrder:
    """Adds a line to a draft; the same `key` twice is one line. Raises as `draft_purchase`, TransitionRefused once it is ordered."""
    require(actor, _RIGHT)
    order = locked_purchase(order)
    form = f"purchase-line:{order.pk}"
    if sent_before(PurchaseOrder, form, key):
        return order
    before = snapshot(order)
    _draft_only(order)
    note_sent(order, form, key)
    added = _add(order, **line)
    _sum(order)
    return save_noted(order, before, events.PURCHASE_EDITED, actor=actor, products=[added.product_id])


@transaction.atomic
def remove_purchase_line(line: PurchaseLine, *, actor: "User") -> PurchaseOrder:
    """Takes a line off a draft. Raises TransitionRefused once it is ordered."""
    require(actor, _RIGHT)
    order = locked_purchase(line.order)
    before = snapshot(order)
    _draft_only(order)
    order.lines.filter(pk=line.pk).delete()
    _sum(order)
    return save_noted(order, before, events.PURCHASE_EDITED, actor=actor, products=[line.product_id])


def _draft_only(order: PurchaseOrder) -> None:
    if not order.is_draft:
        raise refuse(_("The supplier has this order: its lines stay."), order.get_absolute_url())


@transaction.atomic
def order_purchase(order: PurchaseOrder, *, actor: "User", ordered_on: dt.date | None = None) -> PurchaseOrder:
    """The supplier gets it: quantities and prices stay from here on. Until they confirm a day, it is awaited by their
    lead time. Raises TransitionRefused without a line."""
    order = locked_purchase(order)
    check_transition(order.order, actor)
    before = snapshot(order)
    if not order.lines.exists():
        raise refuse(_("The order has no line."), order.get_absolute_url(), _("Add a line"))
    day = ordered_on or business_today()
    if day > business_today():
        raise ValidationError({"ordered_on": _("This day lies ahead.")})
    lines = list(order.lines.all())
    expect(lines, order.supplier, day)
    for line in lines:
        line.most = (line.quantity * (1 + order.tolerance / HUNDRED)).quantize(Decimal("0.000001"))
        line.save(update_fields=["most", "promised_on"])
    order.order()
    order.ordered_on = day
    return save_noted(order, before, events.PURCHASE_ORDERED, actor=actor)


@transaction.atomic
def confirm_purchase(
    order: PurchaseOrder, *, dates: Mapping[int, dt.date | None], reference: str = "", actor: "User"
) -> PurchaseOrder:
    """Enters what the supplier promised: a day per line, by line key. Later promises take the place of earlier ones.

    Raises TransitionRefused unless ordered, ValidationError where nothing is said, and at the line for a day before
    the order.
    """
    require(actor, _RIGHT)
    order = locked_purchase(order)
    if order.state != PurchaseOrder.State.ORDERED:
        raise refuse(_("Only an order that the supplier has is confirmed."), order.get_absolute_url())
    if not reference and not any(dates.values()):
        raise ValidationError(_("Enter a day, or the number of their confirmation."))
    before = _dated(order)
    for line in order.lines.select_for_update(no_key=True):
        day = dates.get(line.pk)
        if day is None or day == line.confirmed_on:
            continue
        if order.ordered_on and day < order.ordered_on:
            raise ValidationError({f"date_{line.pk}": _("The day lies before the order.")})
        check_days(**{f"date_{line.pk}": day})
        if line.open > 0:
            line.promised_on = day
            line.first_promised_on = line.first_promised_on or day
            line.save(update_fields=["promised_on", "first_promised_on"])
    order.reference = reference or order.reference
    order.search_text = found_by(order)
    order.version += 1
    order.save()
    record(
        events.PURCHASE_CONFIRMED, order, actor=actor, before=before, after=_dated(order), number=order.number,
        supplier=order.supplier.name,
    )  # fmt: skip
    return order


def _dated(order: PurchaseOrder) -> dict[str, Any]:
    days = {str(line.position): str(line.confirmed_on or "") for line in order.lines.all()}
    return snapshot(order) | {"promised": days}


def judge(line: PurchaseLine) -> None:
    """Sets when all of the line that comes was there, by its latest receipt, and how late that was."""
    judge_all([line])


def judge_all(lines: Sequence[PurchaseLine]) -> None:
    """As `judge`, in one query for all of them."""
    rows = ReceiptLine.objects.filter(line__in=lines, receipt__kind=Receipt.Kind.RECEIPT, accepted__gt=0).order_by()
    last = dict(rows.values_list("line").annotate(last=Max("receipt__received_on")))
    for line in lines:
        line.received_on, promised = last.get(line.pk), line.first_promised_on
        line.days_late = (line.received_on - promised).days if line.received_on and promised else None


def give_up(line: PurchaseLine) -> None:
    """What is open of a locked line will not come; the supplier is judged by it."""
    line.given_up += line.open
    judge(line)
    if line.received_on is None and line.first_promised_on and line.first_promised_on < business_today():
        line.days_late = (business_today() - line.first_promised_on).days  # it never came: late until given up
    line.save(update_fields=["given_up", "received_on", "days_late"])


@transaction.atomic
def close_purchase(order: PurchaseOrder, *, reason: str, actor: "User") -> PurchaseOrder:
    """Gives up what is still open: it will not come. Raises TransitionRefused unless something is awaited."""
    require(actor, _RIGHT)
    order = locked_purchase(order)
    before = snapshot(order)
    if order.state != PurchaseOrder.State.ORDERED:
        raise refuse(_("Nothing of this order is awaited."), order.get_absolute_url())
    if not order.receipts.exists():  # refused or sent back whole is something, too
        raise refuse(_("Nothing came yet: cancel the order instead."), order.get_absolute_url())
    for line in order.lines.select_for_update(no_key=True).filter(open__gt=0):
        give_up(line)
    order.complete()
    return save_noted(order, before, events.PURCHASE_CLOSED, actor=actor, reason=reason)


@transaction.atomic
def cancel_purchase(order: PurchaseOrder, *, reason: str, actor: "User") -> PurchaseOrder:
    """It will not come, while nothing of it came. Raises TransitionRefused otherwise."""
    order = locked_purchase(order)
    check_transition(order.cancel, actor)
    before = snapshot(order)
    if order.receipts.exists():
        raise refuse(_("Something came already: give up the rest instead."), order.get_absolute_url())
    order.cancel()
    return save_noted(order, before, events.PURCHASE_CANCELLED, actor=actor, reason=reason)


@transaction.atomic
def purchase_needs(needs: Mapping[int, Decimal], *, actor: "User") -> tuple[list[PurchaseOrder], list[Product]]:
    """Drafts over products (by key) and quantities, one per supplier: the cheapest for that quantity of those with a price.

    Gives the drafts, and the products that nobody has a price for. Less than a supplier's minimum becomes the minimum.
    """
    require(actor, _RIGHT)
    products = Product.objects.filter(pk__in=needs).select_related("unit").order_by("sku")
    chosen: dict[Supplier, list[dict[str, Any]]] = {}
    missing = []
    for product in products:
        wanted = needs[product.pk]
        if wanted <= 0:
            continue
        best = best_price(product, wanted)
        if best is None:
            missing.append(product)
            continue
        row = {
            "product": product,
            "quantity": rounded_up(max(wanted, best.minimum), product.unit),
            "unit_price": best.price,
        }
        chosen.setdefault(best.supplier, []).append(row)
    orders = [
        draft_purchase(supplier, lines=rows, actor=actor)
        for supplier, rows in sorted(chosen.items(), key=lambda one: one[0].pk)
    ]
    return orders, missing


@transaction.atomic
def purchase_shortages(
    missing: Callable[[], Mapping[int, Decimal]], *, actor: "User"
) -> tuple[list[PurchaseOrder], list[Product]]:
    """`purchase_needs` over what `missing` reads, one person at a time: the second finds what the first drafted."""
    require(actor, _RIGHT)
    one_buyer_at_a_time()
    return purchase_needs(missing(), actor=actor)


def one_buyer_at_a_time() -> None:
    """Whoever reckons what is missing waits here for whoever does, until commit.

    The oldest warehouse is the one row that is always there: which one is the default may change while one waits. Its
    key stays free, so that those who draft purchases to it in the meantime do not wait.
    """
    list(Warehouse.objects.select_for_update(no_key=True).order_by("pk")[:1])


def best_price(product: Product, quantity: Decimal) -> SupplierPrice | None:
    """The cheapest offer of a supplier in use for so much, in the supplier's own currency; the shorter lead time first
    where two cost the same. Where nobody sells so little, the one with the smallest minimum."""
    rows = SupplierPrice.objects.filter(product=product, supplier__is_active=True).select_related("supplier")
    fitting = [one for one in rows if one.currency == one.supplier.currency]
    enough = [one for one in fitting if one.minimum <= quantity]
    if enough:
        return min(enough, key=lambda one: (one.price, one.lead_days, one.pk))
    return min(fitting, key=lambda one: (one.minimum, one.price, one.pk), default=None)
