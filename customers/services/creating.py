"""Creating a customer."""

from typing import TYPE_CHECKING, Any

from django.db import transaction

from customers import events
from customers.models import Customer
from ordermgmt.activity.services import record, snapshot
from ordermgmt.documents.services import take_number

from .base import SNAPSHOT, Terms, check_terms_right, refresh_search

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


@transaction.atomic
def create_customer(*, actor: "User", name: str, source_key: str | None = None, **fields: Any) -> Customer:
    """A new customer with the next number. `fields` are `CustomerFields` and `Terms`.

    Without an owner it belongs to the actor if they sell; without a team to the owner's. `source_key` is its key in the
    system it was imported from. Raises PermissionDenied when terms are given by somebody who may not set them.
    """
    if Terms.__annotations__.keys() & fields.keys():
        check_terms_right(actor)
    customer = Customer(name=name.strip(), source_key=source_key or None, **fields)
    if customer.owner is None and actor.has_perm("customers.create_customer") and not actor.is_system:
        customer.owner = actor
    if customer.team is None and customer.owner is not None:
        customer.team = customer.owner.team
    customer.number = f"C{take_number('customer'):05d}"
    customer.save()
    refresh_search(customer)
    customer.save(update_fields=["search_text"])
    record(events.CUSTOMER_CREATED, customer, actor=actor, after=snapshot(customer, *SNAPSHOT))
    return customer
