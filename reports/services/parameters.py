"""The parameters of reports, as forms that page, job and shell share: they belong to a report's definition."""

import datetime as dt
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

_DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


def period_before(params: dict[str, Any]) -> dict[str, Any] | None:
    """The same filters over the period of the same length that ends the day before; None where there is no period."""
    first, last = params.get("date_from"), params.get("date_to")
    if not first or not last:
        return None
    end = first - dt.timedelta(days=1)
    return params | {"date_from": end - (last - first), "date_to": end}


class PeriodForm(forms.Form):
    """The filters that every report over orders has."""

    date_from = forms.DateField(
        label=_("Ordered from"),
        required=False,
        widget=_DAY,
        help_text=_("The first order date to count; empty for no limit."),
    )
    date_to = forms.DateField(
        label=_("Ordered until"),
        required=False,
        widget=_DAY,
        help_text=_("The last order date to count; empty for no limit."),
    )
    customer = forms.CharField(
        label=_("Customer"), required=False, max_length=200, help_text=_("A customer number, or a part of the name.")
    )
    owner = forms.CharField(
        label=_("Salesperson"), required=False, max_length=200, help_text=_("A part of the salesperson's name.")
    )
    currency = forms.CharField(
        label=_("Currency"),
        required=False,
        max_length=3,
        help_text=_("Three letters, e.g. EUR. Amounts of different currencies are never added up."),
    )

    compare = forms.BooleanField(
        label=_("Compare with the period before"),
        required=False,
        help_text=_("Shows the sums of the period of the same length before it; both dates are needed."),
    )

    def clean_currency(self) -> str:
        """The code in capitals."""
        return str(self.cleaned_data["currency"]).upper()

    def clean(self) -> dict[str, Any]:
        """Dates must be in order."""
        data = super().clean() or {}
        first, last = data.get("date_from"), data.get("date_to")
        if first and last and last < first:
            raise ValidationError({"date_to": _("The last date lies before the first.")})
        if data.get("compare") and not (first and last) and not self.errors:
            raise ValidationError({"compare": _("To compare, say from which date and until which date.")})
        return data


class SalesForm(PeriodForm):
    """Filters of the sales report."""

    category = forms.CharField(
        label=_("Product category"), required=False, max_length=200, help_text=_("A part of the category's name.")
    )
