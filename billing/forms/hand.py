"""Documents that bill no order: the header, and the rows of the line grid."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from billing.models import DocumentAdjustment, Invoice
from customers.models import Customer
from inventory.models import Product
from ordermgmt.company.models import TaxRate
from ordermgmt.lib.fields import DecimalField
from ordermgmt.lib.money import HUNDRED, ZERO
from ordermgmt.lib.typed import as_sent, whole

from .parts import ReferencesForm, date_input

#: Rows by their place, and what is wrong with others by place and field.
Cleaned = tuple[dict[int, dict[str, Any]], dict[int, dict[str, list[str]]]]
_KINDS = (Invoice.Kind.STANDARD, Invoice.Kind.DEBIT_NOTE, Invoice.Kind.PROFORMA)


class HandForm(ReferencesForm):
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
    supply = forms.ChoiceField(
        label=_("What is supplied"), required=False, choices=[("goods", _("Goods")), ("service", _("Services"))],
        help_text=_("For lines without a product: together with the customer's country it decides the tax category."),
    )  # fmt: skip
    payment_days = forms.IntegerField(
        label=_("Days to pay"), required=False, min_value=0, max_value=3650,
        help_text=_("Counted from the invoice date; the customer's own if left empty."),
    )  # fmt: skip
    prepaid = DecimalField(
        label=_("Paid before"), required=False, max_digits=15, decimal_places=4, min_value=ZERO,
        help_text=_("What the customer paid ahead: it comes off what is due and is no payment to be recorded."),
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
            pk = whole(chosen)
            found = None if pk is None else queryset.filter(pk=pk).first()
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
        self.cleaned_data["prepaid"] = self.cleaned_data.get("prepaid") or ZERO
        return {
            name: value
            for name, value in self.cleaned_data.items()
            if name not in ("customer", "supply") and not (name in optional and value in (None, ""))
        }


class HandLineForm(forms.Form):
    """One row of the grid."""

    sku = forms.CharField(required=False, max_length=60)
    description = forms.CharField(max_length=500)
    quantity = DecimalField(max_digits=15, decimal_places=6)
    unit = forms.CharField(required=False, max_length=20)
    unit_price = DecimalField(max_digits=17, decimal_places=6, min_value=ZERO)
    discount_percent = DecimalField(required=False, max_digits=9, decimal_places=6, min_value=ZERO, max_value=HUNDRED)
    tax_category = forms.ChoiceField(required=False, choices=[("", ""), *TaxRate.Category.choices])

    def clean_quantity(self) -> Decimal:
        """Not nothing."""
        quantity: Decimal = self.cleaned_data["quantity"]
        if not quantity:
            raise ValidationError(_t("A quantity is not zero."))
        return quantity

    def clean_discount_percent(self) -> Decimal:
        """None is nothing."""
        return self.cleaned_data["discount_percent"] or ZERO


class HandAdjustmentForm(forms.Form):
    """An allowance or charge over all of the document."""

    kind = forms.ChoiceField(choices=DocumentAdjustment.Kind.choices)
    reason = forms.CharField(max_length=100)
    percent = DecimalField(required=False, max_digits=9, decimal_places=6, min_value=ZERO, max_value=HUNDRED)
    amount = DecimalField(required=False, max_digits=15, decimal_places=4, min_value=ZERO)
    tax_category = forms.ChoiceField(required=False, choices=[("", ""), *TaxRate.Category.choices])

    def clean(self) -> dict[str, Any]:
        """Either a percentage or an amount."""
        data = super().clean() or {}
        if bool(data.get("percent")) == bool(data.get("amount")) and not {"percent", "amount"} & set(self.errors):
            self.add_error("amount", _t("Give a percentage or an amount, one of them."))
        return data


def clean_hand_adjustments(rows: Sequence[Mapping[str, Any]], *, rates: Mapping[str, Decimal]) -> Cleaned:
    """Cleaned rows and errors per field, both by place; blank rows are left out."""
    cleaned: dict[int, dict[str, Any]] = {}
    errors: dict[int, dict[str, list[str]]] = {}
    for place, row in enumerate(rows):
        if not any(str(row.get(name) or "").strip() for name in ("reason", "percent", "amount")):
            continue
        form = HandAdjustmentForm(as_sent(row))
        category = form.cleaned_data.get("tax_category") if form.is_valid() else ""
        if category and category not in rates:
            form.add_error("tax_category", _t("The tax profile has no rate of this category today."))
        if form.is_valid():
            cleaned[place] = form.cleaned_data | {
                "percent": form.cleaned_data["percent"] or None,
                "tax_rate": rates[category] if category else None,
            }
        else:
            errors[place] = {name: [str(text) for text in texts] for name, texts in form.errors.items()}
    return cleaned, errors


def clean_hand_lines(
    rows: Sequence[Mapping[str, Any]],
    *,
    products: Mapping[int, Product],
    rates: Mapping[str, Decimal],
    category_of: Callable[[Product | None], str],
) -> Cleaned:
    """Cleaned rows and errors per field, both by the row's place in the grid; blank rows are left out.

    `products` are those that rows name by id, `rates` the tax rates of the day by category; a row without a category
    gets the one that `category_of` proposes.
    """
    cleaned: dict[int, dict[str, Any]] = {}
    errors: dict[int, dict[str, list[str]]] = {}
    for place, row in enumerate(rows):
        if not any(str(row.get(name) or "").strip() for name in ("product", "description", "quantity", "unit_price")):
            continue
        named = row.get("product")
        product = products.get(named) if isinstance(named, int) else None
        sku = product.sku if product else "" if isinstance(named, int) else str(named or "")
        form = HandLineForm(as_sent(row) | {"sku": sku})
        category = (form.cleaned_data.get("tax_category") or category_of(product)) if form.is_valid() else ""
        if form.is_valid() and category not in rates:
            form.add_error("tax_category", _t("The tax profile has no rate of this category today."))
        if form.is_valid():
            cleaned[place] = form.cleaned_data | {"tax_category": category, "tax_rate": rates[category]}
        else:
            errors[place] = {
                "product" if name == "sku" else name: [str(text) for text in texts]
                for name, texts in form.errors.items()
            }
    return cleaned, errors
