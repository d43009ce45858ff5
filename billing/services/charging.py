"""Charges and deductions of an order: proposed, decided by somebody else; penalties computed by the order's clause."""

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from billing import events
from billing.models import OrderCharge, OrderClause
from fulfilment.models import Rectification, ShipmentLine
from ordermgmt.accounts.services import system_user
from ordermgmt.activity.services import record, snapshot
from ordermgmt.company.services import business_day, company_zone, tax_rates
from ordermgmt.lib.claims import liquidated_damages
from ordermgmt.lib.conflict import StaleVersion
from ordermgmt.lib.fsm import check_transition
from ordermgmt.lib.money import HUNDRED, ZERO, quantise, total
from orders.models import Order
from orders.services import note_charges

from .base import check_amount, lock_orders, refuse, refuse_settled, require
from .defects import date_defects, waiting_for_defects

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

_KEPT = ("kind", "description", "net", "tax_category", "tax_rate", "tax", "reason", "evidence", "state", "decision")
_CLAUSE = ("rate_percent", "per", "grace_days", "cap_percent", "defects_months", "retention_apart")


def clause_of(order: Order) -> OrderClause | None:
    """What the contract says about late delivery and retentions."""
    return OrderClause.objects.filter(order=order).first()


@transaction.atomic
def set_clause(order: Order, *, actor: "User", version: int | None = None, **values: Any) -> OrderClause:
    """Writes the clause of an order: rate_percent per day or week, grace_days, cap_percent, defects_months,
    retention_apart.

    Sales until the order is placed, finance until it is settled. Raises TransitionRefused after that, StaleVersion where
    the clause has another `version` by now (0: none was set).
    """
    order = lock_orders([order.pk])[order.pk]
    require(actor, "billing.set_clause")
    if order.state != Order.State.DRAFT:
        require(actor, "billing.charge_order")
    if order.state in (Order.State.SETTLED, Order.State.CANCELLED):
        raise refuse(_("The account of this order is closed."), order.get_absolute_url(), _("Open the order"))
    clause = clause_of(order) or OrderClause(order=order, version=0)
    if version is not None and version != clause.version:
        raise StaleVersion(clause)
    before = snapshot(clause, *_CLAUSE) if clause.pk else None
    for name in _CLAUSE:
        if name in values:
            setattr(clause, name, values[name])
    if not clause.defects_months and waiting_for_defects(order).exists():
        raise refuse(
            _("An instalment waits for the end of the defects period: plan it anew first."),
            f"/billing/orders/{order.number}/plan/", _("Open the instalment plan"),
        )  # fmt: skip
    clause.set_by = actor
    clause.version += 1
    clause.save()
    record(events.CLAUSE_SET, clause, root=order, actor=actor, before=before, after=snapshot(clause, *_CLAUSE))
    propose_penalties(order)
    if clause.defects_months:
        date_defects(order, actor=actor)
    return clause


@transaction.atomic
def add_charge(
    order: Order,
    *,
    kind: str,
    net: Decimal,
    tax_category: str,
    description: str,
    reason: str,
    key: str,
    actor: "User",
    evidence: str = "",
    rectification: Rectification | None = None,
) -> OrderCharge:
    """Proposes a charge or deduction; somebody else decides. The same `key` twice proposes once.

    Raises ValidationError for a wrong amount or a category without a rate, TransitionRefused before the order is placed
    and once its account is closed.
    """
    require(actor, "billing.charge_order")
    order = lock_orders([order.pk])[order.pk]
    if earlier := OrderCharge.objects.filter(key=key).first():
        return earlier
    _check_open(order)
    net = check_amount(net, order.currency, "net")
    rates = tax_rates(order.tax_profile, order.order_date)
    if tax_category not in rates:
        raise ValidationError({"tax_category": _("The tax profile has no rate of this category on the order's date.")})
    charge = OrderCharge(
        order=order, kind=kind, description=description, net=net, tax_category=tax_category,
        tax_rate=rates[tax_category], reason=reason, evidence=evidence, key=key, asked_by=actor,
        rectification=rectification,
    )  # fmt: skip
    return _propose(charge, actor)


def _check_open(order: Order) -> None:
    refuse_settled([order])
    if order.state in (Order.State.DRAFT, Order.State.CANCELLED):
        raise refuse(
            _("Charges and deductions belong to a placed order."), order.get_absolute_url(), _("Open the order")
        )


def _propose(charge: OrderCharge, actor: "User") -> OrderCharge:
    charge.tax = quantise(charge.net * charge.tax_rate / HUNDRED, charge.order.currency)
    before = None if charge.pk is None else snapshot(OrderCharge.objects.get(pk=charge.pk), *_KEPT)
    charge.save()
    record(
        events.CHARGE_PROPOSED, charge, root=charge.order, actor=actor, before=before, after=snapshot(charge, *_KEPT),
        what=charge.description, amount=charge.order.money(charge.signed_net), currency=charge.order.currency,
    )  # fmt: skip
    return charge


@transaction.atomic
def accept_charge(charge: OrderCharge, *, decision: str, actor: "User") -> OrderCharge:
    """It belongs to the final account from now on. Raises TransitionRefused for who proposed it and a second time."""
    return _decide(charge, "accept", decision, actor)


@transaction.atomic
def waive_charge(charge: OrderCharge, *, decision: str, actor: "User") -> OrderCharge:
    """It is not asked for, with a reason. Raises TransitionRefused for who proposed it and a second time."""
    return _decide(charge, "waive", decision, actor)


def _decide(charge: OrderCharge, step: str, decision: str, actor: "User") -> OrderCharge:
    require(actor, "billing.decide_charge")
    order = lock_orders([charge.order_id])[charge.order_id]
    charge = OrderCharge.objects.select_for_update(no_key=True, of=("self",)).get(pk=charge.pk)
    charge.order = order
    refuse_settled([order])
    check_transition(getattr(charge, step), actor)
    if charge.asked_by_id == actor.pk:
        raise refuse(_("You proposed it: somebody else must decide."), charge.get_absolute_url(), _("Open the charges"))
    before = snapshot(charge, *_KEPT)
    getattr(charge, step)()
    charge.decided_by, charge.decided_at, charge.decision = actor, timezone.now(), decision
    charge.version += 1
    charge.save()
    if charge.state == OrderCharge.State.ACCEPTED:
        sums = [one.signed_gross for one in OrderCharge.objects.agreed().filter(order=order).select_related("order")]
        note_charges(order, charges_total=total(sums), actor=actor)
    record(
        events.CHARGE_ACCEPTED if charge.state == OrderCharge.State.ACCEPTED else events.CHARGE_WAIVED, charge,
        root=order, actor=actor, before=before, after=snapshot(charge, *_KEPT), what=charge.description,
        amount=order.money(charge.signed_net), currency=order.currency, reason=decision,
    )  # fmt: skip
    return charge


def penalty_rows(order: Order, clause: OrderClause) -> list[dict[str, Any]]:
    """Every late part of every line, with what the clause makes of it. Amounts in the order's currency, as texts.

    The actual day is that of arrival where it is known, else that of the shipment or performance, in the company's
    time zone. The cap holds for each part, so it holds for their sum: what was sent in place of rejected or returned
    goods is no part of its own, or one piece would be late twice.
    """
    zone = company_zone()
    parts = ShipmentLine.objects.filter(shipment__order=order, shipment__replacement=None)
    parts = parts.select_related("shipment", "order_line")
    found = []
    for part in parts.order_by("order_line__position", "shipment_id"):
        line = part.order_line
        promised = line.promised_date or order.promised_date
        actual = part.shipment.delivered_on or business_day(part.shipment.shipped_at, zone)
        units = clause.units((actual - promised).days) if promised else 0
        if not units or promised is None or not line.due:
            continue
        basis = quantise(line.net * part.quantity / line.due, order.currency)
        amount = liquidated_damages(basis, clause.rate_percent, units, clause.cap_percent, order.currency)
        if amount <= ZERO:
            continue
        found.append({
            "position": line.position, "text": line.description, "shipment": part.shipment.number,
            "quantity": f"{part.quantity.normalize():f}", "unit": line.unit, "promised": promised.isoformat(),
            "actual": actual.isoformat(), "days": (actual - promised).days, "units": units, "basis": str(basis),
            "rate": f"{clause.rate_percent.normalize():f}", "per": clause.per,
            "uncapped": str(liquidated_damages(basis, clause.rate_percent, units, None, order.currency)),
            "amount": str(amount), "category": line.tax_category, "tax_rate": f"{line.tax_rate.normalize():f}",
        })  # fmt: skip
    return found


@transaction.atomic
def propose_penalties(order: Order) -> list[OrderCharge]:
    """Brings the clause's proposals up to date, one per tax rate of the late lines; what was decided stays decided.

    A proposal whose ground is gone goes. Does nothing without a clause, for a draft and for a closed account.
    """
    order = lock_orders([order.pk])[order.pk]
    clause = clause_of(order)
    if clause is None or order.state in (Order.State.DRAFT, Order.State.SETTLED, Order.State.CANCELLED):
        return []
    groups: dict[tuple[str, Decimal], list[dict[str, Any]]] = defaultdict(list)
    for row in penalty_rows(order, clause):
        groups[row["category"], Decimal(row["tax_rate"])].append(row)
    known = {one.key: one for one in OrderCharge.objects.filter(order=order, automatic=True)}
    made = []
    for (category, rate), rows in sorted(groups.items()):
        key = f"clause:{order.pk}:{category}:{rate.normalize():f}"
        charge = known.pop(key, None) or OrderCharge(order=order, key=key, automatic=True, asked_by=system_user())
        charge.order = order
        net = total(Decimal(row["amount"]) for row in rows)
        decided = charge.state != OrderCharge.State.PROPOSED
        if decided or (charge.pk and charge.computation == rows and charge.net == net):
            continue
        _fill(charge, category, rate, rows, net)
        made.append(_propose(charge, charge.asked_by))
    for stale in known.values():
        if stale.state == OrderCharge.State.PROPOSED:
            _withdraw(stale, order)
    return made


def _fill(charge: OrderCharge, category: str, rate: Decimal, rows: list[dict[str, Any]], net: Decimal) -> None:
    charge.kind, charge.net, charge.tax_category, charge.tax_rate = OrderCharge.Kind.PENALTY, net, category, rate
    charge.computation = rows
    days = max(int(row["days"]) for row in rows)
    with translation.override(charge.order.language):
        charge.description = _("Penalty for late delivery, up to %(days)s days") % {"days": days}
    charge.reason = _("By the clause of the order: promised against actual dates.")
    charge.evidence = ", ".join(sorted({str(row["shipment"]) for row in rows}))[:300]


def _withdraw(charge: OrderCharge, order: Order) -> None:
    record(
        events.CHARGE_WITHDRAWN, charge, root=order, actor=system_user(), before=snapshot(charge, *_KEPT),
        what=charge.description, amount=order.money(charge.net), currency=order.currency,
    )  # fmt: skip
    charge.delete()
