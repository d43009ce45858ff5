"""Nobody approves what they asked for, and nothing is approved that a step still waits for: the database holds it."""

from django.db import migrations

from ordermgmt.lib.database import AppendOnly, RefuseWhere, RestoreTriggers

MINE = (
    "EXISTS (SELECT 1 FROM changes_approvalstep AS s JOIN changes_changerequest AS c ON c.id = s.change_id "
    "WHERE s.id = NEW.step_id AND (c.requested_by_id = NEW.user_id OR c.requested_by_id = NEW.behalf_id "
    "OR EXISTS (SELECT 1 FROM changes_assessment AS a WHERE a.change_id = c.id AND NOT a.is_void "
    "AND (a.assessor_id = NEW.user_id OR a.assessor_id = NEW.behalf_id))))"
)
RULES = [
    # name, share_over, days_over, margin_under, quality_from, on_termination, needs_consent, steps
    ("Every change", None, None, None, "", False, False, [("manager", 3)]),
    ("Bigger changes", 5, 10, None, "high", False, False, [("manager", 3), ("finance", 3)]),
    ("Beyond the contract", 20, None, 10, "", True, True, [("manager", 3), ("finance_manager", 5)]),
]


def fill(apps, schema_editor):
    """Rules to begin with; the company changes them."""
    rule_model = apps.get_model("changes", "ApprovalRule")
    step_model = apps.get_model("changes", "ApprovalRuleStep")
    for name, share, days, margin, quality, ends, consent, steps in RULES:
        rule, made = rule_model.objects.get_or_create(
            name=name,
            defaults={
                "share_over": share, "days_over": days, "margin_under": margin, "quality_from": quality,
                "on_termination": ends, "needs_consent": consent,
            },
        )  # fmt: skip
        if made:
            for seq, (role, due) in enumerate(steps, start=1):
                step_model.objects.create(rule=rule, seq=seq, role=role, due_days=due)


class Migration(migrations.Migration):
    dependencies = [("changes", "0003_judging")]

    operations = [
        RestoreTriggers("changes_changerequest"),
        AppendOnly("changes_approvalgrant"),
        AppendOnly("changes_consent"),
        RefuseWhere(
            "changes_approvalgrant", "changes_grant_by_others", "INSERT", MINE,
            "who asked for a change or judged it can not approve it",
        ),
        RefuseWhere(
            "changes_approvalstep", "changes_step_granted", "UPDATE",
            "NEW.state = 'granted' AND OLD.state <> 'granted' AND NOT EXISTS (SELECT 1 FROM changes_approvalgrant AS g "
            "WHERE g.step_id = NEW.id)",
            "a step is granted by somebody",
        ),
        RefuseWhere(
            "changes_approvalstep", "changes_step_begins", "INSERT", "NEW.state <> 'waiting'", "a step begins as waiting"
        ),
        RefuseWhere(
            "changes_changerequest", "changes_change_approved", "UPDATE",
            "NEW.state = 'approved' AND OLD.state <> 'approved' AND ("
            "NOT EXISTS (SELECT 1 FROM changes_approvalstep AS s WHERE s.change_id = NEW.id "
            "AND s.content_hash = NEW.content_hash AND s.state = 'granted') OR "
            "EXISTS (SELECT 1 FROM changes_approvalstep AS s WHERE s.change_id = NEW.id "
            "AND s.content_hash = NEW.content_hash AND s.state <> 'granted'))",
            "a change request is approved by those who are asked",
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]  # fmt: skip
