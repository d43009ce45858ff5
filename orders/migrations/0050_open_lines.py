"""The lines that still need something of their product, apart from all those that are done."""

from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    dependencies = [("orders", "0041_order_arrived_on")]

    operations = [
        migrations.AddIndex(
            model_name="orderline",
            index=models.Index(
                fields=["product"],
                name="order_line_needs",
                condition=Q(quantity__gt=F("qty_cancelled") + F("qty_shipped") + F("qty_reserved")),
            ),
        ),
    ]
