"""Verbs of the company."""

from .asking import (
    NoTaxRate,
    business_date,
    business_day,
    business_day_end,
    business_today,
    company_zone,
    default_seller,
    tax_rate,
    tax_rates,
)
from .converting import DatedRates, DayRates
from .editing import edit_company, edit_tax_profile, set_logo, set_tax_rate
from .rules import REQUIRABLE, check_cash_steps, check_required
from .setup import ensure_company, load_profile
from .taxing import TAXED, Proposal, abroad_rules, kept_rules, propose_category, rules_kept, tax_rules

__all__ = [
    "REQUIRABLE", "TAXED", "DatedRates", "DayRates", "NoTaxRate", "Proposal", "abroad_rules", "business_date", "business_day", "business_day_end", "business_today",
    "check_cash_steps", "check_required", "company_zone", "default_seller", "edit_company", "edit_tax_profile", "ensure_company", "kept_rules",
    "load_profile", "propose_category", "rules_kept", "set_logo", "set_tax_rate", "tax_rate", "tax_rates", "tax_rules",
]  # fmt: skip
