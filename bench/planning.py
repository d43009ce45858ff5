# ruff: noqa: E402  (Django must be set up before the models are imported)
"""Times and queries of the pages of plan, capacity, late suppliers and risks, beside the bare SQL for the same answer.

    DATABASE_URL=postgres://… make bench ARGS="planning [rounds]"

Make a book first: `manage.py generate_orders --orders 100000`. What it plans and books is rolled back.
"""

import datetime as dt
import os
import sys
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ordermgmt.settings")

import django

django.setup()

import logging

from django.conf import settings
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bench.orders import times
from fulfilment.models import (
    CapacityBooking,
    CentreDay,
    MaterialNeed,
    MaterialSupply,
    Milestone,
    MilestoneLink,
    Risk,
    RoutingStep,
    Shift,
    WorkCentre,
)
from fulfilment.services import promise_lines
from fulfilment.services.capacity import capacities, days_of, monday_of
from inventory.models import Product, PurchaseLine, PurchaseOrder, Supplier, SupplierPrice, Warehouse
from ordermgmt.accounts.models import User
from ordermgmt.accounts.roles import Role
from ordermgmt.accounts.services import users_with_role
from ordermgmt.company.services import business_today
from orders.models import Order, OrderLine

logging.disable(logging.CRITICAL)
CENTRES, WEEKS, PLANNED, PART, LATE = 20, 26, 5000, 120, 2000


def fill(today: dt.date) -> tuple[list[WorkCentre], Order]:
    """Work centres booked for half a year, four milestones on each of the open orders, and one plan of 400."""
    centres = WorkCentre.objects.bulk_create(
        [WorkCentre(code=f"B{n}", name=f"Bench {n}", stations=2) for n in range(CENTRES)]
    )
    Shift.objects.bulk_create(
        [
            Shift(work_centre=one, weekday=day, begins=dt.time(6), ends=dt.time(22))
            for one in centres for day in range(5)
        ]
    )  # fmt: skip
    monday = monday_of(today)
    last = monday + dt.timedelta(days=7 * WEEKS)
    running = [*Order.objects.filter(state__in=["placed", "in_production"]).order_by("pk")[:PLANNED]]
    able = capacities(centres, monday, last)
    slots = [(one, day) for day in days_of(monday, last) for one in centres if able[one.pk, day] >= 8 * PART]
    bookings = [
        CapacityBooking(order=running[(place * 8 + n) % len(running)], work_centre=one, day=day, minutes=PART)
        for place, (one, day) in enumerate(slots) for n in range(8)
    ]  # fmt: skip
    CapacityBooking.objects.bulk_create(bookings, batch_size=2000)
    CentreDay.objects.bulk_create(
        [CentreDay(work_centre=one, day=day, capacity=able[one.pk, day], booked=8 * PART) for one, day in slots]
    )
    kinds = [Milestone.Kind.WORK, Milestone.Kind.MATERIAL, Milestone.Kind.WORK, Milestone.Kind.DELIVERY]
    plan = [
        Milestone(
            order=order, code=f"B{n}", name=f"Step {n}", kind=kind,
            forecast=today + dt.timedelta(days=place % 40 + 7 * n - 9),
        )
        for place, order in enumerate(running) for n, kind in enumerate(kinds)
    ]  # fmt: skip
    made = Milestone.objects.bulk_create(plan, batch_size=2000)
    pairs = [(made[n], made[n + 1]) for n in range(len(made) - 1) if made[n].order_id == made[n + 1].order_id]
    MilestoneLink.objects.bulk_create([MilestoneLink(before=a, after=b) for a, b in pairs], batch_size=2000)
    big = running[0]
    more = [Milestone(order=big, code=f"X{n}", name=f"Step {n}", forecast=today + dt.timedelta(n)) for n in range(400)]
    Milestone.objects.bulk_create(more)
    return centres, big


def be_late(today: dt.date, user: User) -> None:
    """Suppliers, each with late and coming deliveries that orders wait for, and two risks on each of those orders."""
    products = list(Product.objects.filter(kind="goods").order_by("pk")[:LATE])
    warehouse = Warehouse.objects.first()
    suppliers = Supplier.objects.bulk_create(
        [Supplier(number=f"BENCH{n}", name=f"Bench supplier {n}", currency="EUR", lead_days=n % 20) for n in range(40)]
    )
    SupplierPrice.objects.bulk_create(
        [
            SupplierPrice(supplier=suppliers[(place + n) % 40], product=one, price=Decimal(10 + n), currency="EUR")
            for place, one in enumerate(products) for n in range(4)
        ]
    )  # fmt: skip
    orders = PurchaseOrder.objects.bulk_create(
        [
            PurchaseOrder(
                number=f"BENCH-{n}", supplier=suppliers[n % 40], warehouse=warehouse, currency="EUR", created_by=user,
            )
            for n in range(LATE)
        ]
    )  # fmt: skip
    lines = PurchaseLine.objects.bulk_create(
        [
            PurchaseLine(
                order=one, position=1, product=products[n % len(products)], description="Bench", unit="pcs",
                quantity=Decimal(100), most=Decimal(100), unit_price=Decimal(10), net=Decimal(1000),
                promised_on=today + dt.timedelta(days=n % 60 - 15), first_promised_on=today + dt.timedelta(days=n % 60 - 15),
            )
            for n, one in enumerate(orders)
        ]
    )  # fmt: skip
    sent = PurchaseOrder.objects.filter(pk__in=[one.pk for one in orders])
    sent.update(state="ordered", ordered_on=today - dt.timedelta(days=30))
    waiting = OrderLine.objects.filter(order__state__in=["placed", "in_production"], product__isnull=False)
    chosen = list(waiting.order_by("pk")[: LATE * 2])
    MaterialNeed.objects.filter(order_line__in=chosen).delete()
    needs = MaterialNeed.objects.bulk_create(
        [
            MaterialNeed(
                order_id=one.order_id, order_line=one, product=lines[n % LATE].product, path=f"{n}", level=1,
                quantity_per=Decimal(1), required=Decimal(10), on_order=Decimal(10),
                needed_by=today + dt.timedelta(days=n % 30), expected_on=lines[n % LATE].promised_on,
            )
            for n, one in enumerate(chosen)
        ]
    )  # fmt: skip
    MaterialSupply.objects.bulk_create(
        [MaterialSupply(need=one, line=lines[n % LATE], quantity=Decimal(10)) for n, one in enumerate(needs)]
    )
    Risk.objects.bulk_create(
        [
            Risk(
                order_id=key, title=f"Bench {n}", probability=n % 5 + 1, impact=n // 5 % 5 + 1, owner=user,
                review_on=today + dt.timedelta(days=n % 40 - 5),
            )
            for n, key in enumerate(sorted({one.order_id for one in chosen}) * 2)
        ],
        batch_size=2000,
    )  # fmt: skip


def main(rounds: int) -> None:
    with transaction.atomic():
        today = business_today()
        centres, big = fill(today)
        user = users_with_role(Role.PM).first()
        be_late(today, user)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        Order.objects.filter(pk=big.pk).update(project_manager=user)
        client = Client(headers={"host": "localhost"})
        client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[-1])
        monday = monday_of(today)
        days = f"day BETWEEN '{monday}' AND '{monday + dt.timedelta(days=55)}'"
        bare = {
            "capacity": f"SELECT work_centre_id, date_trunc('week', day), sum(booked), sum(capacity) FROM fulfilment_centreday WHERE {days} GROUP BY 1, 2",
            "centre": f"SELECT * FROM fulfilment_capacitybooking b JOIN orders_order o ON o.id = b.order_id WHERE work_centre_id = {centres[0].pk} AND day BETWEEN '{monday}' AND '{monday + dt.timedelta(days=6)}'",
            "board": "SELECT * FROM orders_order WHERE state = 'in_production' ORDER BY promised_date, id LIMIT 41",
            "calendar": f"SELECT * FROM fulfilment_milestone m JOIN orders_order o ON o.id = m.order_id WHERE m.forecast BETWEEN '{monday}' AND '{monday + dt.timedelta(days=34)}' LIMIT 2000",
            "late": f"SELECT l.id FROM inventory_purchaseline l JOIN inventory_purchaseorder p ON p.id = l.order_id WHERE p.state = 'ordered' AND l.open > 0 AND (l.promised_on < '{today}' OR l.promised_on > l.first_promised_on OR EXISTS (SELECT 1 FROM fulfilment_materialsupply s JOIN fulfilment_materialneed n ON n.id = s.need_id WHERE s.line_id = l.id AND s.quantity > 0 AND n.needed_by < l.promised_on)) ORDER BY l.promised_on LIMIT 51",
            "risks": "SELECT r.*, o.number FROM fulfilment_risk r JOIN orders_order o ON o.id = r.order_id ORDER BY r.probability * r.impact DESC, r.id LIMIT 51",
            "plan": f"SELECT * FROM fulfilment_milestone WHERE order_id = {big.pk}",
        }  # fmt: skip
        cases = [
            ("capacity, 8 weeks", "/fulfilment/capacity/", "capacity"),
            ("capacity, 26 weeks", "/fulfilment/capacity/?weeks=26", "capacity"),
            ("work centre, a week", f"/fulfilment/capacity/{centres[0].pk}/", "centre"),
            ("board", "/fulfilment/board/", "board"),
            ("board, at risk", "/fulfilment/board/?show=risk", "board"),
            ("board, waiting for material", "/fulfilment/board/?show=material", "board"),
            ("watch list, late", "/fulfilment/watch/?show=late", "board"),
            ("watch list, at risk", "/fulfilment/watch/?show=risk", "board"),
            ("watch list, material", "/fulfilment/watch/?show=material", "board"),
            ("calendar, a month", "/fulfilment/calendar/", "calendar"),
            ("late suppliers, 50 of them", "/fulfilment/late/", "late"),
            ("risks with the heat map", "/fulfilment/risks/", "risks"),
            ("start page of a planner", "/", "board"),
            ("Gantt, 404 milestones", f"/fulfilment/orders/{big.number}/plan/", "plan"),
        ]
        print(
            f"{Order.objects.count():,} orders, {CapacityBooking.objects.count():,} bookings, {Milestone.objects.count():,} milestones, "
            f"{PurchaseLine.objects.count():,} purchase lines, {Risk.objects.count():,} risks"
        )
        print(f"{rounds} rounds, median and 95th percentile in ms")
        print(f"{'page':30} {'queries':>7} {'page':>8} {'p95':>8} {'bare SQL':>9} {'ratio':>7}")
        for name, path, sql in cases:
            client.get(path)
            with CaptureQueriesContext(connection) as captured:
                answer = client.get(path)
            queries = len(captured.captured_queries)
            if answer.status_code != 200:
                raise SystemExit(f"{path} answers {answer.status_code}")
            page, late = times(lambda path=path: client.get(path), rounds)

            def plain(sql=bare[sql]):
                with connection.cursor() as cursor:
                    cursor.execute(sql)
                    cursor.fetchall()

            base, _late = times(plain, rounds)
            print(f"{name:30} {queries:7} {page:8.1f} {late:8.1f} {base:9.1f} {page / base:7.1f}")
        promised(centres, today, rounds)
        transaction.set_rollback(True)


def promised(centres: list[WorkCentre], today: dt.date, rounds: int) -> None:
    """The promise of an order of 50 made lines over all work centres, as the preview asks it while one types."""
    products = list(Product.objects.order_by("pk")[:50])
    RoutingStep.objects.bulk_create(
        [
            RoutingStep(product=one, position=n + 1, work_centre=centres[(place + n) % CENTRES], unit_hours=Decimal("0.5"))
            for place, one in enumerate(products) for n in range(3)
        ]
    )  # fmt: skip
    lines = [
        OrderLine(position=n, product=one, quantity=Decimal(4), supply="make")
        for n, one in enumerate(products, start=1)
    ]
    with CaptureQueriesContext(connection) as captured:
        promise_lines(lines, today)
    middle, late = times(lambda: promise_lines(lines, today), rounds)
    print(f"{f'promise of {len(lines)} lines':30} {len(captured):7} {middle:8.1f} {late:8.1f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
