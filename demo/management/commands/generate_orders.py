"""`manage.py generate_orders --orders 100000`: a big order book for measuring, made by SQL in sets (PostgreSQL only)."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction
from django.utils import timezone

from demo.services import make_staff
from ordermgmt.accounts.roles import Role
from ordermgmt.accounts.services import system_user, users_with_role
from ordermgmt.company.services import business_today, default_seller
from reports.services import mark_all, refresh_sums

# Whole prices and quantities, one tax rate of 19 %: SQL reaches the same cents as the one calculation.
_CUSTOMERS = """
INSERT INTO customers_customer (number, kind, name, legal_name, tax_id, country, email, phone, website, segment, grade,
  channel, tags, currency, language, payment_days, early_mode, is_active, note, version, created_at, owner_id, team_id, search_text)
SELECT %(batch)s || '-C' || n, 'company', name, '', '', country, '', '', '', '', '', '', '[]', 'EUR', 'en', 30, 'included', true, '', 1,
  now(), %(owner)s, %(team)s, lower(%(batch)s || '-C' || n || E'\n' || name)
FROM (SELECT n, CASE WHEN n %% 2 = 0 THEN (ARRAY['北京','上海','广州','深圳','杭州','成都'])[1 + n %% 6]
    || (ARRAY['宏达','天成','华兴','远大','金桥'])[1 + n %% 5] || (ARRAY['机械','电子','贸易','科技'])[1 + n %% 4] || '有限公司' || n
  ELSE (ARRAY['Nord','Alpen','Hansa','Rhein','Berg'])[1 + n %% 5] || (ARRAY['werk','tech','bau','handel'])[1 + n %% 4]
    || ' GmbH ' || n END AS name, CASE WHEN n %% 2 = 0 THEN 'CN' ELSE 'DE' END AS country
  FROM generate_series(1, %(customers)s) AS n) AS made
"""
_PRODUCTS = """
INSERT INTO inventory_product (sku, name, description, kind, unit_id, list_price, currency, cost, tax_category, is_active,
  is_stocked, reorder_point, lead_days, version, created_at, search_text)
SELECT %(batch)s || '-P' || n, (ARRAY['Pump','Valve','Pipe','水泵','阀门','钢管'])[1 + n %% 6] || ' ' || n, '', 'goods',
  (SELECT id FROM inventory_unit WHERE code = 'pcs'), 10 + n %% 90, 'EUR', 5 + n %% 40, 'S', true, false, 0, 14, 1, now(),
  lower(%(batch)s || '-P' || n || E'\n' || (ARRAY['Pump','Valve','Pipe','水泵','阀门','钢管'])[1 + n %% 6] || ' ' || n)
FROM generate_series(1, 500) AS n
"""
_DRAFTED = """
CREATE TEMP TABLE made_orders ON COMMIT DROP AS
SELECT n, customer.id AS customer_id, customer.name AS customer_name,
  %(today)s::date - (hashint4(n) & 2147483647) %% 1500 AS day,
  (ARRAY['draft','placed','in_production','shipped','accepted','accepted','accepted','accepted','accepted','cancelled'])
    [1 + (hashint4(n * 7) & 2147483647) %% 10] AS state
FROM generate_series(1, %(orders)s) AS n
JOIN customers_customer AS customer ON customer.number = %(batch)s || '-C' || (1 + (hashint4(n * 3) & 2147483647) %% %(customers)s);
CREATE TEMP TABLE made_lines ON COMMIT DROP AS
SELECT n, position, product.id AS product_id, product.name, product.sku, product.list_price AS price, product.cost,
  1 + (hashint4(n * 31 + position) & 2147483647) %% 20 AS quantity, state IN ('shipped', 'accepted') AS shipped, state = 'accepted' AS accepted
FROM made_orders CROSS JOIN LATERAL generate_series(1, 3 + n %% 5) AS position
JOIN inventory_product AS product ON product.sku = %(batch)s || '-P' || (1 + (hashint4(n * 13 + position) & 2147483647) %% 500);
"""
_ORDERS = """
INSERT INTO orders_order (number, customer_id, customer_name, owner_id, team_id, project_manager_id, kind, currency,
  language, customer_reference, order_date, promised_date, revision, seller_id, tax_profile_id, payment_days,
  billing_address, delivery_address, terms, note, acceptance_criteria, state, version, origin, source_key, on_hold,
  hold_reason, is_stock_only, net_total, tax_total, gross_total, cost_total, search_text, created_at, changed_at,
  deposit_due, deposit_waived, charges_total, retained_total, invoiced_total, paid_total, draft_invoices, open_changes, pending_changes, unread_changes, acceptance_round, region, channel, arrived_on)
SELECT %(batch)s || '-' || n, customer_id, customer_name, %(owner)s, %(team)s, %(pm)s, 'goods', 'EUR', 'en', 'PO-' || n, day,
  day + 30, 1, %(seller)s, %(profile)s, 30, '', '', '', '', 'as described', state, 1, 'imported', %(batch)s || ':' || n,
  n %% 97 = 0 AND state = 'placed', CASE WHEN n %% 97 = 0 AND state = 'placed' THEN 'waiting for papers' ELSE '' END,
  false, net, round(net * 0.19, 2), net + round(net * 0.19, 2), cost,
  lower(%(batch)s || '-' || n || E'\n' || customer_name || E'\nPO-' || n || E'\n' || texts), day, day, 0, false, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  (ARRAY['North','South','East','West','华东','西南'])[1 + customer_id %% 6], (ARRAY['direct','web','partner','fair'])[1 + n %% 4],
  CASE WHEN state = 'accepted' THEN LEAST(day + 25 + n %% 11, %(today)s::date) END
FROM made_orders JOIN (SELECT n, sum(price * quantity) AS net, sum(cost * quantity) AS cost,
  string_agg(sku || E'\n' || name, E'\n' ORDER BY position) AS texts FROM made_lines GROUP BY n) AS totals USING (n)
"""
_LINES = """
INSERT INTO orders_orderline (order_id, position, product_id, description, specification, unit, quantity, list_price,
  unit_price, discount_percent, tax_category, tax_rate, net, unit_cost, supply, qty_cancelled, qty_reserved, qty_produced,
  qty_shipped, qty_accepted, qty_rejected, qty_returned, qty_invoiced, qty_credited)
SELECT made.id, position, product_id, name, '{}', 'pcs', quantity, price, price, 0, 'S', 19, price * quantity, cost, 'make',
  0, 0, 0, CASE WHEN shipped THEN quantity ELSE 0 END, CASE WHEN accepted THEN quantity ELSE 0 END, 0, 0, 0, 0
FROM made_lines JOIN orders_order AS made ON made.number = %(batch)s || '-' || n
"""
_HISTORY = """
INSERT INTO orders_orderstep (order_id, source, target, at, actor_id)
SELECT id, '', state, created_at, %(system)s FROM orders_order WHERE source_key LIKE %(batch)s || ':%%';
INSERT INTO orders_orderversion (order_id, version, content, content_hash, at, actor_id)
SELECT id, 1, content, encode(sha256(convert_to(content::text, 'UTF8')), 'hex'), created_at, %(system)s
FROM (SELECT made.id, made.created_at, jsonb_build_object('header', jsonb_build_object('number', made.number,
    'customer_id', made.customer_id, 'currency', made.currency, 'gross_total', made.gross_total::text), 'lines',
    jsonb_agg(jsonb_build_object('position', line.position, 'description', line.description, 'quantity', line.quantity::text,
      'unit_price', line.unit_price::text, 'net', line.net::text) ORDER BY line.position)) AS content
  FROM orders_order AS made JOIN orders_orderline AS line ON line.order_id = made.id
  WHERE made.source_key LIKE %(batch)s || ':%%' GROUP BY made.id) AS kept;
INSERT INTO activity_event (type, subject_type, subject_id, root_type, root_id, at, request_id, source, data, actor_id)
SELECT 'orders.imported', 'orders.order', id, 'orders.order', id, created_at, '', 'command',
  jsonb_build_object('state', state), %(system)s FROM orders_order WHERE source_key LIKE %(batch)s || ':%%';
INSERT INTO customers_customerbalance (customer_id, currency, ordered, invoiced, paid)
SELECT customer_id, 'EUR', sum(gross_total), 0, 0 FROM orders_order
WHERE source_key LIKE %(batch)s || ':%%' AND state NOT IN ('draft', 'cancelled') GROUP BY customer_id;
"""


class Command(BaseCommand):
    help = "Makes a big order book by SQL in sets, for measuring; PostgreSQL only."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--orders", type=int, default=100_000, help="how many orders (default 100000)")

    def handle(self, *args: Any, **options: Any) -> None:
        if connection.vendor != "postgresql":
            raise CommandError("generate_orders works in sets on PostgreSQL; the demo company suits SQLite")
        count = options["orders"]
        if count < 1:
            raise CommandError("--orders takes a number above zero")
        if not users_with_role(Role.SALES).exists():
            make_staff()  # somebody has to own the orders
        owner = users_with_role(Role.SALES)[0]
        pm = users_with_role(Role.PM).first()
        seller = default_seller()
        names = {
            "batch": f"G{timezone.now():%y%m%d%H%M%S}",
            "orders": count,
            "customers": max(count // 50, 10),
            "owner": owner.pk,
            "team": owner.team_id,
            "pm": pm.pk if pm else None,
            "seller": seller.pk,
            "profile": seller.tax_profile_id,
            "system": system_user().pk,
            "today": business_today(),
        }
        started = timezone.now()
        with transaction.atomic(), connection.cursor() as cursor:
            for sql in (_CUSTOMERS, _PRODUCTS, *_DRAFTED.split(";")[:2], _ORDERS, _LINES, *_HISTORY.split(";")[:4]):
                cursor.execute(sql, names)
                self.stdout.write(f"{cursor.rowcount} rows")
        mark_all()
        refresh_sums()
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        self.stdout.write(
            f"{count} orders in {(timezone.now() - started).total_seconds():.0f} s, batch {names['batch']}"
        )
