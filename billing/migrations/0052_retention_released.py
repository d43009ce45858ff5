"""A retention that stands apart from its settled order may be released: its day moves, and nothing else of it."""

from django.db import migrations

from ordermgmt.lib.database import RefuseWhere

SETTLED = (
    "(EXISTS (SELECT 1 FROM billing_invoice AS i JOIN orders_order AS o ON o.id = i.order_id "
    "WHERE i.id = NEW.invoice_id AND o.state = 'settled' AND o.final_amount IS NOT NULL) OR "
    "EXISTS (SELECT 1 FROM billing_instalmentplan AS p JOIN orders_order AS o ON o.id = p.order_id "
    "WHERE p.id = NEW.plan_id AND o.state = 'settled' AND o.final_amount IS NOT NULL))"
)


def moves(due_date):
    return (
        f"(OLD.amount <> NEW.amount OR OLD.credited <> NEW.credited OR {due_date} "
        "OR OLD.kind <> NEW.kind OR OLD.invoice_id IS DISTINCT FROM NEW.invoice_id "
        f"OR (OLD.paid <> NEW.paid AND OLD.kind <> 'retention')) AND {SETTLED}"
    )


class Migration(migrations.Migration):
    dependencies = [("billing", "0051_never_above")]

    operations = [
        RefuseWhere(
            "billing_instalment", "billing_instalment_settled_update", "UPDATE",
            moves("(OLD.due_date <> NEW.due_date AND OLD.kind <> 'retention')"),
            "the account of a settled order is closed",
            replaces=moves("OLD.due_date <> NEW.due_date"),
        ),
    ]  # fmt: skip
