"""What left the house or was examined is never rewritten: the database holds it."""

from django.db import migrations

from ordermgmt.lib.database import AppendOnly, RefuseWhen, StateEdges

FROZEN = ["number", "order_id", "kind", "address", "note", "key", "shipped_at", "shipped_by_id"]


class Migration(migrations.Migration):
    dependencies = [("fulfilment", "0001_initial")]

    operations = [
        AppendOnly("fulfilment_shipmentline"),
        AppendOnly("fulfilment_acceptance"),
        AppendOnly("fulfilment_acceptanceline"),
        RefuseWhen(
            "fulfilment_shipment",
            "fulfilment_shipment_frozen",
            "UPDATE",
            " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in FROZEN),
            "a shipment is not rewritten",
        ),
        RefuseWhen(
            "fulfilment_shipment", "fulfilment_shipment_kept", "DELETE", "OLD.id = OLD.id", "a shipment is not deleted"
        ),
        StateEdges("fulfilment_rectification", "state", [("open", "in_work"), ("in_work", "done")]),
    ]
