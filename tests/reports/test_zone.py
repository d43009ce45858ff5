"""Days and months of reports are the company's, wherever the server and the reader are."""

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from ordermgmt.company.models import SellerProfile
from ordermgmt.company.services import default_seller
from reports.services import compute_report
from tests.factories.changes import more, submitted
from tests.factories.fulfilment import ship
from tests.factories.orders import line, started

pytestmark = pytest.mark.django_db
#: In Shanghai it is half past seven in the morning of the first of April.
LATE = dt.datetime(2025, 3, 31, 23, 30, tzinfo=dt.UTC)
MARCH, APRIL = dt.date(2025, 3, 31), dt.date(2025, 4, 1)


def _rows(key: str, section: str, user: Any, **params: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = compute_report(key, params, user=user)["sections"][section]["rows"]
    return found


@pytest.mark.parametrize("reader", ["UTC", "America/New_York", "Asia/Shanghai"])
def test_late_in_the_evening_it_is_the_next_day(manager: Any, reader: str) -> None:
    SellerProfile.objects.filter(pk=default_seller().pk).update(time_zone="Asia/Shanghai")
    with time_machine.travel(LATE, tick=False):
        in_time = started(line(quantity=5), promised_date=APRIL)
        late = started(line(quantity=5), promised_date=APRIL)
        submitted(in_time, more(in_time, 8))
        ship(late)
    assert in_time.order_date == APRIL
    with timezone.override(reader), time_machine.travel(dt.datetime(2025, 4, 3, 10, tzinfo=dt.UTC), tick=False):
        assert [str(row["month"])[:7] for row in _rows("sales", "by_month", manager)] == ["2025-04"]
        assert [row["label"] for row in _rows("changes", "by_month", manager)] == ["2025-04"]
        assert not _rows("sales", "by_month", manager, date_to=str(MARCH))
        (month,) = _rows("delivery", "on_time", manager)
        assert (month["in_time"], month["late"], month["overdue"]) == (1, 0, 1)
