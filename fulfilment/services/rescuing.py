"""What is done about a late supplier: order elsewhere, or plan anew; whoever works on the orders is told."""

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Min
from django.utils.translation import gettext as _

from fulfilment import events
from fulfilment.models import MaterialSupply
from inventory.models import PurchaseLine, Supplier
from inventory.services import Wish, rank_offers, replace_supplier, set_needed_by
from ordermgmt.accounts.services import require
from ordermgmt.activity.services import record
from ordermgmt.company.services import business_today
from ordermgmt.lib.days import check_days
from orders.models import Order
from orders.services import locked

from .capacity import day_text
from .late import Hit, hits_of
from .needing import plan_needs
from .netting import cover_needs, one_at_a_time
from .planning import move_steps

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


@transaction.atomic
def change_supplier(
    line: PurchaseLine, *, supplier: Supplier, reason: str, replan: bool = False, actor: "User"
) -> PurchaseLine:
    """Has another supplier deliver what is open of a line, for the needs it served, and tells everybody concerned.

    With `replan` the orders that the actor sees and that it still comes too late for are planned anew. Raises
    PermissionDenied, TransitionRefused (nothing is awaited), ValidationError (a supplier without a price).
    """
    require(actor, "inventory.order_purchase")
    concerned = _locked_orders(line)
    one_at_a_time()
    row = PurchaseLine.objects.select_related("order__supplier", "product__unit").get(pk=line.pk)
    if row.product is None:
        raise ValidationError({"supplier": _("This line has no product.")})
    today = business_today()
    kept = list(MaterialSupply.objects.filter(line=row, quantity__gt=0).select_related("need"))
    needed = min((one.need.needed_by for one in kept if one.need.needed_by), default=row.needed_by)
    offers = {
        one.supplier.pk: one
        for one in rank_offers([Wish(row.product, row.open, needed)], today).get(row.product.pk, [])
    }
    offer = offers.get(supplier.pk)
    if offer is None:
        text = _("%(supplier)s has no price for %(sku)s.")
        raise ValidationError({"supplier": text % {"supplier": supplier, "sku": row.product.sku}})
    hits = hits_of([row], actor, today, offer.arrives).get(row.pk, []) if replan else []
    new = replace_supplier(
        row, supplier=supplier, quantity=offer.quantity, needed_by=max(needed, today) if needed else None,
        reason=reason, actor=actor,
    )  # fmt: skip
    _hand_over(kept, new)
    _replan_hits(hits, reason, actor)
    cover_needs([row.product.pk])
    _date_need(new)
    values: dict[str, Any] = {
        "sku": row.product.sku, "old": row.order.supplier.name, "supplier": supplier.name, "number": new.order.number,
        "day": str(offer.arrives), "reason": reason,
    }  # fmt: skip
    for order in concerned:
        record(events.SUPPLIER_CHANGED, order, actor=actor, **values)
    return new


@transaction.atomic
def replan_late(line: PurchaseLine, *, day: dt.date, reason: str, actor: "User") -> list[Order]:
    """Plans the orders that the actor sees and the line hits anew, as if it came on `day`; gives them.

    Raises PermissionDenied, ValidationError (a day past, one that hits nobody or moves nothing).
    """
    require(actor, "fulfilment.plan_order")
    if day < business_today():
        raise ValidationError({"day": _("This day is over.")})
    check_days(day=day)
    _locked_orders(line)
    one_at_a_time()
    hits = [one for one in hits_of([line], actor, business_today(), day).get(line.pk, []) if one.seen]
    if not hits:
        raise ValidationError({"day": _("On %(day)s it is in time for all your orders.") % {"day": day_text(day)}})
    if not any(one.steps for one in hits):
        raise ValidationError({"day": nothing_moves()})
    return _replan_hits(hits, reason, actor)


def nothing_moves() -> str:
    """Why an order that waits for material is not planned anew."""
    return _("Nothing moves: its plan has no open milestone of material, and none that begins on a day.")


def _locked_orders(line: PurchaseLine) -> list[Order]:
    """The orders that count on the line, locked by key before anything else."""
    keys = MaterialSupply.objects.filter(line=line, quantity__gt=0).values_list("need__order", flat=True)
    return [locked(one) for one in Order.objects.filter(pk__in=set(keys)).order_by("pk")]


def _hand_over(kept: list[MaterialSupply], new: PurchaseLine) -> None:
    """What counted on the old line counts on the new one, as ordered for it."""
    left, links = new.open, []
    for one in sorted(kept, key=lambda supply: (supply.need.needed_by or dt.date.max, supply.pk)):
        if (taken := min(left, one.quantity)) > 0:
            links.append(MaterialSupply(need=one.need, line=new, pegged=taken, quantity=taken))
            left -= taken
    MaterialSupply.objects.filter(pk__in=[one.pk for one in kept]).delete()
    MaterialSupply.objects.bulk_create(links)


def _date_need(line: PurchaseLine) -> None:
    """It is needed when those need it that it is ordered for, as they are planned now."""
    served = MaterialSupply.objects.filter(line=line, quantity__gt=0).order_by()
    day = served.aggregate(day=Min("need__needed_by"))["day"]
    if day:
        set_needed_by(line, day)


def _replan_hits(hits: list[Hit], reason: str, actor: "User") -> list[Order]:
    """Moves the steps of the hits, which were found under the locks of their orders."""
    done = []
    for hit in sorted((one for one in hits if one.seen and one.steps), key=lambda one: one.order.pk):
        require(actor, "fulfilment.plan_order")
        done.append(_replan(hit, reason, actor))
    return done


def _replan(hit: Hit, reason: str, actor: "User") -> Order:
    order = hit.order
    move_steps(order, hit.steps, reason=reason, actor=actor)
    plan_needs(order, actor=actor)
    told: dict[str, Any] = {"count": len(hit.steps), "ends": str(hit.ends or "–"), "days": hit.beyond, "reason": reason}
    record(events.ORDER_REPLANNED, order, actor=actor, **told)
    return order


@transaction.atomic
def tell_of_late(line_ids: list[int], *, actor: "User | None") -> int:
    """Tells the people of the orders that lines were promised for after they are needed; how many orders."""
    rows = MaterialSupply.objects.filter(line__in=line_ids, quantity__gt=0).select_related(
        "need__order", "need__product", "line__order__supplier"
    )
    worst: dict[int, MaterialSupply] = {}
    for one in rows:
        day, by = one.line.promised_on, one.need.needed_by
        if day and by and day > by:
            known = worst.get(one.need.order_id)
            if known is None or (known.need.needed_by and by < known.need.needed_by):
                worst[one.need.order_id] = one
    for one in worst.values():
        day, by = one.line.promised_on, one.need.needed_by
        record(
            events.MATERIAL_LATE, one.need.order, actor=actor, sku=one.need.product.sku, number=one.line.order.number,
            supplier=one.line.order.supplier.name, day=str(day), days=(day - by).days if day and by else 0,
        )  # fmt: skip
    return len(worst)
