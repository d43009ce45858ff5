# ruff: noqa: E402  (Django must be set up before the models are imported)
"""What a change of a long order costs: impact and application, times and queries, beside the bare SQL that rewrites it.

    DATABASE_URL=postgres://… make bench ARGS="changes [lines]"

Runs in a transaction that is rolled back; needs the demo company's people (or `manage.py generate_orders` before).
"""

import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ordermgmt.settings")

import django

django.setup()

import logging
from decimal import Decimal

from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from changes.models import ChangeReason
from changes.services import (
    Op,
    approve_change,
    assess_change,
    impact_of,
    next_step,
    raise_change,
    record_consent,
    submit_change,
)
from changes.services.applying import apply_change
from customers.models import Customer
from ordermgmt.accounts.roles import Role
from ordermgmt.accounts.services import system_user, users_with_role
from ordermgmt.company.services import business_today
from orders.models import Order
from orders.services import import_order

logging.disable(logging.CRITICAL)


def measured(work):
    """What it gives, its milliseconds and its number of queries."""
    with CaptureQueriesContext(connection) as asked:
        started = time.perf_counter()
        found = work()
        spent = (time.perf_counter() - started) * 1000
    return found, spent, len(asked)


def long_order(lines: int) -> Order:
    rows = [
        {"description": f"Part {n}", "quantity": Decimal(2), "unit_price": Decimal(100), "supply": "make"}
        for n in range(lines)
    ]
    today = business_today()
    order = import_order(
        customer=Customer.objects.first(), state="in_production", lines=rows, actor=system_user(),
        source_key=f"bench:{time.time_ns()}", order_date=today, promised_date=today,
    )  # fmt: skip
    return Order.objects.select_related("tax_profile", "customer").get(pk=order.pk)


def measure(lines: int) -> list[tuple[str, float, int]]:
    order, system = long_order(lines), system_user()
    keys = [line.pk for line in order.order_lines]
    operations = [Op("quantity", pk, "3") for pk in keys]
    started = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM orders_orderline WHERE order_id = %s ORDER BY position", [order.pk])
        cursor.fetchall()
    bare_read = (time.perf_counter() - started) * 1000
    loaded = Order.objects.select_related("tax_profile", "customer").get(pk=order.pk)
    _impact, impact, impact_queries = measured(lambda: impact_of(loaded, operations))
    change = raise_change(order, reason=ChangeReason.objects.first(), operations=operations, text="bench", actor=system)
    submit_change(change, actor=system)
    judge, *others = list(users_with_role(Role.PM))
    for aspect in ("cost", "schedule", "quality"):
        assess_change(change, aspect=aspect, level="none", actor=judge)
    while (step := next_step(type(change).objects.get(pk=change.pk))) is not None:
        approve_change(change, actor=users_with_role(Role(step.role)).exclude(pk=judge.pk).first())
    record_consent(change, given_by="bench", given_on=business_today(), evidence="bench", actor=system)
    _applied, spent, queries = measured(lambda: apply_change(change, actor=(others or [judge])[0]))
    started = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE orders_orderline SET qty_produced = qty_produced WHERE order_id = %s", [order.pk])
    bare_write = (time.perf_counter() - started) * 1000
    return [
        ("bare read of the lines", bare_read, 1),
        ("impact", impact, impact_queries),
        ("bare update of the lines", bare_write, 1),
        ("apply", spent, queries),
    ]


def main(lines: int) -> None:
    for count in (max(lines // 10, 1), lines):
        with transaction.atomic():
            for name, spent, queries in measure(count):
                print(f"{count:6} lines  {name:26} {spent:9.1f} ms  {queries:4} queries")
            transaction.set_rollback(True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
