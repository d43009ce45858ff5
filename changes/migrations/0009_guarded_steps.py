"""The database holds who may grant what: steps, judgements and the content that they stand for can't be rewritten."""

from decimal import Decimal

from django.db import migrations, models
from django.db.models.functions import Abs

import ordermgmt.lib.money
from ordermgmt.lib.database import LiftTriggers, RefuseWhen, RefuseWhere, RestoreTriggers

SAME_STEP = " OR ".join(
    f"OLD.{name} IS DISTINCT FROM NEW.{name}" for name in ("change_id", "content_hash", "seq", "role", "mode")
)
SAME_JUDGEMENT = " OR ".join(
    f"OLD.{name} IS DISTINCT FROM NEW.{name}"
    for name in ("change_id", "aspect", "level", "cost", "days", "note", "assessor_id", "at", "order_version")
)
SAME_CONTENT = " OR ".join(
    f"OLD.{name} IS DISTINCT FROM NEW.{name}"
    for name in ("content_hash", "order_version", "needs_consent", "submitted_at", "net_change", "moved", "days")
)
# The step is asked now, for the present content, of a role that the person, or whom they stand in for, holds.
ASKED = (
    "EXISTS (SELECT 1 FROM changes_approvalstep AS s JOIN changes_changerequest AS c ON c.id = s.change_id "
    "JOIN accounts_roleassignment AS r ON r.role = s.role AND r.user_id = COALESCE(NEW.behalf_id, NEW.user_id) "
    "WHERE s.id = NEW.step_id AND s.state = 'waiting' AND c.state = 'assessed' AND s.content_hash = c.content_hash "
    "AND NOT EXISTS (SELECT 1 FROM changes_approvalstep AS e WHERE e.change_id = s.change_id "
    "AND e.content_hash = s.content_hash AND e.seq < s.seq AND e.state <> 'granted'))"
)
DEPUTY = (
    "NEW.behalf_id IS NULL OR EXISTS (SELECT 1 FROM changes_delegation AS d WHERE d.owner_id = NEW.behalf_id "
    "AND d.deputy_id = NEW.user_id AND NOT d.ended)"
)
JUDGED = (
    "EXISTS (SELECT 1 FROM changes_approvalstep AS s JOIN changes_assessment AS a ON a.change_id = s.change_id "
    "WHERE s.id = NEW.step_id AND (a.assessor_id = NEW.user_id OR a.assessor_id = NEW.behalf_id))"
)
CLOSED = (
    "NOT EXISTS (SELECT 1 FROM changes_changerequest AS c WHERE c.id = NEW.change_id "
    "AND c.state IN ('submitted', 'assessed', 'approved'))"
)
GRANTED = (
    "EXISTS (SELECT 1 FROM changes_approvalstep AS s WHERE s.change_id = NEW.id "
    "AND s.content_hash = OLD.content_hash AND s.state <> 'void')"
)


def measure(apps, schema_editor):
    """What is known of the requests so far: their net change."""
    model = apps.get_model("changes", "ChangeRequest")
    model.objects.exclude(net_change=0).update(moved=Abs("net_change"))


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial"), ("changes", "0008_more_reasons")]

    operations = [
        LiftTriggers("changes_changerequest"),
        migrations.AddField(
            "changerequest", "moved",
            ordermgmt.lib.money.AmountField(
                decimal_places=4, default=Decimal(0), max_digits=19,
                help_text="By how much its lines are moved in all, up and down alike.",
            ),
        ),
        migrations.AlterField(
            "approvalrule", "amount_over",
            ordermgmt.lib.money.AmountField(
                blank=True, decimal_places=4, max_digits=19, null=True, verbose_name="net change over",
                help_text="What the order's changes move, up and down alike, in the order's currency.",
            ),
        ),
        migrations.AlterField(
            "approvalrule", "days_over",
            models.PositiveIntegerField(
                blank=True, null=True, verbose_name="days over",
                help_text="Delay of the promised date by all changes of the order together, computed or judged.",
            ),
        ),
        migrations.RunPython(measure, migrations.RunPython.noop),
        RestoreTriggers("changes_changerequest"),
        RestoreTriggers("changes_operation"),
        RestoreTriggers("changes_approvalgrant"),
        RestoreTriggers("orders_orderamendment"),
        RefuseWhen(
            "changes_approvalstep", "changes_step_kept", "DELETE", "OLD.id = OLD.id", "whom a change asked stays asked"
        ),
        RefuseWhen(
            "changes_approvalstep", "changes_step_frozen", "UPDATE",
            f"{SAME_STEP} OR (OLD.state IS DISTINCT FROM NEW.state AND NOT ((OLD.state = 'waiting' "
            "AND NEW.state IN ('granted', 'void')) OR (OLD.state = 'granted' AND NEW.state = 'void')))",
            "a step stays as it was asked",
        ),
        RefuseWhere(
            "changes_approvalstep", "changes_step_of_open", "INSERT",
            f"NEW.role NOT IN ('sales_manager', 'manager', 'finance', 'finance_manager') OR {CLOSED}",
            "a step asks somebody who approves, for a change that is open",
        ),
        RefuseWhere(
            "changes_approvalgrant", "changes_grant_as_asked", "INSERT", f"NOT {ASKED} OR NOT ({DEPUTY})",
            "a step is granted by who is asked",
        ),
        RefuseWhere(
            "changes_approvalgrant", "changes_grant_never_judged", "INSERT", JUDGED,
            "who judged a change can not approve it",
        ),
        RefuseWhen(
            "changes_assessment", "changes_judgement_frozen", "UPDATE",
            f"{SAME_JUDGEMENT} OR (OLD.is_void AND NOT NEW.is_void)", "a judgement stays as it was given",
        ),
        RefuseWhen(
            "changes_assessment", "changes_judgement_kept", "DELETE", "OLD.id = OLD.id",
            "a judgement stays as it was given",
        ),
        RefuseWhen(
            "changes_changerequest", "changes_change_stays_approved", "UPDATE",
            f"OLD.state = 'approved' AND NEW.state IN ('approved', 'applied') AND ({SAME_CONTENT})",
            "what was approved stays as it is",
        ),
        RefuseWhere(
            "changes_changerequest", "changes_change_stays_judged", "UPDATE",
            "OLD.state IN ('assessed', 'approved') AND NEW.state = 'assessed' "
            f"AND OLD.content_hash IS DISTINCT FROM NEW.content_hash AND {GRANTED}",
            "what was judged is asked anew",
        ),
        RefuseWhen(
            "changes_changerequest", "changes_change_approved_as_judged", "UPDATE",
            f"OLD.state = 'assessed' AND NEW.state = 'approved' AND ({SAME_CONTENT})",
            "what is approved is what was judged",
        ),
        RefuseWhere(
            "changes_changerequest", "changes_change_consented", "UPDATE",
            "NEW.state = 'applied' AND OLD.state <> 'applied' AND NEW.needs_consent AND NOT EXISTS "
            "(SELECT 1 FROM changes_consent AS k WHERE k.change_id = NEW.id AND k.content_hash = NEW.content_hash)",
            "the customer agrees before it is applied",
        ),
    ]  # fmt: skip
