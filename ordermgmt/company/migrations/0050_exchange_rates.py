"""Exchange rates come down from billing, with their table."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("company", "0042_credit_style_and_required"),
        ("billing", "0011_exchange"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="ExchangeRate",
                    fields=[
                        ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                        ("currency", models.CharField(max_length=3, verbose_name="currency")),
                        ("day", models.DateField(verbose_name="day")),
                        ("rate", models.DecimalField(decimal_places=8, max_digits=18, verbose_name="rate")),
                        ("at", models.DateTimeField(auto_now_add=True)),
                        ("by", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        "db_table": "billing_exchangerate",
                        "ordering": ["-day", "currency"],
                        "constraints": [
                            models.UniqueConstraint(fields=("currency", "day"), name="exchange_rate_once_per_day"),
                            models.CheckConstraint(condition=models.Q(("rate__gt", 0)), name="exchange_rate_positive"),
                        ],
                    },
                ),
            ],
        ),
    ]
