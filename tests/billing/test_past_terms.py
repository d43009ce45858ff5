"""Receivables of a past day: due dates, amounts and kinds as they were on it, whatever was agreed since."""

import datetime as dt
import importlib
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from billing import services
from billing.models import FormerTerms, Instalment, Invoice
from billing.pdf import statement_context
from customers.models import Customer
from ordermgmt.lib.invariants import violations
from reports.services import compute_report
from tests.factories import billing
from tests.factories.orders import person

from .test_receivables import agrees

pytestmark = pytest.mark.django_db
D = Decimal
FIRST = dt.date(2025, 3, 3)


def _on(days: int) -> Any:
    return time_machine.travel(dt.datetime.combine(_day(days), dt.time(10), tzinfo=dt.UTC), tick=False)


def _day(days: int) -> dt.date:
    return FIRST + dt.timedelta(days=days)


def _issued() -> Invoice:
    """Over 119.00, 5.95 of them kept back for a year, the rest due in fourteen days."""
    draft = billing.drafted()
    draft = services.edit_draft(
        draft, version=draft.version, retention=(D(5), _day(365)), payment_days=14, actor=person("finance2")
    )
    return services.issue_invoice(draft, actor=person("finance2"))


def _agree(invoice: Invoice, *rows: tuple[str, int]) -> None:
    found = [services.PlanRow(D(value) if value else None, _day(days)) for value, days in rows]
    services.reschedule_invoice(
        invoice, rows=found, reason="asked for", version=invoice.reschedules.count(), actor=person("finance")
    )


def story() -> list[tuple[int, Callable[[], None]]]:
    """What happens on which day: agreed anew twice, paid in part, taken back, released, agreed in fewer parts."""
    kept: dict[str, Any] = {}

    def issue() -> None:
        kept["invoice"], kept["other"] = _issued(), _issued()

    def release() -> None:
        one = kept["invoice"].instalments.get(kind="retention")
        services.release_retention(one, on=_day(50), actor=person("finance"))

    def pay() -> None:
        kept["payment"] = billing.pay(kept["invoice"], "13.05")

    def take_back() -> None:
        services.cancel_payment(kept["payment"], reason="bounced", actor=person("finance_manager"))

    def late() -> None:
        """Came in before the instalments were agreed on which it is laid."""
        services.record_payment(
            customer=kept["invoice"].customer, amount=D("60.00"), received_on=_day(18), key="late", currency="EUR",
            remittance=kept["invoice"].number, actor=person("finance"),
        )  # fmt: skip

    return [
        (0, issue),
        (20, lambda: _agree(kept["invoice"], ("13.05", 21), ("50", 60), ("", 90))),
        (22, pay),
        (30, lambda: _agree(kept["invoice"], ("", 120))),
        (40, release),
        (45, take_back),
        (50, lambda: _agree(kept["other"], ("", 70))),
        (55, lambda: _agree(kept["invoice"], ("100", 56), ("", 57))),
        (58, late),
        (60, lambda: _agree(kept["other"], ("1", 200), ("", 210))),
    ]


def _told(days: int) -> Any:
    """All that is said of a day, as plain values."""
    day, everybody = _day(days), Customer.objects.all()
    accounts = [
        (row.currency, row.buckets, row.credit, row.overdue) for row in services.aged_receivables(day, everybody)
    ]
    items = [(one.due_date, one.amount, one.kind) for one in services.open_at(day, everybody)]
    made = compute_report("receivables", {"as_of": str(day)}, user=person("finance"))["sections"]
    report = [
        [{name: value for name, value in row.items() if name != "link"} for row in made[key]["rows"]]
        for key in ("aged", "forecast")
    ]
    statements = [
        [(row["balance"], row["credit"], row["ageing"]) for row in statement_context(one, FIRST, day)["accounts"]]
        for one in everybody.order_by("pk")
    ]
    return accounts, items, report, statements


def test_a_past_day_stays_as_it_was():
    told, events = {}, story()
    for days, happen in events:
        with _on(days):
            happen()
            told[days] = _told(days)
            agrees(_day(days))
    with _on(70):
        for days, was in told.items():
            agrees(_day(days))
            now = _told(days)
            if days < 18 or days >= 58:
                assert now == was, days
            elif days < 55:
                # Money booked late counts from the day it came in: as credit until that was agreed which it is laid on.
                assert [row[1] for row in now[0]] == [row[1] for row in was[0]], days
                assert [row[2] for row in now[0]] == [row[2] + 60 for row in was[0]], days
                assert now[1] == was[1], days
    assert list(violations(["A", "M", "N"])) == []


def test_what_was_late_before_it_was_agreed_anew_stays_late_then():
    with _on(0):
        invoice = _issued()
    with _on(20):
        _agree(invoice, ("50", 60), ("", 90))
        kept = invoice.instalments.get(kind="retention")
        services.release_retention(kept, actor=person("finance"))
    with _on(21):
        everybody = Customer.objects.all()
        (before,), (after,) = services.aged_totals(_day(19), everybody), services.aged_totals(_day(20), everybody)
    assert (before.overdue, before.buckets["d1_30"], before.buckets["retention"]) == (
        D("113.05"),
        D("113.05"),
        D("5.95"),
    )
    assert (after.overdue, after.buckets["not_due"], after.buckets["retention"]) == (0, D("119.00"), 0)


def test_a_day_of_the_past_costs_the_same_queries(client_of, finance):
    def counted(days):
        with CaptureQueriesContext(connection) as found:
            assert client.get(f"/billing/ageing/?day={_day(days)}").status_code == 200
        return len(found)

    with _on(0):
        invoices = [_issued() for _count in range(4)]
    with _on(20):
        _agree(invoices[0], ("50", 60), ("", 90))
    with _on(30):
        client = client_of(finance)
        counted(10)
        few = counted(10)
        for one in invoices[1:]:
            _agree(one, ("20", 60), ("30", 70), ("", 90))
        billing.pay(invoices[1], "10")
        assert counted(10) == few


def test_the_database_keeps_former_terms():
    with _on(0):
        invoice = _issued()
    with _on(1):
        _agree(invoice, ("", 60))
        _agree(invoice, ("", 61))  # the same day: only the evening's count
    (one,) = FormerTerms.objects.all()
    assert (one.due_date, one.since, one.until) == (_day(14), None, _day(1))
    for write in (lambda: FormerTerms.objects.update(amount=1), lambda: FormerTerms.objects.all().delete()):
        with pytest.raises(DatabaseError), transaction.atomic():
            write()


def test_what_was_agreed_before_terms_were_kept_is_taken_from_versions_and_audit(monkeypatch):
    def silent(rows):
        return None

    with monkeypatch.context() as patched:
        patched.setattr("billing.services.rescheduling.keep_terms", silent)
        with _on(0):
            invoice = _issued()
        with _on(5):
            _agree(invoice, ("50", 60), ("", 90))
        with _on(8):
            kept = invoice.instalments.get(kind="retention")
            services.release_retention(kept, on=_day(9), actor=person("finance"))
        with _on(9):
            _agree(invoice, ("50", 70), ("", 95))
    importlib.import_module("billing.migrations.0062_terms_of_the_past").keep(apps)
    with _on(20):
        for days, due in ((4, {14, 365}), (6, {60, 90, 365}), (8, {9, 60, 90}), (9, {70, 95})):
            items = services.open_at(_day(days), Customer.objects.all())
            assert {one.due_date for one in items} == {_day(one) for one in due}
            agrees(_day(days))
    assert set(Instalment.objects.values_list("agreed_on", flat=True)) == {_day(9)}
