"""Shipments are found by index, and so are the needs that still want something."""

from django.db import migrations, models
from django.db.models import Q

from ordermgmt.lib.searching import SearchIndex


class Migration(migrations.Migration):
    dependencies = [("fulfilment", "0050_shipment_search")]

    operations = [
        SearchIndex("fulfilment_shipment", "search_text"),
        migrations.AddIndex(
            model_name="materialneed",
            index=models.Index(fields=["product"], name="material_need_required", condition=Q(required__gt=0)),
        ),
    ]
