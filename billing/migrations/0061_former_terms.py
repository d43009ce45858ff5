"""What instalments were until they were agreed anew, released or dated: reports of a past day read it."""

import django.db.models.deletion
from django.db import migrations, models

import ordermgmt.lib.money
from ordermgmt.lib.database import AppendOnly


class Migration(migrations.Migration):
    dependencies = [("billing", "0060_goods_credit")]

    operations = [
        migrations.AddField(
            model_name="instalment",
            name="agreed_on",
            field=models.DateField(
                blank=True, editable=False, null=True, verbose_name="agreed on",
                help_text="The business day from which amount, day and kind are these; empty since the document was issued.",
            ),
        ),
        migrations.CreateModel(
            name="FormerTerms",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.BigIntegerField(help_text="The instalment's primary key.")),
                ("kind", models.CharField(choices=[("normal", "Instalment"), ("deposit", "Deposit before the start"), ("retention", "Retention")], max_length=10, verbose_name="kind")),
                ("amount", ordermgmt.lib.money.AmountField(decimal_places=4, max_digits=19, verbose_name="amount")),
                ("due_date", models.DateField(verbose_name="due date")),
                ("since", models.DateField(help_text="The first business day of these terms; empty since the issue.", null=True)),
                ("until", models.DateField(help_text="The first business day of the terms that followed.")),
                ("invoice", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="former_terms", to="billing.invoice")),
            ],
            options={
                "ordering": ["pk"],
                "indexes": [
                    models.Index(fields=["until"], name="former_terms_by_day"),
                    models.Index(fields=["key", "until"], name="former_terms_by_key"),
                ],
            },
        ),
        AppendOnly("billing_formerterms"),
    ]  # fmt: skip
