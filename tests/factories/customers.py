"""Customers of the tests, made by the real services: A belongs to sales (North), B to sales2 (South)."""

from typing import Any

from customers.models import Address, Customer
from customers.services import add_address, add_contact, create_customer
from ordermgmt.accounts.models import User


def customer(*, actor: User | None = None, name: str = "Nordlicht GmbH", **fields: Any) -> Customer:
    """A customer of `actor` (default: sales)."""
    return create_customer(actor=actor or User.objects.get(email="sales@example.com"), name=name, **fields)


def seed() -> None:
    """甲 (A) of sales and 乙 (B) of sales2, each with a contact and two addresses."""
    if Customer.objects.exists():
        return
    for key, name, owner in (("甲", "甲方机械有限公司", "sales"), ("乙", "乙方贸易有限公司", "sales2")):
        actor = User.objects.get(email=f"{owner}@example.com")
        made = customer(actor=actor, name=name, tags=[key])
        add_contact(
            made, actor=actor, name=f"{key}小明", email=f"{owner}@{owner}-kunde.example", phone="+86 10 1234 5678"
        )
        for kind in Address.Kind.values:
            add_address(made, actor=actor, kind=kind, line1="人民路 1 号", city="上海", country="CN")
