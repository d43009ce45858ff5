"""Days that can be reckoned with: a calendar ends, and “31 Dec 9999” is how people write that they do not know."""

import datetime as dt

from django.core.exceptions import ValidationError
from django.utils import formats
from django.utils.translation import gettext as _

#: The last day that is taken; what is added to it still has its place in a calendar.
LAST_DAY = dt.date(2999, 12, 31)


def check_reach(day: dt.date | None) -> None:
    """Raises ValidationError for a day so far ahead that nobody can reckon with it. Form fields take it as a validator."""
    if day is not None and day > LAST_DAY:
        last = formats.date_format(LAST_DAY, "SHORT_DATE_FORMAT")
        raise ValidationError(_("This day lies too far ahead: %(last)s is the last.") % {"last": last})


def check_days(**days: dt.date | None) -> None:
    """As `check_reach`, for days by the name of their field. Raises ValidationError at each that is too far ahead."""
    errors: dict[str, list[str]] = {}
    for name, day in days.items():
        try:
            check_reach(day)
        except ValidationError as error:
            errors[name] = error.messages
    if errors:
        raise ValidationError(errors)
