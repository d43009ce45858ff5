"""An order is never invoiced above its total (M3): what it may be invoiced at most, asked before every step upwards."""

from collections.abc import Iterable
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from billing.models import Invoice
from ordermgmt.lib.money import ZERO, total, unit
from orders.models import Order, OrderLine

from .base import refuse
from .charge_lines import billed_gross, open_charges, open_gross
from .composing import MOST_UNITS, billed_nets


def most_invoiced(order: Order) -> Decimal:
    """What documents of an order may come to: its lines, charges that were accepted, less deductions on documents.

    A deduction that is on no document yet does not count: it may come as a credit note behind a full invoice.
    """
    charges = [(charge, left) for charge, left in open_charges(order) if left > ZERO]
    most: Decimal = order.gross_total + billed_gross(order) + open_gross(charges)
    return most


def check_ceiling(order: Order, amount: Decimal) -> None:
    """Raises TransitionRefused where a document over `amount` would take the order above its total."""
    most = most_invoiced(order)
    above = order.invoiced_total + amount - most
    if above > ZERO:
        raise refuse(_sentence(order, most, above), f"/billing/orders/{order.number}/", _("Open the invoices"))


def check_opening(order: Order, amount: Decimal) -> None:
    """As `check_ceiling`, for an amount that somebody enters: raises ValidationError."""
    most = most_invoiced(order)
    above = order.invoiced_total + amount - most
    if above > ZERO:
        raise ValidationError({"amount": _sentence(order, most, above)})


def _sentence(order: Order, most: Decimal, above: Decimal) -> str:
    return _(
        "Order %(order)s comes to %(most)s and %(invoiced)s of it is invoiced: this would be %(above)s %(currency)s "
        "too much. Delete this draft, or credit what is issued first."
    ) % {
        "order": order.number, "most": order.money(most), "invoiced": order.money(order.invoiced_total),
        "above": order.money(above), "currency": order.currency,
    }  # fmt: skip


def check_drafts(order: Order, invoice: Invoice) -> None:
    """A draft of an instalment and one of the lines that takes it off come one after the other: only an issued
    instalment can be taken off. Raises TransitionRefused where both would bill the same.
    """
    others = list(Invoice.objects.drafts().filter(order=order).exclude(pk=invoice.pk).order_by("pk"))
    if not any(one.kind == Invoice.Kind.DEPOSIT for one in [*others, invoice]):
        return
    above = order.invoiced_total + total(one.due for one in [*others, invoice]) - most_invoiced(order)
    if above > ZERO and others:
        raise refuse(
            _("Together with %(drafts)s, %(above)s %(currency)s more would be invoiced than the order comes to: issue or delete that first.")
            % {
                "drafts": ", ".join(str(one) for one in others), "above": order.money(above),
                "currency": order.currency,
            },
            others[0].get_absolute_url(), _("Open the draft"),
        )  # fmt: skip


def under_invoiced(order: Order, after: Order, lines: Iterable[OrderLine]) -> list[str]:
    """Why an order can't become `after` with these `lines`: a sentence for the whole and for each line that would come
    to less than is invoiced of it. The roundings of part invoices are no reason on a line; on the whole they are.
    """
    if order.invoiced_total <= ZERO:
        return []
    found = []
    before, billed = {line.pk: line.net for line in order.order_lines}, billed_nets(order)
    slack = MOST_UNITS * unit(order.currency)
    for line in lines:
        net = line.net if line.due > 0 else ZERO
        if net < before.get(line.pk, ZERO) and billed.get(line.pk, ZERO) > net + slack:
            found.append(
                _("Line %(position)s: %(invoiced)s %(currency)s is invoiced, and it would come to %(net)s: credit the invoice first.")
                % {
                    "position": line.position, "invoiced": order.money(billed[line.pk]), "currency": order.currency,
                    "net": order.money(net),
                }
            )  # fmt: skip
    most = most_invoiced(order) - order.gross_total + after.gross_total
    if after.gross_total < order.gross_total and order.invoiced_total > most:
        found.append(
            _("%(invoiced)s %(currency)s is invoiced, and the order would come to %(most)s: credit an invoice first.")
            % {"invoiced": order.money(order.invoiced_total), "currency": order.currency, "most": order.money(most)}
        )
    return found


def fits(order: Order, drafts: Iterable[Invoice]) -> list[Invoice]:
    """Those of the instalment drafts, oldest first, that the order has room for."""
    left, found = most_invoiced(order) - order.invoiced_total, []
    for draft in drafts:
        if draft.due <= left:
            found.append(draft)
            left -= draft.due
    return found
