"""The period of a supply, the tax point, and the references to contract and buyer that documents carry."""

from django.db import migrations, models
from django.db.models import F, Q

from ordermgmt.lib.database import LiftTriggers, RefuseWhen, RestoreTriggers

COLUMNS = ("delivery_from", "tax_point", "contract_reference", "buyer_reference")
#: Whose triggers ask the table of documents.
ASKING = (
    "billing_invoiceline", "billing_invoicetax", "billing_invoicereference", "billing_documentadjustment",
    "billing_earlydiscount", "billing_instalment", "billing_allocation", "billing_instalmentplan", "orders_order",
)  # fmt: skip
CHANGED = " OR ".join(f"OLD.{name} IS DISTINCT FROM NEW.{name}" for name in COLUMNS)


class Migration(migrations.Migration):
    dependencies = [("billing", "0040_ledger_accounts")]

    operations = [
        LiftTriggers("billing_invoice"),
        migrations.AddField("invoice", "delivery_from", models.DateField("delivery from", blank=True, null=True)),
        migrations.AddField("invoice", "tax_point", models.DateField("tax point", blank=True, null=True)),
        migrations.AddField(
            "invoice", "contract_reference", models.CharField("contract", blank=True, default="", max_length=80),
            preserve_default=False,
        ),
        migrations.AddField(
            "invoice", "buyer_reference", models.CharField("buyer reference", blank=True, default="", max_length=80),
            preserve_default=False,
        ),
        migrations.AddConstraint(
            "invoice",
            models.CheckConstraint(
                condition=Q(delivery_from=None) | Q(delivery_from__lte=F("delivery_date")), name="invoice_period_in_order"
            ),
        ),
        RestoreTriggers("billing_invoice"),
        *(RestoreTriggers(table) for table in ASKING),
        RefuseWhen(
            "billing_invoice", "billing_invoice_references_frozen", "UPDATE",
            f"OLD.state <> 'draft' AND ({CHANGED})", "an issued document never changes",
        ),
    ]  # fmt: skip
