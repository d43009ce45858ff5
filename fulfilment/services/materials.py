"""Ordering what is missing: proposals by supplier, made into purchase orders that know which needs they serve."""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from fulfilment import events
from fulfilment.models import MaterialNeed, MaterialSupply
from inventory.models import Product, PurchaseLine, PurchaseOrder, Supplier
from inventory.services import Offer, Wish, draft_purchase, plain, rank_offers
from ordermgmt.accounts.services import require
from ordermgmt.activity.services import record
from ordermgmt.company.services import business_today
from ordermgmt.lib.money import ZERO
from orders.models import Order

from .netting import cover_needs, one_at_a_time

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

#: So many products are proposed at once.
MOST = 200


@dataclass(frozen=True)
class Proposal:
    """What is missing of a product for the orders that one sees, by when first, and who could deliver it."""

    product: Product
    missing: Decimal
    needed_by: dt.date | None
    orders: Sequence[str]
    offers: Sequence[Offer] = field(default_factory=list)


@dataclass(frozen=True)
class Wanted:
    """One row as it was confirmed: so much of a product from a supplier; `seen` is what was missing on the page."""

    product: Product
    supplier: Supplier
    quantity: Decimal
    seen: Decimal


def propose(user: "User", order: Order | None = None) -> list[Proposal]:
    """What is missing, product by product, the most urgent first. Five queries, however many needs."""
    found = []
    for rows in _missing_of(user, order).values():
        product, days = rows[0].product, [one.needed_by for one in rows if one.needed_by]
        numbers = list(dict.fromkeys(one.order.number for one in rows))
        found.append(Proposal(product, sum((one.missing for one in rows), ZERO), min(days, default=None), numbers))
    found = found[:MOST]
    offers = rank_offers([Wish(one.product, one.missing, one.needed_by) for one in found], business_today())
    return [
        Proposal(one.product, one.missing, one.needed_by, one.orders, offers.get(one.product.pk, [])) for one in found
    ]


def _missing_of(user: "User", order: Order | None) -> dict[int, list[MaterialNeed]]:
    """The missing needs that the person sees by product, the most urgent first."""
    rows = MaterialNeed.objects.visible_to(user).missing()
    rows = rows.filter(order=order) if order else rows
    found: dict[int, list[MaterialNeed]] = defaultdict(list)
    for one in rows.select_related("product__unit", "order"):
        found[one.product_id].append(one)
    return found


@transaction.atomic
def purchase_needs_of(rows: Sequence[Wanted], *, order: Order | None = None, actor: "User") -> list[PurchaseOrder]:
    """Drafts purchase orders over what is missing (for one order, or all that the actor sees), one per supplier.

    Each line keeps the needs it serves, the most urgent first; what is ordered beyond them is free for others. One
    person at a time: raises ValidationError at `quantity_<product>` where something else is missing than was seen, and
    for what the supplier has no price for. Raises PermissionDenied.
    """
    require(actor, "inventory.order_purchase")
    one_at_a_time()
    missing = _missing_of(actor, order)
    wanted = [one for one in rows if one.quantity > 0]
    for one in wanted:
        now = sum((need.missing for need in missing.get(one.product.pk, [])), ZERO)
        if now != one.seen:
            text = _("%(now)s of %(sku)s are missing by now: somebody ordered it, or the orders changed.")
            raise ValidationError({f"quantity_{one.product.pk}": text % {"now": plain(now), "sku": one.product.sku}})
    if not wanted:
        raise ValidationError(_("Say how much to order of something."))
    by_supplier: dict[int, list[Wanted]] = defaultdict(list)
    for one in wanted:
        by_supplier[one.supplier.pk].append(one)
    made = [_draft(chosen, missing, actor) for _pk, chosen in sorted(by_supplier.items())]
    cover_needs(one.product.pk for one in wanted)
    return made


def _draft(chosen: Sequence[Wanted], missing: dict[int, list[MaterialNeed]], actor: "User") -> PurchaseOrder:
    today, rows = business_today(), []
    for one in chosen:
        days = [need.needed_by for need in missing[one.product.pk] if need.needed_by]
        needed = max(min(days), today) if days else None
        rows.append({"product": one.product, "quantity": one.quantity, "needed_by": needed})
    order = draft_purchase(chosen[0].supplier, lines=rows, actor=actor)
    served: dict[Order, list[str]] = defaultdict(list)
    for line in order.lines.select_related("product"):
        for need in peg(line, missing[line.product_id or 0]):
            served[need.order].append(need.product.sku)
    for customer_order, skus in served.items():
        record(
            events.MATERIAL_ORDERED, customer_order, actor=actor, number=order.number, supplier=order.supplier.name,
            skus=", ".join(dict.fromkeys(skus)),
        )  # fmt: skip
    return order


def peg(line: PurchaseLine, needs: Sequence[MaterialNeed]) -> list[MaterialNeed]:
    """Keeps the line for these needs, in turn, as far as it goes; gives those that got something."""
    left, served, links = line.open, [], []
    for need in needs:
        taken = min(left, need.missing)
        if taken > 0:
            links.append(MaterialSupply(need=need, line=line, pegged=taken, quantity=taken))
            served.append(need)
            left -= taken
    MaterialSupply.objects.bulk_create(links)
    return served
