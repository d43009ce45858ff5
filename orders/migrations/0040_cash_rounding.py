"""An order keeps what it is rounded to and by; its step stands once it is placed."""

from decimal import Decimal

from django.db import migrations, models
from django.db.models import F, Q

from ordermgmt.lib.database import LiftTriggers, RefuseWhen, RestoreTriggers
from ordermgmt.lib.money import AmountField

#: Whose triggers ask the table of orders.
ASKING = (
    "orders_orderline", "orders_orderamendment", "billing_finalaccount", "billing_ordercharge", "billing_orderclause",
    "billing_instalmentplan", "billing_invoice", "billing_instalment", "billing_allocation",
)  # fmt: skip
WHOLE = F("net_total") + F("tax_total") + F("rounding")


class Migration(migrations.Migration):
    dependencies = [("orders", "0020_agreed_header")]

    operations = [
        LiftTriggers("orders_order"),
        migrations.AddField(
            model_name="order",
            name="rounding",
            field=AmountField(
                db_default=Decimal("0"),
                decimal_places=4,
                default=Decimal("0"),
                max_digits=19,
                verbose_name="rounding",
            ),
        ),
        migrations.AddField(
            model_name="order",
            name="cash_step",
            field=AmountField(
                db_default=Decimal("0"),
                decimal_places=4,
                default=Decimal("0"),
                max_digits=19,
                verbose_name="cash rounding",
            ),
        ),
        migrations.RemoveConstraint(model_name="order", name="order_total_is_net_plus_tax"),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.CheckConstraint(
                condition=Q(gross_total__gt=WHOLE - Decimal("0.00005"))
                & Q(gross_total__lt=WHOLE + Decimal("0.00005")),
                name="order_total_is_net_plus_tax",
            ),
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.CheckConstraint(condition=Q(cash_step__gte=0), name="order_cash_step_not_negative"),
        ),
        RestoreTriggers("orders_order"),
        *(RestoreTriggers(table) for table in ASKING),
        RefuseWhen(
            "orders_order", "orders_order_cash", "UPDATE",
            "OLD.state <> 'draft' AND OLD.cash_step IS DISTINCT FROM NEW.cash_step",
            "a placed order is rounded as it was agreed",
        ),
    ]  # fmt: skip
