"""`correct_invoice`: a document whose order was changed since is credited, and billed again at what is agreed now."""

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Exists, ExpressionWrapper, F, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Round
from django.utils.translation import gettext as _

from billing.models import Invoice, InvoiceLine
from ordermgmt.lib.money import HUNDRED, ZERO, AmountField, QuantityField
from orders.models import Order, OrderAmendment

from .base import lock_orders, refuse, require
from .crediting import credit_invoice
from .drafting import draft_invoice

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

_KINDS = (Invoice.Kind.STANDARD, Invoice.Kind.PROGRESS, Invoice.Kind.FINAL)


def outdated_lines() -> QuerySet[Any]:
    """Lines of issued documents whose order line has another price or discount by now, annotated with what is `left`.

    Only lines of which something is not credited yet, of orders that an approved change amended.
    """
    taken = InvoiceLine.objects.filter(original=OuterRef("pk")).exclude(invoice__state=Invoice.State.DRAFT)
    summed = taken.order_by().values("original").annotate(sum=Sum("quantity")).values("sum")
    amended = OrderAmendment.objects.filter(order=OuterRef("invoice__order"))
    same = Q(unit_price=F("order_line__unit_price"), discount_percent=F("order_line__discount_percent"))
    left = ExpressionWrapper(F("quantity") - Coalesce(Subquery(summed), Value(ZERO)), QuantityField())
    rows = InvoiceLine.objects.filter(
        ~same, Exists(amended), kind=InvoiceLine.Kind.ITEM, order_line__isnull=False,
        invoice__state=Invoice.State.ISSUED, invoice__kind__in=_KINDS,
    )  # fmt: skip
    return rows.annotate(left=left).filter(left__gt=0)


def invoices_to_correct(rows: QuerySet[Invoice]) -> QuerySet[Invoice]:
    """Those of the documents with an outdated line; `difference` is by how much their net would move."""

    def price(prefix: str) -> Combinable:
        factor = HUNDRED - F(f"{prefix}discount_percent")
        return ExpressionWrapper(F(f"{prefix}unit_price") * factor / HUNDRED, AmountField())

    lines = outdated_lines().filter(invoice=OuterRef("pk")).order_by().values("invoice")
    moved = ExpressionWrapper(F("left") * (price("order_line__") - price("")), AmountField())
    difference = lines.annotate(sum=Round(Sum(moved), 4)).values("sum")  # SQLite counts in binary fractions
    return rows.filter(Exists(outdated_lines().filter(invoice=OuterRef("pk")))).annotate(
        difference=Subquery(difference, output_field=AmountField())
    )


def may_be_corrected(invoice: Invoice) -> bool:
    """Whether a line of it is outdated."""
    return invoice.order_id is not None and outdated_lines().filter(invoice=invoice).exists()


@transaction.atomic
def correct_invoice(invoice: Invoice, *, reason: str, actor: "User") -> Invoice:
    """Credits what is outdated on a document and drafts the same quantities at what the order says now.

    Returns the draft. A document with an allowance, a charge or a deduction over all of it is credited as a whole.
    Raises TransitionRefused for the issuer (somebody else credits), where nothing is outdated, where the order takes
    no document, and as `credit_invoice` and `draft_invoice` do.
    """
    require(actor, "billing.credit_invoice")
    if invoice.order_id is None:
        raise refuse(_("Only a document of an order follows its order."))
    order = lock_orders([invoice.order_id])[invoice.order_id]
    outdated = dict(outdated_lines().filter(invoice=invoice).values_list("pk", "left"))
    if not outdated:
        raise refuse(_("The document says what the order says: there is nothing to correct."))
    whole = bool(invoice.prepaid) or invoice.adjustments.exists() or _deducts(invoice)
    credit = credit_invoice(invoice, reason=reason, quantities=None if whole else outdated, actor=actor)
    return draft_invoice(_fresh(order), quantities=_credited(credit), actor=actor)


def _deducts(invoice: Invoice) -> bool:
    return invoice.lines.exclude(kind=InvoiceLine.Kind.ITEM).exists()


def _fresh(order: Order) -> Order:
    return Order.objects.get(pk=order.pk)


def _credited(credit: Invoice) -> dict[int, Decimal]:
    """What of each order line, by its key, the credit note took back."""
    found: dict[int, Decimal] = defaultdict(lambda: ZERO)
    for key, quantity in credit.lines.filter(kind=InvoiceLine.Kind.ITEM).values_list("order_line_id", "quantity"):
        if key is not None:
            found[key] += quantity
    return dict(found)
