"""What a customer ordered, was invoiced and paid, moved by the floors above."""

from decimal import Decimal

from django.db import transaction
from django.db.models import F

from customers.models import Customer, CustomerBalance
from ordermgmt.lib.money import ZERO


@transaction.atomic
def move_balance(
    customer: Customer, currency: str, *, ordered: Decimal = ZERO, invoiced: Decimal = ZERO, paid: Decimal = ZERO
) -> None:
    """Adds deltas (amounts in `currency`, may be negative) to the customer's balance. Called last in the caller's
    transaction: many orders of one customer share the row. It records nothing: the caller's own event says why."""
    if not (ordered or invoiced or paid):
        return
    own = CustomerBalance.objects.filter(customer=customer, currency=currency)
    deltas = {"ordered": F("ordered") + ordered, "invoiced": F("invoiced") + invoiced, "paid": F("paid") + paid}
    if not own.update(**deltas):
        CustomerBalance.objects.get_or_create(customer=customer, currency=currency)
        own.update(**deltas)
