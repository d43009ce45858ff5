"""The accounts of the company's bookkeeping, one field for each use."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from billing.models import LedgerAccount
from billing.services import Slot, slot_label

_HELP = {
    LedgerAccount.Use.RECEIVABLE: _("What customers owe; each booking names the customer beside it."),
    LedgerAccount.Use.REVENUE: _("The net of documents in this tax category."),
    LedgerAccount.Use.TAX: _("Tax of documents in this category, owed to the tax office."),
    LedgerAccount.Use.MONEY: _("Where money that came in this way is, until the bank's own statement moves it."),
    LedgerAccount.Use.DEPOSIT: _("Instalments that were billed ahead, net, until the final invoice deducts them."),
    LedgerAccount.Use.DISCOUNT: _("Early-payment discounts, agreed discounts and allowances on documents."),
    LedgerAccount.Use.PENALTY: _("What was deducted for late delivery."),
    LedgerAccount.Use.LATE_FEE: _("Income from late interest and reminder fees."),
    LedgerAccount.Use.WRITE_OFF: _("Receivables that were given up, tax included: your accountant corrects the tax."),
    LedgerAccount.Use.GAIN: _("A payment in another currency was worth more than what it cleared."),
    LedgerAccount.Use.LOSS: _("A payment in another currency was worth less than what it cleared."),
    LedgerAccount.Use.ROUNDING: _("Cash rounding, and what prices including tax leave over."),
    LedgerAccount.Use.OPENING: _("The other side of what customers owed before this system."),
}


class LedgerAccountsForm(forms.Form):
    """All accounts at once; `seen` is what stood there when the page was opened."""

    def __init__(self, slots: list[Slot], seen: Mapping[Slot, str], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.slots = {name_of(slot): slot for slot in slots}
        for name, slot in self.slots.items():
            self.fields[name] = forms.CharField(
                label=slot_label(slot), required=False, max_length=20, help_text=_HELP[LedgerAccount.Use(slot[0])],
                widget=forms.TextInput(attrs={"autocomplete": "off"}),
            )  # fmt: skip
            self.fields[f"seen:{name}"] = forms.CharField(
                required=False, max_length=20, initial=seen.get(slot, ""), widget=forms.HiddenInput()
            )

    def rows(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        """Each field with what was seen."""
        return [(self[name], self[f"seen:{name}"]) for name in self.slots]

    def numbers(self) -> dict[Slot, str]:
        """What was typed, by slot."""
        return {slot: self.cleaned_data[name] for name, slot in self.slots.items()}

    def seen(self) -> dict[Slot, str]:
        """What the person saw, by slot."""
        found = {slot: self.cleaned_data[f"seen:{name}"] for name, slot in self.slots.items()}
        return {slot: number for slot, number in found.items() if number}

    def add_problems(self, problems: Mapping[str, list[str]]) -> None:
        """What the service refused, at its field."""
        for name, sentences in problems.items():
            self.add_error(name if name in self.fields else None, " ".join(sentences) or _t("Look at this account."))


def name_of(slot: Slot) -> str:
    """The name of a slot's field."""
    return f"{slot[0]}:{slot[1]}"
