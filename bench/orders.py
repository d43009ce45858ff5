# ruff: noqa: E402  (Django must be set up before the models are imported)
"""Times of the order pages against the bare SQL for the same answer, in one run, with query counts.

    DATABASE_URL=postgres://… make bench ARGS="orders [rounds]"

Make a book first: `manage.py generate_orders --orders 100000`.
"""

import os
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ordermgmt.settings")

import django

django.setup()

import logging

from django.conf import settings
from django.db import connection
from django.db.models import Count
from django.test import Client
from django.test.utils import CaptureQueriesContext

from ordermgmt.accounts.roles import Role
from ordermgmt.accounts.services import users_with_role
from orders.models import Order

logging.disable(logging.CRITICAL)


def times(work, rounds):
    work()
    found = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        found.append((time.perf_counter() - started) * 1000)
    found.sort()
    return statistics.median(found), found[int(len(found) * 0.95) - 1]


def main(rounds: int) -> None:
    user = users_with_role(Role.SALES).first()
    client = Client(headers={"host": "localhost"})
    client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[-1])
    total = Order.objects.count()
    own = Order.objects.filter(owner=user, origin="imported", state="in_production", on_hold=False)
    own = own.alias(size=Count("lines")).filter(size=5).order_by("pk")
    middle = own[own.count() // 2]  # the same kind of order in a small book and in a big one
    customer = middle.customer
    scope = f"(owner_id = {user.pk} OR team_id = {user.team_id})"
    newest = "ORDER BY order_date DESC, id DESC LIMIT 51"
    cases = [
        ("list", "/orders/", f"SELECT * FROM orders_order WHERE {scope} {newest}"),
        (
            "number",
            f"/orders/?q={middle.number}",
            f"SELECT * FROM orders_order WHERE {scope} AND search_text LIKE '%{middle.number.lower()}%' {newest}",
        ),
        (
            "number begins with",
            f"/orders/?number={middle.number[:-1]}",
            f"SELECT * FROM orders_order WHERE {scope} AND number LIKE '{middle.number[:-1]}%' {newest}",
        ),
        (
            "customer, Latin",
            "/orders/?customer=Hansa",
            f"SELECT * FROM orders_order WHERE {scope} AND customer_id IN (SELECT id FROM customers_customer WHERE search_text LIKE '%hansa%') {newest}",
        ),
        (
            "customer, two Chinese signs",
            "/orders/?customer=宏达",
            f"SELECT * FROM orders_order WHERE {scope} AND customer_id IN (SELECT id FROM customers_customer WHERE search_text LIKE '%宏达%') {newest}",
        ),
        (
            "text, Chinese",
            "/orders/?q=水泵 7",
            f"SELECT * FROM orders_order WHERE {scope} AND search_text LIKE '%水泵%' AND search_text LIKE '%7%' {newest}",
        ),
        (
            "state and dates",
            "/orders/?state=placed&ordered_from=2025-01-01",
            f"SELECT * FROM orders_order WHERE {scope} AND state = 'placed' AND order_date >= '2025-01-01' {newest}",
        ),
        (
            "product",
            f"/orders/?product={middle.lines.first().product.sku}",
            f"SELECT * FROM orders_order o WHERE {scope} AND EXISTS (SELECT 1 FROM orders_orderline l WHERE l.order_id = o.id AND l.product_id = {middle.lines.first().product_id}) {newest}",
        ),
        (
            "amount",
            "/orders/?amount_from=1000&amount_to=1100",
            f"SELECT * FROM orders_order WHERE {scope} AND gross_total BETWEEN 1000 AND 1100 {newest}",
        ),
        (
            "late",
            "/orders/?late=yes",
            f"SELECT * FROM orders_order WHERE {scope} AND state IN ('placed', 'in_production') AND promised_date < current_date {newest}",
        ),
        (
            "sorted by total",
            "/orders/?sort=-total",
            f"SELECT * FROM orders_order WHERE {scope} ORDER BY gross_total DESC, id DESC LIMIT 51",
        ),
        (
            "order page",
            f"/orders/{middle.number}/",
            f"SELECT * FROM orders_order o JOIN orders_orderline l ON l.order_id = o.id WHERE o.number = '{middle.number}'",
        ),
        (
            "customer page",
            f"/customers/{customer.number}/",
            f"SELECT * FROM orders_order WHERE customer_id = {customer.pk} ORDER BY order_date DESC, id DESC LIMIT 8",
        ),
        (
            "palette",
            f"/search/palette/?q={middle.number[-6:]}",
            f"SELECT number FROM orders_order WHERE {scope} AND search_text LIKE '%{middle.number[-6:].lower()}%' ORDER BY order_date DESC, id DESC LIMIT 6",
        ),
    ]
    print(f"{total:,} orders, {rounds} rounds, median and 95th percentile in ms")
    print(f"{'page':30} {'queries':>7} {'page':>8} {'p95':>8} {'bare SQL':>9} {'ratio':>7}")
    for name, path, sql in cases:
        client.get(path)  # warm: what a process loads once does not count
        with CaptureQueriesContext(connection) as captured:
            answer = client.get(path)
        queries = len(captured.captured_queries)
        if answer.status_code != 200:
            raise SystemExit(f"{path} answers {answer.status_code}")
        page, late = times(lambda path=path: client.get(path), rounds)

        def bare(sql=sql):
            with connection.cursor() as cursor:
                cursor.execute(sql)
                cursor.fetchall()

        plain, _late = times(bare, rounds)
        print(f"{name:30} {queries:7} {page:8.1f} {late:8.1f} {plain:9.1f} {page / plain:7.1f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
