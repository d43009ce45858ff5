"""What came back is answered like what was rejected: by a rectification, with a credit or with goods that go again."""

import django.db.models.deletion
from django.db import migrations, models

from ordermgmt.lib.database import LiftTriggers, RestoreTriggers


class Migration(migrations.Migration):
    dependencies = [
        ("fulfilment", "0052_row_versions"),
    ]

    operations = [
        LiftTriggers("fulfilment_rectification"),
        migrations.AlterField(
            model_name="rectification",
            name="found_in",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="rectification",
                to="fulfilment.acceptanceline",
            ),
        ),
        migrations.AddField(
            model_name="rectification",
            name="return_line",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="task",
                to="fulfilment.goodsreturnline",
            ),
        ),
        migrations.AddConstraint(
            model_name="rectification",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("found_in__isnull", True), ("return_line__isnull", False)),
                    models.Q(("found_in__isnull", False), ("return_line__isnull", True)),
                    _connector="OR",
                ),
                name="rectification_of_one_thing",
            ),
        ),
        RestoreTriggers("fulfilment_rectification"),
    ]
