"""Milestones and risks have a version: a page that was opened before another change does not undo it."""

from django.db import migrations, models

from ordermgmt.lib.database import LiftTriggers, RestoreTriggers


class Migration(migrations.Migration):

    dependencies = [
        ('fulfilment', '0051_shipment_search_index'),
    ]

    operations = [
        LiftTriggers("fulfilment_milestone"),
        LiftTriggers("fulfilment_risk"),
        migrations.AddField(
            model_name='milestone',
            name='version',
            field=models.PositiveIntegerField(default=1),
        ),
        migrations.AddField(
            model_name='risk',
            name='version',
            field=models.PositiveIntegerField(default=1),
        ),
        RestoreTriggers("fulfilment_milestone"),
        RestoreTriggers("fulfilment_milestonelink"),
        RestoreTriggers("fulfilment_risk"),
    ]
