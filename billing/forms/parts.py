"""What the forms of billing share."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _


def date_input() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


def plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


class ReferencesForm(forms.Form):
    """When a supply began, when its tax is due, and the papers of the customer that a document names."""

    delivery_from = forms.DateField(
        label=_("Delivery from"), required=False, widget=date_input(),
        help_text=_("Where the supply took a time: its first day. The delivery date is its last."),
    )  # fmt: skip
    tax_point = forms.DateField(
        label=_("Tax point"), required=False, widget=date_input(),
        help_text=_("The day on which the tax becomes due, where that is not the delivery date."),
    )  # fmt: skip
    contract_reference = forms.CharField(
        label=_("Contract"), required=False, max_length=80,
        help_text=_("The number of the contract as the customer knows it. Further documents of the order take it over."),
    )  # fmt: skip
    buyer_reference = forms.CharField(
        label=_("Buyer reference"), required=False, max_length=80,
        help_text=_("What the customer routes invoices by, such as a cost centre or a Leitweg-ID."),
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        """A period has an end, and in that order."""
        data = super().clean() or {}
        first, last = data.get("delivery_from"), data.get("delivery_date")
        if first and "delivery_date" not in self.errors and (last is None or last < first):
            self.add_error("delivery_date", _t("Give the last day of the period, not before its first."))
        return data
