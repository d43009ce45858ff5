"""What the verbs of billing share.

Rows are locked in one order everywhere: orders by key, invoices by key, instalments by key, payments by key, and the
number series last, because its row is what everybody waits for.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied, ValidationError
from django.utils.translation import gettext as _

from billing.models import Invoice
from customers.models import Customer
from ordermgmt.activity.services import origin, snapshot
from ordermgmt.company.models import SellerProfile
from ordermgmt.company.services import default_seller
from ordermgmt.lib.conflict import StaleVersion
from ordermgmt.lib.fsm import Blocker, TransitionRefused
from ordermgmt.lib.money import quantise
from orders.models import Order

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

#: Interest on late payment and a reminder's fee are damages: they lie outside the scope of VAT.
UNTAXED = "O"


def require(actor: "User", permission: str) -> None:
    """Raises PermissionDenied unless the actor holds the permission; an import acts with the right to import."""
    importing = origin.get().source == "import" and actor.has_perm("documents.import_data")
    if not (importing or actor.has_perm(permission)):
        raise PermissionDenied(permission)


def refuse(sentence: str, link: str = "", label: str = "") -> TransitionRefused:
    """A refusal with one reason."""
    return TransitionRefused([Blocker(sentence, link, label)])


def lock_company() -> None:
    """One at a time, also where there is no row yet to lock: a second one finds what the first has kept."""
    SellerProfile.objects.select_for_update(no_key=True, of=("self",)).get(pk=default_seller().pk)


def lock_orders(keys: Iterable[int | None]) -> dict[int, Order]:
    """The orders under lock, in the order of their keys."""
    wanted = {key for key in keys if key is not None}
    rows = Order.objects.select_for_update(no_key=True, of=("self",)).select_related(
        "customer", "tax_profile", "seller"
    )
    return {order.pk: order for order in rows.filter(pk__in=wanted).order_by("pk")} if wanted else {}


def lock_invoice(invoice: Invoice, *, version: int | None = None) -> tuple[Invoice, Order | None]:
    """The invoice and before it its order under lock, fresh. Raises StaleVersion for another version."""
    order = lock_orders([invoice.order_id]).get(invoice.order_id or 0)
    fresh = Invoice.objects.locked(invoice.pk)
    if version is not None and fresh.version != version:
        raise StaleVersion(fresh)
    if order is not None:
        fresh.order = order
    return fresh, order


def root_of(invoice: Invoice) -> Order | Customer:
    """Whose timeline tells about the document."""
    return invoice.order or invoice.customer


_MOVING = {"paid", "credited", "open", "pdf", "version"}


def content_of(invoice: Invoice) -> dict[str, object]:
    """The document for the audit, without the counters that other rows move."""
    fields = [field.name for field in Invoice._meta.concrete_fields if field.name not in _MOVING]
    early = getattr(invoice, "early", None)
    return snapshot(invoice, *fields) | ({"early": str(early)} if early else {})


def refuse_settled(orders: Iterable[Order | None]) -> None:
    """Billing of a settled order is read-only. Raises TransitionRefused."""
    for order in orders:
        if found := settled_blockers(order):
            raise TransitionRefused(found)


def settled_blockers(order: Order | None) -> list[Blocker]:
    """Why nothing of an order's account moves any more; empty where it still does."""
    if order is None or order.state != Order.State.SETTLED:
        return []
    sentence = _("Order %(order)s is settled: reopen its account first.") % {"order": order.number}
    return [Blocker(sentence, f"/billing/orders/{order.number}/settlement/", _("Open the settlement"))]


def money(amount: Decimal, currency: str) -> str:
    """An amount for a sentence, with its currency's decimals."""
    return format(quantise(amount, currency), ",f")


def check_amount(amount: Decimal, currency: str, field: str = "amount") -> Decimal:
    """A positive amount in whole units of the currency. Raises ValidationError at `field`."""
    if amount <= 0:
        raise ValidationError({field: _("Enter an amount above zero.")})
    if quantise(amount, currency) != amount:
        raise ValidationError({field: _("%(currency)s has fewer decimals than this amount.") % {"currency": currency}})
    return quantise(amount, currency)
