"""Under an amendment a line takes on what the approved request says of it, and nothing else."""

from django.db import migrations

from ordermgmt.lib.database import RefuseWhere

#: The operations of the request that the open amendment of the line's order names.
OPERATIONS = (
    "FROM orders_order AS o JOIN orders_orderamendment AS a ON a.order_id = o.id AND a.version = o.version + 1 "
    "JOIN changes_operation AS p ON p.change_id = a.source_id WHERE o.id = NEW.order_id"
)
OPEN = (
    "EXISTS (SELECT 1 FROM orders_order AS o JOIN orders_orderamendment AS a ON a.order_id = o.id "
    "AND a.version = o.version + 1 WHERE o.id = NEW.order_id AND a.source = 'changes.changerequest')"
)
#: The number that an operation sets; SQLite counts in binary fractions, so a hair's breadth is no difference.
NUMBER = "CASE WHEN p.kind = '{kind}' THEN ABS(CAST(REPLACE(CAST(p.after AS text), '\"', '') AS numeric) - ({value})) ELSE 1 END < 0.0000001"
ENDED = f"EXISTS (SELECT 1 {OPERATIONS} AND p.kind = 'terminate')"


def differs(column: str) -> str:
    return f"OLD.{column} IS DISTINCT FROM NEW.{column}"


def unasked(column: str, kind: str, value: str = "") -> str:
    """The column changes and no operation on this line says so (to this value, if one is given)."""
    said = f" AND {NUMBER.format(kind=kind, value=value)}" if value else ""
    asked = f"EXISTS (SELECT 1 {OPERATIONS} AND p.line_id = NEW.id AND p.kind = '{kind}'{said})"
    return f"({differs(column)} AND NOT {asked})"


#: Asked first: counters move often, and what was agreed seldom.
TOUCHED = " OR ".join(
    differs(name)
    for name in (
        "quantity", "unit_price", "discount_percent", "description", "specification", "promised_date", "qty_cancelled",
    )
)  # fmt: skip
CHANGED = " OR ".join(
    [
        f"({unasked('quantity', 'quantity', 'NEW.quantity - NEW.qty_cancelled')} AND NOT {ENDED})",
        unasked("unit_price", "price", "NEW.unit_price"),
        unasked("discount_percent", "discount", "NEW.discount_percent"),
        unasked("description", "description"),
        unasked("specification", "specification"),
        unasked("promised_date", "line_date"),
        f"({unasked('qty_cancelled', 'remove')} AND NOT {ENDED})",
    ]
)


class Migration(migrations.Migration):
    dependencies = [("changes", "0020_purchases_and_kinds"), ("orders", "0020_agreed_header")]

    operations = [
        RefuseWhere(
            "orders_orderline", "changes_line_as_approved", "UPDATE", f"({TOUCHED}) AND {OPEN} AND ({CHANGED})",
            "a line takes on what the approved change request says",
        ),
        RefuseWhere(
            "orders_orderline", "changes_line_added_as_approved", "INSERT",
            f"{OPEN} AND NOT EXISTS (SELECT 1 {OPERATIONS} AND p.kind = 'add')",
            "a line takes on what the approved change request says",
        ),
    ]  # fmt: skip
