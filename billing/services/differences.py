"""What was paid for orders against what they cost: each that doesn't agree, with the reason."""

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db.models import Count, Max, Q, Sum
from django.utils.translation import gettext as _

from billing.models import Payment
from ordermgmt.lib.money import ZERO, quantise
from orders.models import Order

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

#: Off by no more than this it is somebody's rounding.
ROUNDING_UNITS = Decimal("0.05")


@dataclass(frozen=True)
class Difference:
    """An order for which another amount was paid than it costs. `kind` is unbilled, rounding, more or less."""

    order: Order
    paid: Decimal
    count: int
    parts: int
    kind: str

    @property
    def amount(self) -> Decimal:
        """Paid less cost: above zero too much came in."""
        return self.paid - self.order.gross_total

    @property
    def sentence(self) -> str:
        """Why, and what became of the money."""
        told = {"amount": self.order.money(abs(self.amount)), "currency": self.order.currency, "parts": self.parts}
        if self.kind == "unbilled":
            text = _("The order has no items, so nothing is billed: %(amount)s %(currency)s are the customer's credit.")
        elif self.kind == "rounding":
            text = _("Off by %(amount)s %(currency)s: a rounding difference.")
        elif self.kind == "less":
            text = _("Paid less: %(amount)s %(currency)s are still open.")
        elif self.parts > 1:
            text = _("Paid %(amount)s %(currency)s more, in %(parts)s parts: what the card adds for them is credit.")
        else:
            text = _("Paid %(amount)s %(currency)s more: the rest is the customer's credit.")
        return text % told


@dataclass
class Reconciliation:
    """All that payments say about orders: how many, how many in parts, which orders agree, and which don't."""

    payments: int = 0
    in_parts: int = 0
    most_parts: int = 1
    exact: int = 0
    differences: list[Difference] | None = None


def reconcile(user: "User", source: str) -> Reconciliation:
    """Orders that came from `source` against the recorded payments that name them."""
    orders = Order.objects.visible_to(user).filter(source_key__startswith=f"{source}:")
    named = Payment.objects.visible_to(user).recorded().exclude(method=Payment.Method.WRITE_OFF).filter(
        remittance__in=orders.values("number")
    )  # fmt: skip
    sums = named.order_by().values_list("remittance", "currency")
    rows = sums.annotate(paid=Sum("amount"), count=Count("pk"), parts=Max("instalments"))
    paid = {(number, currency): (amount, count, parts) for number, currency, amount, count, parts in rows}
    figures = named.aggregate(
        all=Count("pk"), parts=Count("pk", filter=Q(instalments__gt=1)), most=Max("instalments")
    )  # fmt: skip
    found = Reconciliation(figures["all"], figures["parts"], figures["most"] or 1, 0, [])
    differences: list[Difference] = []
    for order in orders.select_related("customer").order_by("order_date", "pk").iterator(chunk_size=1000):
        amount, count, parts = paid.get((order.number, order.currency), (ZERO, 0, 1))
        amount = quantise(amount, order.currency)
        if amount == order.gross_total:
            found.exact += 1
        else:
            differences.append(Difference(order, amount, count, parts, _kind(order, amount)))
    found.differences = sorted(differences, key=lambda one: (one.kind, -abs(one.amount)))
    return found


def _kind(order: Order, paid: Decimal) -> str:
    if not order.gross_total:
        return "unbilled"
    if abs(paid - order.gross_total) <= ROUNDING_UNITS:
        return "rounding"
    return "more" if paid > order.gross_total else "less"


def sources(user: "User") -> list[str]:
    """Where imported orders came from."""
    keys = (
        Order.objects.visible_to(user).filter(source_key__contains=":").order_by().values_list("source_key", flat=True)
    )
    return sorted({str(key).partition(":")[0] for key in keys.iterator(chunk_size=5000)})
