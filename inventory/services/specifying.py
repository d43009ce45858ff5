"""What an order line says about the thing: typed values, checked attribute by attribute against the template."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from inventory.models import Product, SpecificationAttribute
from ordermgmt.lib.typed import decimal

Kind = SpecificationAttribute.Kind
_MOST_PLACES = 12
_YES, _NO = {"true", "1", "yes", "on", "y", "是"}, {"false", "0", "no", "off", "n", "否"}


def validate_specification(
    product: Product, values: Mapping[str, Any], *, complete: bool = True
) -> dict[str, str | bool]:
    """The values as they are stored: numbers as exact decimal text, choices and texts as text, yes/no as bool.

    Raises ValidationError with one entry per attribute key: a missing required value (only if `complete`), a number
    that is none or out of range, a choice that is not offered, an attribute the product does not have.
    """
    attributes = product.attributes()
    known = {attribute.key for attribute in attributes}
    errors: dict[str, Any] = {
        key: _("%(sku)s has no attribute “%(key)s”.") % {"sku": product.sku, "key": key}
        for key in values
        if key not in known
    }
    clean: dict[str, str | bool] = {}
    for attribute in attributes:
        value = values.get(attribute.key)
        if value is None or (isinstance(value, str) and not value.strip()):
            if attribute.required and complete:
                errors[attribute.key] = _("%(label)s is required.") % {"label": attribute.label}
            continue
        try:
            clean[attribute.key] = _READERS[attribute.kind](attribute, value)
        except ValidationError as error:
            errors[attribute.key] = error.messages
    if errors:
        raise ValidationError(errors)
    return clean


def describe_specification(product: Product, values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Label and readable value of each attribute that is given, in the template's order, for pages and documents."""
    return [
        (attribute.label, _readable(attribute, values[attribute.key]))
        for attribute in product.attributes()
        if attribute.key in values
    ]


def _readable(attribute: SpecificationAttribute, value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return f"{value} {attribute.unit}".strip()


def _number(attribute: SpecificationAttribute, value: Any) -> str:
    number = value if isinstance(value, Decimal) else decimal(str(value))
    if number is None or not number.is_finite() or abs(number) >= Decimal(10) ** 12 or _places(number) > _MOST_PLACES:
        raise ValidationError(_("%(label)s: enter a number.") % {"label": attribute.label})
    low, high = attribute.minimum, attribute.maximum
    if (low is not None and number < low) or (high is not None and number > high):
        raise ValidationError(
            _("%(label)s must be %(range)s.") % {"label": attribute.label, "range": _range(attribute)}
        )
    return format(number.normalize(), "f")


def _places(number: Decimal) -> int:
    """Digits after the point, of a finite number."""
    return -int(number.as_tuple().exponent)


def _range(attribute: SpecificationAttribute) -> str:
    low = None if attribute.minimum is None else format(attribute.minimum.normalize(), "f")
    high = None if attribute.maximum is None else format(attribute.maximum.normalize(), "f")
    if low is None:
        text = _("at most %(high)s") % {"high": high}
    elif high is None:
        text = _("at least %(low)s") % {"low": low}
    else:
        text = _("between %(low)s and %(high)s") % {"low": low, "high": high}
    return f"{text} {attribute.unit}".strip()


def _text(attribute: SpecificationAttribute, value: Any) -> str:
    text = str(value).strip()
    if len(text) > 500:
        raise ValidationError(_("%(label)s: at most 500 characters.") % {"label": attribute.label})
    return text


def _choice(attribute: SpecificationAttribute, value: Any) -> str:
    text = str(value).strip()
    if text not in attribute.choices:
        raise ValidationError(
            _("%(label)s: choose one of %(choices)s.")
            % {"label": attribute.label, "choices": ", ".join(map(str, attribute.choices))}
        )
    return text


def _boolean(attribute: SpecificationAttribute, value: Any) -> bool:
    text = str(value).strip().lower()
    if text not in _YES | _NO:
        raise ValidationError(_("%(label)s: say yes or no.") % {"label": attribute.label})
    return text in _YES


_READERS: dict[str, Callable[[SpecificationAttribute, Any], str | bool]] = {
    Kind.NUMBER: _number,
    Kind.TEXT: _text,
    Kind.CHOICE: _choice,
    Kind.BOOLEAN: _boolean,
}
