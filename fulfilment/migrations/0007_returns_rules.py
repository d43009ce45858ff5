"""What came back or was exchanged is never rewritten: the database holds it."""

from django.db import migrations

from ordermgmt.lib.database import AppendOnly


class Migration(migrations.Migration):
    dependencies = [("fulfilment", "0006_returns")]

    operations = [
        AppendOnly("fulfilment_goodsreturn"),
        AppendOnly("fulfilment_goodsreturnline"),
        AppendOnly("fulfilment_replacement"),
    ]
