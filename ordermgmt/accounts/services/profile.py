"""How a person wants the application to look."""

from typing import Any
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from ordermgmt.accounts import events
from ordermgmt.accounts.models import User
from ordermgmt.activity.services import record, snapshot

from .rights import locked

FIELDS = ("name", "language", "time_zone", "theme", "density")


@transaction.atomic
def edit_profile(user: User, **fields: Any) -> User:
    """Changes one's own name, language, time zone, theme or density; nothing else. Raises ValidationError."""
    user = locked(user)
    before = snapshot(user, *FIELDS)
    if unknown := set(fields) - set(FIELDS):
        raise TypeError(f"not part of a profile: {', '.join(sorted(unknown))}")
    for name, value in fields.items():
        setattr(user, name, value)
    if user.time_zone not in available_timezones():
        raise ValidationError({"time_zone": _("Choose a time zone from the list.")})
    user.full_clean(exclude=["email", "password", "team"], validate_unique=False, validate_constraints=False)
    after = snapshot(user, *FIELDS)
    if before != after:
        user.save(update_fields=list(FIELDS))
        record(events.PROFILE_EDITED, user, actor=user, before=before, after=after)
    return user
