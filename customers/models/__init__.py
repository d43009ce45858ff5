"""Customers and what belongs to them."""

from .certificate import ExemptionCertificate
from .customer import Address, Contact, Customer, CustomerBalance, EarlyMode, MatchKey

__all__ = ["Address", "Contact", "Customer", "CustomerBalance", "EarlyMode", "ExemptionCertificate", "MatchKey"]
