"""Instalment plans."""

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from billing.models import Instalment, InstalmentPlan
from billing.services import PlanRow
from fulfilment.models import Milestone
from ordermgmt.company.services import business_today
from ordermgmt.lib.fields import DecimalField

from .parts import date_input


class PlanForm(forms.Form):
    """How an order is paid: the method; the instalments stand in the rows below."""

    method = forms.ChoiceField(
        label=_("Method"), choices=[(InstalmentPlan.Method.PERCENT, _("Percentages")), (InstalmentPlan.Method.FIXED, _("Amounts"))],
        help_text=_("Percentages are of what is not invoiced yet. Leave the last value empty: it takes the rest."),
    )  # fmt: skip
    seen = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=0, max_value=2**62)


_WHEN = [(key, label) for key, label in Instalment.Trigger.choices if key != Instalment.Trigger.MILESTONE]


class PlanRowForm(forms.Form):
    """One instalment."""

    def __init__(self, *args: Any, milestones: Iterable[Milestone] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.milestones = {f"milestone:{one.pk}": one for one in milestones}
        field = self.fields["when"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101  # as declared
        field.choices = [*_WHEN, *((key, str(one)) for key, one in self.milestones.items())]

    label = forms.CharField(
        label=_("Label"), required=False, max_length=100, help_text=_("Printed on the invoice, such as “on delivery”.")
    )
    value = DecimalField(
        label=_("Percent or amount"), required=False, max_digits=19, decimal_places=4, min_value=Decimal("0.0001"),
        help_text=_("Empty: all that is left."),
    )  # fmt: skip
    when = forms.ChoiceField(
        label=_("To be invoiced"), required=False, choices=_WHEN, initial="date",
        help_text=_("On its date, or when what it waits for has come; then the customer has the usual days to pay."),
    )  # fmt: skip
    due_date = forms.DateField(
        label=_("Due date"), required=False, widget=date_input(),
        help_text=_("A row on its date counts only with the date; of the others it is when it is expected."),
    )  # fmt: skip
    deposit = forms.BooleanField(
        label=_("Before the start"), required=False, help_text=_("Work begins only when this instalment is paid.")
    )

    def clean(self) -> dict[str, Any]:
        """A value needs a date."""
        data = super().clean() or {}
        dated = data.get("when") in ("", Instalment.Trigger.DATE, None)
        if dated and data.get("value") and not data.get("due_date") and "due_date" not in self.errors:
            self.add_error("due_date", _t("Give this instalment a due date."))
        return data

    def row(self) -> PlanRow | None:
        """The wished instalment; None for an empty row."""
        data = self.cleaned_data
        when = data.get("when") or Instalment.Trigger.DATE
        milestone = self.milestones.get(when)
        day: dt.date | None = data.get("due_date")
        if when != Instalment.Trigger.DATE:
            day = day or (milestone.due if milestone else None) or business_today()
        if day is None:
            return None
        trigger = Instalment.Trigger.MILESTONE if milestone else when
        return PlanRow(data.get("value"), day, data.get("label", ""), bool(data.get("deposit")), trigger, milestone)


PlanRows = forms.formset_factory(PlanRowForm, extra=6, max_num=36, absolute_max=36)


class MonthlyForm(forms.Form):
    """Equal monthly instalments in one go."""

    parts = forms.IntegerField(
        label=_("Number of instalments"), min_value=2, max_value=36, initial=3,
        help_text=_("They differ by one smallest unit at most; the first ones carry it."),
    )  # fmt: skip
    first = forms.DateField(
        label=_("First due date"), widget=date_input(),
        help_text=_("The others follow on the same day of each month, or on its last day."),
    )  # fmt: skip


class RescheduleForm(forms.Form):
    """Why instalments are agreed anew."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    reason = forms.CharField(
        label=_("Reason"), max_length=300,
        help_text=_("Such as what was agreed with whom. Kept with the old instalments."),
    )  # fmt: skip


class ReleaseForm(forms.Form):
    """When a retention is due."""

    on = forms.DateField(
        label=_("Due on"), required=False, widget=date_input(), help_text=_("Today if left empty.")
    )  # fmt: skip
