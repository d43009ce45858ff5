"""`open_balance`: what a customer owed before this system, outside the gapless series."""

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _

from billing import events
from billing.models import Invoice, InvoiceLine, InvoiceTax
from customers.models import Customer
from customers.services import move_balance
from ordermgmt.activity.services import record
from ordermgmt.company.services import default_seller
from ordermgmt.lib.calculation import TaxRules
from orders.models import Order
from orders.services import note_invoiced

from .base import check_amount, content_of, lock_orders, require, root_of
from .ceiling import check_opening
from .composing import document_totals, order_lines_of
from .issuing import finish, number

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


@transaction.atomic
def open_balance(
    *,
    customer: Customer,
    amount: Decimal,
    issue_date: dt.date,
    actor: "User",
    source_key: str,
    currency: str = "",
    due_date: dt.date | None = None,
    reference: str = "",
    order: Order | None = None,
) -> Invoice:
    """An opening document over an amount owed, tax included, dated and due in the past.

    For an imported order it counts all of its lines as invoiced. The same `source_key` twice gives back the first
    document. Raises ValidationError for a wrong amount, PermissionDenied without the right.
    """
    require(actor, "billing.issue_invoice")
    earlier = Invoice.objects.filter(source_key=source_key).first()
    if earlier is not None:
        return earlier
    if order is not None:
        order = lock_orders([order.pk])[order.pk]
    currency = order.currency if order else currency or customer.currency
    amount = check_amount(amount, currency)
    if order is not None:
        check_opening(order, amount)
    seller = order.seller if order else default_seller()
    due = due_date or issue_date + dt.timedelta(days=customer.payment_days)
    invoice = Invoice(
        kind=Invoice.Kind.OPENING, seller=seller, customer=customer, order=order, currency=currency,
        customer_name=customer.name, language=customer.language, created_by=actor, source_key=source_key,
        customer_reference=reference, payment_days=max(0, (due - issue_date).days),
    )  # fmt: skip
    line = InvoiceLine(
        position=1, description=_("Open balance"), details=reference, quantity=Decimal(1), unit_price=amount,
        tax_category="O", tax_rate=Decimal(0),
    )  # fmt: skip
    totals = document_totals([line], currency, TaxRules())
    line.net = invoice.line_total = invoice.tax_basis = invoice.grand_total = invoice.due = totals.due
    invoice.save()
    line.invoice = invoice
    line.save()
    InvoiceTax.objects.create(invoice=invoice, category="O", rate=0, basis=totals.due, tax=0)
    # What is owed from before is taken over as it is, whatever is rounded today.
    finish(invoice, order, actor=actor, on=issue_date, rules=TaxRules())
    if order is not None:
        lines = {one.pk: one.qty_to_invoice for one in order_lines_of(order) if one.qty_to_invoice > 0}
        note_invoiced(order, amount=invoice.due, invoiced=lines, actor=actor)
    else:
        move_balance(customer, currency, invoiced=invoice.due)
    number(invoice, actor=actor)
    record(
        events.BALANCE_OPENED, invoice, after=content_of(invoice), root=root_of(invoice), actor=actor, number=invoice.number,
        amount=invoice.money(invoice.due), currency=currency,
    )  # fmt: skip
    return invoice
