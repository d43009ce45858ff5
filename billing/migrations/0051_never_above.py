"""No order is invoiced above its total, whoever writes the row."""

from django.db import migrations

from ordermgmt.lib.database import RefuseWhere

# What was agreed beside the lines adds to the total. Each charge is rounded by itself: up by half a step at most, and
# half a unit of the last stored decimal makes SQLite's binary sums exact. A row that is above from before may come down.
CHARGES = (
    "(SELECT COALESCE(SUM(c.net + c.tax + NEW.cash_step * 0.5), 0) FROM billing_ordercharge AS c "
    "WHERE c.order_id = NEW.id AND c.state = 'accepted' AND c.kind IN ('charge', 'bonus'))"
)


class Migration(migrations.Migration):
    dependencies = [("billing", "0050_rates_move"), ("orders", "0050_open_lines")]

    operations = [
        RefuseWhere(
            "orders_order", "orders_order_never_above", "UPDATE",
            "(NEW.invoiced_total > OLD.invoiced_total OR NEW.gross_total < OLD.gross_total) AND NEW.invoiced_total > 0 "
            f"AND NEW.invoiced_total > NEW.gross_total + 0.00005 + {CHARGES}",
            "an order is never invoiced above its total",
        ),
    ]  # fmt: skip
