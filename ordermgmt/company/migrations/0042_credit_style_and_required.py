"""How corrections look and what a document must name are data of the tax profile."""

from django.db import migrations, models


def keep_chinas_style(apps, editor):
    """Red invoices followed from the country before; installations that have the profile keep them."""
    apps.get_model("company", "TaxProfile").objects.filter(country="CN").update(credit_style="red")


class Migration(migrations.Migration):
    dependencies = [("company", "0041_cash_steps")]

    operations = [
        migrations.AddField(
            model_name="taxprofile",
            name="credit_style",
            field=models.CharField(
                blank=True,
                choices=[("", "Credit note with positive amounts"), ("red", "Red invoice with negative amounts")],
                default="",
                max_length=5,
                verbose_name="corrections",
            ),
        ),
        migrations.AddField(
            model_name="taxprofile",
            name="required",
            field=models.JSONField(
                blank=True,
                default=list,
                help_text="What a document must name before it is issued, and the rule of its number: [buyer.tax_id, cn.uscc].",
                verbose_name="required fields",
            ),
        ),
        migrations.RunPython(keep_chinas_style, migrations.RunPython.noop, elidable=True),
    ]
