"""A deduction says for which rectification it is the credit: prepared once for each."""

import django.db.models.deletion
from django.db import migrations, models

from ordermgmt.lib.database import LiftTriggers, RestoreTriggers


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0052_retention_released"),
        ("orders", "0062_open_returns"),
        ("fulfilment", "0060_returns_answered"),
    ]

    operations = [
        LiftTriggers("billing_ordercharge"),
        migrations.AddField(
            model_name="ordercharge",
            name="rectification",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="credit_charge",
                to="fulfilment.rectification",
            ),
        ),
        RestoreTriggers("billing_ordercharge"),
        RestoreTriggers("orders_order"),
    ]
