"""What a plan first said stays, and its milestones wait only for their own order's: the database holds it."""

from django.db import migrations

from ordermgmt.lib.database import RefuseWhen, RefuseWhere


class Migration(migrations.Migration):
    dependencies = [("fulfilment", "0004_plan")]

    operations = [
        RefuseWhen(
            "fulfilment_milestone",
            "fulfilment_milestone_baseline_kept",
            "UPDATE",
            "OLD.baseline IS NOT NULL AND OLD.baseline IS DISTINCT FROM NEW.baseline",
            "the baseline of a milestone stays",
        ),
        RefuseWhere(
            "fulfilment_milestonelink",
            "fulfilment_milestonelink_one_order",
            "INSERT",
            "EXISTS (SELECT 1 FROM fulfilment_milestone a, fulfilment_milestone b "
            "WHERE a.id = NEW.before_id AND b.id = NEW.after_id AND a.order_id <> b.order_id)",
            "milestones wait only for those of their own order",
        ),
    ]
