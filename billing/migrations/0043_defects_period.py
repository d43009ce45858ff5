"""Instalments may wait for the end of the defects period, whose length the clause of an order says."""

from django.db import migrations, models

from ordermgmt.lib.database import LiftTriggers, RestoreTriggers

TRIGGERS = [
    ("date", "On its date"), ("milestone", "When a milestone is reached"), ("shipment", "When all is delivered"),
    ("acceptance", "When the customer has accepted"), ("defects", "At the end of the defects period"),
]  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [("billing", "0042_adjustment_percent")]

    operations = [
        migrations.AlterField(
            "instalment", "trigger",
            models.CharField("to be invoiced", choices=TRIGGERS, default="date", max_length=10),
        ),
        LiftTriggers("billing_orderclause"),
        migrations.AddField(
            "orderclause", "defects_months",
            models.PositiveSmallIntegerField("months of the defects period", blank=True, null=True),
        ),
        RestoreTriggers("billing_orderclause"),
    ]  # fmt: skip
