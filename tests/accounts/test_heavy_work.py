"""Exports, imports, PDFs and mails are not for hammering (quality.md, rate limits)."""

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import RequestFactory
from django.utils import timezone

from ordermgmt.accounts.services import may_go_on
from ordermgmt.accounts.views.middleware import is_heavy

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> dict[str, dt.datetime]:
    """The minute stands still, or a test that crosses it would count anew."""
    held = {"now": timezone.now()}
    monkeypatch.setattr("ordermgmt.accounts.services.throttling.timezone", SimpleNamespace(now=lambda: held["now"]))
    return held


def test_the_fourth_export_within_the_minute_waits(client_of: Any, sales: Any, sales2: Any, settings: Any) -> None:
    settings.HEAVY_PER_MINUTE = 3
    client = client_of(sales)
    answers = [client.get("/customers/?export=csv") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    fourth = client.get("/customers/?export=csv")
    assert (fourth.status_code, fourth["Retry-After"]) == (429, "60")
    assert client.get("/customers/").status_code == 200  # reading goes on
    assert client_of(sales2).get("/customers/?export=csv").status_code == 200  # a colleague is not held up


def test_the_next_minute_begins_afresh(sales: Any, clock: dict[str, dt.datetime]) -> None:
    assert may_go_on(sales, most=1)
    assert not may_go_on(sales, most=1)
    clock["now"] += dt.timedelta(minutes=1)
    assert may_go_on(sales, most=1)


@pytest.mark.parametrize(
    ("method", "path", "heavy"),
    [
        ("get", "/orders/?export=xlsx", True),
        ("get", "/orders/SO-1/order.pdf", True),
        ("get", "/billing/invoices/INV-1/pdf/", True),
        ("post", "/documents/imports/new/", True),
        ("get", "/documents/imports/new/", False),
        ("post", "/billing/invoices/INV-1/do/send/", True),
        ("get", "/reports/runs/1/json/", True),
        ("post", "/reports/runs/1/xlsx/whole/", True),
        ("get", "/activity/jobs/1/json/", False),
        ("get", "/orders/", False),
        ("post", "/orders/SO-1/do/place/", False),
    ],
)
def test_what_counts_as_heavy(method: str, path: str, heavy: bool) -> None:
    assert is_heavy(getattr(RequestFactory(), method)(path)) is heavy
