"""Verbs of the company."""

from .asking import NoTaxRate, business_today, default_seller, tax_rate, tax_rates
from .editing import edit_company, edit_tax_profile, set_logo, set_tax_rate
from .setup import ensure_company, load_profile

__all__ = [
    "NoTaxRate", "business_today", "default_seller", "edit_company", "edit_tax_profile", "ensure_company", "load_profile", "set_logo", "set_tax_rate",
    "tax_rate", "tax_rates",
]  # fmt: skip
