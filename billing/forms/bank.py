"""Bank accounts, bank files, and what an entry is laid on."""

from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from billing.models import BankAccount, BankLine, Instalment
from billing.services import BANK_COLUMNS
from ordermgmt.lib.bankfiles import MAX_BYTES
from ordermgmt.lib.importing.values import DATE_FORMATS, NUMBER_FORMATS, readable
from ordermgmt.lib.money import ZERO

from .payments import SharesForm

_FIELDS = {
    "date": _("Day of booking"), "amount": _("Amount with its sign"), "paid_in": _("Money in"), "paid_out": _("Money out"),
    "direction": _("In or out"), "text": _("Remittance text"), "name": _("Other party"), "iban": _("Their account"),
    "reference": _("Bank reference"), "currency": _("Currency"), "balance": _("Balance after the entry"),
    "account": _("Own account"),
}  # fmt: skip


class BankFileForm(forms.Form):
    """A statement from the bank."""

    file = forms.FileField(
        label=_("File"), max_length=200,
        help_text=_(
            "camt.053, MT940, or a table (CSV, XLS, XLSX) with a line of headings: the day, the amount (or money in and out), and "
            "what there is of text, payer, account and reference. The account's page says how other headings are read."
        ),
    )  # fmt: skip
    account = forms.ModelChoiceField(
        label=_("Bank account"), queryset=BankAccount.objects.none(), required=False, empty_label=_("As the file says"),
        help_text=_("Needed for tables that don't name the account."),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["account"].queryset = BankAccount.objects.filter(is_active=True)  # type: ignore[attr-defined]  # a choice field

    def clean_file(self) -> Any:
        """Refuses what is too large before it is read."""
        upload = self.cleaned_data["file"]
        if upload.size > MAX_BYTES:
            raise ValidationError(_t("The file is larger than %(limit)s MB.") % {"limit": MAX_BYTES // 1024 // 1024})
        return upload


class BankAccountForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """An account, and the columns of its bank's tables where they are not called as usual."""

    class Meta:
        model = BankAccount
        fields = ("name", "number", "currency", "is_active")
        help_texts = {"is_active": _("Files of an account that is not in use are refused.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kept = self.instance.columns or {}
        for key in BANK_COLUMNS:
            self.fields[f"column_{key}"] = forms.CharField(
                label=_FIELDS[key], required=False, max_length=100, initial=kept.get(key, ""),
                help_text=_t("The heading in the file; empty: recognised by usual names."),
            )  # fmt: skip
        days = [("", _t("Recognise it")), *((form, readable(form)) for form in DATE_FORMATS)]
        self.fields["column_date_form"] = forms.ChoiceField(
            label=_t("Form of days"), required=False, choices=days, initial=kept.get("date_form", ""),
            help_text=_t("Choose it where 03/04 could be March or April."),
        )  # fmt: skip
        numbers = [("", _t("Recognise it")), *((form, form) for form in NUMBER_FORMATS)]
        self.fields["column_number_form"] = forms.ChoiceField(
            label=_t("Form of amounts"), required=False, choices=numbers, initial=kept.get("number_form", ""),
            help_text=_t("How the bank writes decimals and thousands."),
        )  # fmt: skip

    def columns(self) -> list[forms.BoundField]:
        """The fields about tables."""
        return [self[name] for name in self.fields if name.startswith("column_")]

    def clean_currency(self) -> str:
        """In capitals."""
        return str(self.cleaned_data["currency"]).upper()

    def validate_unique(self) -> None:
        """The service says it, with the account number in plain form."""

    def facts(self) -> dict[str, Any]:
        """What the service takes."""
        data = self.cleaned_data
        given = {name.removeprefix("column_"): value for name, value in data.items() if name.startswith("column_")}
        return {name: data[name] for name in self.Meta.fields} | {"columns": given}


class AsideForm(forms.Form):
    """Why an entry is no customer's money."""

    reason = forms.CharField(
        label=_("Reason"), max_length=300, help_text=_("Such as: fee of the bank, transfer between own accounts.")
    )


class BookLineForm(SharesForm):
    """How an entry is laid on the open instalments of a customer."""

    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(
        self, *args: Any, line: BankLine, instalments: list[Instalment], suggested: dict[int, Decimal], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["version"].initial = line.version
        self.line = line
        self.add_shares(instalments, suggested)

    def clean(self) -> dict[str, Any]:
        """Not more is laid than came in."""
        data = super().clean() or {}
        if not self.errors and sum(self.allocations().values(), ZERO) > self.line.amount:
            raise ValidationError(_t("More is laid on invoices than came in."))
        return data
