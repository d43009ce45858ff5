"""What people type about risks."""

from typing import Any, cast

from django import forms
from django.db import models
from django.utils.translation import gettext_lazy

from fulfilment.models import Risk, RiskCategory
from fulfilment.services import level_names
from ordermgmt.accounts.roles import Role
from ordermgmt.accounts.services import users_with_role
from ordermgmt.lib.fields import DecimalField
from ordermgmt.lib.money import ZERO
from orders.models import Order

from .keys import KeyField, seen_version

_DATE = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


def _level_field(axis: str) -> forms.TypedChoiceField:
    """A step of a scale, in the company's words."""
    asked = cast("models.Field[Any, Any]", Risk._meta.get_field(axis))
    choices = [(value, f"{value} – {name}") for value, name in sorted(level_names(axis).items())]
    return forms.TypedChoiceField(
        label=str(asked.verbose_name).capitalize(), choices=choices, coerce=int, help_text=asked.help_text
    )


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
        offered = RiskCategory.objects.filter(is_active=True) | RiskCategory.objects.filter(code=instance.category_id)
        self.fields["category"].queryset = offered  # type: ignore[attr-defined]  # a choice field
        for axis in ("probability", "impact"):
            self.fields[axis] = _level_field(axis)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        return data | {"version": seen_version(self.data)} if self.instance.pk else data


class RiskForm(ReviewForm):
    """A new risk of an order."""

    sent_once = True
    key = KeyField()

    def __init__(self, data: Any = None, files: Any = None, *, instance: Order) -> None:
        super().__init__(data, files, instance=Risk(order=instance))
        self.initial["owner"] = instance.project_manager_id


class OverForm(forms.Form):
    """How a risk ended."""

    outcome = forms.CharField(
        label=gettext_lazy("What happened"), max_length=500, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("So that the next order learns from it."),
    )  # fmt: skip


class MitigatedForm(forms.Form):
    """What remains of a risk after what was done against it."""

    takes = ("instance",)

    def __init__(self, data: Any = None, files: Any = None, *, instance: Risk) -> None:
        super().__init__(data, files, initial={"probability": instance.probability, "impact": instance.impact})
        for axis in ("probability", "impact"):
            self.fields[axis] = _level_field(axis)


class _TollForm(forms.Form):
    """What an issue takes."""

    days = forms.IntegerField(
        label=gettext_lazy("Days lost"), min_value=0, max_value=9999, initial=0,
        help_text=gettext_lazy("By how many days it delays the order."),
    )  # fmt: skip
    cost = DecimalField(
        label=gettext_lazy("Cost"), min_value=ZERO, max_digits=15, decimal_places=2, initial=0,
        help_text=gettext_lazy("What it costs us, in the order's currency."),
    )  # fmt: skip


class HappenedForm(_TollForm, OverForm):
    """What a risk did when it happened, and until when that is solved."""

    due = forms.DateField(
        label=gettext_lazy("Solved by"), widget=_DATE,
        help_text=gettext_lazy("Until when it is solved; from then on its owner is reminded every day."),
    )  # fmt: skip

    field_order = ("outcome", "due", "days", "cost")


class SolvedForm(_TollForm):
    """How an issue was solved, and what it took in the end."""

    takes = ("instance",)
    resolution = forms.CharField(
        label=gettext_lazy("Solution"), max_length=500, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("How it was solved, so that the next order learns from it."),
    )  # fmt: skip
    field_order = ("resolution", "days", "cost")

    def __init__(self, data: Any = None, files: Any = None, *, instance: Risk) -> None:
        super().__init__(data, files, initial={"days": instance.days, "cost": instance.cost})


class RiskCategoryForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """A category of risks; its code is given once."""

    class Meta:
        model = RiskCategory
        fields = ["code", "name", "name_zh", "is_active"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            del self.fields["code"]
