"""An allowance or charge over a document may say of what base it is how many percent."""

from django.db import migrations, models
from django.db.models import Q

from ordermgmt.lib.database import LiftTriggers, RestoreTriggers
from ordermgmt.lib.money import AmountField, RateField


class Migration(migrations.Migration):
    dependencies = [("billing", "0041_references")]

    operations = [
        LiftTriggers("billing_documentadjustment"),
        migrations.AddField(
            "documentadjustment", "base", AmountField("base", blank=True, decimal_places=4, max_digits=19, null=True)
        ),
        migrations.AddField(
            "documentadjustment", "percent", RateField("percent", blank=True, decimal_places=6, max_digits=12, null=True)
        ),
        migrations.AddConstraint(
            "documentadjustment",
            models.CheckConstraint(
                condition=Q(base=None, percent=None)
                | Q(base__gt=0, percent__gt=0, base__isnull=False, percent__isnull=False),
                name="document_adjustment_percent_of_a_base",
            ),
        ),
        RestoreTriggers("billing_documentadjustment"),
    ]
