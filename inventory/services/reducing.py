"""Less of a purchase than was ordered: taken off a draft, given up once the supplier has it."""

from decimal import Decimal
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from inventory import events
from inventory.models import PurchaseLine, PurchaseOrder
from ordermgmt.activity.services import snapshot
from ordermgmt.lib.money import ZERO, quantise, total

from .checking import check_quantity, plain, require
from .purchasing import cancel_purchase, locked_purchase, refuse, save_noted
from .replacing import give_up_rest

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

_OPEN = (PurchaseOrder.State.DRAFT, PurchaseOrder.State.ORDERED)


@transaction.atomic
def reduce_purchase(line: PurchaseLine, *, quantity: Decimal, reason: str, actor: "User") -> PurchaseOrder:
    """Takes so much of a line off what is awaited, in its unit; an order of which nothing is left is cancelled or closed.

    Raises PermissionDenied, TransitionRefused (nothing of it is awaited), ValidationError (not above 0, more than is
    open, parts of a whole unit).
    """
    require(actor, "inventory.order_purchase")
    order = locked_purchase(line.order)
    row = (
        PurchaseLine.objects.select_for_update(no_key=True, of=("self",))
        .select_related("product__unit")
        .get(pk=line.pk)
    )
    if order.state not in _OPEN or row.open <= 0:
        raise refuse(_("Nothing of this line is awaited any more."), order.get_absolute_url())
    if not ZERO < quantity <= row.open:
        raise ValidationError({"quantity": _("Between 0 and what is open: %(n)s.") % {"n": plain(row.open)}})
    if row.product is not None:
        check_quantity(row.product, quantity)
    before = snapshot(order)
    told = {"reason": reason, "sku": row.product.sku if row.product else row.description, "quantity": plain(quantity)}
    if order.is_draft:
        return _off_draft(order, row, quantity, before, told, actor)
    if quantity == row.open:
        give_up_rest(order, row, reason, actor)
        return order
    row.given_up += quantity
    row.save(update_fields=["given_up"])
    return save_noted(order, before, events.PURCHASE_REDUCED, actor=actor, **told)


def _off_draft(
    order: PurchaseOrder, row: PurchaseLine, quantity: Decimal, before: object, told: dict[str, str], actor: "User"
) -> PurchaseOrder:
    if quantity < row.quantity:
        row.quantity -= quantity
        row.most, row.net = row.quantity, quantise(row.unit_price * row.quantity, order.currency)
        row.save(update_fields=["quantity", "most", "net"])
    elif order.lines.exclude(pk=row.pk).exists():
        row.delete()
    else:
        return cancel_purchase(order, reason=told["reason"], actor=actor)
    order.total = total(order.lines.values_list("net", flat=True))
    return save_noted(order, before, events.PURCHASE_REDUCED, actor=actor, **told)
