"""What was agreed on a placed order is rewritten only under an amendment: no page, import, shell or SQL gets past it."""

from django.db import migrations

from ordermgmt.lib.database import AppendOnly, RefuseWhere

AGREED = [
    "order_id", "position", "product_id", "description", "specification", "unit", "quantity", "unit_price",
    "discount_percent", "tax_category", "tax_rate", "net", "supply", "promised_date", "qty_cancelled",
]  # fmt: skip
#: Between the amendment's row and the order's row taking on its version, and at no other time.
CLOSED = (
    "EXISTS (SELECT 1 FROM orders_order AS o WHERE o.id = {row}.order_id AND o.state <> 'draft' "
    "AND EXISTS (SELECT 1 FROM orders_orderversion AS v WHERE v.order_id = o.id) "
    "AND NOT EXISTS (SELECT 1 FROM orders_orderamendment AS a WHERE a.order_id = o.id AND a.version = o.version + 1))"
)
MESSAGE = "the lines of a placed order are changed by an approved change request"


class Migration(migrations.Migration):
    dependencies = [("orders", "0005_orderamendment")]

    operations = [
        AppendOnly("orders_orderamendment"),
        RefuseWhere(
            "orders_orderline",
            "orders_orderline_agreed",
            "UPDATE",
            f"({' OR '.join(f'OLD.{name} IS DISTINCT FROM NEW.{name}' for name in AGREED)}) AND "
            + CLOSED.format(row="OLD"),
            MESSAGE,
        ),
        RefuseWhere("orders_orderline", "orders_orderline_added", "INSERT", CLOSED.format(row="NEW"), MESSAGE),
        RefuseWhere("orders_orderline", "orders_orderline_removed", "DELETE", CLOSED.format(row="OLD"), MESSAGE),
    ]
