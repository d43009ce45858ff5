"""Each new line that was approved comes once, in its place; who asked and who judged are told apart by their stored ids."""

from importlib import import_module

from django.db import migrations, models

from ordermgmt.lib.database import LiftTriggers, RefuseCases, RefuseWhen, RefuseWhere, RestoreTriggers
from ordermgmt.lib.money import AmountField

_before = import_module("changes.migrations.0022_as_approved_by_case")
#: The n-th new line of the request stands n places behind the last line before the amendment: each comes once.
UNSAID = (
    "EXISTS (SELECT 1 FROM orders_order AS o JOIN orders_orderamendment AS a ON a.order_id = o.id "
    "AND a.version = o.version + 1 WHERE o.id = NEW.order_id AND a.source = 'changes.changerequest' AND NOT EXISTS "
    "(SELECT 1 FROM (SELECT q.kind, q.after, ROW_NUMBER() OVER (ORDER BY q.seq) AS place FROM changes_operation AS q "
    "WHERE q.change_id = a.source_id AND q.kind = 'add') AS p WHERE p.place = NEW.position - a.last_position AND {asked}))"
)
NEW_LINE = " AND ".join(
    [
        _before.NEW_LINE,
        *(f"COALESCE(NULLIF(p.after ->> '{name}', ''), NEW.{name}) = NEW.{name}" for name in ("unit", "tax_category", "supply")),
        "COALESCE(p.after ->> 'promised_date', '') = COALESCE(CAST(NEW.promised_date AS text), '')",
    ]
)  # fmt: skip
JUDGED_OWN = (
    "NEW.beyond_limits AND EXISTS (SELECT 1 FROM changes_assessment AS j WHERE j.change_id = NEW.id AND NOT j.is_void "
    "AND j.assessor_id = NEW.requested_by_id)"
)
GRANTED_BY_PARTY = (
    "EXISTS (SELECT 1 FROM changes_approvalstep AS s JOIN changes_approvalgrant AS g ON g.step_id = s.id "
    "WHERE s.change_id = NEW.id AND s.content_hash = NEW.content_hash AND s.state <> 'void' AND "
    "(g.user_id = NEW.requested_by_id OR g.behalf_id = NEW.requested_by_id OR EXISTS (SELECT 1 FROM changes_assessment "
    "AS j WHERE j.change_id = NEW.id AND (j.assessor_id = g.user_id OR j.assessor_id = g.behalf_id))))"
)


class Migration(migrations.Migration):
    dependencies = [("changes", "0023_refused_though_approved"), ("orders", "0062_open_returns")]

    operations = [
        LiftTriggers("changes_changerequest"),
        migrations.AddField("changerequest", "beyond_limits", models.BooleanField(default=False)),
        RestoreTriggers("changes_changerequest"),
        RestoreTriggers("changes_operation"),
        RestoreTriggers("changes_approvalstep"),
        RestoreTriggers("changes_approvalgrant"),
        RestoreTriggers("orders_orderamendment"),
        migrations.AlterField(
            "approvalrule", "amount_over",
            AmountField(
                blank=True, decimal_places=4, max_digits=19, null=True, verbose_name="net change over",
                help_text="What the order's changes move, up and down alike, in the company's currency; an order in another is "
                "converted at the rate of the day.",
            ),
        ),
        RefuseCases(
            "orders_orderline", "changes_line_added_as_approved", "INSERT", [("true", UNSAID.format(asked=NEW_LINE))],
            "a line takes on what the approved change request says", f"(true) AND {_before.UNSAID.format(asked=_before.NEW_LINE)}",
        ),
        RefuseWhere(
            "changes_assessment", "changes_judged_by_others", "INSERT",
            "NOT NEW.is_void AND EXISTS (SELECT 1 FROM changes_changerequest AS c WHERE c.id = NEW.change_id "
            "AND c.beyond_limits AND c.requested_by_id = NEW.assessor_id)",
            "a change that passes a limit is judged by somebody else than who asked for it",
        ),
        RefuseWhen(
            "changes_changerequest", "changes_change_stays_beyond", "UPDATE",
            "OLD.beyond_limits AND NOT NEW.beyond_limits AND OLD.content_hash <> '' AND OLD.content_hash = NEW.content_hash",
            "what passes a limit passes it until it is judged anew",
        ),
        RefuseWhere(
            "changes_changerequest", "changes_change_by_others", "UPDATE",
            f"NEW.state IN ('approved', 'applied') AND OLD.state <> NEW.state AND (({JUDGED_OWN}) OR {GRANTED_BY_PARTY})",
            "who asked for a change, who judged it and who approves it are different people",
        ),
    ]  # fmt: skip
