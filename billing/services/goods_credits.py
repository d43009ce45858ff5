"""Credits for goods: what came back, or was agreed to be kept for less, becomes a deduction that finance prepares."""

from decimal import Decimal
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import translation
from django.utils.translation import gettext as _

from billing.models import Invoice, InvoiceLine, OrderCharge
from fulfilment.models import Rectification
from fulfilment.services import credit_returned
from inventory.services import plain
from ordermgmt.lib.fsm import Blocker, TransitionRefused
from ordermgmt.lib.money import quantise
from orders.models import Order

from .base import lock_orders, require
from .charging import add_charge

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

_OPEN = (
    Order.State.PLACED, Order.State.IN_PRODUCTION, Order.State.SHIPPED, Order.State.RECTIFICATION, Order.State.ACCEPTED,
)  # fmt: skip


def goods_credits(rows: QuerySet[Rectification]) -> QuerySet[Rectification]:
    """Of these what finance has to credit still: to be prepared, to be decided, or accepted and on no document."""
    billed = InvoiceLine.objects.filter(charge=OuterRef("credit_charge")).exclude(invoice__state=Invoice.State.DRAFT)
    done = Q(credit_charge__state=OrderCharge.State.WAIVED) | Q(Exists(billed))
    agreed = Rectification.objects.to_credit().values("pk")
    waiting = Q(credit_charge=None, pk__in=agreed) | (Q(credit_charge__isnull=False) & ~done)
    return rows.filter(waiting, order__state__in=_OPEN)


def unprepared_credits(order: Order) -> int:
    """How many credits for goods of an order nobody prepared yet."""
    return Rectification.objects.to_credit().filter(order=order, credit_charge=None).count()


def credit_blocked(rectification: Rectification) -> list[Blocker]:
    """Why no credit can be prepared for it now; empty when it can."""
    known = OrderCharge.objects.filter(rectification=rectification).select_related("order").first()
    if known is not None:
        return [Blocker(_("The credit is prepared already."), known.get_absolute_url(), _("Open the charges"))]
    if not Rectification.objects.to_credit().filter(pk=rectification.pk).exists():
        return [Blocker(_("Nothing is to be credited for it."))]
    return []


def goods_value(rectification: Rectification) -> Decimal:
    """What the quantity came to on its line, without tax."""
    line, currency = rectification.order_line, rectification.order.currency
    return quantise(line.net * rectification.quantity / line.due, currency) if line.due else Decimal(0)


def credit_text(rectification: Rectification) -> str:
    """What the document says of it, in the language of the order's documents."""
    line = rectification.order_line
    with translation.override(rectification.order.language):
        sentence = _("Credit for line %(position)s: %(quantity)s × %(text)s") % {
            "position": line.position, "quantity": plain(rectification.quantity), "text": line.description,
        }  # fmt: skip
    return sentence[:200]


@transaction.atomic
def prepare_credit(
    rectification: Rectification, *, net: Decimal, description: str, reason: str, actor: "User"
) -> OrderCharge:
    """Proposes the deduction for goods that came back or are kept for less; a second person decides, and the credit
    note is issued from it, or the invoice that completes the order takes it off. Once per rectification: a second call
    gives back the first proposal.

    Raises PermissionDenied, TransitionRefused (nothing is to be credited), ValidationError at "net" above what the
    goods came to.
    """
    require(actor, "billing.charge_order")
    order = lock_orders([rectification.order_id])[rectification.order_id]
    rectification = Rectification.objects.select_related("order_line", "return_line__goods_return").get(
        pk=rectification.pk
    )
    rectification.order = order
    known = OrderCharge.objects.filter(rectification=rectification).first()
    if known is not None:
        return known
    if found := credit_blocked(rectification):
        raise TransitionRefused(found)
    most = goods_value(rectification)
    if net > most:
        raise ValidationError(
            {
                "net": _("These goods came to %(most)s %(currency)s.")
                % {"most": order.money(most), "currency": order.currency}
            }
        )
    back = rectification.return_line
    charge = add_charge(
        order, kind=OrderCharge.Kind.DISCOUNT, net=net, tax_category=rectification.order_line.tax_category,
        description=description, reason=reason, evidence=back.goods_return.number if back else "",
        key=f"rectification:{rectification.pk}", rectification=rectification, actor=actor,
    )  # fmt: skip
    if rectification.came_back:
        credit_returned(rectification, result=charge.description, actor=actor)
    return charge
