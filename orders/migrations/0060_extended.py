"""A shipped order of which a change ordered more goes back into production, and only such a one."""

from django.db import migrations

from ordermgmt.lib.database import RefuseWhere, StateEdges

_BEFORE = [
    ("draft", "placed"), ("placed", "in_production"), ("in_production", "shipped"), ("shipped", "accepted"),
    ("shipped", "rectification"), ("rectification", "shipped"), ("accepted", "settled"), ("settled", "accepted"),
    ("draft", "cancelled"), ("placed", "cancelled"), ("in_production", "cancelled"),
]  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [("orders", "0050_open_lines")]

    operations = [
        StateEdges("orders_order", "state", [*_BEFORE, ("shipped", "in_production")], _BEFORE),
        RefuseWhere(
            "orders_order", "orders_order_extended_for_more", "UPDATE",
            "OLD.state = 'shipped' AND NEW.state = 'in_production' AND NOT EXISTS (SELECT 1 FROM orders_orderline AS l "
            "WHERE l.order_id = NEW.id AND l.quantity - l.qty_cancelled > l.qty_shipped)",
            "work goes on for what is not shipped yet",
        ),
    ]  # fmt: skip
