"""The parameters of reports, as forms that page, job and shell share: they belong to a report's definition."""

import datetime as dt
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from ordermgmt.company.services import business_today
from ordermgmt.lib.money import exponent

MOST_DAYS = 3660
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
    region = forms.CharField(
        label=_("Region"), required=False, max_length=100, help_text=_("A part of the region of the orders.")
    )
    channel = forms.ChoiceField(
        label=_("Channel"), required=False, choices=[("", _("Any")), *Customer.Channel.choices],
        help_text=_("The way on which orders were won."),
    )  # fmt: skip
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
        """The code in capitals. Raises ValidationError where there is no such currency."""
        code = str(self.cleaned_data["currency"]).upper()
        try:
            exponent(code or "EUR")
        except ValueError as error:
            raise ValidationError(_t("This is not a currency code.")) from error
        return code

    def clean(self) -> dict[str, Any]:
        """Dates must be in order."""
        data = super().clean() or {}
        first, last = data.get("date_from"), data.get("date_to")
        if first and last and last < first:
            raise ValidationError({"date_to": _("The last date lies before the first.")})
        if data.get("compare") and not (first and last) and not self.errors:
            raise ValidationError({"compare": _("To compare, say from which date and until which date.")})
        if data.get("compare") and first and last and first - dt.date.min <= last - first:
            raise ValidationError({"compare": _("No calendar goes back to a period of this length before it.")})
        return data


class DatedForm(PeriodForm):
    """Filters of reports that can be asked again as they were on a past day."""

    as_of = forms.DateField(
        label=_("As of"),
        required=False,
        widget=_DAY,
        help_text=_(
            "Shows what was known at the end of that day, without what can't be told of the past; empty for now."
        ),
    )

    def clean_as_of(self) -> dt.date | None:
        """No day that is yet to come."""
        day: dt.date | None = self.cleaned_data["as_of"]
        if day and day > business_today():
            raise ValidationError(_("This day is yet to come."))
        return day


class SalesForm(DatedForm):
    """Filters of the sales report."""

    category = forms.CharField(
        label=_("Product category"), required=False, max_length=200, help_text=_("A part of the category's name.")
    )

    def clean(self) -> dict[str, Any]:
        """The lines of a past day are not kept one by one."""
        data = super().clean()
        if data.get("as_of") and data.get("category"):
            raise ValidationError(
                {"category": _("What was known on a past day can't be told by category: empty one of the two.")}
            )
        return data


class SpanForm(forms.Form):
    """Days from and until, for what is no order."""

    date_from = forms.DateField(
        label=_("From"),
        required=False,
        widget=_DAY,
        help_text=_("The first day to count; empty for the last twelve months."),
    )
    date_to = forms.DateField(
        label=_("Until"), required=False, widget=_DAY, help_text=_("The last day to count; empty for today.")
    )

    def clean(self) -> dict[str, Any]:
        """Dates must be in order, and a span of capacity is looked through day by day."""
        data = super().clean() or {}
        today = business_today()
        last = data.get("date_to") or max(today, data.get("date_from") or today)
        first = data.get("date_from") or dt.date.fromordinal(max(1, last.toordinal() - 365))
        if last < first:
            raise ValidationError({"date_to": _("The last date lies before the first.")})
        if last - first > dt.timedelta(days=MOST_DAYS):
            raise ValidationError({"date_from": _("Choose at most ten years.")})
        return data | {"date_from": first, "date_to": last}


class SupplierForm(SpanForm):
    """Filters of the report on suppliers."""

    supplier = forms.CharField(
        label=_("Supplier"), required=False, max_length=200, help_text=_("A supplier's number, or a part of the name.")
    )
