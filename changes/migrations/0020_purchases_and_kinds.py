"""Purchases that a change touched wait for a decision; rules ask by the kind of operation; who at the customer asked."""

from decimal import Decimal

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import ordermgmt.lib.money
from ordermgmt.lib.database import LiftTriggers, RefuseWhen, RestoreTriggers

ASKED = " OR ".join(
    f"OLD.{name} IS DISTINCT FROM NEW.{name}"
    for name in ("change_id", "number", "supplier", "sku", "unit", "less", "needed_by", "respecified")
)
DECIDED = " OR ".join(
    f"OLD.{name} IS DISTINCT FROM NEW.{name}" for name in ("choice", "reduced", "note", "decided_by_id", "decided_at")
)


def carry_over(apps, schema_editor):
    """What asked for the end of an order asks for that kind of operation."""
    apps.get_model("changes", "ApprovalRule").objects.filter(on_termination=True).update(kinds=["terminate"])


class Migration(migrations.Migration):
    dependencies = [
        ("changes", "0010_reminders"),
        ("inventory", "0006_bom_without_circle"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            "approvalrule", "kinds",
            models.JSONField(
                blank=True, default=list, verbose_name="kinds of operation",
                help_text="Counts whenever a request does one of these, whatever it comes to.",
            ),
        ),
        migrations.RunPython(carry_over, migrations.RunPython.noop),
        migrations.RemoveField("approvalrule", "on_termination"),
        LiftTriggers("changes_changerequest"),
        migrations.AddField(
            "changerequest", "contact",
            models.CharField(
                blank=True, help_text="Who at the customer asked for it, where they did.", max_length=150,
                verbose_name="contact",
            ),
        ),
        RestoreTriggers("changes_changerequest"),
        RestoreTriggers("changes_operation"),
        RestoreTriggers("changes_approvalstep"),
        RestoreTriggers("changes_approvalgrant"),
        RestoreTriggers("orders_orderamendment"),
        migrations.CreateModel(
            "PurchaseDecision",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.CharField(max_length=20, verbose_name="purchase order")),
                ("supplier", models.CharField(max_length=200, verbose_name="supplier")),
                ("sku", models.CharField(max_length=60, verbose_name="material")),
                ("unit", models.CharField(blank=True, max_length=10, verbose_name="unit")),
                ("less", ordermgmt.lib.money.QuantityField(decimal_places=6, default=Decimal(0), max_digits=19, verbose_name="needed less")),
                ("needed_by", models.DateField(blank=True, null=True, verbose_name="needed by")),
                ("respecified", models.BooleanField(default=False)),
                ("choice", models.CharField(blank=True, choices=[("kept", "Left as ordered"), ("reduced", "Taken off the purchase")], max_length=8, verbose_name="decision")),
                ("reduced", ordermgmt.lib.money.QuantityField(decimal_places=6, default=Decimal(0), max_digits=19, verbose_name="taken off")),
                ("note", models.CharField(blank=True, max_length=200, verbose_name="note")),
                ("decided_at", models.DateTimeField(blank=True, null=True, verbose_name="decided")),
                ("reminded_on", models.DateField(blank=True, null=True)),
                ("change", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="purchases", to="changes.changerequest", verbose_name="change")),
                ("decided_by", models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL, verbose_name="decided by")),
                ("line", models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="decisions", to="inventory.purchaseline")),
            ],
            options={
                "ordering": ["pk"],
                "indexes": [models.Index(fields=["choice", "-id"], name="purchase_decision_open")],
                "constraints": [
                    models.UniqueConstraint(fields=("change", "line"), name="purchase_decision_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("choice", ""), ("decided_at", None), ("decided_by", None)),
                            models.Q(
                                models.Q(("choice", ""), _negated=True), models.Q(("note", ""), _negated=True),
                                ("decided_at__isnull", False), ("decided_by__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="purchase_decision_by_somebody",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("less__gte", 0), ("reduced", 0)),
                            models.Q(("choice", "reduced"), ("less__gte", 0), ("reduced__gt", 0)),
                            _connector="OR",
                        ),
                        name="purchase_decision_reduced",
                    ),
                ],
            },
        ),
        RefuseWhen(
            "changes_purchasedecision", "changes_decision_kept", "DELETE", "OLD.id = OLD.id",
            "what is to be decided stays",
        ),
        RefuseWhen(
            "changes_purchasedecision", "changes_decision_frozen", "UPDATE",
            f"{ASKED} OR (OLD.choice <> '' AND ({DECIDED}))", "a decision stays as it was taken",
        ),
    ]  # fmt: skip
