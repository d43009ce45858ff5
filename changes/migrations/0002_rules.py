"""The steps of a request, what is frozen from its submission on, and that only an approved one amends an order."""

from django.db import migrations

from ordermgmt.lib.database import RefuseWhen, RefuseWhere, StateEdges

EDGES = [
    ("draft", "submitted"), ("submitted", "draft"), ("assessed", "draft"), ("approved", "draft"),
    ("draft", "withdrawn"), ("submitted", "withdrawn"), ("assessed", "withdrawn"), ("approved", "withdrawn"),
    ("submitted", "assessed"), ("assessed", "approved"), ("approved", "assessed"),
    ("submitted", "refused"), ("assessed", "refused"), ("approved", "applied"),
]  # fmt: skip
WRITTEN = "EXISTS (SELECT 1 FROM changes_changerequest AS c WHERE c.id = {row}.change_id AND c.state <> 'draft')"
REASONS = [
    ("SCOPE", "Scope grows or shrinks", "范围增减"),
    ("DESIGN", "Design or specification", "设计或规格变化"),
    ("PRICE", "Price agreed anew", "价格重新商定"),
    ("DATE", "Schedule", "工期调整"),
    ("SUPPLY", "Supply of material", "物料供应"),
    ("RISK", "A risk that happened", "风险发生"),
    ("ERROR", "An error in the order", "订单有误"),
    ("LAW", "Law or regulation", "法规要求"),
    ("END", "The customer ends the order", "客户终止订单"),
]


def fill(apps, schema_editor):
    """Reasons to begin with; the company changes them."""
    model = apps.get_model("changes", "ChangeReason")
    for code, name, name_zh in REASONS:
        model.objects.get_or_create(code=code, defaults={"name": name, "name_zh": name_zh})


class Migration(migrations.Migration):
    dependencies = [("changes", "0001_initial"), ("orders", "0006_amendment_rules")]

    operations = [
        StateEdges("changes_changerequest", "state", EDGES),
        RefuseWhen(
            "changes_changerequest",
            "changes_change_kept",
            "DELETE",
            "OLD.state <> 'draft'",
            "a change request that was asked for is not deleted",
        ),
        RefuseWhen(
            "changes_changerequest",
            "changes_change_begins",
            "INSERT",
            "NEW.state <> 'draft'",
            "a change request begins as a draft",
        ),
        RefuseWhen(
            "changes_changerequest",
            "changes_change_frozen",
            "UPDATE",
            "OLD.order_id IS DISTINCT FROM NEW.order_id OR OLD.requested_by_id IS DISTINCT FROM NEW.requested_by_id OR "
            "OLD.number IS DISTINCT FROM NEW.number",
            "order, writer and number of a change request stay",
        ),
        RefuseWhere(
            "changes_operation", "changes_operation_added", "INSERT", WRITTEN.format(row="NEW"),
            "the content of a change request stays once it is asked for",
        ),
        RefuseWhere(
            "changes_operation", "changes_operation_changed", "UPDATE", WRITTEN.format(row="OLD"),
            "the content of a change request stays once it is asked for",
        ),
        RefuseWhere(
            "changes_operation", "changes_operation_removed", "DELETE", WRITTEN.format(row="OLD"),
            "the content of a change request stays once it is asked for",
        ),
        RefuseWhere(
            "orders_orderamendment",
            "changes_amendment_approved",
            "INSERT",
            "NEW.source <> 'changes.changerequest' OR NOT EXISTS (SELECT 1 FROM changes_changerequest AS c "
            "WHERE c.id = NEW.source_id AND c.order_id = NEW.order_id AND c.state = 'approved' "
            "AND c.order_version = NEW.version - 1)",
            "an order is amended by an approved change request",
        ),
        RefuseWhere(
            "changes_changerequest",
            "changes_change_applied",
            "UPDATE",
            "NEW.state = 'applied' AND OLD.state <> 'applied' AND NOT EXISTS (SELECT 1 FROM orders_orderamendment AS a "
            "WHERE a.source = 'changes.changerequest' AND a.source_id = NEW.id AND a.order_id = NEW.order_id)",
            "an applied change request has amended its order",
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]  # fmt: skip
