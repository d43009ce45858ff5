"""What a line takes on is asked column by column, so that 1,000 lines of one request cost no more than their update."""

from importlib import import_module

from django.db import migrations

from ordermgmt.lib.database import RefuseCases

_before = import_module("changes.migrations.0021_as_approved")
#: An amendment of the line's order is open, and no operation of its request says so.
UNSAID = (
    "EXISTS (SELECT 1 FROM orders_order AS o JOIN orders_orderamendment AS a ON a.order_id = o.id "
    "AND a.version = o.version + 1 WHERE o.id = NEW.order_id AND a.source = 'changes.changerequest' AND NOT EXISTS "
    "(SELECT 1 FROM changes_operation AS p WHERE p.change_id = a.source_id AND {asked}))"
)
NOT_ENDED = UNSAID.format(asked="p.kind = 'terminate'")
#: A new line is one of those that were asked for, as it was asked for; older requests left out what the product says.
NEW_LINE = " AND ".join(
    [
        "p.kind = 'add'",
        "COALESCE(CAST(p.after ->> 'product' AS text), '') = COALESCE(CAST(NEW.product_id AS text), '')",
        "COALESCE(NULLIF(p.after ->> 'description', ''), NEW.description) = NEW.description",
        *(
            f"ABS(COALESCE(CAST(NULLIF(p.after ->> '{name}', '') AS numeric), NEW.{name}) - NEW.{name}) < 0.0000001"
            for name in ("quantity", "unit_price", "discount_percent")
        ),
    ]
)


def case(column: str, kind: str, value: str = "", *, ends: bool = False) -> tuple[str, str]:
    """The column changes, and no operation on this line says so (to this value, if one is given)."""
    said = f" AND {_before.NUMBER.format(kind=kind, value=value)}" if value else ""
    found = UNSAID.format(asked=f"p.line_id = NEW.id AND p.kind = '{kind}'{said}")
    return _before.differs(column), f"{found} AND {NOT_ENDED}" if ends else found


class Migration(migrations.Migration):
    dependencies = [("changes", "0021_as_approved")]

    operations = [
        RefuseCases(
            "orders_orderline", "changes_line_as_approved", "UPDATE",
            [
                case("quantity", "quantity", "NEW.quantity - NEW.qty_cancelled", ends=True),
                case("unit_price", "price", "NEW.unit_price"),
                case("discount_percent", "discount", "NEW.discount_percent"),
                case("description", "description"),
                case("specification", "specification"),
                case("promised_date", "line_date"),
                case("qty_cancelled", "remove", ends=True),
            ],
            "a line takes on what the approved change request says",
            f"({_before.TOUCHED}) AND {_before.OPEN} AND ({_before.CHANGED})",
        ),
        RefuseCases(
            "orders_orderline", "changes_line_added_as_approved", "INSERT",
            [("true", UNSAID.format(asked=NEW_LINE))],
            "a line takes on what the approved change request says",
            f"{_before.OPEN} AND NOT EXISTS (SELECT 1 {_before.OPERATIONS} AND p.kind = 'add')",
        ),
    ]  # fmt: skip
