"""What people type about products, suppliers and stock: its shape. What it means is checked by the services."""

from decimal import Decimal
from typing import Any
from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from inventory.models import (
    Product,
    ProductCategory,
    SpecificationAttribute,
    SpecificationTemplate,
    StockAdjustment,
    Supplier,
    SupplierPrice,
    Unit,
    Warehouse,
)
from ordermgmt.company.models import TaxRate
from ordermgmt.lib.fields import DecimalField, FoundSelect
from ordermgmt.lib.money import exponent


def fresh_key() -> str:
    """A key for one form: sent twice, it is one deed."""
    return uuid4().hex


class CurrencyInput(forms.CharField):
    """An ISO 4217 code."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", _("Currency"))
        super().__init__(min_length=3, max_length=3, **kwargs)

    def clean(self, value: Any) -> str:
        code = str(super().clean(value)).upper()
        if not code and not self.required:
            return ""
        try:
            exponent(code)
        except ValueError as error:
            raise ValidationError(_("This is no currency code, such as EUR or CNY.")) from error
        return code


class QuantityInput(DecimalField):
    """A quantity with at most six decimals."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", 15)
        kwargs.setdefault("decimal_places", 6)
        kwargs.setdefault("widget", forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}))
        super().__init__(**kwargs)


class KeyField(forms.CharField):
    """The hidden key of a form."""

    def __init__(self) -> None:
        super().__init__(
            initial=fresh_key, max_length=64, widget=forms.HiddenInput, help_text=_("Names this form once.")
        )


class ProductForm(forms.ModelForm):  # type: ignore[type-arg]
    """A product without its prices, which have a form and a right of their own."""

    class Meta:
        model = Product
        fields = [
            "sku", "name", "description", "kind", "category", "unit", "specification_template", "is_stocked",
            "reorder_point", "lead_days", "is_active",
        ]  # fmt: skip
        widgets = {"description": forms.Textarea(attrs={"rows": 3})}
        help_texts = {
            "sku": _("The number that everybody finds it by. Customers see it on every document."),
            "name": _("As customers call it; it stands on offers, delivery notes and invoices."),
            "description": _("What a customer needs to know before ordering."),
            "kind": _("Goods are shipped, services are performed by a project manager."),
            "category": _("Groups the product in lists and reports."),
            "unit": _("How it is counted. The unit says whether fractions are allowed."),
            "specification_template": _("What an order line must say about it, such as a voltage or a colour."),
            "is_stocked": _("Orders reserve it from stock, and nobody can sell more than is free."),
            "reorder_point": _("Below this free quantity it appears on the shortage list."),
            "lead_days": _("Calendar days until new goods arrive; promise dates are reckoned with it."),
            "is_active": _("Take the tick away and it can't be ordered any more; old orders keep it."),
        }

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("kind") == Product.Kind.SERVICE:
            cleaned["is_stocked"] = False  # nobody keeps a service on a shelf
        return cleaned


class QuickProductForm(forms.ModelForm):  # type: ignore[type-arg]
    """The least that a product needs, for creating one while typing an order."""

    class Meta:
        model = Product
        fields = ["sku", "name", "kind", "unit"]
        help_texts = {
            "sku": _("The number that everybody finds it by."),
            "name": _("As customers call it."),
            "kind": _("Goods are shipped, services are performed."),
            "unit": _("How it is counted."),
        }


class PriceForm(forms.Form):
    """List price, cost and tax category of a product."""

    takes = ("instance",)
    list_price = DecimalField(
        label=_("List price"), min_value=Decimal(0), max_digits=15, decimal_places=6,
        help_text=_("For one unit, before discounts and tax. 0 means that the seller types a price."),
    )  # fmt: skip
    cost = DecimalField(
        label=_("Cost"), min_value=Decimal(0), max_digits=15, decimal_places=6,
        help_text=_("What one unit costs us. Profit is reckoned with it; sales and warehouse never see it."),
    )  # fmt: skip
    currency = CurrencyInput(help_text=_("Three letters; of both the list price and the cost."))
    tax_category = forms.ChoiceField(
        label=_("Tax category"),
        choices=TaxRate.Category.choices,
        help_text=_("Which of the tax profile's rates applies to it."),
    )

    def __init__(self, *args: Any, instance: Product, **kwargs: Any) -> None:
        kwargs.setdefault(
            "initial",
            {name: getattr(instance, name) for name in ("list_price", "cost", "currency", "tax_category")},
        )
        super().__init__(*args, **kwargs)


class ReceiveForm(forms.Form):
    """Goods that arrived."""

    warehouse = forms.ModelChoiceField(
        Warehouse.objects.filter(is_active=True), label=_("Warehouse"), help_text=_("Where the goods were put.")
    )
    quantity = QuantityInput(label=_("Quantity"), help_text=_("How much arrived, in the product's unit."))
    reason = forms.CharField(
        label=_("Delivery note or reason"), max_length=200, help_text=_("So that the receipt can be traced later.")
    )
    key = KeyField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["warehouse"].initial = (
            Warehouse.objects.filter(is_default=True).values_list("pk", flat=True).first()
        )


class AdjustForm(ReceiveForm):
    """A correction of stock."""

    quantity = QuantityInput(
        label=_("Change"), help_text=_("Plus what is more, minus what is less than the books say, e.g. -2.")
    )
    reason = forms.ChoiceField(  # type: ignore[assignment]  # a form may change a field's kind
        label=_("Reason"),
        choices=[choice for choice in StockAdjustment.Reason.choices if choice[0] != "count"],
        help_text=_("Why the books were wrong. Beyond your limit somebody else approves it first."),
    )
    note = forms.CharField(
        label=_("Note"), max_length=200, required=False, help_text=_("Anything the approver should know.")
    )
    field_order = ["warehouse", "quantity", "reason", "note"]


class DecisionForm(forms.Form):
    """A yes or no with a note."""

    note = forms.CharField(
        label=_("Note"), max_length=200, required=False, help_text=_("Told to whoever asked, and kept for the audit.")
    )


class CategoryForm(forms.ModelForm):  # type: ignore[type-arg]
    """A product category."""

    class Meta:
        model = ProductCategory
        fields = ["name", "parent"]
        help_texts = {
            "name": _("As it appears in lists and reports."),
            "parent": _("The broader category, if there is one."),
        }


class UnitForm(forms.ModelForm):  # type: ignore[type-arg]
    """A unit of measure."""

    class Meta:
        model = Unit
        fields = ["code", "name", "decimals"]
        help_texts = {
            "code": _("Short, as on documents: pcs, kg, h."),
            "name": _("Written out."),
            "decimals": _("0 for whole pieces only, up to 6 for fractions."),
        }


class WarehouseForm(forms.ModelForm):  # type: ignore[type-arg]
    """A warehouse."""

    class Meta:
        model = Warehouse
        fields = ["code", "name", "address", "adjustment_limit", "is_default", "is_active"]
        widgets = {"address": forms.Textarea(attrs={"rows": 3})}
        help_texts = {
            "code": _("Short, as on shelves and count sheets."),
            "name": _("As people call it."),
            "address": _("Where carriers find it."),
            "adjustment_limit": _("How much of a product one person may correct in 30 days without an approval."),
            "is_default": _("Receipts go there unless another is chosen; one warehouse is the default."),
            "is_active": _("Take the tick away when it is given up; it must be empty."),
        }

    def _get_validation_exclusions(self) -> set[str]:
        """A new default takes the place of the old one: the service sees to it that there is one."""
        return {*super()._get_validation_exclusions(), "is_default"}  # type: ignore[misc]


class TemplateForm(forms.ModelForm):  # type: ignore[type-arg]
    """The name of a specification template."""

    class Meta:
        model = SpecificationTemplate
        fields = ["name"]
        help_texts = {"name": _("For whoever chooses it on a product, e.g. “Electric motor”.")}


class AttributeForm(forms.ModelForm):  # type: ignore[type-arg]
    """One attribute of a template; a row without label and key is left out."""

    choices_text = forms.CharField(
        label=_("Choices"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("One per line, for a choice."),
    )  # fmt: skip

    class Meta:
        model = SpecificationAttribute
        fields = ["key", "label", "kind", "unit", "minimum", "maximum", "required", "help"]
        help_texts = {
            "key": _("Internal name, e.g. voltage; don't change it once it is used."),
            "label": _("As people read it."),
            "kind": _("What may be typed."),
            "unit": _("Of a number, e.g. V or mm."),
            "minimum": _("The smallest number allowed."),
            "maximum": _("The largest number allowed."),
            "required": _("Without it the line is not complete."),
            "help": _("What it means and why it matters."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["choices_text"].initial = "\n".join(map(str, self.instance.choices or []))

    def save_into(self) -> SpecificationAttribute:
        """The attribute as it was typed, not yet saved."""
        text = self.cleaned_data.get("choices_text", "")
        self.instance.choices = [line.strip() for line in text.splitlines() if line.strip()]
        return self.instance


AttributeFormSet = forms.modelformset_factory(
    SpecificationAttribute, AttributeForm, extra=2, can_delete=True, max_num=60
)


class SupplierForm(forms.ModelForm):  # type: ignore[type-arg]
    """A supplier."""

    currency = CurrencyInput(initial="EUR", help_text=_("Three letters; in which they ask for money."))

    class Meta:
        model = Supplier
        fields = [
            "name",
            "contact_name",
            "email",
            "phone",
            "country",
            "currency",
            "language",
            "lead_days",
            "note",
            "is_active",
        ]
        widgets = {"note": forms.Textarea(attrs={"rows": 3})}
        help_texts = {
            "name": _("The company's name."),
            "contact_name": _("Whom we talk to."),
            "email": _("Where orders and questions go."),
            "phone": _("For urgent matters."),
            "country": _("Two letters, e.g. DE or CN."),
            "language": _("In which our purchase orders are written to them."),
            "lead_days": _("Calendar days from order to arrival, unless a product says otherwise."),
            "note": _("What colleagues should know before they order."),
            "is_active": _("Take the tick away when we don't buy there any more."),
        }


class SupplierPriceForm(forms.ModelForm):  # type: ignore[type-arg]
    """What a supplier asks for a product."""

    currency = CurrencyInput(initial="EUR", help_text=_("Three letters; of this price."))
    product = forms.ModelChoiceField(
        Product.objects.all(),
        label=_("Product"),
        help_text=_("What they deliver; type a part of its number or name."),
        widget=FoundSelect(attrs={"data-autocomplete": "/inventory/products/autocomplete/"}),
    )

    class Meta:
        model = SupplierPrice
        fields = ["product", "supplier_sku", "minimum", "price", "currency", "lead_days"]
        help_texts = {
            "supplier_sku": _("Their number for it, for our orders."),
            "minimum": _("The price counts from this quantity on."),
            "price": _("For one unit, without tax."),
            "lead_days": _("Calendar days from order to arrival."),
        }
