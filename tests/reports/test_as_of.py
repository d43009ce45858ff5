"""Past days: what was owed and foreseen then, not what is now."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from billing import services
from billing.models import InstalmentPlan, Invoice
from billing.services import PlanRow
from ordermgmt.company.services import business_today
from orders.models import OrderStep
from reports.services import compute_report
from tests.factories import billing, orders
from tests.factories.orders import person

pytestmark = pytest.mark.django_db


def forecast(day: dt.date | None) -> dict[str, Decimal]:
    params = {"as_of": day.isoformat()} if day else {}
    rows = compute_report("receivables", params, user=person("finance"))["sections"]["forecast"]["rows"]
    return {kind: sum((Decimal(row[kind]) for row in rows), Decimal(0)) for kind in ("owed", "planned")}


def test_the_forecast_of_a_past_day_is_that_of_the_day(db: None) -> None:
    today = business_today()
    before, then = forecast(None), today - dt.timedelta(days=20)
    order = orders.placed(billing.free_line(price="1000"))
    rows = [
        PlanRow(label="First", value=Decimal(500), due_date=today + dt.timedelta(days=10)),
        PlanRow(label="Rest", value=None, due_date=today + dt.timedelta(days=40)),
    ]
    plan = services.plan_instalments(order, rows=rows, actor=person("finance"))
    assert plan is not None
    long_ago = timezone.now() - dt.timedelta(days=30)
    InstalmentPlan.objects.filter(pk=plan.pk).update(created_at=long_ago)
    step = OrderStep.objects.filter(order=order).order_by("pk")
    gross = order.gross_total
    assert forecast(None)["planned"] - before["planned"] == gross
    assert forecast(then)["planned"] == 0  # it was not placed yet
    with _past_steps(step, long_ago):
        assert forecast(then)["planned"] == gross
        assert forecast(then - dt.timedelta(days=60))["planned"] == 0
        later = [PlanRow(label="All", value=None, due_date=today + dt.timedelta(days=90))]
        services.plan_instalments(order, rows=later, actor=person("finance"))
        assert forecast(then)["planned"] == gross
        rows_then = compute_report("receivables", {"as_of": then.isoformat()}, user=person("finance"))
        assert sum(row["count"] for row in rows_then["sections"]["forecast"]["rows"] if Decimal(row["planned"])) == 2


class _past_steps:  # noqa: N801
    """The steps of an order, moved into the past by hand past the rule that they never change."""

    def __init__(self, steps: Any, at: dt.datetime) -> None:
        self.order, self.at = steps[0].order, at

    def __enter__(self) -> None:
        OrderStep.objects.create(order=self.order, source="", target="placed", at=self.at, actor=None)

    def __exit__(self, *_: object) -> None:
        """Gone with the test."""


def test_what_was_owed_then_is_not_lessened_by_what_was_paid_since(db: None) -> None:
    invoice = billing.issued()
    issue_date = business_today() - dt.timedelta(days=30)
    Invoice.objects.filter(pk=invoice.pk)
    yesterday = business_today() - dt.timedelta(days=1)
    opened = services.open_balance(
        customer=invoice.customer, amount=Decimal(300), issue_date=issue_date, due_date=issue_date,
        actor=person("finance"), source_key="as-of", reference="OLD-1",
    )  # fmt: skip
    before = forecast(yesterday)["owed"]
    now = forecast(None)["owed"]
    billing.pay(opened, 300)
    assert forecast(yesterday)["owed"] == before
    assert now - forecast(None)["owed"] == 300
    aged = compute_report("receivables", {"as_of": yesterday.isoformat()}, user=person("finance"))["sections"]["aged"]
    assert sum(Decimal(row["open"]) for row in aged["totals"]) == before


def test_a_past_day_shows_nothing_of_today_beside_it(db: None) -> None:
    """By customer only what is open now can be told; and what is behind today's rows is asked for without a day."""
    billing.issued()
    today, finance = business_today(), person("finance")
    now = compute_report("receivables", {"as_of": today.isoformat()}, user=finance)["sections"]
    then = compute_report("receivables", {"as_of": (today - dt.timedelta(days=9)).isoformat()}, user=finance)[
        "sections"
    ]
    assert set(then) == {"aged", "forecast"}
    assert now["forecast"]["rows"]
    assert not any("as_of" in row["link"] for row in now["forecast"]["rows"])
    assert compute_report("receivables", {}, user=finance)["sections"]["by_customer"]["rows"]
