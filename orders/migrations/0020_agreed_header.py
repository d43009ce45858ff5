"""What was agreed on the head of a placed order is rewritten only under an amendment, as its lines are."""

from django.db import migrations

from ordermgmt.lib.database import RefuseWhere

AGREED = [
    "customer_id", "currency", "order_date", "requested_date", "seller_id", "tax_profile_id", "payment_days",
    "billing_address", "delivery_address", "terms", "net_total", "tax_total", "gross_total",
]  # fmt: skip
CHANGED = " OR ".join(f"OLD.{name} IS DISTINCT FROM NEW.{name}" for name in AGREED)
#: Until production starts the promised date is set without a change request.
MOVED = "(OLD.state <> 'placed' AND OLD.promised_date IS DISTINCT FROM NEW.promised_date)"


class Migration(migrations.Migration):
    dependencies = [("orders", "0030_order_region_channel")]

    operations = [
        RefuseWhere(
            "orders_order", "orders_order_agreed", "UPDATE",
            f"({CHANGED} OR {MOVED}) AND OLD.state <> 'draft' "
            "AND EXISTS (SELECT 1 FROM orders_orderversion AS v WHERE v.order_id = OLD.id) "
            "AND NOT (NEW.version = OLD.version + 1 AND EXISTS (SELECT 1 FROM orders_orderamendment AS a "
            "WHERE a.order_id = OLD.id AND a.version = NEW.version))",
            "a placed order is changed by an approved change request",
        ),
    ]  # fmt: skip
