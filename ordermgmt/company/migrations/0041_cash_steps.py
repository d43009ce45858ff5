"""What amounts to be paid are multiples of, by currency."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("company", "0040_receipt_tolerance")]

    operations = [
        migrations.AddField(
            model_name="taxprofile",
            name="cash_steps",
            field=models.JSONField(
                blank=True,
                default=dict,
                help_text="By currency, as a text: what amounts to be paid are multiples of, such as 0.05 for CHF.",
                verbose_name="cash rounding",
            ),
        ),
    ]
