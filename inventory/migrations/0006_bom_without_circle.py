"""No product is made of itself: the database follows the levels down before it takes a line."""

from django.db import migrations

from ordermgmt.lib.database import RefuseWhere

#: As deep as the verb allows. SQLite has no recursion in triggers, so the levels are joined one by one.
LEVELS = 8


def _circle() -> str:
    joins = " ".join(
        f"LEFT JOIN inventory_bomline b{n} ON b{n}.product_id = b{n - 1}.component_id" for n in range(2, LEVELS + 1)
    )
    below = ", ".join(f"b{n}.component_id" for n in range(1, LEVELS + 1))
    return (
        f"EXISTS (SELECT 1 FROM inventory_bomline b1 {joins} "
        f"WHERE b1.product_id = NEW.component_id AND NEW.product_id IN ({below}))"
    )


def _refusal(event: str) -> RefuseWhere:
    name = f"inventory_bom_no_circle_on_{event.lower()}"
    return RefuseWhere("inventory_bomline", name, event, _circle(), "a product is not made of itself")


class Migration(migrations.Migration):
    dependencies = [("inventory", "0005_bom")]

    operations = [_refusal("INSERT"), _refusal("UPDATE")]
