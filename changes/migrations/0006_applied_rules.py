"""An applied request says by whom and as which version, and stays as it is."""

from django.db import migrations

from ordermgmt.lib.database import RefuseWhen


class Migration(migrations.Migration):
    dependencies = [("changes", "0005_applying")]

    operations = [
        RefuseWhen(
            "changes_changerequest", "changes_change_says_by_whom", "UPDATE",
            "NEW.state = 'applied' AND (NEW.applied_by_id IS NULL OR NEW.applied_version IS NULL)",
            "an applied change request says by whom and as which version",
        ),
        RefuseWhen(
            "changes_changerequest", "changes_change_stays_applied", "UPDATE",
            "OLD.state = 'applied' AND (OLD.applied_version IS DISTINCT FROM NEW.applied_version OR "
            "OLD.net_change IS DISTINCT FROM NEW.net_change OR OLD.content_hash IS DISTINCT FROM NEW.content_hash)",
            "an applied change request stays as it is",
        ),
        RefuseWhen(
            "changes_acknowledgement", "changes_acknowledgement_kept", "DELETE", "OLD.id = OLD.id",
            "who was asked to acknowledge stays asked",
        ),
    ]  # fmt: skip
