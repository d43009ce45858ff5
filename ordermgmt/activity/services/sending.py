"""A form sent twice is one deed: for verbs whose rows have no room for a form's key."""

from typing import TypeVar

from django.db import models

from ordermgmt.activity.models import SentForm

M = TypeVar("M", bound=models.Model)


def sent_before(model: type[M], form: str, key: str) -> M | None:
    """What this sheet of a form led to when it was sent before; None the first time, and without a key.

    Asked under the lock of what the form adds to: of two at once the second comes here after the first.
    """
    found = SentForm.objects.filter(key=f"{form}:{key}").first() if key else None
    return model._default_manager.filter(pk=found.made).first() if found else None


def note_sent(made: models.Model, form: str, key: str) -> None:
    """Keeps what a sheet led to; without a key there is nothing to keep."""
    if key:
        SentForm.objects.update_or_create(key=f"{form}:{key}", defaults={"made": made.pk})
