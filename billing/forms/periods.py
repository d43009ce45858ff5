"""Days and periods of reports."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from ordermgmt.lib.fields import DecimalField

from .parts import date_input


class DayForm(forms.Form):
    """The day at whose end receivables are shown."""

    day = forms.DateField(
        label=_("At the end of"), required=False, widget=date_input(),
        help_text=_("Any day, also in the past: what was paid later counts as open on it. Today if left empty."),
    )  # fmt: skip


class PeriodForm(forms.Form):
    """From and until of a statement or a journal."""

    start = forms.DateField(
        label=_("From"), required=False, widget=date_input(),
        help_text=_("The first day; the first of January of that year if left empty."),
    )  # fmt: skip
    end = forms.DateField(
        label=_("Until"),
        required=False,
        widget=date_input(),
        help_text=_("The last day, included; today if left empty."),
    )

    def clean(self) -> dict[str, Any]:
        """Dates must be in order."""
        data = super().clean() or {}
        first, last = data.get("start"), data.get("end")
        if first and last and last < first:
            raise ValidationError({"end": _t("The last date lies before the first.")})
        return data


class RateForm(forms.Form):
    """An exchange rate from a day on."""

    currency = forms.CharField(
        label=_("Currency"), max_length=3, min_length=3, help_text=_("Three letters, such as USD or CNY.")
    )
    day = forms.DateField(
        label=_("From"), widget=date_input(), help_text=_("It holds until a later rate; what is booked keeps its own.")
    )
    rate = DecimalField(
        label=_("Rate"), max_digits=18, decimal_places=8,
        help_text=_("What one unit is worth in the company's currency."),
    )  # fmt: skip

    def clean_currency(self) -> str:
        """In capitals."""
        return str(self.cleaned_data["currency"]).upper()
