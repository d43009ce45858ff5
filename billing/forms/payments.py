"""Money that comes in and goes back."""

import re
import uuid
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from billing.models import Instalment, Invoice, Payment
from billing.services import tolerance
from customers.models import Customer
from ordermgmt.lib.fields import DecimalField
from ordermgmt.lib.money import ZERO

from .documents import ReasonForm
from .parts import date_input, plain


class RefundForm(ReasonForm):
    """How much of a payment's credit is given back, and when."""

    takes = ("instance",)

    def __init__(self, *args: Any, instance: Payment, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["amount"] = DecimalField(
            label=_t("Amount"), max_digits=19, decimal_places=4, min_value=Decimal("0.0001"),
            initial=f"{instance.unallocated.normalize():f}",
            help_text=_t("At most the credit that is left of this payment."),
        )  # fmt: skip
        self.fields["on"] = forms.DateField(
            label=_t("Given back on"), required=False, widget=date_input(),
            help_text=_t("The day on which the bank carried it out; today if left empty."),
        )  # fmt: skip
        self.fields["key"] = forms.CharField(widget=forms.HiddenInput, initial=uuid.uuid4().hex, max_length=64)
        self.order_fields(["amount", "on", "reason", "key"])


_SHARE = re.compile(r"share_\d{1,18}", re.ASCII)
_METHODS = [(key, label) for key, label in Payment.Method.choices if key != Payment.Method.WRITE_OFF]


class WriteOffForm(ReasonForm):
    """How much of a document is given up, and why."""

    takes = ("instance",)
    sent_once = True

    def __init__(self, *args: Any, instance: Invoice, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        most = tolerance(instance.currency)
        self.fields["amount"] = DecimalField(
            label=_t("Amount"), max_digits=19, decimal_places=4, min_value=Decimal("0.0001"),
            initial=plain(instance.open),
            help_text=_t("At most what is open. Above %(most)s %(currency)s per document a second person decides.")
            % {"most": plain(most), "currency": instance.currency},
        )  # fmt: skip
        self.fields["key"] = forms.CharField(widget=forms.HiddenInput, initial=uuid.uuid4().hex, max_length=64)
        self.order_fields(["amount", "reason", "key"])


class RemarkForm(forms.Form):
    """A word on a decision."""

    remark = forms.CharField(
        label=_("Remark"), required=False, max_length=300, help_text=_("Kept beside the decision.")
    )  # fmt: skip


class RefuseForm(forms.Form):
    """Why something is refused."""

    remark = forms.CharField(label=_("Reason"), max_length=300, help_text=_("Whoever asked reads it."))


class SharesForm(forms.Form):
    """A share for each open instalment, filled with what is suggested."""

    instalments: list[Instalment]

    def add_shares(self, instalments: list[Instalment], suggested: dict[int, Decimal]) -> None:
        """One amount per instalment.

        What was sent for one that is open no more is read too: the service refuses it (P11), nothing is dropped.
        """
        self.instalments = instalments
        shown = {one.pk for one in instalments}
        for key in {int(name[6:]) for name in self.data if _SHARE.fullmatch(name)} - shown:
            self.fields[f"share_{key}"] = DecimalField(required=False, min_value=ZERO, max_digits=19, decimal_places=4)
        for one in instalments:
            share = suggested.get(one.pk)
            self.fields[f"share_{one.pk}"] = DecimalField(
                label=_t("Amount for %(invoice)s") % {"invoice": one.invoice}, required=False, min_value=ZERO,
                max_digits=19, decimal_places=4, initial=plain(share) if share else None,
                help_text=_t("At most what is open."),
            )  # fmt: skip

    def rows(self) -> list[tuple[Instalment, forms.BoundField]]:
        """Each open instalment with its field."""
        return [(one, self[f"share_{one.pk}"]) for one in self.instalments]

    def allocations(self) -> dict[int, Decimal]:
        """What was entered, by instalment key."""
        names = (name for name in self.fields if _SHARE.fullmatch(name))
        return {int(name[6:]): share for name in names if (share := self.cleaned_data.get(name))}


class AllocateForm(SharesForm):
    """How a payment's credit is laid on open instalments: suggested, changed at will, exact."""

    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(
        self, *args: Any, payment: Payment, instalments: list[Instalment], suggested: dict[int, Decimal], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["version"].initial = payment.version
        self.payment = payment
        self.add_shares(instalments, suggested)

    def clean(self) -> dict[str, Any]:
        """Something is laid, and not more than there is."""
        data = super().clean() or {}
        if self.errors:
            return data
        asked = sum(self.allocations().values(), ZERO)
        if not asked:
            raise ValidationError(_t("Enter at least one amount."))
        if asked > self.payment.unallocated:
            raise ValidationError(
                _t("You lay %(asked)s, but only %(left)s %(currency)s are left.")
                % {"asked": plain(asked), "left": plain(self.payment.unallocated), "currency": self.payment.currency}
            )
        return data


class PaymentForm(SharesForm):
    """Money that came in, and a share for each open instalment of the customer."""

    customer = forms.ModelChoiceField(
        label=_("Customer"), queryset=Customer.objects.none(), to_field_name="pk",
        help_text=_("Who paid. Their open instalments appear below."),
    )  # fmt: skip
    key = forms.CharField(widget=forms.HiddenInput, max_length=60)
    amount = DecimalField(
        label=_("Amount"), max_digits=19, decimal_places=4, min_value=Decimal("0.0001"),
        help_text=_("What arrived on the account, in the currency of the invoices."),
    )  # fmt: skip
    currency = forms.CharField(
        label=_("Currency"), max_length=3, min_length=3, help_text=_("Three letters, such as EUR or CNY.")
    )
    received_on = forms.DateField(
        label=_("Received on"), widget=date_input(), help_text=_("The value date of the bank statement.")
    )
    method = forms.ChoiceField(label=_("Method"), choices=_METHODS, help_text=_("How it was paid."))
    reference = forms.CharField(
        label=_("Bank reference"), required=False, max_length=100, help_text=_("The bank's own number of the entry.")
    )
    remittance = forms.CharField(
        label=_("Remittance text"), required=False, max_length=300,
        help_text=_("What the customer wrote. An invoice number in it is found by the suggestion."),
    )  # fmt: skip

    def __init__(
        self, *args: Any, customers: Any, instalments: list[Instalment], suggested: dict[int, Decimal], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["customer"].queryset = customers  # type: ignore[attr-defined]  # a ModelChoiceField
        self.fields["key"].initial = uuid.uuid4().hex
        self.add_shares(instalments, suggested)

    def clean_currency(self) -> str:
        """An ISO code in capitals."""
        from ordermgmt.lib.money import exponent

        code = str(self.cleaned_data["currency"]).upper()
        try:
            exponent(code)
        except ValueError as error:
            raise ValidationError(_t("This is not a currency code.")) from error
        return code
