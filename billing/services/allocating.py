"""Laying payments and credit notes on instalments, and taking them off: the one place where open amounts move."""

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import F, Max, Sum
from django.db.models.functions import Round
from django.utils.translation import gettext as _

from billing import events
from billing.models import Allocation, Instalment, Invoice, Payment
from customers.models import Customer
from customers.services import move_balance
from ordermgmt.activity.services import record
from ordermgmt.company.services import business_today
from ordermgmt.lib.instalments import OpenItem, allocate
from ordermgmt.lib.money import ZERO, quantise, total
from orders.models import Order
from orders.services import note_paid

from .base import lock_orders, refuse, refuse_settled, require

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

Shares = Mapping[int, Decimal]


def open_instalments(customer: Customer, currency: str) -> list[Instalment]:
    """What the customer owes in a currency, oldest due first, with the documents."""
    owed = Instalment.objects.owed().filter(customer=customer, currency=currency)
    return list(owed.select_related("invoice").oldest_first())


def suggest(customer: Customer, currency: str, amount: Decimal, remittance: str = "") -> dict[int, Decimal]:
    """Shares by instalment key: first documents named in the remittance text, then the oldest due."""
    items = open_instalments(customer, currency)
    named = [one for one in items if one.invoice and _is_named(one.invoice, remittance)]
    shares, rest = allocate(amount, [_item(one) for one in named])
    others = [_item(one) for one in items if one not in named]
    more, _rest = allocate(rest, others)
    return dict(shares + more)


def _is_named(invoice: Invoice, remittance: str) -> bool:
    names = [invoice.number, invoice.order_number]
    if invoice.kind == Invoice.Kind.OPENING:
        names.append(invoice.customer_reference)  # the number it had where it came from
    return any(name and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", remittance) for name in names)


def _item(one: Instalment) -> OpenItem:
    return OpenItem(one.pk, one.due_date, one.open)


def lock_instalments(keys: Iterable[int], *, retained: bool = False) -> dict[int, Instalment]:
    """Instalments with their invoices and orders under lock, orders first. Raises TransitionRefused where settled;
    with `retained` those pass that were kept back and stand apart.
    """
    keys = set(keys)
    found = list(Instalment.objects.filter(pk__in=keys).values_list("invoice__order_id", "invoice_id", "kind"))
    pairs = [(order, invoice) for order, invoice, _kind in found]
    closed = {order for order, _invoice, kind in found if not (retained and kind == Instalment.Kind.RETENTION)}
    orders = lock_orders(order for order, _invoice in pairs)
    refuse_settled(order for key, order in orders.items() if key in closed)
    invoices = Invoice.objects.select_for_update(no_key=True, of=("self",)).select_related("customer").order_by("pk")
    documents = {one.pk: one for one in invoices.filter(pk__in={invoice for _order, invoice in pairs if invoice})}
    rows = {one.pk: one for one in Instalment.objects.select_for_update(no_key=True).filter(pk__in=keys).order_by("pk")}
    for row in rows.values():
        document = documents.get(row.invoice_id or 0)
        if document is not None:
            row.invoice = document
            document.order = orders.get(document.order_id or 0)
    return rows


def check_shares(rows: Mapping[int, Instalment], shares: Shares, customer: Customer, currency: str) -> None:
    """Raises TransitionRefused unless every share is above zero and within what its instalment has open (M4)."""
    for key, share in shares.items():
        row = rows.get(key)
        invoice = row.invoice if row else None
        if row is None or invoice is None or invoice.is_draft or row.customer_id != customer.pk:
            raise refuse(_("An instalment of this payment is not owed by this customer."))
        if row.currency != currency:
            raise refuse(_("%(number)s is in another currency.") % {"number": invoice.number})
        if share <= ZERO or quantise(share, currency) != share:
            raise refuse(_("An amount laid on %(number)s is not a positive amount.") % {"number": invoice.number})
        if row.open <= ZERO:
            raise refuse(
                _("%(number)s is already settled.") % {"number": invoice.number},
                invoice.get_absolute_url(),
                _("Open the invoice"),
            )
        if share > row.open:
            raise refuse(
                _("%(number)s has only %(open)s %(currency)s open.")
                % {"number": invoice.number, "open": invoice.money(row.open), "currency": currency},
                invoice.get_absolute_url(),
                _("Open the invoice"),
            )


def lay(
    rows: Mapping[int, Instalment],
    shares: Shares,
    *,
    actor: "User",
    payment: Payment | None = None,
    credit_note: Invoice | None = None,
    reason: str = "",
    since: dt.date | None = None,
) -> None:
    """Lays shares (negative: takes off) on locked instalments and hands the sums down to orders and balances.

    They count from today, or from `since` for money that came in earlier.
    """
    if not shares:
        return
    days = _days(rows, shares, since)
    Allocation.objects.bulk_create(
        Allocation(
            payment=payment, credit_note=credit_note, instalment=rows[key], amount=share, on=days[key], by=actor,
            reason=reason,
        )
        for key, share in shares.items()
    )  # fmt: skip
    counter = "paid" if payment is not None else "credited"
    per_invoice: dict[int, Decimal] = defaultdict(lambda: ZERO)
    for key, share in shares.items():
        row = rows[key]
        setattr(row, counter, getattr(row, counter) + share)
        row.save(update_fields=[counter])
        per_invoice[row.invoice_id or 0] += share
    for invoice_id, share in per_invoice.items():
        # Rounded because SQLite counts in binary fractions: what is taken off again would leave a rest below zero.
        Invoice.objects.filter(pk=invoice_id).update(**{counter: Round(F(counter) + share, 4)})
    if payment is not None:
        payment.allocated += total(shares.values())
        _hand_down(rows, shares, payment, actor)


def _days(rows: Mapping[int, Instalment], shares: Shares, since: dt.date | None) -> dict[int, dt.date]:
    """From when each share counts: never before its document was issued, or its instalment agreed or opened again.

    So no instalment was ever more than paid on any day of the past.
    """
    if since is None:
        return dict.fromkeys(shares, business_today())
    taken_off = Allocation.objects.filter(instalment__in=shares, amount__lt=0).order_by()
    opened = dict(taken_off.values_list("instalment").annotate(day=Max("on")))
    found = {}
    for key in shares:
        invoice = rows[key].invoice
        known = [invoice.issue_date if invoice else None, rows[key].agreed_on, opened.get(key)]
        found[key] = max([since, *(day for day in known if day is not None)])
    return found


def _hand_down(rows: Mapping[int, Instalment], shares: Shares, payment: Payment, actor: "User") -> None:
    per_order: dict[int, Decimal] = defaultdict(lambda: ZERO)
    orders: dict[int, Order] = {}
    for key, share in shares.items():
        invoice = rows[key].invoice
        order = invoice.order if invoice else None
        if order is not None:
            orders[order.pk] = order
        per_order[order.pk if order else 0] += share
    for pk in sorted(per_order):
        if pk in orders:
            note_paid(orders[pk], amount=per_order[pk], actor=actor)
        else:
            move_balance(payment.customer, payment.currency, paid=per_order[pk])


def laid_of(payment: Payment) -> dict[int, Decimal]:
    """What of a payment lies on which instalment now, by key."""
    sums = Allocation.objects.filter(payment=payment).values_list("instalment").annotate(sum=Sum("amount"))
    net = {key: quantise(amount, payment.currency) for key, amount in sums.order_by()}
    return {key: amount for key, amount in net.items() if amount}


@transaction.atomic
def allocate_credit(payment: Payment, *, actor: "User", allocations: Shares | None = None) -> Payment:
    """Lays a payment's rest on open instalments: the given shares by instalment key, else the oldest due first.

    Raises TransitionRefused where a share is above what is open or above the rest.
    """
    require(actor, "billing.record_payment")
    if allocations is None:
        allocations = suggest(payment.customer, payment.currency, payment.unallocated)
    rows = lock_instalments(allocations, retained=True)
    payment = Payment.objects.locked(payment.pk)
    check_shares(rows, allocations, payment.customer, payment.currency)
    asked = total(allocations.values())
    if payment.state != Payment.State.RECORDED or asked > payment.amount - payment.allocated:
        raise refuse(_("The payment has no such credit left."), payment.get_absolute_url(), _("Open the payment"))
    if not allocations:
        raise refuse(_("Nothing is open that this credit could be laid on."))
    lay(rows, allocations, payment=payment, actor=actor)
    payment.version += 1
    payment.save(update_fields=["allocated", "version"])
    record_laid(payment, rows, allocations, actor)
    return payment


def record_laid(payment: Payment, rows: Mapping[int, Instalment], shares: Shares, actor: "User") -> None:
    """One event per document root, so that order and customer tell what was paid."""
    per_root: dict[tuple[str, int], list[tuple[Instalment, Decimal]]] = defaultdict(list)
    for key, share in shares.items():
        invoice = rows[key].invoice
        if invoice is not None:
            root = ("order", invoice.order_id) if invoice.order_id else ("customer", invoice.customer_id)
            per_root[root].append((rows[key], share))
    for parts in per_root.values():
        invoice = parts[0][0].invoice
        if invoice is not None:
            record(
                events.PAYMENT_ALLOCATED, payment, root=invoice.order or payment.customer, actor=actor,
                number=payment.number, amount=invoice.money(total(share for _one, share in parts)),
                currency=payment.currency,
                targets=", ".join(sorted({str(one.invoice) for one, _share in parts})),
            )  # fmt: skip
