"""What a tax profile may say: which coins there are, and how sales abroad are taxed."""

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from ordermgmt.company.models import TaxProfile, TaxRate
from ordermgmt.lib.countries import countries
from ordermgmt.lib.money import unit
from ordermgmt.lib.taxid import known_rule

#: What a rule may ask for, with the answers that there are.
CONDITIONS: Mapping[str, Sequence[object]] = {
    "where": ("union", "elsewhere"), "supply": ("goods", "service"), "tax_id": (True, False), "company": (True, False),
}  # fmt: skip
_MOST = Decimal(100)
#: What a profile may require of the two parties of a document, as the reader knows it.
REQUIRABLE: Mapping[str, str | Promise] = {
    "seller.address": _l("Address"), "seller.tax_id": _l("Tax id"), "seller.vat_id": _l("VAT id"),
    "seller.registration": _l("Registration"), "seller.email": _l("E-mail"), "seller.phone": _l("Phone"),
    "seller.bank_name": _l("Bank"), "seller.iban": _l("Account number or IBAN"), "seller.bic": _l("BIC"),
    "buyer.address": _l("Address"), "buyer.country": _l("Country"), "buyer.tax_id": _l("Tax id"),
    "buyer.email": _l("E-mail"), "buyer.phone": _l("Phone"),
}  # fmt: skip


def check_cash_steps(steps: Mapping[str, str]) -> None:
    """Raises ValidationError unless every step can be paid in its currency, and is more than its smallest unit."""
    for currency, text in steps.items():
        try:
            smallest = unit(currency)
        except ValueError as error:
            raise ValidationError({"cash_steps": _("%(code)s is not a currency code.") % {"code": currency}}) from error
        try:
            step = Decimal(text)
        except InvalidOperation:
            step = Decimal(0)
        if not (step.is_finite() and smallest < step <= _MOST) or step % smallest:
            words = {"currency": currency, "unit": f"{smallest:f}", "most": f"{_MOST:f}"}
            sentence = _("%(currency)s: the step is a multiple of %(unit)s, more than it and at most %(most)s.")
            raise ValidationError({"cash_steps": sentence % words})


def check_required(required: Sequence[Sequence[str]]) -> None:
    """Raises ValidationError for a field that no document has, one that stands twice, and a rule that is not known."""
    seen: set[str] = set()
    for field, rule in required:
        if field not in REQUIRABLE or field in seen:
            words = {"field": field, "known": ", ".join(REQUIRABLE)}
            raise ValidationError({"required": _("“%(field)s” is none of these, or stands twice: %(known)s.") % words})
        if rule and not known_rule(rule):
            raise ValidationError({"required": _("There is no rule “%(rule)s” for numbers.") % {"rule": rule}})
        seen.add(field)


def check_abroad(profile: TaxProfile, abroad: Mapping[str, Any]) -> None:
    """Raises ValidationError for a country that is none, a category without a rate, and a rule that none ever reaches."""
    known = {code for code, _name in countries()}
    if strange := [code for code in abroad.get("union", []) if code not in known]:
        raise ValidationError({"union": _("Not a country: %(codes)s.") % {"codes": ", ".join(strange)}})
    categories = set(profile.rates.values_list("category", flat=True))
    rules: Sequence[Mapping[str, Any]] = abroad.get("rules", [])
    for number, rule in enumerate(rules, start=1):
        asked = _asked(rule)
        if unknown := [name for name, value in asked.items() if value not in CONDITIONS.get(name, ())]:
            raise TypeError(f"not a condition of a rule: {unknown}")
        if rule["category"] not in categories:
            words = {"number": number, "category": TaxRate.Category(rule["category"]).label}
            raise ValidationError(_("Rule %(number)s: the profile has no rate of category “%(category)s”.") % words)
        for earlier, other in enumerate(rules[: number - 1], start=1):
            if _asked(other).items() <= asked.items():
                words = {"number": number, "earlier": earlier}
                raise ValidationError(
                    _("Rule %(number)s is never reached: rule %(earlier)s takes all that it would.") % words
                )


def _asked(rule: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in rule.items() if name != "category"}
