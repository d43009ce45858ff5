"""Orders are found by any fragment of what they say, Chinese too."""

from django.db import migrations

import ordermgmt.lib.searching


class Migration(migrations.Migration):
    dependencies = [("orders", "0001_initial")]

    operations = [
        migrations.AlterField("order", "search_text", ordermgmt.lib.searching.SearchField()),
        ordermgmt.lib.searching.SearchIndex("orders_order", "search_text"),
    ]
