"""Charges and deductions of an order, and the clause on late delivery."""

import uuid
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from billing.models import OrderCharge, OrderClause
from billing.services import credit_text, goods_value
from fulfilment.models import Rectification
from ordermgmt.company.models import TaxRate
from ordermgmt.company.services import tax_rates
from ordermgmt.lib.fields import DecimalField
from ordermgmt.lib.money import HUNDRED, ZERO
from orders.models import Order


class ClauseForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """What the contract says about late delivery, defects and retentions."""

    rate_percent = DecimalField(
        label=_("Penalty %"), min_value=ZERO, max_value=HUNDRED, max_digits=9, decimal_places=6, initial=0,
        help_text=_("Of the net amount of what is late, for each day or week; 0 where nothing was agreed."),
    )  # fmt: skip
    cap_percent = DecimalField(
        label=_("At most %"), required=False, min_value=Decimal("0.000001"), max_value=HUNDRED, max_digits=9,
        decimal_places=6, help_text=_("Of the net amount of what is late; no limit if left empty."),
    )  # fmt: skip

    version = forms.IntegerField(widget=forms.HiddenInput, required=False, initial=0)

    class Meta:
        model = OrderClause
        fields = ("rate_percent", "per", "grace_days", "cap_percent", "defects_months", "retention_apart")
        help_texts = {
            "per": _("A week begun counts as a whole one."),
            "grace_days": _("So many days late cost nothing; one more, and all of them count."),
            "defects_months": _("Counted from the acceptance; an instalment or retention can wait for its end."),
            "retention_apart": _("The order can be settled while a retention waits for its own day."),
        }


class ChargeForm(forms.Form):
    """A charge or deduction that somebody proposes for an order."""

    takes = ("instance",)
    sent_once = True

    def __init__(self, *args: Any, instance: Order, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rates = tax_rates(instance.tax_profile, instance.order_date)
        labels = dict(TaxRate.Category.choices)
        first = instance.lines.values_list("tax_category", flat=True).first()
        self.fields["kind"] = forms.ChoiceField(
            label=_t("Kind"), choices=OrderCharge.Kind.choices,
            help_text=_t("Charges and bonuses are paid on top; penalties and discounts come off."),
        )  # fmt: skip
        self.fields["net"] = DecimalField(
            label=_t("Net amount"), max_digits=15, decimal_places=4, min_value=Decimal("0.0001"),
            help_text=_t("In %(currency)s, without tax, above zero.") % {"currency": instance.currency},
        )  # fmt: skip
        self.fields["tax_category"] = forms.ChoiceField(
            label=_t("Tax category"), initial=first,
            choices=[(key, f"{labels.get(key, key)} {rate.normalize():f} %") for key, rate in rates.items()],
            help_text=_t("What lowers or raises the price has the category of what it belongs to."),
        )  # fmt: skip
        self.fields["description"] = forms.CharField(
            label=_t("Text on the document"), max_length=200, help_text=_t("Printed on the invoice or credit note."),
        )  # fmt: skip
        self.fields["reason"] = forms.CharField(
            label=_t("Reason"), max_length=300, help_text=_t("Why; whoever decides reads it, and it is printed."),
        )  # fmt: skip
        self.fields["evidence"] = forms.CharField(
            label=_t("Evidence"), required=False, max_length=300,
            help_text=_t("Letter, e-mail, clause or file by which it can be proved."),
        )  # fmt: skip
        self.fields["key"] = forms.CharField(widget=forms.HiddenInput, initial=uuid.uuid4().hex, max_length=64)

    def clean_reason(self) -> str:
        """Not blank."""
        reason: str = self.cleaned_data["reason"].strip()
        if not reason:
            raise ValidationError(_t("Say why."))
        return reason


class GoodsCreditForm(forms.Form):
    """What is credited for goods that came back, or that the customer keeps for less."""

    takes = ("instance",)

    def __init__(self, *args: Any, instance: Rectification, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        order, value = instance.order, goods_value(instance)
        told = {"most": order.money(value), "currency": order.currency}
        self.fields["net"] = DecimalField(
            label=_t("Net amount"), max_digits=15, decimal_places=4, min_value=Decimal("0.0001"),
            initial=f"{value:f}" if instance.came_back else None,
            help_text=_t("Without tax; these goods came to %(most)s %(currency)s.") % told,
        )  # fmt: skip
        self.fields["description"] = forms.CharField(
            label=_t("Text on the document"), max_length=200, initial=credit_text(instance),
            help_text=_t("Printed on the invoice or credit note."),
        )  # fmt: skip
        self.fields["reason"] = forms.CharField(
            label=_t("Reason"), max_length=300, initial=instance.reason,
            help_text=_t("Why; whoever decides reads it, and it is printed."),
        )  # fmt: skip


class DecisionForm(forms.Form):
    """Why a charge is accepted or waived."""

    decision = forms.CharField(
        label=_("Reason"), max_length=300, help_text=_("Kept beside the decision; it can't be changed afterwards.")
    )  # fmt: skip
