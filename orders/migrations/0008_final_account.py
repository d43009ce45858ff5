"""What was agreed beside the lines and what stays retained; the account of a settled order is closed in the database too."""

import django.db.models.expressions
import django.db.models.functions.math
import django.db.models.lookups
import ordermgmt.lib.money
from decimal import Decimal
from django.db import migrations, models

from ordermgmt.lib.database import LiftTriggers, RefuseWhen, RefuseWhere, RestoreTriggers

#: Of a settled order none of these moves: reopening comes first, and changes the state.
CLOSED = "net_total tax_total gross_total charges_total invoiced_total final_amount currency customer_id".split()


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0007_unread_changes'),
    ]

    operations = [
        LiftTriggers("orders_order"),
        migrations.RemoveConstraint(
            model_name='order',
            name='order_settled_means_nothing_open',
        ),
        migrations.AddField(
            model_name='order',
            name='charges_total',
            field=ordermgmt.lib.money.AmountField(decimal_places=4, default=Decimal('0'), max_digits=19),
        ),
        migrations.AddField(
            model_name='order',
            name='retained_total',
            field=ordermgmt.lib.money.AmountField(decimal_places=4, default=Decimal('0'), max_digits=19),
        ),
        migrations.AddConstraint(
            model_name='order',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'settled'), _negated=True), models.Q(django.db.models.lookups.Exact(django.db.models.functions.math.Round(django.db.models.expressions.CombinedExpression(models.F('paid_total'), '+', models.F('retained_total')), 4), models.F('invoiced_total')), ('draft_invoices', 0), ('final_amount', models.F('invoiced_total')), ('open_changes', 0), ('pending_changes', 0)), ('origin', 'imported'), _connector='OR'), name='order_settled_means_nothing_open'),
        ),
        migrations.AddConstraint(
            model_name='order',
            constraint=models.CheckConstraint(condition=models.Q(('retained_total__gte', 0)), name='order_retained_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='order',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'settled'), ('retained_total', 0), _connector='OR'), name='order_retained_only_when_settled'),
        ),
        RestoreTriggers("orders_order"),
        RestoreTriggers("orders_orderline"),
        RefuseWhen(
            "orders_order",
            "orders_order_settled",
            "UPDATE",
            "OLD.state = 'settled' AND NEW.state = 'settled' AND OLD.final_amount IS NOT NULL AND ("
            + " OR ".join(f"OLD.{name} IS DISTINCT FROM NEW.{name}" for name in CLOSED)
            + ")",
            "the account of a settled order is closed",
        ),
        RefuseWhere(
            "orders_orderamendment",
            "orders_orderamendment_open",
            "INSERT",
            "EXISTS (SELECT 1 FROM orders_order AS o WHERE o.id = NEW.order_id AND o.state = 'settled')",
            "a settled order is not changed",
        ),
    ]
