"""What one supplier does not bring is ordered from another."""

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from inventory import events
from inventory.models import PurchaseLine, PurchaseOrder, Supplier
from ordermgmt.activity.services import snapshot
from ordermgmt.company.services import business_today

from .checking import require
from .expecting import expect
from .purchasing import cancel_purchase, draft_purchase, give_up, locked_purchase, order_purchase, refuse, save_noted

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


@transaction.atomic
def replace_supplier(
    line: PurchaseLine, *, supplier: Supplier, quantity: Decimal, needed_by: dt.date | None, reason: str, actor: "User",
) -> PurchaseLine:  # fmt: skip
    """Gives up what is open of a line and orders `quantity` from somebody else, at their price; gives the new line.

    An order of which nothing else is open and nothing came is cancelled. Raises PermissionDenied, TransitionRefused
    (nothing of it is awaited), ValidationError (the same supplier, one without a price).
    """
    require(actor, "inventory.order_purchase")
    old = locked_purchase(line.order)
    row = (
        PurchaseLine.objects.select_for_update(no_key=True, of=("self",))
        .select_related("product__unit")
        .get(pk=line.pk)
    )
    if old.state != PurchaseOrder.State.ORDERED or row.open <= 0 or row.product is None:
        raise refuse(_("Nothing of this line is awaited any more."), old.get_absolute_url())
    if supplier.pk == old.supplier_id:
        raise ValidationError({"supplier": _("This is who does not deliver.")})
    give_up_rest(old, row, f"{reason} → {supplier.name}"[:200], actor)
    wanted = {"product": row.product, "quantity": quantity, "needed_by": needed_by}
    order = draft_purchase(supplier, lines=[wanted], warehouse=old.warehouse, actor=actor)
    order_purchase(order, actor=actor)
    return order.lines.select_related("order__supplier").get()


def set_needed_by(line: PurchaseLine, day: dt.date) -> None:
    """By when a line that the same transaction ordered is needed, where that moved; a day that is over becomes today."""
    line.needed_by = max(day, business_today())
    expect([line], line.order.supplier, line.order.ordered_on or business_today())
    line.save(update_fields=["needed_by", "promised_on"])


def give_up_rest(order: PurchaseOrder, line: PurchaseLine, reason: str, actor: "User") -> None:
    """Nothing more of a locked line will come; an order of which nothing else is open ends with it."""
    others = order.lines.filter(open__gt=0).exclude(pk=line.pk).exists()
    if not others and not order.receipts.exists():
        cancel_purchase(order, reason=reason, actor=actor)
        return
    before = snapshot(order)
    give_up(line)
    if not others:
        order.complete()
    save_noted(order, before, events.PURCHASE_CLOSED, actor=actor, reason=reason)
