"""Altering the table on SQLite in 0002 lost the triggers of 0001 there."""

from django.db import migrations

from ordermgmt.lib.database import RestoreTriggers


class Migration(migrations.Migration):
    dependencies = [("orders", "0002_search")]

    operations = [RestoreTriggers("orders_order")]
