"""Form fields and widgets of our own."""

from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.utils.translation import gettext_lazy

from .typed import decimal, whole

#: What is wrong with a number, in our words.
_LIMITS: dict[str, Any] = {
    "min_value": gettext_lazy("At least %(limit_value)s."),
    "max_value": gettext_lazy("At most %(limit_value)s."),
}


def add_errors(form: forms.BaseForm, error: ValidationError) -> None:
    """Puts a service's refusal at the fields it names; what has no field stands above the form."""
    if not hasattr(error, "error_dict"):
        form.add_error(None, error)
        return
    for name, errors in error.error_dict.items():
        form.add_error(name if name in form.fields and name != NON_FIELD_ERRORS else None, errors)


class IntegerField(forms.IntegerField):
    """A whole number with sentences of ours for what is wrong with it."""

    default_error_messages = _LIMITS | {"invalid": gettext_lazy("This is no whole number.")}


class DecimalField(forms.DecimalField):
    """A number as people type it, which shows no zeros that nobody typed: 0.5, where the database keeps 0.500000."""

    default_error_messages = _LIMITS | {
        "invalid": gettext_lazy("“%(value)s” can't be read as a number."),
        "max_digits": gettext_lazy("At most %(max)s digits."),
        "max_decimal_places": gettext_lazy("At most %(max)s digits after the point."),
        "max_whole_digits": gettext_lazy("At most %(max)s digits before the point."),
    }

    def to_python(self, value: Any) -> Any:
        """Thousands grouped or not, the point or the comma: whatever is beyond doubt."""
        if isinstance(value, str) and (number := decimal(value)) is not None:
            value = number
        elif "_" in str(value):  # Python's own way to group digits
            raise self._unreadable(value)
        try:
            return super().to_python(value)
        except ValidationError as error:
            raise self._unreadable(value) from error

    def validate(self, value: Any) -> None:
        """Refuses what Python takes for a number and nobody else does."""
        if isinstance(value, Decimal) and not value.is_finite():
            raise self._unreadable(value)
        super().validate(value)

    def _unreadable(self, value: Any) -> ValidationError:
        return ValidationError(self.error_messages["invalid"], "invalid", {"value": str(value)[:40]})

    def prepare_value(self, value: Any) -> Any:
        """Without trailing zeros and never in powers of ten."""
        return f"{value.normalize():f}" if isinstance(value, Decimal) and value.is_finite() else value


class FoundSelect(forms.Select):
    """A choice among thousands: the page carries only the chosen one, the others are asked for while one types."""

    def optgroups(self, name: str, value: list[str], attrs: Any = None) -> Any:
        chosen = [one for one in value if one]
        choices: Any = self.choices  # of a ModelChoiceField: it knows the rows and how they are called
        found = choices.queryset.filter(pk__in=[pk for one in chosen if (pk := whole(one)) is not None])
        rows = [("", "")] + [(one.pk, choices.field.label_from_instance(one)) for one in found]
        return [
            (None, [self.create_option(name, key, label, str(key) in chosen, place)], place)
            for place, (key, label) in enumerate(rows)
        ]
