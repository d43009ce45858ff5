"""Tax ids, checked by the rules of the country that gave them."""

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from stdnum import get_cc_module
from stdnum.cn import ric, uscc
from stdnum.eu import vat
from stdnum.exceptions import ValidationError as BadNumber

from .countries import country_name

_EU = {code.upper() for code in vat.MEMBER_STATES} | {"GR", "EL"}


def check_tax_id(tax_id: str, country: str) -> str:
    """The tax id as it is stored, without blanks and punctuation.

    EU VAT numbers keep their country prefix and may be typed without it; Chinese ones are the unified social credit
    code (18 signs), the older 15 digits, or a person's id. Countries without a known rule accept anything.
    Raises ValidationError with a sentence.
    """
    tax_id = tax_id.strip()
    if not tax_id:
        return ""
    if len(tax_id) > 40 or "\x00" in tax_id:
        raise ValidationError(_("A tax id has at most 40 signs."))
    if country in _EU:
        return _european(tax_id, country)
    if country == "CN":
        return _chinese(tax_id)
    return _other(tax_id, country)


def known_rule(rule: str) -> bool:
    """Whether there is a rule of this name for numbers: a country's letters and what it calls them, such as cn.uscc."""
    return _rule(rule) is not None


def fits_rule(number: str, rule: str) -> bool:
    """Whether a number is one by a rule that is known."""
    module = _rule(rule)
    return module is None or bool(module.is_valid(number))


def _rule(rule: str) -> Any:
    country, _point, name = rule.partition(".")
    if not (country.isascii() and country.isalpha() and name.isascii() and name.isalnum()):
        return None
    return get_cc_module(country.lower(), name.lower())


def _european(tax_id: str, country: str) -> str:
    prefix = "EL" if country in ("GR", "EL") else country
    compact = "".join(sign for sign in tax_id.upper() if sign.isalnum() or sign in "+*")
    try:
        return str(vat.validate(compact if compact.startswith(prefix) else prefix + compact))
    except BadNumber as error:
        text = _("This is not a VAT number of %(country)s: check letters, digits and the check digit.")
        raise ValidationError(text % {"country": country_name(country)}) from error


def _chinese(tax_id: str) -> str:
    compact = "".join(tax_id.upper().split())
    if len(compact) == 15 and compact.isdigit():
        return compact
    for kind in (uscc, ric):
        try:
            return str(kind.validate(compact))
        except BadNumber:
            continue
    text = _("This is no Chinese tax id: the unified social credit code has 18 signs, the last one checks the others.")
    raise ValidationError(text)


def _other(tax_id: str, country: str) -> str:
    module = get_cc_module(country.lower(), "vat") if country else None
    if module is None:
        return tax_id
    try:
        return str(module.validate(tax_id))
    except BadNumber as error:
        raise ValidationError(_("This is not a tax id of %(country)s.") % {"country": country}) from error
