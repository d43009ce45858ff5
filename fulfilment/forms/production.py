"""What people type when something was made."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from fulfilment.services import standard_use
from inventory.models import Product
from inventory.services import boms_of, free_quantities, plain
from ordermgmt.company.services import business_today
from ordermgmt.lib.fields import DecimalField
from ordermgmt.lib.money import ZERO
from orders.models import OrderLine

from . import DATE
from .keys import KeyField

#: A form asks for the use of at most so many materials; of what goes beyond, the bill of material is taken as it is.
MOST = 60


class ProduceForm(forms.Form):
    """How much of a line was made, and what it took where that differs from its bill of material."""

    takes = ("instance",)
    sent_once = True
    quantity = DecimalField(
        label=gettext_lazy("Made"), min_value=Decimal(0), max_digits=15, decimal_places=6,
        help_text=gettext_lazy("How much was finished, in the line's unit. A part is enough."),
    )  # fmt: skip
    on = forms.DateField(
        label=gettext_lazy("Date"), widget=DATE, initial=business_today, help_text=gettext_lazy("When it was finished.")
    )
    note = forms.CharField(
        label=gettext_lazy("Note"), max_length=300, required=False,
        help_text=gettext_lazy("Who looks at this order later may want to know it."),
    )  # fmt: skip
    key = KeyField()

    def __init__(self, *args: Any, instance: OrderLine, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.line = instance
        open_ = instance.qty_to_make
        self.fields["quantity"].initial = plain(open_)
        parts = _parts(instance)
        standard, free = standard_use(instance, open_), free_quantities(one.pk for one in parts)
        for one in parts[:MOST]:
            unit = one.unit.code
            hint = _("%(standard)s %(unit)s for %(open)s, %(free)s free; empty: as the bill of material says.")
            figures = {
                "standard": plain(standard.get(one, ZERO)), "open": plain(open_), "free": plain(free[one.pk]), "unit": unit,
            }  # fmt: skip
            self.fields[f"used_{one.pk}"] = DecimalField(
                label=_("%(sku)s %(name)s taken") % {"sku": one.sku, "name": one.name}, required=False,
                min_value=Decimal(0), max_digits=15, decimal_places=6, help_text=hint % figures,
            )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        used = {
            int(name.removeprefix("used_")): value
            for name, value in data.items()
            if name.startswith("used_") and value is not None
        }
        return {name: value for name, value in data.items() if not name.startswith("used_")} | {"used": used}


def _parts(line: OrderLine) -> list[Product]:
    """All that goes into a line, on every level, once, as its bill of material lists it."""
    if line.product_id is None:
        return []
    boms = boms_of([line.product_id])
    return list(dict.fromkeys(row.component for rows in boms.values() for row in rows))


class TakeBackForm(forms.Form):
    """Why a report was a mistake."""

    reason = forms.CharField(
        label=gettext_lazy("What was wrong"), max_length=300,
        help_text=gettext_lazy("The material lies in stock again, and the line counts as not made."),
    )  # fmt: skip
