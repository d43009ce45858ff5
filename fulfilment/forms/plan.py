"""What people type about the plan of an order."""

import datetime as dt
from copy import copy
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from fulfilment.models import Milestone
from fulfilment.services import following, move_breaks
from ordermgmt.accounts.roles import Role
from ordermgmt.accounts.services import users_with_role
from ordermgmt.company.services import business_today
from ordermgmt.lib.days import check_reach
from ordermgmt.lib.typed import whole
from orders.models import Order

from .keys import seen_version

DATE = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class _StepsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # not generic at run time
    """Several steps. A key that no column holds is none of them; asked for it, a database may fail."""

    def clean(self, value: Any) -> Any:
        for one in value or []:
            if whole(one) is None:
                sentence = self.error_messages["invalid_pk_value"]
                raise forms.ValidationError(sentence, "invalid_pk_value", {"pk": str(one)[:40]})
        return super().clean(value)


class MilestoneForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """A step of the plan, but for its dates."""

    takes = ("instance",)
    before = _StepsField(
        Milestone.objects.none(), required=False, label=gettext_lazy("Comes after"),
        widget=forms.SelectMultiple(attrs={"size": 5}),
        help_text=gettext_lazy("What must be reached first; several may be chosen."),
    )  # fmt: skip

    class Meta:
        model = Milestone
        fields = ["code", "name", "kind", "owner", "weight"]

    def __init__(self, data: Any = None, files: Any = None, *, instance: Milestone) -> None:
        super().__init__(data, files, instance=instance)
        self.fields["weight"].validators = [_check_weight]
        self.fields["weight"].widget.attrs |= {"min": 1, "max": 1000}
        self.fields["owner"].queryset = users_with_role(Role.PM, Role.WAREHOUSE)  # type: ignore[attr-defined]
        others = Milestone.objects.filter(order=instance.order_id).exclude(pk=instance.pk)
        self.fields["before"].queryset = others  # type: ignore[attr-defined]
        if instance.pk:
            self.initial["before"] = list(instance.before.values_list("pk", flat=True))

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        return data | {"version": seen_version(self.data)} if self.instance.pk else data


class AddMilestoneForm(MilestoneForm):
    """A new step, with its dates."""

    class Meta(MilestoneForm.Meta):
        fields = ["code", "name", "kind", "owner", "weight", "start", "forecast"]
        widgets = {"start": DATE, "forecast": DATE}

    def __init__(self, data: Any = None, files: Any = None, *, instance: Order) -> None:
        number = Milestone.objects.filter(order=instance).count() + 1
        super().__init__(data, files, instance=Milestone(order=instance, code=f"M{number}"))

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        _check_turn(self, data)
        return data


def _check_weight(value: int) -> None:
    if not 1 <= value <= 1000:
        raise forms.ValidationError(_("The weight is a whole number from 1 to 1000."))


def _check_turn(form: forms.BaseForm, data: dict[str, Any]) -> None:
    """Says at the start that it lies after the end."""
    start, forecast = data.get("start"), data.get("forecast")
    if start and forecast and start > forecast:
        form.add_error("start", _("It starts after it is planned to be reached."))


class MoveForm(forms.Form):
    """Other dates for a step of the plan, with what they break said before they are saved."""

    takes = ("instance",)
    start = forms.DateField(
        label=pgettext_lazy("date", "Start"),
        required=False,
        widget=DATE,
        validators=[check_reach],
        help_text=gettext_lazy("When the work on it begins."),
    )
    forecast = forms.DateField(
        label=gettext_lazy("Planned"), widget=DATE, validators=[check_reach],
        help_text=gettext_lazy("When it is expected now; the baseline stays."),
    )  # fmt: skip
    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=300, help_text=gettext_lazy("Why it moves, for the order's history.")
    )
    follow = forms.BooleanField(
        label=gettext_lazy("Move what follows along"), required=False,
        help_text=gettext_lazy("What builds on it, over all steps, moves by as many working days; the baselines stay."),
    )  # fmt: skip
    anyway = forms.BooleanField(
        label=gettext_lazy("Save in spite of what it breaks"), required=False,
        help_text=gettext_lazy("Only after you read what it breaks."),
    )  # fmt: skip

    def __init__(self, *args: Any, instance: Milestone, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"start": instance.start, "forecast": instance.forecast})
        super().__init__(*args, **kwargs)
        self.milestone = instance

    @classmethod
    def preview(cls, milestone: Milestone, days: int) -> "MoveForm":
        """The form as a drag by so many days fills it, with what that breaks; nothing is saved."""
        dates = {"start": milestone.start, "forecast": milestone.forecast}
        form = cls({name: day and str(day + dt.timedelta(days)) for name, day in dates.items()}, instance=milestone)
        form.fields["reason"].required = False
        form.full_clean()
        form.fields["reason"].required = True
        return form

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        _check_turn(self, data)
        if data.get("forecast") and not data.get("anyway") and not self.has_error("start"):
            moved = copy(self.milestone)
            moved.start, moved.forecast = data.get("start"), data["forecast"]
            if broken := move_breaks(moved, following(moved) if data.get("follow") else []):
                raise forms.ValidationError(broken)
        return data


class ReachForm(forms.Form):
    """When a step was reached."""

    actual = forms.DateField(
        label=gettext_lazy("Reached on"), widget=DATE, initial=business_today,
        help_text=gettext_lazy("The day on which it was reached."),
    )  # fmt: skip
