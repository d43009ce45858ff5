# ruff: noqa: E402  (Django must be set up before the models are imported)
"""What a change of a long order costs: impact and application, times and queries, beside the bare SQL that rewrites it.

    DATABASE_URL=postgres://… make bench ARGS="changes [lines]"

Runs in a transaction that is rolled back; needs the demo company's people (or `manage.py generate_orders` before).
"""

import contextlib
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ordermgmt.settings")

import django

django.setup()

import logging
from decimal import Decimal

from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from changes.models import ChangeReason, ChangeRequest
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
ROUNDS = 7


class Undo(Exception):
    """What was measured is taken back."""


def undone(work: Callable[[], object]) -> float:
    """Its milliseconds; what it wrote is taken back."""
    spent = 0.0
    with contextlib.suppress(Undo), transaction.atomic():
        started = time.perf_counter()
        work()
        spent = (time.perf_counter() - started) * 1000
        raise Undo
    return spent


def measured(work: Callable[[], object], bare: Callable[[], object]) -> tuple[int, float, float]:
    """The number of its queries, and the median milliseconds of it and of the bare SQL, in turns."""
    undone(work)
    with CaptureQueriesContext(connection) as asked:
        undone(work)
    pairs = [(undone(work), undone(bare)) for _ in range(ROUNDS)]
    spent, base = (statistics.median(column) for column in zip(*pairs, strict=True))
    return len(asked) - 2, spent, base  # without the savepoint around it


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


def agreed(order: Order, operations: list[Op]) -> ChangeRequest:
    """A request that everybody who is asked agreed to."""
    system = system_user()
    change = raise_change(order, reason=ChangeReason.objects.first(), operations=operations, text="bench", actor=system)
    submit_change(change, actor=system)
    judge = users_with_role(Role.PM).first()
    for aspect in ("cost", "schedule", "quality"):
        assess_change(change, aspect=aspect, level="none", actor=judge)
    while (step := next_step(ChangeRequest.objects.get(pk=change.pk))) is not None:
        approve_change(change, actor=users_with_role(Role(step.role)).exclude(pk=judge.pk).first())
    record_consent(change, given_by="bench", given_on=business_today(), evidence="bench", actor=system)
    return change


def bare_read(order: Order) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM orders_orderline WHERE order_id = %s ORDER BY position", [order.pk])
        cursor.fetchall()


def bare_write(change: ChangeRequest, keys: list[int]) -> None:
    """The same lines rewritten under the same triggers, and nothing else."""
    order = change.order
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO orders_orderamendment (order_id, version, last_position, source, source_id, at, actor_id) "
            "SELECT %s, %s, MAX(position), 'changes.changerequest', %s, %s, %s FROM orders_orderline WHERE order_id = %s",
            [order.pk, order.version + 1, change.pk, timezone.now(), change.requested_by_id, order.pk],
        )
        cursor.execute("UPDATE orders_orderline SET quantity = 3, net = 300 WHERE id = ANY(%s)", [keys])


def measure(lines: int, touched: int) -> None:
    """Impact and application of a change that touches so many of the lines of an order."""
    order, applier = long_order(lines), users_with_role(Role.PM).last()
    keys = [line.pk for line in order.order_lines[:touched]]
    operations = [Op("quantity", key, "3") for key in keys]

    def read() -> Order:
        return Order.objects.select_related("tax_profile", "customer").get(pk=order.pk)

    show(lines, touched, "impact", measured(lambda: impact_of(read(), operations), lambda: bare_read(order)))
    change = agreed(order, operations)
    found = ChangeRequest.objects.select_related("order").get(pk=change.pk)
    show(
        lines, touched, "apply", measured(lambda: apply_change(change, actor=applier), lambda: bare_write(found, keys))
    )


def show(lines: int, touched: int, name: str, figures: tuple[int, float, float]) -> None:
    queries, spent, base = figures
    print(f"{name:8} {lines:7} {touched:8} {queries:8} {spent:9.1f} {base:9.1f} {spent / base:7.1f}")


def main(lines: int) -> None:
    print(f"median of {ROUNDS} rounds in ms; bare SQL reads the lines, or rewrites those that are touched")
    print(f"{'':8} {'lines':>7} {'touched':>8} {'queries':>8} {'ms':>9} {'bare SQL':>9} {'ratio':>7}")
    for count, touched in ((max(lines // 10, 1), max(lines // 10, 1)), (lines, 3), (lines, lines)):
        with transaction.atomic():
            measure(count, touched)
            transaction.set_rollback(True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
