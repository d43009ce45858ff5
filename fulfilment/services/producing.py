"""Reporting what was made: the line's counter moves, and the material it took leaves the shelves."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from fulfilment import events
from fulfilment.models import MaterialUse, Production
from inventory.models import Product
from inventory.services import (
    Boms,
    InsufficientStock,
    boms_of,
    check_quantity,
    fits_unit,
    free_quantities,
    plain,
    put_back,
    rounded_up,
    use_stock,
)
from ordermgmt.accounts.services import require
from ordermgmt.activity.services import record
from ordermgmt.company.services import business_today
from ordermgmt.lib.fsm import Blocker, TransitionRefused
from ordermgmt.lib.money import ZERO
from orders.models import Order, OrderLine
from orders.services import locked, note_produced

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

PRODUCTION = "fulfilment.production"
_RIGHT = "fulfilment.report_production"
_MOST_TOLD = 20


def made_lines(order: Order) -> list[OrderLine]:
    """The lines that are made here, done or not."""
    return [line for line in order.order_lines if line.supply == OrderLine.Supply.MAKE]


def production_blocked(line: OrderLine) -> list[Blocker]:
    """Why nothing can be reported made on this line now; empty when it can."""
    order = line.order
    if line.supply != OrderLine.Supply.MAKE:
        return [Blocker(_("This line is not made here."))]
    if order.state != Order.State.IN_PRODUCTION:
        text = _("Only an order in production is worked on; this one is: %(state)s.")
        return [Blocker(text % {"state": order.state_label})]
    if order.on_hold:
        return [Blocker(_("The order is on hold: %(reason)s") % {"reason": order.hold_reason})]
    if line.qty_to_make <= 0:
        return [Blocker(_("All of this line is made already."))]
    return []


def standard_use(line: OrderLine, quantity: Decimal) -> dict[Product, Decimal]:
    """What so much of a line takes by its bill of material, in each product's unit.

    An assembly of which enough is free on the shelf is taken from there; what is not is made on the way, of its parts.
    """
    if line.product_id is None:
        return {}
    boms = boms_of([line.product_id])
    assemblies = {row.component_id for rows in boms.values() for row in rows if row.component_id in boms}
    free = free_quantities(assemblies)
    found: dict[Product, Decimal] = {}
    _descend(line.product_id, quantity, boms, free, found)
    return found


def _descend(pk: int, quantity: Decimal, boms: Boms, free: dict[int, Decimal], found: dict[Product, Decimal]) -> None:
    for row in boms.get(pk, ()):
        part = row.component
        needed = rounded_up(quantity * row.per_unit, part.unit)
        taken = min(needed, max(free[part.pk], ZERO)) if part.pk in boms else needed
        if taken:
            found[part] = found.get(part, ZERO) + taken
        if part.pk in boms:
            free[part.pk] -= taken
            _descend(part.pk, needed - taken, boms, free, found)


@transaction.atomic
def report_production(
    line: OrderLine,
    *,
    quantity: Decimal,
    used: Mapping[int, Decimal] | None = None,
    on: dt.date | None = None,
    note: str = "",
    key: str,
    actor: "User",
) -> Production:
    """So much of a line (in its unit) was made on a day; its material leaves the shelves in the same step.

    `used` names products (by id) of which more or less was taken than the bill of material says, 0 for none. The same
    `key` twice is one report. Raises PermissionDenied, TransitionRefused (state, hold, all made), ValidationError at
    "quantity", "on" or "used_<product id>".
    """
    require(actor, _RIGHT)
    order, key = locked(line.order), f"form:{line.pk}:{key}"  # shipping and taking back name theirs themselves
    known = Production.objects.filter(key=key, order_line=line).first()
    if known is not None:
        return known
    line = _line_of(order, line)
    if found := production_blocked(line):
        raise TransitionRefused(found)
    day = on or business_today()
    _check(line, quantity, day)
    standard = standard_use(line, quantity)
    taken = _taken(standard, used or {})
    report = Production.objects.create(
        order_line=line, quantity=quantity, on=day, note=note.strip(), key=key, recorded_by=actor
    )
    MaterialUse.objects.bulk_create(
        MaterialUse(
            production=report, product=product, quantity=taken.get(product, ZERO), unit_cost=product.cost,
            standard=standard.get(product, ZERO),
        )
        for product in {**standard, **taken}
    )  # fmt: skip
    _take(report, taken, actor=actor)
    order = note_produced(order, {line.pk: quantity}, actor=actor)
    parts = ", ".join(f"{product.sku} × {plain(amount)}" for product, amount in taken.items() if amount)
    record(
        events.PRODUCED,
        report,
        root=order,
        actor=actor,
        lines=f"{line.position} × {plain(quantity)}",
        used=parts or "–",
    )
    return report


def report_as_made(order: Order, quantities: Mapping[OrderLine, Decimal], *, cause: str, actor: "User") -> None:
    """What leaves was made, though nobody reported it: a report for each line, without material, and one event. The caller
    holds the order's lock and has checked the right; `cause` names the step, so that it counts once.
    """
    today = business_today()
    reports = Production.objects.bulk_create(
        Production(
            order_line=line, quantity=quantity, on=today, key=f"{cause}:{line.pk}", recorded_by=actor
        )
        for line, quantity in quantities.items()
    )  # fmt: skip
    note_produced(order, {line.pk: quantity for line, quantity in quantities.items()}, actor=actor)
    told = [f"{report.order_line.position} × {plain(report.quantity)}" for report in reports]
    lines = ", ".join(told[:_MOST_TOLD]) + (", …" if len(told) > _MOST_TOLD else "")
    record(events.PRODUCED, reports[0], root=order, actor=actor, lines=lines, used="–")


def _line_of(order: Order, line: OrderLine) -> OrderLine:
    found = next(one for one in order.order_lines if one.pk == line.pk)
    found.order = order
    return found


def _check(line: OrderLine, quantity: Decimal, day: dt.date) -> None:
    errors: dict[str, str] = {}
    if quantity <= 0:
        errors["quantity"] = _("Enter a quantity above zero.")
    elif quantity > line.qty_to_make:
        errors["quantity"] = _("Only %(open)s are still to be made.") % {"open": plain(line.qty_to_make)}
    elif line.product is not None and not fits_unit(quantity, line.product.unit):
        text = _("This product is counted in %(unit)s: fewer decimals.")
        errors["quantity"] = text % {"unit": line.product.unit.code}
    if day > business_today():
        errors["on"] = _("The date is in the future.")
    elif line.order.order_date and day < line.order.order_date:
        errors["on"] = _("This is before the order.")
    if errors:
        raise ValidationError(errors)


def _taken(standard: Mapping[Product, Decimal], used: Mapping[int, Decimal]) -> dict[Product, Decimal]:
    """What leaves the shelves: by the bill of material, but for what was said otherwise."""
    more = Product.objects.select_related("unit").in_bulk(set(used) - {product.pk for product in standard})
    taken = {**standard, **dict.fromkeys(more.values(), ZERO)}
    for product in taken:
        quantity = used.get(product.pk, taken[product])
        if quantity:
            check_quantity(product, quantity, field=f"used_{product.pk}")
        taken[product] = quantity
    return taken


def _take(report: Production, taken: Mapping[Product, Decimal], *, actor: "User") -> None:
    try:
        use_stock(taken, holder_kind=PRODUCTION, holder_id=report.pk, actor=actor)
    except InsufficientStock as error:
        text = _("Only %(free)s are free in stock. Book the receipt first, or enter what was really taken.")
        raise ValidationError(
            {f"used_{one.product.pk}": text % {"free": plain(one.free)} for one in error.shortages}
            or _("The stock moved in this very moment: try again.")
        ) from error


def take_back_blocked(report: Production) -> list[Blocker]:
    """Why a report can't be taken back now; empty when it can."""
    if report.reverses_id or hasattr(report, "reversed_by"):
        return [Blocker(_("This report is taken back already."))]
    line = report.order_line
    if line.order.state != Order.State.IN_PRODUCTION:
        return [Blocker(_("The order is not in production any more."))]
    if line.qty_produced - report.quantity < line.qty_shipped:
        return [Blocker(_("Some of it is shipped already: take the goods back first."))]
    return []


@transaction.atomic
def take_back_production(report: Production, *, reason: str, actor: "User") -> Production:
    """Takes a mistaken report back: the counter falls, and the material lies where it was taken from again.

    Raises PermissionDenied, TransitionRefused (taken back already, shipped), ValidationError at "reason".
    """
    require(actor, _RIGHT)
    order = locked(report.order_line.order)
    report = Production.objects.select_related("reversed_by").get(pk=report.pk)
    report.order_line = _line_of(order, report.order_line)
    if found := take_back_blocked(report):
        raise TransitionRefused(found)
    if not reason.strip():
        raise ValidationError({"reason": _("Say what was wrong.")})
    back = Production.objects.create(
        order_line=report.order_line, quantity=-report.quantity, on=business_today(), note=reason.strip(),
        reverses=report, key=f"reverses:{report.pk}", recorded_by=actor,
    )  # fmt: skip
    MaterialUse.objects.bulk_create(
        MaterialUse(
            production=back, product_id=one.product_id, quantity=-one.quantity, standard=-one.standard,
            unit_cost=one.unit_cost,
        )
        for one in report.uses.all()
    )  # fmt: skip
    put_back(holder_kind=PRODUCTION, holder_id=report.pk, reason=reason.strip()[:200], actor=actor)
    order = note_produced(order, {report.order_line_id: -report.quantity}, actor=actor)
    told = f"{report.order_line.position} × {plain(report.quantity)}"
    record(events.PRODUCTION_TAKEN_BACK, back, root=order, actor=actor, lines=told, reason=reason.strip())
    return back
