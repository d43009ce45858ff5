"""Every report's totals against SQL of this test's own, and against the documents behind them.

Over a small book with something of everything; with GENERATED_ORDERS=100000, on PostgreSQL, over as many orders beside it.
"""

# ruff: noqa: S608  # the SQL is put together of what stands in this file

import os
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.management import call_command
from django.db import connection
from django.http import QueryDict

from ordermgmt.accounts.services import system_user
from reports.services import compute_report, report_by_key
from tests.reports.book import make_book, make_work

pytestmark = pytest.mark.django_db
_SOLD = "FROM orders_order o WHERE o.state NOT IN ('draft', 'cancelled')"
_LINES = "FROM orders_orderline l JOIN orders_order o ON o.id = l.order_id WHERE o.state NOT IN ('draft', 'cancelled')"
_DUE = "(l.quantity - l.qty_cancelled)"
_TOP = "CASE WHEN l.list_price > l.unit_price THEN l.list_price ELSE l.unit_price END"
_AGREED = f"ROUND({_DUE} * l.unit_price * (100 - l.discount_percent) / 100.0, 4)"
_PROMISED = f"SELECT COUNT(*) {_SOLD} AND o.promised_date IS NOT NULL"
_CAME = (
    "COALESCE((SELECT MAX(COALESCE(s.delivered_on, DATE(s.shipped_at))) FROM fulfilment_shipment s WHERE s.order_id = o.id), "
    "o.arrived_on)"
)
_RUNS, _OVER = "o.state IN ('placed', 'in_production')", "o.state NOT IN ('placed', 'in_production')"
_TODAY = "DATE(CURRENT_TIMESTAMP)"
_FIRST = (
    f"SELECT COUNT(*) {_SOLD} AND NOT EXISTS (SELECT 1 FROM orders_order e WHERE e.customer_id = o.customer_id "
    "AND e.state NOT IN ('draft', 'cancelled') AND (e.order_date < o.order_date OR (e.order_date = o.order_date AND e.id < o.id)))"
)
_EXAMINED = "FROM fulfilment_acceptance a WHERE a.round = 1"
_DONE = "FROM fulfilment_rectification r WHERE r.state = 'done' AND r.remedy <> 'concession'"
_OF_SOLD = "IN (SELECT o.id FROM orders_order o WHERE o.state NOT IN ('draft', 'cancelled'))"
_OWED = (
    "FROM billing_instalment i JOIN billing_invoice v ON v.id = i.invoice_id WHERE v.state <> 'draft' AND i.open > 0"
)
_ON_PLAN = (
    "FROM billing_instalment i JOIN billing_instalmentplan p ON p.id = i.plan_id JOIN orders_order o ON o.id = p.order_id "
    "WHERE p.is_active AND i.invoice_id IS NULL AND o.state NOT IN ('draft', 'settled', 'cancelled')"
)
_CHARGED = (
    "(SELECT COALESCE(SUM(CASE WHEN c.kind IN ('penalty', 'discount') THEN c.net ELSE -c.net END), 0) "
    f"FROM billing_ordercharge c WHERE c.state = 'accepted' AND c.order_id {_OF_SOLD})"
)
_RISKED = (
    f"(SELECT COALESCE(SUM(k.cost), 0) FROM fulfilment_risk k WHERE k.state = 'happened' AND k.order_id {_OF_SOLD})"
)
_REWORKED = f"(SELECT COALESCE(SUM(r.cost), 0) {_DONE} AND r.order_id {_OF_SOLD})"
_EXTRA = (
    "(SELECT COALESCE(SUM(a.cost), 0) FROM changes_assessment a JOIN changes_changerequest c ON c.id = a.change_id "
    f"WHERE c.state = 'applied' AND NOT a.is_void AND c.order_id {_OF_SOLD})"
)

_JUDGED = (
    "(SELECT COALESCE(SUM(c.net_change - CAST(c.impact ->> 'cost' AS NUMERIC)), 0) FROM changes_changerequest c "
    f"WHERE c.state = 'applied' AND c.order_id {_OF_SOLD})"
)
_STEPPED = "(SELECT 1 FROM orders_orderstep s WHERE s.order_id = o.id AND s.target = 'placed')"

#: Report, sections, column: the sum over the rows of each of the sections equals the SQL.
CHECKS = [
    ("orders", "by_state by_year by_month by_customer by_owner by_channel", "count", "SELECT COUNT(*) FROM orders_order"),
    ("orders", "by_state by_year by_month by_customer by_owner by_channel", "net", "SELECT SUM(net_total) FROM orders_order"),
    ("orders", "by_product", "net", "SELECT SUM(net) FROM orders_orderline"),
    ("orders", "stays", "count", "SELECT COUNT(*) FROM orders_orderstep WHERE source <> ''"),
    ("orders", "waiting", "count", "SELECT COUNT(*) FROM orders_order WHERE state NOT IN ('settled', 'cancelled')"),
    (
        "orders", "backlog", "rest",
        f"SELECT SUM(ROUND(l.net * 1.0 * ({_DUE} - l.qty_shipped) / {_DUE}, 2)) FROM orders_orderline l "
        "JOIN orders_order o ON o.id = l.order_id WHERE o.state IN ('placed', 'in_production')",
    ),
    ("orders", "quotations quotations_by_owner", "count", "SELECT COUNT(*) FROM orders_order WHERE origin = 'entered'"),
    (
        "orders", "quotations quotations_by_owner", "won",
        "SELECT COUNT(DISTINCT s.order_id) FROM orders_orderstep s JOIN orders_order o ON o.id = s.order_id "
        "WHERE s.target = 'placed' AND o.origin = 'entered'",
    ),
    (
        "orders", "quotations quotations_by_owner", "expired",
        f"SELECT COUNT(*) FROM orders_order o WHERE o.state = 'draft' AND o.valid_until < {_TODAY} AND o.origin = 'entered'",
    ),
    (
        "orders", "quotations quotations_by_owner", "won_net",
        f"SELECT SUM(o.net_total) FROM orders_order o WHERE o.origin = 'entered' AND EXISTS {_STEPPED}",
    ),
    ("sales", "by_year by_month by_region by_channel by_owner by_customer new_customers", "net", f"SELECT SUM(net_total) {_SOLD}"),
    ("sales", "by_year by_month by_region by_channel by_owner by_customer", "margin", f"SELECT SUM(net_total - cost_total) {_SOLD}"),
    ("sales", "by_year by_month by_region by_channel by_owner by_customer new_customers", "gross", f"SELECT SUM(gross_total) {_SOLD}"),
    ("sales", "new_customers", "count of new customers", _FIRST),
    ("sales", "by_customer", "invoiced", f"SELECT SUM(invoiced_total) {_SOLD}"),
    ("sales", "by_customer", "outstanding", f"SELECT SUM(gross_total - paid_total) {_SOLD}"),
    ("sales", "discounts by_group by_category by_product", "net", f"SELECT SUM(net) {_LINES}"),
    ("sales", "discounts by_group by_category by_product", "before", f"SELECT SUM(ROUND({_DUE} * {_TOP}, 4)) {_LINES}"),
    ("sales", "discounts by_category", "discount", f"SELECT SUM(ROUND({_DUE} * {_TOP}, 4) - {_AGREED}) {_LINES}"),
    ("sales", "discounts by_category", "rounding", f"SELECT SUM(net - {_AGREED}) {_LINES}"),
    ("sales", "by_category by_product", "cost", f"SELECT SUM({_DUE} * COALESCE(unit_cost, 0)) {_LINES}"),
    (
        "profit", "by_order by_month by_customer", "margin",
        f"SELECT SUM(o.net_total - o.cost_total) - {_CHARGED} - {_RISKED} - {_REWORKED} - {_EXTRA} {_SOLD}",
    ),
    (
        "profit", "by_order by_month by_customer", "contract",
        "SELECT SUM(o.net_total) - (SELECT SUM(net_change) FROM changes_changerequest WHERE state = 'applied') " + _SOLD,
    ),
    ("profit", "reasons", "amount", f"SELECT {_JUDGED} - {_CHARGED} - {_RISKED} - {_REWORKED} - {_EXTRA}"),
    ("profit", "by_order by_month by_customer", "difference", f"SELECT {_JUDGED} - {_CHARGED} - {_RISKED} - {_REWORKED} - {_EXTRA}"),
    ("delivery", "on_time by_customer by_region", "count", _PROMISED),
    ("delivery", "on_time by_customer by_region", "late", f"{_PROMISED} AND {_OVER} AND {_CAME} > o.promised_date"),
    ("delivery", "late", "count", f"{_PROMISED} AND {_OVER} AND {_CAME} > o.promised_date"),
    ("delivery", "on_time by_customer by_region", "in_time", f"{_PROMISED} AND {_OVER} AND {_CAME} <= o.promised_date"),
    ("delivery", "on_time by_customer by_region", "overdue", f"{_PROMISED} AND {_RUNS} AND o.promised_date < {_TODAY}"),
    ("delivery", "overdue", "count", f"{_PROMISED} AND {_RUNS} AND o.promised_date < {_TODAY}"),
    ("delivery", "on_time by_customer by_region", "coming", f"{_PROMISED} AND {_RUNS} AND o.promised_date >= {_TODAY}"),
    (
        "delivery", "scores", "count",
        "SELECT COUNT(*) FROM fulfilment_feedback f JOIN orders_order o ON o.id = f.order_id WHERE f.score IS NOT NULL "
        f"AND o.promised_date IS NOT NULL AND ({_CAME} IS NOT NULL OR {_RUNS} AND o.promised_date < {_TODAY})",
    ),
    ("quality", "first_round", "count", f"SELECT COUNT(DISTINCT a.order_id) {_EXAMINED}"),
    (
        "quality", "first_round", "failed",
        f"SELECT COUNT(DISTINCT a.order_id) {_EXAMINED} AND EXISTS (SELECT 1 FROM fulfilment_acceptanceline l "
        "WHERE l.acceptance_id = a.id AND l.rejected > 0)",
    ),
    ("quality", "defects by_remedy by_product cost", "count", "SELECT COUNT(*) FROM fulfilment_rectification"),
    ("quality", "defects by_remedy by_product cost", "quality_cost", f"SELECT SUM(r.cost) {_DONE}"),
    ("quality", "satisfaction", "satisfied_count", "SELECT COUNT(*) FROM fulfilment_feedback WHERE score >= 4"),
    ("quality", "satisfaction scores", "count", "SELECT COUNT(*) FROM fulfilment_feedback"),
    ("changes", "by_reason by_state by_source by_month by_customer", "count", "SELECT COUNT(*) FROM changes_changerequest WHERE state <> 'draft'"),
    (
        "changes", "by_reason by_state by_source by_month by_customer", "value",
        "SELECT SUM(net_change) FROM changes_changerequest WHERE state = 'applied'",
    ),
    (
        "changes", "by_reason by_state by_source by_month by_customer", "asked",
        "SELECT SUM(net_change) FROM changes_changerequest WHERE state <> 'draft'",
    ),
    ("risks", "by_category by_level by_state orders", "open", "SELECT COUNT(*) FROM fulfilment_risk WHERE state = 'open'"),
    ("risks", "by_category by_level by_state orders", "lost", "SELECT SUM(days) FROM fulfilment_risk"),
    ("risks", "by_category by_level by_state orders", "count", "SELECT COUNT(*) FROM fulfilment_risk"),
    ("risks", "by_category by_level by_state orders", "paid", "SELECT SUM(cost) FROM fulfilment_risk"),
    ("receivables", "forecast by_customer", "owed", f"SELECT SUM(i.open) {_OWED}"),
    ("receivables", "forecast by_customer", "planned", f"SELECT SUM(i.open) {_ON_PLAN}"),
    ("receivables", "aged", "open", f"SELECT SUM(i.open) {_OWED}"),
    ("receivables", "forecast by_customer", "sum", f"SELECT (SELECT SUM(i.open) {_OWED}) + (SELECT SUM(i.open) {_ON_PLAN})"),
    ("suppliers", "by_supplier by_month by_product", "count", "SELECT COUNT(*) FROM inventory_purchaseline WHERE first_promised_on IS NOT NULL"),
    ("suppliers", "by_supplier by_month by_product", "late_days", "SELECT SUM(days_late) FROM inventory_purchaseline WHERE days_late > 0"),
    ("suppliers", "by_supplier by_month by_product", "awaited", "SELECT COUNT(*) FROM inventory_purchaseline WHERE first_promised_on IS NOT NULL AND days_late IS NULL"),
    (
        "suppliers", "by_supplier by_month by_product", "late",
        "SELECT COUNT(*) FROM inventory_purchaseline WHERE days_late > 0",
    ),
    ("capacity", "by_centre by_month", "minutes", "SELECT SUM(minutes) FROM fulfilment_capacitybooking"),
]  # fmt: skip
_FILTERS = {
    "suppliers": {"date_from": "2020-01-01", "date_to": "2029-01-01"},
    "capacity": {"date_from": "2025-01-01", "date_to": "2029-01-01"},
}


#: Of so many rows of a section the documents are looked up; of more every so many.
FOLLOWED = 60


@pytest.fixture
def book() -> int:
    """A book with something of everything, beside as many generated orders as are wanted."""
    wanted = int(os.environ.get("GENERATED_ORDERS") or 0)
    if wanted:
        call_command("generate_orders", orders=wanted, verbosity=0)
    make_book()
    make_work()
    return wanted


def _made(report: str, user: Any) -> dict[str, Any]:
    found: dict[str, Any] = compute_report(report, _FILTERS.get(report, {}), user=user)["sections"]
    return found


def _sum(section: dict[str, Any], column: str) -> Decimal:
    if column == "count of new customers":
        return sum((Decimal(row["count"]) for row in section["rows"] if "new customers" in row["label"]), Decimal(0))
    return sum((Decimal(line[column]) for line in section["totals"]), Decimal(0))


def test_totals_equal_sql_of_its_own(book: int) -> None:
    made: dict[str, Any] = {}
    wrong = []
    for report, sections, column, sql in CHECKS:
        if report not in made:
            made[report] = _made(report, system_user())
        with connection.cursor() as cursor:
            cursor.execute(sql)
            wanted = Decimal(str(cursor.fetchone()[0] or 0)).quantize(Decimal("0.01"))
        assert wanted, f"{report} {column} proves nothing: {sql}"
        for key in sections.split():
            found = _sum(made[report][key], column).quantize(Decimal("0.01"))
            if found != wanted:
                wrong.append((report, key, column, found, wanted))
    assert not wrong
    assert made["sales"]["by_month"]["totals"][0]["count"] > book * 0.7


def test_totals_equal_the_documents_behind_the_rows(book: int) -> None:
    """Each row is the sum of its documents, and all rows together are the total."""
    for key in sorted({one[0] for one in CHECKS}):
        assert _followed(key, system_user()) >= 3, key


def _followed(key: str, user: Any) -> int:
    """How many rows of a report were followed to their documents, each of them equal to their sum."""
    form = report_by_key(key).form(data=_FILTERS.get(key, {}))
    assert form.is_valid()
    made = _made(key, user)
    followed = 0
    for section in (one for one in report_by_key(key).sections if one.group):
        names = [
            one.key
            for one in section.columns_for(user)
            if one.kind in ("count", "amount") and one.key in section.group.facts.figures
        ]
        rows = made[section.key]["rows"]
        behind = dict.fromkeys(names, Decimal(0))
        for row in [one for one in rows if one["link"]][:: max(1, len(rows) // FOLLOWED)]:
            documents = section.group.behind(user, form.cleaned_data, QueryDict(urlsplit(row["link"]).query))
            (sums,) = section.group.sums(documents)
            for name in names:
                assert _cents(sums[name]) == _cents(row[name]), (key, section.key, name, row)
                behind[name] += Decimal(sums[name] or 0)
            followed += 1
        if len(rows) < 2 * FOLLOWED and all(row["link"] for row in rows):
            assert {name: _cents(one) for name, one in behind.items()} == {
                name: _cents(_sum(made[section.key], name)) for name in names
            }, (key, section.key)
    return followed


def _cents(value: Any) -> Decimal:
    return Decimal(value or 0).quantize(Decimal("0.01"))
