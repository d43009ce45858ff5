"""An amendment says which line was the last one before it; no other column of a line than what a change asks for moves under it."""

from django.db import migrations, models

from ordermgmt.lib.database import RefuseCases, RefuseWhen, RefuseWhere

OPEN = (
    "EXISTS (SELECT 1 FROM orders_order AS o JOIN orders_orderamendment AS a ON a.order_id = o.id "
    "AND a.version = o.version + 1 WHERE o.id = OLD.order_id AND o.state <> 'draft')"
)
KEPT = ("position", "product_id", "unit", "tax_category", "tax_rate", "supply")


class Migration(migrations.Migration):
    dependencies = [("orders", "0060_extended")]

    operations = [
        migrations.AddField("orderamendment", "last_position", models.PositiveIntegerField(null=True)),
        RefuseWhere(
            "orders_orderamendment", "orders_orderamendment_after_last", "INSERT",
            "NEW.last_position IS NULL OR NEW.last_position <> "
            "(SELECT COALESCE(MAX(l.position), 0) FROM orders_orderline AS l WHERE l.order_id = NEW.order_id)",
            "an amendment says which line is the last before it",
        ),
        RefuseWhen(
            "orders_orderline", "orders_orderline_of_one_order", "UPDATE", "OLD.order_id IS DISTINCT FROM NEW.order_id",
            "a line stays with its order",
        ),
        RefuseCases(
            "orders_orderline", "orders_orderline_stays_under_amendment", "UPDATE",
            [(" OR ".join(f"OLD.{name} IS DISTINCT FROM NEW.{name}" for name in KEPT), OPEN)],
            "what a line is and where it stands is not amended",
        ),
        RefuseWhere(
            "orders_orderline", "orders_orderline_kept_under_amendment", "DELETE", OPEN,
            "a line that goes stays as cancelled",
        ),
    ]  # fmt: skip
