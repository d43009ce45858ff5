"""Contacts and addresses of a customer. The customer's version moves with each."""

from typing import TYPE_CHECKING, Any

from django.db import transaction

from customers import events
from customers.models import Address, Contact, Customer
from ordermgmt.activity.events import EventType
from ordermgmt.activity.services import record, snapshot

from .base import locked, save

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

_CONTACT = ("name", "email", "phone", "position", "is_primary", "is_active")
_ADDRESS = ("kind", "name", "line1", "line2", "postcode", "city", "region", "country", "is_default")


@transaction.atomic
def add_contact(
    customer: Customer, *, actor: "User", version: int | None = None, source_key: str | None = None, **fields: Any
) -> Contact:
    """A new person at a customer; the first one is the main contact. Raises StaleVersion."""
    fresh = locked(customer, version=version)
    contact = Contact(customer=fresh, source_key=source_key or None)
    fields["is_primary"] = fields.get("is_primary") or not fresh.contacts.filter(is_primary=True).exists()
    return _save_contact(fresh, contact, actor=actor, before=None, **fields)


@transaction.atomic
def edit_contact(contact: Contact, *, actor: "User", version: int | None = None, **fields: Any) -> Contact:
    """Changes a person. Raises StaleVersion when `version` is not the customer's present one."""
    customer = locked(contact.customer, version=version)
    fresh = Contact.objects.get(pk=contact.pk)
    return _save_contact(customer, fresh, actor=actor, before=snapshot(fresh, *_CONTACT), **fields)


@transaction.atomic
def remove_contact(contact: Contact, *, actor: "User", version: int | None = None) -> None:
    """Takes a person off the list; documents of the past keep the name. Raises StaleVersion."""
    customer = locked(contact.customer, version=version)
    before, name = snapshot(contact, *_CONTACT), contact.name
    contact.delete()
    save(customer)
    record(events.CONTACT_REMOVED, customer, actor=actor, before=before, name=name)


@transaction.atomic
def add_address(customer: Customer, *, actor: "User", version: int | None = None, **fields: Any) -> Address:
    """A new address; the first of its kind is the default. Raises StaleVersion."""
    fresh = locked(customer, version=version)
    kind = fields.get("kind", Address.Kind.BILLING)
    has_default = fresh.addresses.filter(kind=kind, is_default=True).exists()
    fields["is_default"] = fields.get("is_default") or not has_default
    return _save_address(fresh, Address(customer=fresh), actor=actor, before=None, **fields)


@transaction.atomic
def edit_address(address: Address, *, actor: "User", version: int | None = None, **fields: Any) -> Address:
    """Changes an address; orders and invoices keep the text they were made with. Raises StaleVersion."""
    customer = locked(address.customer, version=version)
    fresh = Address.objects.get(pk=address.pk)
    return _save_address(customer, fresh, actor=actor, before=snapshot(fresh, *_ADDRESS), **fields)


@transaction.atomic
def remove_address(address: Address, *, actor: "User", version: int | None = None) -> None:
    """Takes an address away; orders and invoices keep the text they were made with. Raises StaleVersion."""
    customer = locked(address.customer, version=version)
    before, text = snapshot(address, *_ADDRESS), str(address)
    address.delete()
    save(customer)
    record(events.ADDRESS_REMOVED, customer, actor=actor, before=before, text=text)


def _save_contact(
    customer: Customer, contact: Contact, *, actor: "User", before: dict[str, Any] | None, **fields: Any
) -> Contact:
    _set(contact, _CONTACT, fields)
    after = snapshot(contact, *_CONTACT)
    if after == before:
        return contact
    if contact.is_primary:  # there is one: the old one steps back first
        for old in customer.contacts.filter(is_primary=True).exclude(pk=contact.pk):
            _step_back(old, "is_primary", events.CONTACT_SAVED, customer=customer, actor=actor, name=old.name)
    contact.save()
    save(customer)
    record(events.CONTACT_SAVED, contact, root=customer, actor=actor, before=before, after=after, name=contact.name)
    return contact


def _save_address(
    customer: Customer, address: Address, *, actor: "User", before: dict[str, Any] | None, **fields: Any
) -> Address:
    _set(address, _ADDRESS, fields)
    after = snapshot(address, *_ADDRESS)
    if after == before:
        return address
    if address.is_default:
        for old in customer.addresses.filter(kind=address.kind, is_default=True).exclude(pk=address.pk):
            _step_back(old, "is_default", events.ADDRESS_SAVED, customer=customer, actor=actor, text=str(old))
    address.save()
    save(customer)
    record(events.ADDRESS_SAVED, address, root=customer, actor=actor, before=before, after=after, text=str(address))
    return address


def _step_back(
    old: Contact | Address, flag: str, event: EventType, *, customer: Customer, actor: "User", **told: str
) -> None:
    """There is one main contact and one default address of a kind: the one before says so in its own history."""
    setattr(old, flag, False)
    old.save(update_fields=[flag])
    record(event, old, root=customer, actor=actor, before={flag: True}, after={flag: False}, **told)


def _set(instance: Any, allowed: tuple[str, ...], fields: dict[str, Any]) -> None:
    if unknown := fields.keys() - set(allowed):
        raise TypeError(f"{', '.join(sorted(unknown))} can't be set here")
    for name, value in fields.items():
        setattr(instance, name, value)
