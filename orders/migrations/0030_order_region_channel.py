"""Region and channel are kept with the order; those that are there take them from their customer."""

from django.db import migrations, models
from django.db.models import F, OuterRef, Subquery
from django.db.models.functions import Coalesce

from ordermgmt.lib.database import LiftTriggers, RestoreTriggers

#: Whose triggers ask the table of orders.
ASKING = (
    "orders_orderline", "orders_orderamendment", "billing_finalaccount", "billing_ordercharge", "billing_orderclause",
    "billing_instalmentplan", "billing_invoice", "billing_instalment", "billing_allocation",
)  # fmt: skip


def take_from_customers(apps, schema_editor):
    order, address = apps.get_model("orders", "Order"), apps.get_model("customers", "Address")
    customer = apps.get_model("customers", "Customer").objects.filter(pk=OuterRef("customer"))
    # "delivery" comes after "billing" in the alphabet: the place of delivery first, else that of the bills.
    places = address.objects.filter(customer=OuterRef("customer")).order_by("-kind", "-is_default", "pk")
    order.objects.update(
        channel=Coalesce(Subquery(customer.values("channel")[:1]), F("channel")),
        region=Coalesce(Subquery(places.values("region")[:1]), F("region")),
    )


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0003_early_discount"),
        ("orders", "0009_production"),
    ]

    operations = [
        LiftTriggers("orders_order"),
        migrations.AddField(
            model_name="order",
            name="region",
            field=models.CharField(
                blank=True,
                db_default="",
                help_text="Where it is delivered, as reports group it; taken from the address.",
                max_length=100,
                verbose_name="region",
            ),
        ),
        migrations.AddField(
            model_name="order",
            name="channel",
            field=models.CharField(
                blank=True,
                choices=[
                    ("direct", "Direct"),
                    ("web", "Web"),
                    ("partner", "Partner"),
                    ("fair", "Trade fair"),
                    ("referral", "Referral"),
                    ("other", "Other"),
                ],
                db_default="",
                help_text="The way on which it was won; taken from the customer.",
                max_length=10,
                verbose_name="channel",
            ),
        ),
        migrations.RunPython(take_from_customers, migrations.RunPython.noop, elidable=True),
        RestoreTriggers("orders_order"),
        *(RestoreTriggers(table) for table in ASKING),
    ]
