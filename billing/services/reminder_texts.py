"""Levels of reminders and their texts: `set_reminder_levels`, and what is said where nobody wrote anything."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from billing import events
from billing.models import ReminderLevel, ReminderText
from ordermgmt.activity.services import record
from ordermgmt.company.services import default_seller
from ordermgmt.lib.money import quantise

from .base import require

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

#: Days late and days to pay of a company that has set nothing.
STANDARD = ((7, 7), (21, 7), (35, 10))


@dataclass(frozen=True)
class LevelTerms:
    """One level as it is set: days late, fee, days to pay, and (subject, body) by language."""

    days: int
    fee: Decimal
    deadline_days: int
    texts: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@transaction.atomic
def set_reminder_levels(terms: Sequence[LevelTerms], *, actor: "User") -> list[ReminderLevel]:
    """Sets all levels anew, first to last; reminders that were sent keep what they said.

    Raises ValidationError unless the days rise, and for a fee with too many decimals.
    """
    require(actor, "billing.set_reminders")
    currency = default_seller().currency
    for before, after in pairwise(terms):
        if after.days <= before.days:
            raise ValidationError(_("Each level comes later than the one before it."))
    if not terms or any(one.days < 1 or one.fee < 0 or quantise(one.fee, currency) != one.fee for one in terms):
        raise ValidationError(_("A level has at least one day, and a fee in whole units of the company's currency."))
    ReminderLevel.objects.filter(number__gt=len(terms)).delete()
    found = []
    for number, one in enumerate(terms, start=1):
        values = {"days": one.days, "fee": one.fee, "deadline_days": one.deadline_days}
        level, _made = ReminderLevel.objects.update_or_create(number=number, defaults=values)
        level.texts.all().delete()
        for language, (subject, body) in one.texts.items():
            if subject.strip() and body.strip() and (subject, body) != standard_text(number, language):
                ReminderText.objects.create(level=level, language=language, subject=subject, body=body)
        found.append(level)
    record(
        events.REMINDERS_SET, found[0], actor=actor, count=len(found),
        after={f"level {one.number}": f"{one.days} / {one.fee} / {one.deadline_days}" for one in found},
    )  # fmt: skip
    return found


def reminder_levels() -> list[ReminderLevel]:
    """The levels in force; the standard ones, unsaved, where nobody set any."""
    found = list(ReminderLevel.objects.prefetch_related("texts"))
    return found or [
        ReminderLevel(number=number, days=days, deadline_days=deadline)
        for number, (days, deadline) in enumerate(STANDARD, start=1)
    ]


def reminder_text(level: ReminderLevel, language: str) -> tuple[str, str]:
    """Subject and body of a level in a language: what the company wrote, else the standard words."""
    if level.pk:
        for one in level.texts.all():
            if one.language == language:
                return one.subject, one.body
    return standard_text(level.number, language)


def standard_text(number: int, language: str) -> tuple[str, str]:
    """What we say at a level where nobody wrote a text, in the words of the language."""
    known = language if language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
    with translation.override(known):
        if number <= 1:
            return _("Friendly reminder"), _(
                "The amounts below were due, and we can't find your payment. Perhaps it crossed this letter; "
                "else please pay by the day given."
            )
        if number == 2:
            return _("Second reminder"), _(
                "We have reminded you already, and the amounts below are still open. Please pay by the day given, or "
                "tell us what stands in the way."
            )
        return _("Last reminder"), _(
            "In spite of our reminders the amounts below are open. We ask you for the last time to pay by the day given; "
            "after it we must take further steps, which cost you more."
        )
