"""What the company itself is: sellers, tax profiles with dated rates."""

from .seller import SellerProfile
from .tax import TaxProfile, TaxRate

__all__ = ["SellerProfile", "TaxProfile", "TaxRate"]
