"""Numbers without gaps: a locked counter row per series, taken as the last step before commit."""

import datetime as dt

from django.db import transaction

from ordermgmt.documents.models import NumberSeries


def take_number(key: str, *, period: str = "", on: dt.date | None = None) -> int:
    """The next number of a series: 1, 2, 3 … without gap or duplicate under concurrency, rollback and kill.

    Must run inside the transaction that uses the number, as late as possible: the counter row stays locked until
    commit. With `on`, dates within the series may not decrease (N5): raises ValueError if `on` lies before the last.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("take_number() needs the transaction that uses the number")
    NumberSeries.objects.get_or_create(key=key, period=period)
    series = NumberSeries.objects.select_for_update(no_key=True).get(key=key, period=period)
    if on is not None:
        if series.last_date is not None and on < series.last_date:
            raise ValueError(f"the last number of series {key} {period} was given on {series.last_date}, after {on}")
        series.last_date = on
    series.last += 1
    series.save(update_fields=["last", "last_date"])
    return series.last
