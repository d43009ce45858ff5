"""Verbs of customers: the only way their data is written."""

from .balances import move_balance
from .certificates import add_certificate, exemption_certificate, remove_certificate
from .creating import create_customer
from .editing import add_tags, assign_owner, edit_customer, edit_terms, set_active
from .people import add_address, add_contact, edit_address, edit_contact, remove_address, remove_contact

__all__ = [
    "add_address",
    "add_certificate",
    "add_contact",
    "add_tags",
    "assign_owner",
    "create_customer",
    "edit_address",
    "edit_contact",
    "edit_customer",
    "edit_terms",
    "exemption_certificate",
    "move_balance",
    "remove_address",
    "remove_certificate",
    "remove_contact",
    "set_active",
]
