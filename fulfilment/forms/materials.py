"""What people type where missing material is ordered: a row per product."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from fulfilment.services import Proposal, Wanted
from inventory.forms import QuantityInput
from inventory.services import plain


class OrderNeedsForm(forms.Form):
    """How much of each missing product is ordered from whom."""

    def __init__(self, data: Any = None, *, proposals: Sequence[Proposal], prices: bool) -> None:
        super().__init__(data)
        self.proposals = proposals
        for one in proposals:
            sku, key = one.product.sku, one.product.pk
            best = one.offers[0] if one.offers else None
            self.fields[f"seen_{key}"] = forms.CharField(initial=plain(one.missing), widget=forms.HiddenInput)
            if best is None:
                continue
            choices = [
                (str(offer.supplier.pk), " · ".join(part for part in (offer.supplier.name, offer.told, offer.told_price if prices else "") if part))
                for offer in one.offers
            ]  # fmt: skip
            self.fields[f"supplier_{key}"] = forms.ChoiceField(
                label=_("Supplier of %(sku)s") % {"sku": sku}, choices=choices, initial=choices[0][0],
                help_text=_("The best first: in time, keeps their word, price."),
            )  # fmt: skip
            self.fields[f"quantity_{key}"] = QuantityInput(
                label=_("Quantity of %(sku)s") % {"sku": sku}, min_value=Decimal(0), required=False,
                initial=plain(best.quantity), help_text=_("0 leaves it out."),
            )  # fmt: skip

    @property
    def groups(self) -> list[tuple[str, list[dict[str, Any]]]]:
        """The rows under the supplier who is proposed; what nobody sells last, under no name."""
        found: dict[str, list[dict[str, Any]]] = {}
        for one in self.proposals:
            key = one.product.pk
            sold = bool(one.offers)
            row = {
                "proposal": one, "seen": self[f"seen_{key}"], "supplier": self[f"supplier_{key}"] if sold else None,
                "quantity": self[f"quantity_{key}"] if sold else None,
            }  # fmt: skip
            found.setdefault(one.offers[0].supplier.name if sold else "", []).append(row)
        return sorted(found.items(), key=lambda one: (not one[0], one[0]))

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        wanted = []
        for one in self.proposals:
            key, quantity = one.product.pk, data.get(f"quantity_{one.product.pk}")
            if not quantity or not data.get(f"supplier_{key}"):
                continue
            supplier = next(offer.supplier for offer in one.offers if str(offer.supplier.pk) == data[f"supplier_{key}"])
            wanted.append(Wanted(one.product, supplier, quantity, seen_quantity(data.get(f"seen_{key}", ""))))
        return data | {"wanted": wanted}


def seen_quantity(text: str) -> Decimal:
    """What was missing when the page was made; -1 for what is no number, so that it is never taken for the present."""
    written = text.isascii() and text.replace(".", "", 1).isdigit() and len(text) < 25
    return Decimal(text) if written else Decimal(-1)
