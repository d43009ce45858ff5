"""How many returns of an order wait for a credit or for goods that go out again; known here, counted by delivery."""

from django.db import migrations, models

from ordermgmt.lib.database import LiftTriggers, RestoreTriggers

#: Whose triggers ask the table of orders.
ASKING = (
    "orders_orderline", "orders_orderamendment", "billing_finalaccount", "billing_ordercharge", "billing_orderclause",
    "billing_instalmentplan", "billing_invoice", "billing_instalment", "billing_allocation",
)  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0061_amendment_last_position"),
    ]

    operations = [
        LiftTriggers("orders_order"),
        migrations.AddField(
            model_name="order",
            name="open_returns",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        RestoreTriggers("orders_order"),
        *(RestoreTriggers(table) for table in ASKING),
    ]
