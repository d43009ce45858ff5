"""Levels of reminders, and notes about late documents."""

from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from billing.models import CollectionNote, LateFeePolicy
from billing.services import LevelTerms
from ordermgmt.lib.fields import DecimalField

from .parts import date_input


class CollectionNoteForm(forms.Form):
    """What was said about a late document, and when to come back to it."""

    kind = forms.ChoiceField(
        label=_("Kind"), choices=CollectionNote.Kind.choices,
        help_text=_("A dispute holds reminders until it is closed, a promise until its day is over."),
    )  # fmt: skip
    text = forms.CharField(
        label=_("What was said"), max_length=1000, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Who said what; what the customer objects to."),
    )  # fmt: skip
    promised_on = forms.DateField(
        label=_("Promised for"), required=False, widget=date_input(), help_text=_("For a promise: when they will pay.")
    )
    follow_up_on = forms.DateField(
        label=_("Come back on"), required=False, widget=date_input(),
        help_text=_("The work list shows it from that day on; of a promise the day after, if left empty."),
    )  # fmt: skip


class OutcomeForm(forms.Form):
    """How something ended."""

    outcome = forms.CharField(
        label=_("What came of it"), required=False, max_length=300,
        help_text=_("A dispute needs it: accepted, credited, withdrawn …"),
    )  # fmt: skip


class LevelForm(forms.Form):
    """One level of reminders with its texts. Without days it does not exist."""

    days = forms.IntegerField(
        label=_("Days late"), required=False, min_value=1, max_value=3650, help_text=_("Empty: there is no such level.")
    )
    fee = DecimalField(
        label=_("Fee"), required=False, min_value=Decimal(0), max_digits=19, decimal_places=4,
        help_text=_("In the company's currency."),
    )  # fmt: skip
    deadline_days = forms.IntegerField(
        label=_("Days to pay"), required=False, min_value=0, max_value=365, help_text=_("The next level waits for it.")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for language, name in settings.LANGUAGES:
            self.fields[f"subject_{language}"] = forms.CharField(
                label=_("Subject, %(language)s") % {"language": name}, required=False, max_length=200,
                help_text=_("Empty: the standard words."),
            )  # fmt: skip
            self.fields[f"body_{language}"] = forms.CharField(
                label=_("Text, %(language)s") % {"language": name}, required=False, max_length=4000,
                widget=forms.Textarea(attrs={"rows": 4}), help_text=_("The amounts and the day follow below it."),
            )  # fmt: skip

    def texts(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        """Subject and body by language."""
        return [(self[f"subject_{language}"], self[f"body_{language}"]) for language, _name in settings.LANGUAGES]

    def terms(self) -> LevelTerms | None:
        """What the service takes; None for a level that is not there."""
        data = self.cleaned_data
        if not data.get("days"):
            return None
        texts = {
            language: (data.get(f"subject_{language}", ""), data.get(f"body_{language}", ""))
            for language, _name in settings.LANGUAGES
        }
        return LevelTerms(data["days"], data.get("fee") or Decimal(0), data.get("deadline_days") or 0, texts)


class LateFeeForm(forms.Form):
    """Until when interest is claimed."""

    as_of = forms.DateField(
        label=_("Until"), required=False, widget=date_input(), help_text=_("That day included; today if left empty.")
    )


class LateTermsForm(forms.Form):
    """The terms of late interest from a day on."""

    start = forms.DateField(
        label=_("From"), widget=date_input(), help_text=_("They hold until later ones; interest is split by day.")
    )
    annual = DecimalField(
        label=_("Percent a year"), min_value=Decimal(0), max_value=Decimal(1000), max_digits=12, decimal_places=6,
        help_text=_("Simple interest, from the day after the due date."),
    )  # fmt: skip
    year_days = forms.TypedChoiceField(
        label=_("Days of the year"), choices=LateFeePolicy.Year.choices, coerce=int,
        help_text=_("What the yearly rate is divided by."),
    )  # fmt: skip
    grace_days = forms.IntegerField(
        label=_("Days of grace"), min_value=0, max_value=365, initial=0,
        help_text=_("Paid within them costs nothing; after them the days count from the due date."),
    )  # fmt: skip
    flat_fee = DecimalField(
        label=_("Flat fee"), min_value=Decimal(0), max_digits=19, decimal_places=4, initial=0,
        help_text=_("Asked for once with the first claim, in the document's currency."),
    )  # fmt: skip
    cap = DecimalField(
        label=_("At most"), required=False, min_value=Decimal("0.0001"), max_digits=19, decimal_places=4,
        help_text=_("Of interest and fee of one instalment together; empty: no limit."),
    )  # fmt: skip
