"""What was paid for orders against what they cost: each that doesn't agree, with the reason."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db.models import Count, F, IntegerField, Max, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Abs, Coalesce, Round, StrIndex, Substr
from django.utils.translation import gettext as _

from billing.models import Payment
from ordermgmt.lib.money import ZERO, AmountField, quantise
from orders.models import Order

from .receivables import Rows

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


@dataclass(frozen=True)
class Reconciliation:
    """All that payments say about orders: how many, how many in parts, which orders agree, and which don't.

    `orders` are those that don't: a page of them becomes `differences_of`.
    """

    payments: int
    in_parts: int
    most_parts: int
    exact: int
    differing: int
    orders: Rows


def reconcile(user: "User", source: str) -> Reconciliation:
    """Orders that came from `source` against the recorded payments that name them; the database adds up."""
    orders = Order.objects.visible_to(user).filter(source_key__startswith=f"{source}:").order_by()
    named = Payment.objects.visible_to(user).recorded().exclude(method=Payment.Method.WRITE_OFF).order_by()
    figures = named.filter(remittance__in=orders.values("number")).aggregate(
        all=Count("pk"), parts=Count("pk", filter=Q(instalments__gt=1)), most=Max("instalments")
    )
    compared = _compared(orders, named)
    counts = compared.aggregate(exact=Count("pk", filter=Q(over=0)), differing=Count("pk", filter=~Q(over=0)))
    return Reconciliation(
        figures["all"], figures["parts"], figures["most"] or 1, counts["exact"], counts["differing"],
        compared.exclude(over=0).select_related("customer"),
    )  # fmt: skip


def _compared(orders: QuerySet[Order], named: QuerySet[Payment]) -> Rows:
    """Each order with what was `paid` for it, in how many payments and parts, and by how much that is `over` and `off`."""
    of_order = named.filter(remittance=OuterRef("number"), currency=OuterRef("currency")).values("remittance")

    def told(aggregate: Any, field: Any, default: Any) -> Coalesce:
        return Coalesce(
            Subquery(of_order.annotate(x=aggregate).values("x"), output_field=field), default, output_field=field
        )

    found = orders.annotate(
        paid=told(Sum("amount"), AmountField(), ZERO), payments_made=told(Count("pk"), IntegerField(), 0),
        parts=told(Max("instalments"), IntegerField(), 1),
    )  # fmt: skip
    over = Round(F("paid") - F("gross_total"), 4, output_field=AmountField())
    return found.annotate(over=over).annotate(off=Abs("over", output_field=AmountField()))


def differences_of(orders: Iterable[Any]) -> list[Difference]:
    """Rows of `Reconciliation.orders`, each with the reason."""
    found = []
    for one in orders:
        paid = quantise(one.paid, one.currency)
        found.append(Difference(one, paid, one.payments_made, one.parts, _kind(one, paid)))
    return found


def _kind(order: Order, paid: Decimal) -> str:
    if not order.gross_total:
        return "unbilled"
    if abs(paid - order.gross_total) <= ROUNDING_UNITS:
        return "rounding"
    return "more" if paid > order.gross_total else "less"


def sources(user: "User") -> list[str]:
    """Where imported orders came from."""
    imported = Order.objects.visible_to(user).filter(source_key__contains=":").order_by()
    name = Substr("source_key", 1, StrIndex("source_key", Value(":")) - 1)
    return sorted(imported.annotate(source=name).values_list("source", flat=True).distinct())
