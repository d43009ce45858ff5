"""A risk ends once, one way or the other: the database holds it."""

from django.db import migrations

from ordermgmt.lib.database import StateEdges


class Migration(migrations.Migration):
    dependencies = [("fulfilment", "0008_risk")]

    operations = [StateEdges("fulfilment_risk", "state", [("open", "happened"), ("open", "closed")])]
