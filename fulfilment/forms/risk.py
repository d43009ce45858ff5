"""What people type about risks."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from fulfilment.models import Risk
from ordermgmt.accounts.roles import Role
from ordermgmt.accounts.services import users_with_role
from ordermgmt.lib.money import ZERO
from orders.models import Order

_DATE = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class ReviewForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """A risk as it is judged now."""

    takes = ("instance",)

    class Meta:
        model = Risk
        fields = [
            "title", "category", "probability", "impact", "owner", "trigger", "mitigation", "mitigation_due",
            "contingency", "review_on",
        ]  # fmt: skip
        widgets = {"mitigation_due": _DATE, "review_on": _DATE}

    def __init__(self, data: Any = None, files: Any = None, *, instance: Risk) -> None:
        super().__init__(data, files, instance=instance)
        self.fields["owner"].queryset = users_with_role(Role.PM)  # type: ignore[attr-defined]


class RiskForm(ReviewForm):
    """A new risk of an order."""

    def __init__(self, data: Any = None, files: Any = None, *, instance: Order) -> None:
        super().__init__(data, files, instance=Risk(order=instance))
        self.initial["owner"] = instance.project_manager_id


class OverForm(forms.Form):
    """How a risk ended."""

    outcome = forms.CharField(
        label=gettext_lazy("What happened"), max_length=500, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("So that the next order learns from it."),
    )  # fmt: skip


class HappenedForm(OverForm):
    """What a risk did when it happened."""

    days = forms.IntegerField(
        label=gettext_lazy("Days lost"), min_value=0, max_value=9999, initial=0,
        help_text=gettext_lazy("By how many days it delays the order."),
    )  # fmt: skip
    cost = forms.DecimalField(
        label=gettext_lazy("Cost"), min_value=ZERO, max_digits=15, decimal_places=2, initial=0,
        help_text=gettext_lazy("What it costs us, in the order's currency."),
    )  # fmt: skip
