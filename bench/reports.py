# ruff: noqa: E402  (Django must be set up before the models are imported)
"""Monthly sales and profit over a big order book: from the daily sums, from the documents, and the bare SQL aggregate.

    DATABASE_URL=postgres://… make bench ARGS="reports [orders [rounds]]"

Give it a database of its own: it fills the book up to the wanted number of orders (without lines and history) by SQL.
The last lines are files of 100,000 orders, with the memory that their process took.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ordermgmt.settings")

import django

django.setup()

import logging

from django.conf import settings
from django.db import connection
from django.test import Client

from bench.orders import times
from ordermgmt.accounts.models import Team
from ordermgmt.accounts.roles import Role
from ordermgmt.accounts.services import users_with_role
from ordermgmt.company.services import business_today, default_seller
from orders.models import Order
from reports.models import ReportRun
from reports.services import check_sums, compute_report, mark_all, refresh_sums, report_by_key
from reports.services.summed import summed_rows

logging.disable(logging.CRITICAL)

_ORDERS = """
INSERT INTO orders_order (number, customer_id, customer_name, owner_id, team_id, kind, currency, language,
  customer_reference, order_date, promised_date, revision, seller_id, tax_profile_id, payment_days, billing_address,
  delivery_address, terms, note, acceptance_criteria, state, version, origin, source_key, on_hold, hold_reason,
  is_stock_only, net_total, tax_total, gross_total, cost_total, search_text, created_at, changed_at, deposit_due,
  deposit_waived, charges_total, retained_total, invoiced_total, paid_total, draft_invoices, open_changes,
  pending_changes, unread_changes, acceptance_round)
SELECT 'B' || n, customer.id, customer.name, (%(owners)s::bigint[])[1 + h %% %(people)s], (%(teams)s::bigint[])[1 + h %% %(groups)s],
  'goods', CASE WHEN h %% 10 = 0 THEN 'USD' ELSE 'EUR' END, 'en', '', %(today)s::date - h %% 1500, %(today)s::date - h %% 1500 + 30, 1,
  %(seller)s, %(profile)s, 30, '', '', '', '', 'as described',
  (ARRAY['draft','placed','in_production','shipped','accepted','accepted','accepted','accepted','accepted','cancelled'])[1 + h %% 10],
  1, 'imported', 'B:' || n, false, '', false, net, round(net * 0.19, 2), net + round(net * 0.19, 2), net - h %% 90, 'b' || n,
  now(), now(), 0, false, 0, 0, 0, 0, 0, 0, 0, 0, 0
FROM (SELECT n, hashint4(n) & 2147483647 AS h, 100 + (hashint4(n * 7) & 2147483647) %% 9000 AS net FROM generate_series(%(first)s, %(last)s) AS n) AS made
CROSS JOIN (SELECT id, name FROM customers_customer ORDER BY id LIMIT 1) AS customer
"""
_BARE = """
SELECT date_trunc('month', order_date), currency, count(*), sum(net_total), sum(gross_total), sum(cost_total),
  sum(net_total - cost_total) FROM orders_order WHERE state NOT IN ('draft', 'cancelled') GROUP BY 1, 2 ORDER BY 1, 2
"""


@contextmanager
def without_indexes() -> Iterator[None]:
    """The order table without the indexes that are no rule: they are made again at the end, which is much quicker."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'orders_order' AND indexname NOT IN (SELECT conname FROM pg_constraint)"
        )
        found = cursor.fetchall()
        for name, _made in found:
            cursor.execute(f'DROP INDEX "{name}"')
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SET maintenance_work_mem = '256MB'")
            for _name, made in found:
                cursor.execute(made)


def fill(wanted: int) -> None:
    """More orders until there are as many as wanted, and the sums of all days."""
    have, started = Order.objects.count(), time.perf_counter()
    if have < wanted:
        with without_indexes():
            insert(have + 1, wanted)
    print(f"{max(have, wanted):,} orders, made in {time.perf_counter() - started:.0f} s")
    started, days = time.perf_counter(), mark_all()
    refresh_sums()
    print(f"sums of {days:,} days made anew in {time.perf_counter() - started:.1f} s")
    started, check = time.perf_counter(), check_sums()
    print(f"compared with the documents in {time.perf_counter() - started:.1f} s: {check.found} differences")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE orders_order")
        cursor.execute("VACUUM ANALYZE reports_daysum")


def insert(first: int, last: int) -> None:
    """Orders of those numbers, spread over four years, people and teams."""
    people, teams, seller = list(users_with_role(Role.SALES)), list(Team.objects.all()), default_seller()
    values = {
        "owners": [one.pk for one in people], "people": len(people), "teams": [one.pk for one in teams],
        "groups": len(teams), "today": business_today(), "seller": seller.pk, "profile": seller.tax_profile_id,
        "first": first, "last": last,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_ORDERS, values)


def bare() -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(_BARE)
        return cursor.fetchall()


def main(wanted: int, rounds: int) -> None:
    fill(wanted)
    user = users_with_role(Role.FINANCE).first()
    section = next(one for one in report_by_key("sales").sections if one.key == "by_month")
    client = Client(headers={"host": "localhost"})
    client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[-1])
    part = {"date_from": business_today().replace(month=1, day=1).isoformat()}
    run = ReportRun.objects.create(key="sales", params=part, requested_by=user)
    result = compute_report("sales", part, user=user)
    ReportRun.objects.filter(pk=run.pk).update(result=result, finished_at=run.requested_at)
    right = [tuple(row[2:]) for row in bare()]
    cases = {
        "from the documents": lambda: list(section.rows(user, {})),
        "from the daily sums": lambda: list(summed_rows("sales", section, user, {})),
    }
    base, late = times(bare, rounds)
    print(f"{'monthly sales and profit':30} {'median ms':>10} {'p95':>8} {'ratio':>7}")
    print(f"{'bare SQL':30} {base:10.1f} {late:8.1f}")
    for name, work in cases.items():
        found = [tuple(row[one] for one in ("count", "net", "gross", "cost", "margin")) for row in work()]
        if found != right:
            raise SystemExit(f"{name}: other figures than the bare SQL")
        middle, late = times(work, rounds)
        print(f"{name:30} {middle:10.1f} {late:8.1f} {middle / base:7.3f}")
    middle, late = times(lambda: client.get(f"/reports/runs/{run.public_id}/"), rounds)
    print(f"{'page of the kept result':30} {middle:10.1f} {late:8.1f} {middle / base:7.3f}")
    files()


def files() -> None:
    """The profit report with a line per order, as files of some 100,000 lines."""
    sold = Order.objects.exclude(state__in=["draft", "cancelled"]).order_by("-order_date", "-pk")
    first = sold.values_list("order_date", flat=True)[min(100_000, sold.count() - 1)]
    rows = sold.filter(order_date__gte=first).count()
    for file_format in ("csv", "xlsx"):
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / f"report.{file_format}"
            command = [
                sys.executable, "-c",
                "import resource, sys; sys.argv[0] = 'manage.py'; from django.core.management import execute_from_command_line as run;"
                "run(sys.argv); print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)",
                "run_report", "profit", "--section", "by_order", "--param", f"date_from={first}", "--format", file_format,
                "--output", str(target),
            ]  # fmt: skip
            started = time.perf_counter()
            answer = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)  # noqa: S603  # our own program
            seconds, memory = time.perf_counter() - started, int(answer.stdout) / 1024
            size = target.stat().st_size / 1e6
            print(f"{rows:,} rows as {file_format}: {seconds:.0f} s, {size:.1f} MB, {memory:.0f} MiB of memory at most")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000, int(sys.argv[2]) if len(sys.argv) > 2 else 7)
