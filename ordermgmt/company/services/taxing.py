"""How a sale is taxed: the rules that a profile's documents are calculated by, and the category that it proposes."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from ordermgmt.company.models import TaxProfile, TaxRate
from ordermgmt.lib.calculation import TaxRules
from ordermgmt.lib.countries import country_name

#: What a proposal may replace; what a product is exempt or outside of tax for at home, it is everywhere.
TAXED = {"S", "R"}


def tax_rules(profile: TaxProfile, on: dt.date) -> TaxRules:
    """How documents of a profile are calculated on a day. One query where its rates have authorities, else none."""
    components: dict[tuple[str, Decimal], Any] = {}
    if profile.tax_rounding == TaxProfile.Rounding.COMPONENT:
        rows = TaxRate.objects.filter(profile=profile, valid_from__lte=on).order_by("valid_from")
        for category, percent, parts in rows.values_list("category", "percent", "components"):
            components[category, percent] = [(name, Decimal(part)) for name, part in parts]
    cash = {currency: Decimal(step) for currency, step in profile.cash_steps.items()}
    return TaxRules(profile.tax_rounding, profile.price_mode, components, cash)


def kept_rules(rules: TaxRules) -> dict[str, Any]:
    """The rules as an issued document keeps them."""
    components = [
        [category, f"{rate:f}", [[name, f"{part:f}"] for name, part in parts]]
        for (category, rate), parts in rules.components.items()
        if parts
    ]
    kept = {"tax_rounding": rules.rounding, "price_mode": rules.price_mode, "components": components}
    return kept | ({"cash": {one: f"{step:f}" for one, step in rules.cash.items()}} if rules.cash else {})


def rules_kept(kept: Mapping[str, Any]) -> TaxRules:
    """The rules that `kept_rules` gave; of a document from before there were any, the plain ones."""
    components = {
        (category, Decimal(rate)): [(name, Decimal(part)) for name, part in parts]
        for category, rate, parts in kept.get("components", [])
    }
    cash = {currency: Decimal(step) for currency, step in kept.get("cash", {}).items()}
    return TaxRules(kept.get("tax_rounding", "group"), kept.get("price_mode", "net"), components, cash)


@dataclass(frozen=True)
class Proposal:
    """The tax category of a sale that is not taxed like one at home, and why, as a sentence."""

    category: str
    reason: str


def propose_category(
    profile: TaxProfile, *, country: str, tax_id: str, company: bool, service: bool, certificate: str = ""
) -> Proposal | None:
    """How a sale to a customer abroad, or with an exemption certificate, is taxed; None where it is one like any other.

    The profile's rules decide, the first that fits: `where` is "union" or "elsewhere", `tax_id` and `company` say what
    the customer must have or be, `supply` is "goods" or "service". Without a country nothing is proposed.
    """
    if certificate:
        text = _("The customer has exemption certificate %(number)s: no tax is taken.")
        return Proposal(TaxRate.Category.EXEMPT, text % {"number": certificate})
    if not country or not profile.country or country == profile.country:
        return None
    facts = {
        "where": "union" if country in profile.abroad.get("union", []) else "elsewhere",
        "tax_id": bool(tax_id), "company": company, "supply": "service" if service else "goods",
    }  # fmt: skip
    for rule in profile.abroad.get("rules", []):
        if all(facts[name] == value for name, value in rule.items() if name != "category"):
            category = TaxRate.Category(rule["category"])
            with_id = _("The customer is in %(country)s and has a tax id: %(category)s.")
            without = _("The customer is in %(country)s: %(category)s.")
            words = {"country": country_name(country), "category": f"{category.label} ({category.value})"}
            return Proposal(category, (with_id if rule.get("tax_id") else without) % words)
    return None


def abroad_rules(profile: TaxProfile) -> list[str]:
    """The profile's rules for sales abroad, a sentence each."""
    found = []
    for rule in profile.abroad.get("rules", []):
        category = TaxRate.Category(rule["category"])
        where = {"union": _("within the union"), "elsewhere": _("outside it")}.get(rule.get("where", ""), _("abroad"))
        supply = {"goods": _("goods"), "service": _("services")}.get(rule.get("supply", ""), _("everything"))
        of_tax_id = {True: _("to who has a tax id"), False: _("to who has none")}
        of_company = {True: _("to companies"), False: _("to persons")}
        asked = [of_tax_id[rule["tax_id"]]] if "tax_id" in rule else []
        asked += [of_company[rule["company"]]] if "company" in rule else []
        found.append(f"{' '.join([supply, where, *asked])}: {category.value} {category.label}")
    return found
