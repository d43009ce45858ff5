"""The end of an order's account: what is missing, `settle_order`, `reopen_order`."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils.translation import gettext as _

from billing import events
from billing.models import Allocation, Instalment, Invoice, Payment, Settlement
from ordermgmt.activity.services import record
from ordermgmt.lib.fsm import Blocker, TransitionRefused, blockers
from ordermgmt.lib.money import ZERO, total
from orders.models import Order
from orders.services import note_final
from orders.services import reopen_order as reopen
from orders.services import settle_order as settle

from .base import lock_orders, require

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


def final_amount(order: Order) -> Decimal:
    """What the order comes to in the end, tax included."""
    amount: Decimal = order.gross_total
    return amount


def settlement_blockers(order: Order) -> list[Blocker]:
    """Everything that stands between an order and its settlement, each with the page that mends it (M9)."""
    if order.state != Order.State.ACCEPTED:
        sentence = _("The order is not accepted yet.")
        return [Blocker(sentence, order.get_absolute_url(), _("Open the order"))]
    page = f"/billing/orders/{order.number}/"
    found: list[Blocker] = []
    if order.open_changes or order.pending_changes:
        found.append(Blocker(_("A change request is open."), order.get_absolute_url(), _("Open the changes")))
    drafts = Invoice.objects.drafts().filter(order=order).count()
    if drafts:
        found.append(
            Blocker(_("%(count)s invoices are in draft.") % {"count": drafts}, page, _("Issue or delete them"))
        )
    final = final_amount(order)
    if order.invoiced_total != final:
        found.append(
            Blocker(
                _("Invoiced are %(invoiced)s, final are %(final)s %(currency)s.")
                % {
                    "invoiced": order.money(order.invoiced_total),
                    "final": order.money(final),
                    "currency": order.currency,
                },
                page,
                _("Invoice the rest") if order.invoiced_total < final else _("Credit the rest"),
            )
        )
    owed = list(Instalment.objects.owed().filter(invoice__order=order))
    if owed:
        found.append(
            Blocker(
                _("%(count)s instalments over %(amount)s %(currency)s are open.")
                % {
                    "count": len(owed),
                    "amount": order.money(total(one.open for one in owed)),
                    "currency": order.currency,
                },
                f"/billing/payments/new/?customer={order.customer.number}",
                _("Record a payment"),
            )
        )
    return found + _credit_blockers(order)


def _credit_blockers(order: Order) -> list[Blocker]:
    """Payments of this order with a rest that lies on nothing."""
    keys = Allocation.objects.filter(instalment__invoice__order=order, payment__isnull=False).values("payment")
    return [
        Blocker(
            _("Payment %(number)s has %(amount)s %(currency)s that lie on no invoice.")
            % {"number": payment.number, "amount": order.money(payment.unallocated), "currency": payment.currency},
            payment.get_absolute_url(),
            _("Lay the credit on an invoice"),
        )
        for payment in Payment.objects.with_credit().filter(pk__in=keys)
        if Instalment.objects.owed().filter(customer=order.customer, currency=payment.currency).exists()
    ]


@transaction.atomic
def settle_order(order: Order, *, actor: "User") -> Order:
    """Closes the account: confirms the final amount and keeps every figure as evidence.

    Raises TransitionRefused with everything that is missing, PermissionDenied without the right.
    """
    require(actor, "billing.settle_order")
    order = lock_orders([order.pk])[order.pk]
    if order.state != Order.State.ACCEPTED:
        raise TransitionRefused(blockers(order.settle) or settlement_blockers(order))
    if found := settlement_blockers(order):
        raise TransitionRefused(found)
    final = final_amount(order)
    order = note_final(order, final_amount=final, actor=actor)
    statement = Settlement.objects.create(order=order, final_amount=final, content=_evidence(order), by=actor)
    order = settle(order, statement=f"{statement.pk}", actor=actor)
    record(
        events.ACCOUNT_SETTLED, statement, root=order, actor=actor, after=statement.content,
        amount=order.money(final), currency=order.currency,
    )  # fmt: skip
    return order


@transaction.atomic
def reopen_order(order: Order, *, reason: str, actor: "User") -> Order:
    """Opens a settled account again, for a credit note or a bounced payment. The finance manager's verb."""
    require(actor, "billing.reopen_order")
    return reopen(order, reason=reason, actor=actor)


def _evidence(order: Order) -> dict[str, Any]:
    documents = Invoice.objects.issued().filter(order=order).order_by("pk")
    rows = [
        {"number": one.number, "kind": one.kind, "due": str(one.due), "paid": str(one.paid),
         "credited": str(one.credited)}
        for one in documents
    ]  # fmt: skip
    return {
        "documents": rows,
        "invoiced": str(order.invoiced_total),
        "paid": str(order.paid_total),
        "final": str(final_amount(order)),
        "open": str(total(one.open for one in documents if not one.is_credit) or ZERO),
    }
