"""Documents that bill no order: the header, and the rows of the line grid."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from billing.models import Invoice
from customers.models import Customer
from ordermgmt.company.models import TaxRate
from ordermgmt.lib.money import HUNDRED, ZERO

from .parts import date_input

_KINDS = (Invoice.Kind.STANDARD, Invoice.Kind.DEBIT_NOTE, Invoice.Kind.PROFORMA)


class HandForm(forms.Form):
    """The header of a document that bills no order. `customers` and `documents` are what the person may choose from."""

    customer = forms.ModelChoiceField(
        label=_("Customer"), queryset=Customer.objects.none(),
        widget=forms.Select(attrs={"data-autocomplete": "/customers/autocomplete/"}),
        help_text=_("Who is to pay. Currency, language and days to pay are theirs."),
    )  # fmt: skip
    kind = forms.ChoiceField(
        label=_("Kind"), choices=[(kind.value, kind.label) for kind in _KINDS], initial=Invoice.Kind.STANDARD,
        help_text=_("A debit note asks for more than an invoice did; a proforma asks for nothing yet."),
    )  # fmt: skip
    original = forms.ModelChoiceField(
        label=_("Adds to invoice"), required=False, queryset=Invoice.objects.none(),
        widget=forms.Select(attrs={"data-autocomplete": "/billing/invoices/autocomplete/"}),
        help_text=_("Of a debit note: the invoice it adds to. It is printed and stands in the electronic invoice."),
    )  # fmt: skip
    reason = forms.CharField(
        label=_("Reason"), required=False, max_length=300,
        help_text=_("Of a debit note: why more is asked for. Printed on the document."),
    )  # fmt: skip
    delivery_date = forms.DateField(
        label=_("Delivery date"), required=False, widget=date_input(),
        help_text=_("The day or the end of the period of the supply; the invoice date if left empty."),
    )  # fmt: skip
    payment_days = forms.IntegerField(
        label=_("Days to pay"), required=False, min_value=0, max_value=3650,
        help_text=_("Counted from the invoice date; the customer's own if left empty."),
    )  # fmt: skip
    language = forms.ChoiceField(
        label=_("Language"), required=False, choices=[("", _("The customer's")), *settings.LANGUAGES],
        help_text=_("The language in which the document is printed."),
    )  # fmt: skip
    note = forms.CharField(
        label=_("Note on the document"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Printed below the sums."),
    )  # fmt: skip

    def __init__(self, *args: Any, customers: Any, documents: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, queryset in (("customer", customers), ("original", documents)):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)  # noqa: S101  # as declared
            chosen = self[name].value()
            field.queryset = queryset
            # The select holds what is chosen and asks the server for the rest.
            found = queryset.filter(pk=chosen).first() if str(chosen or "").isdecimal() else None
            field.widget.choices = [("", ""), *([(found.pk, str(found))] if found else [])]

    def clean(self) -> dict[str, Any]:
        """A debit note says why; what it adds to belongs to the customer."""
        data = super().clean() or {}
        debit = data.get("kind") == Invoice.Kind.DEBIT_NOTE
        original = data.get("original")
        if debit and not data.get("reason", "").strip():
            self.add_error("reason", _t("A debit note says why it asks for more."))
        if original is not None and not debit:
            self.add_error("original", _t("Only a debit note adds to an invoice."))
        elif original is not None and data.get("customer") not in (None, original.customer):
            self.add_error("original", _t("Choose an issued invoice of this customer."))
        return data

    def header(self) -> dict[str, Any]:
        """What the service is given; what is left empty follows from the customer."""
        optional = ("payment_days", "language")
        return {
            name: value
            for name, value in self.cleaned_data.items()
            if name != "customer" and not (name in optional and value in (None, ""))
        }


class HandLineForm(forms.Form):
    """One row of the grid."""

    sku = forms.CharField(required=False, max_length=60)
    description = forms.CharField(max_length=500)
    quantity = forms.DecimalField(max_digits=15, decimal_places=6)
    unit = forms.CharField(required=False, max_length=20)
    unit_price = forms.DecimalField(max_digits=17, decimal_places=6, min_value=ZERO)
    discount_percent = forms.DecimalField(
        required=False, max_digits=9, decimal_places=6, min_value=ZERO, max_value=HUNDRED
    )
    tax_category = forms.ChoiceField(choices=TaxRate.Category.choices)

    def clean_quantity(self) -> Decimal:
        """Not nothing."""
        quantity: Decimal = self.cleaned_data["quantity"]
        if not quantity:
            raise ValidationError(_t("A quantity is not zero."))
        return quantity

    def clean_discount_percent(self) -> Decimal:
        """None is nothing."""
        return self.cleaned_data["discount_percent"] or ZERO


def clean_hand_lines(
    rows: Sequence[Mapping[str, Any]], *, skus: Mapping[int, str], rates: Mapping[str, Decimal]
) -> tuple[dict[int, dict[str, Any]], dict[int, dict[str, list[str]]]]:
    """Cleaned rows and errors per field, both by the row's place in the grid; blank rows are left out.

    `skus` are the numbers of products that rows name by id, `rates` the tax rates of the day by category.
    """
    cleaned: dict[int, dict[str, Any]] = {}
    errors: dict[int, dict[str, list[str]]] = {}
    for place, row in enumerate(rows):
        if not any(str(row.get(name) or "").strip() for name in ("product", "description", "quantity", "unit_price")):
            continue
        product = row.get("product")
        sku = skus.get(product, "") if isinstance(product, int) else str(product or "")
        form = HandLineForm({**row, "sku": sku})
        if form.is_valid() and form.cleaned_data["tax_category"] not in rates:
            form.add_error("tax_category", _t("The tax profile has no rate of this category today."))
        if form.is_valid():
            cleaned[place] = form.cleaned_data | {"tax_rate": rates[form.cleaned_data["tax_category"]]}
        else:
            errors[place] = {
                "product" if name == "sku" else name: [str(text) for text in texts]
                for name, texts in form.errors.items()
            }
    return cleaned, errors
