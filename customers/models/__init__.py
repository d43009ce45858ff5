"""Customers and what belongs to them."""

from .customer import Address, Contact, Customer, CustomerBalance, MatchKey

__all__ = ["Address", "Contact", "Customer", "CustomerBalance", "MatchKey"]
