"""What the company itself is: sellers, tax profiles with dated rates, what other currencies are worth."""

from .rate import ExchangeRate
from .seller import SellerProfile
from .tax import TaxProfile, TaxRate

__all__ = ["ExchangeRate", "SellerProfile", "TaxProfile", "TaxRate"]
