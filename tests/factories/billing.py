"""Documents of the tests, made by the real services: Felix drafts and issues, Fiona does the rest."""

import uuid
from decimal import Decimal
from typing import Any

from billing import services
from billing.models import Invoice, Payment
from ordermgmt.company.services import business_today
from orders.models import Order

from . import orders
from .orders import person


def drafted(order: Order | None = None, **given: Any) -> Invoice:
    """A draft over all of an order: one piece of SKU-1 at 100.00 and 19 % unless an order is given."""
    order = order or orders.accepted()
    return services.draft_invoice(order, actor=person("finance2"), **given)


def issued(order: Order | None = None, **given: Any) -> Invoice:
    """An issued invoice, of Felix."""
    return services.issue_invoice(drafted(order, **given), actor=person("finance2"))


def pay(invoice: Invoice, amount: Any = None, **given: Any) -> Payment:
    """Money for an invoice, recorded by Fiona: all that is open unless an amount is given."""
    invoice.refresh_from_db()
    value = Decimal(str(amount)) if amount is not None else invoice.open
    given.setdefault("allocations", None)
    return services.record_payment(
        customer=invoice.customer, amount=value, currency=invoice.currency, received_on=business_today(),
        key=uuid.uuid4().hex, actor=person("finance"), **given,
    )  # fmt: skip


def free_line(quantity: Any = 1, price: Any = "100", **fields: Any) -> dict[str, Any]:
    """An order line without a product: its price is nobody's discount."""
    row = {"description": "Welded frame", "unit": "pcs", "quantity": Decimal(quantity), "unit_price": Decimal(price)}
    return row | {"supply": "make", "tax_category": "S"} | fields


def frozen(order: Order) -> Order:
    """The final account drawn up by Frank and frozen by Felix."""
    services.draw_account(order, actor=person("finance_manager"))
    services.freeze_account(order, actor=person("finance2"))
    return Order.objects.get(pk=order.pk)
