"""What people type about bills of material."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from inventory.models import BomLine, Product
from ordermgmt.lib.fields import DecimalField, FoundSelect

from . import QuantityInput


class BomLineForm(forms.Form):
    """A component of a product."""

    component = forms.ModelChoiceField(
        Product.objects.filter(kind=Product.Kind.GOODS).select_related("unit"), label=_("Component"),
        help_text=_("Type a part of its number or name."),
        widget=FoundSelect(attrs={"data-autocomplete": "/inventory/products/autocomplete/"}),
    )  # fmt: skip
    quantity = QuantityInput(
        label=_("Quantity"), min_value=Decimal(0), help_text=_("For one unit of the product, in the component's unit.")
    )
    scrap_percent = DecimalField(
        label=_("Scrap %"), min_value=Decimal(0), max_value=Decimal(100), decimal_places=2, initial=0,
        help_text=_("So much more is needed because it is cut off or spoilt, in percent."),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )  # fmt: skip
    position = forms.IntegerField(
        label=_("Place in the list"),
        min_value=1,
        max_value=30_000,
        help_text=_("Where it stands in the list: 10, 20, 30 leave room."),
    )
    note = forms.CharField(
        label=_("Note"), max_length=200, required=False, help_text=_("A drawing, a side, a cut: for the shop.")
    )

    def __init__(self, *args: Any, line: BomLine | None = None, following: int = 10, **kwargs: Any) -> None:
        if line is not None:
            kept = ("component_id", "quantity", "scrap_percent", "position", "note")
            kwargs.setdefault("initial", {name.removesuffix("_id"): getattr(line, name) for name in kept})
        else:
            kwargs.setdefault("initial", {"position": following})
        super().__init__(*args, **kwargs)


class HowManyForm(forms.Form):
    """For how many units the list is reckoned."""

    quantity = QuantityInput(
        label=_("For how many"), min_value=Decimal("0.000001"), max_value=Decimal(1_000_000), required=False,
        help_text=_("So many units of the product; the table shows what they take."),
    )  # fmt: skip
