"""What a shipment is found by; those that are there get it."""

from django.db import migrations

from ordermgmt.lib.database import LiftTriggers, RestoreTriggers
from ordermgmt.lib.searching import SearchField, search_text


def fill(apps, schema_editor):
    shipment = apps.get_model("fulfilment", "Shipment")
    rows = shipment.objects.only("number", "carrier", "tracking_number").order_by("pk")
    batch = []
    for row in rows.iterator(chunk_size=1000):
        row.search_text = search_text(row.number, row.carrier, row.tracking_number)
        batch.append(row)
        if len(batch) == 1000:
            shipment.objects.bulk_update(batch, ["search_text"])
            batch = []
    shipment.objects.bulk_update(batch, ["search_text"])


class Migration(migrations.Migration):
    dependencies = [("fulfilment", "0041_risk_issues")]

    operations = [
        LiftTriggers("fulfilment_shipment"),
        migrations.AddField(
            model_name="shipment", name="search_text", field=SearchField(blank=True, default="", editable=False)
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        RestoreTriggers("fulfilment_shipment"),
    ]
