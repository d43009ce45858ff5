"""Exchange rates are the company's: the orders below billing reckon their costs with them. Their table stays."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0043_defects_period"),
        ("company", "0050_exchange_rates"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(state_operations=[migrations.DeleteModel("ExchangeRate")]),
    ]
