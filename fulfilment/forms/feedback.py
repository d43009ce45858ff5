"""What is typed when customers are asked, what they answer, and what is done about a low score."""

import datetime as dt
from typing import Any
from uuid import uuid4

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy

from fulfilment.models import CorrectiveAction, FeedbackPlan
from fulfilment.models.feedback import SCORES
from fulfilment.services import customer_address
from ordermgmt.accounts.models import User
from ordermgmt.accounts.roles import Role
from ordermgmt.company.services import business_today
from orders.models import Order

_DATE = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


def caretakers() -> Any:
    """Who may see to a low score: active people in sales, projects and management."""
    roles = [Role.PM, Role.SALES, Role.SALES_MANAGER, Role.MANAGER]
    return User.objects.filter(role_assignments__role__in=roles, is_active=True).distinct().order_by("name")


class AskForm(forms.Form):
    """Whom to ask, in which language."""

    takes = ("instance",)
    sent_once = True

    to = forms.EmailField(
        label=gettext_lazy("E-mail"), required=False,
        help_text=gettext_lazy("The link goes to this address; empty: you hand it over yourself."),
    )  # fmt: skip
    language = forms.ChoiceField(
        label=gettext_lazy("Language"), choices=settings.LANGUAGES,
        help_text=gettext_lazy("In which the customer is asked."),
    )  # fmt: skip
    key = forms.CharField(
        max_length=64, widget=forms.HiddenInput, initial=lambda: uuid4().hex,
        help_text=gettext_lazy("Names this form once."),
    )  # fmt: skip

    def __init__(self, data: Any = None, files: Any = None, *, instance: Order) -> None:
        super().__init__(data, files)
        self.initial.update(to=customer_address(instance), language=instance.language)


class FeedbackPlanForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """How often the customer is asked."""

    takes = ("instance",)

    class Meta:
        model = FeedbackPlan
        fields = ["every_days", "to", "next_on"]
        widgets = {"next_on": _DATE}

    def __init__(self, data: Any = None, files: Any = None, *, instance: Order) -> None:
        known = FeedbackPlan.objects.filter(order=instance).first()
        super().__init__(data, files, instance=known or FeedbackPlan(order=instance))
        if known is None:
            self.initial.update(to=customer_address(instance), next_on=business_today() + dt.timedelta(days=14))


class AnswerForm(forms.Form):
    """What the customer says, by the private link."""

    score = forms.TypedChoiceField(
        label=gettext_lazy("How satisfied are you?"), choices=SCORES, coerce=int, widget=forms.RadioSelect,
        help_text=gettext_lazy("With our work so far."),
    )  # fmt: skip
    text = forms.CharField(
        label=gettext_lazy("What should we know?"), required=False, max_length=4000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=gettext_lazy("What was good, and what should be better; up to 4,000 characters."),
    )  # fmt: skip
    by = forms.CharField(
        label=gettext_lazy("Your name"), required=False, max_length=150, help_text=gettext_lazy("May stay empty."),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )  # fmt: skip


class AssignForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """Who sees to a low score, how and until when."""

    takes = ("instance",)

    class Meta:
        model = CorrectiveAction
        fields = ["owner", "due", "measure"]
        widgets = {"due": _DATE}

    def __init__(self, data: Any = None, files: Any = None, *, instance: CorrectiveAction) -> None:
        super().__init__(data, files, instance=instance)
        self.fields["owner"].queryset = caretakers()  # type: ignore[attr-defined]  # a choice field


class CorrectedForm(forms.Form):
    """What was done about a low score."""

    takes = ("instance",)
    measure = forms.ChoiceField(
        label=gettext_lazy("Measure"),
        choices=CorrectiveAction.Measure,
        help_text=gettext_lazy("What was done about it."),
    )
    result = forms.CharField(
        label=gettext_lazy("Result"), max_length=500, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("What came of it."),
    )  # fmt: skip

    def __init__(self, *args: Any, instance: CorrectiveAction, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if instance.measure:  # a person who was replaced already is not "adjusted" by a field left as it was
            self.fields["measure"].initial = instance.measure
