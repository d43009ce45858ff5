"""Charges and deductions of orders, and the clause that proposes penalties."""

import django.db.models.deletion
import ordermgmt.lib.fsm
import ordermgmt.lib.fsm
import ordermgmt.lib.money
from decimal import Decimal
from django.conf import settings
from django.db import migrations, models

from ordermgmt.lib.database import RefuseWhen, StateEdges


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0015_late_fees'),
        ('orders', '0008_final_account'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name='invoiceline',
            name='kind',
            field=models.CharField(choices=[('item', 'Item'), ('deposit', 'Instalment'), ('deduction', 'Deducted instalment'), ('charge', 'Charge or deduction')], default='item', max_length=10, verbose_name='kind'),
        ),
        migrations.CreateModel(
            name='OrderCharge',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('charge', 'Extra charge'), ('bonus', 'Bonus for early completion'), ('penalty', 'Penalty for late delivery'), ('discount', 'Discount')], max_length=10, verbose_name='kind')),
                ('state', ordermgmt.lib.fsm.FSMField(choices=[('proposed', 'Proposed'), ('accepted', 'Accepted'), ('waived', 'Waived')], default='proposed', max_length=10, protected=True, verbose_name='state')),
                ('description', models.CharField(max_length=200, verbose_name='text on the document')),
                ('net', ordermgmt.lib.money.AmountField(decimal_places=4, max_digits=19, verbose_name='net')),
                ('tax_category', models.CharField(max_length=2, verbose_name='tax category')),
                ('tax_rate', ordermgmt.lib.money.RateField(decimal_places=6, max_digits=12, verbose_name='tax %')),
                ('tax', ordermgmt.lib.money.AmountField(decimal_places=4, default=Decimal('0'), max_digits=19, verbose_name='tax')),
                ('reason', models.CharField(max_length=300, verbose_name='reason')),
                ('evidence', models.CharField(blank=True, max_length=300, verbose_name='evidence')),
                ('automatic', models.BooleanField(default=False, help_text='Proposed by the clause of the order.')),
                ('computation', models.JSONField(default=list, help_text='Line by line, how a penalty came about.')),
                ('key', models.CharField(help_text='The same form or clause proposes once.', max_length=160, unique=True)),
                ('asked_at', models.DateTimeField(auto_now_add=True, verbose_name='proposed on')),
                ('decided_at', models.DateTimeField(blank=True, null=True)),
                ('decision', models.CharField(blank=True, max_length=300, verbose_name='reason of the decision')),
                ('version', models.PositiveIntegerField(default=1)),
                ('asked_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('decided_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('order', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='charges', to='orders.order', verbose_name='order')),
            ],
            options={
                'ordering': ['pk'],
            },
            bases=(ordermgmt.lib.fsm.Refreshable, models.Model),
        ),
        migrations.AddField(
            model_name='invoiceline',
            name='charge',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='invoice_lines', to='billing.ordercharge'),
        ),
        migrations.CreateModel(
            name='OrderClause',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('rate_percent', ordermgmt.lib.money.RateField(decimal_places=6, default=Decimal('0'), max_digits=12, verbose_name='penalty %')),
                ('per', models.CharField(choices=[('day', 'Day'), ('week', 'Week begun')], default='day', max_length=4, verbose_name='per')),
                ('grace_days', models.PositiveIntegerField(default=0, verbose_name='days of grace')),
                ('cap_percent', ordermgmt.lib.money.RateField(blank=True, decimal_places=6, max_digits=12, null=True, verbose_name='cap %')),
                ('retention_apart', models.BooleanField(default=False, verbose_name='retentions stand apart')),
                ('set_at', models.DateTimeField(auto_now=True)),
                ('version', models.PositiveIntegerField(default=1)),
                ('order', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='clause', to='orders.order')),
                ('set_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.AddConstraint(
            model_name='ordercharge',
            constraint=models.CheckConstraint(condition=models.Q(('net__gt', 0), ('tax__gte', 0)), name='order_charge_positive'),
        ),
        migrations.AddConstraint(
            model_name='ordercharge',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='order_charge_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='ordercharge',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_by', None), ('state', 'proposed')), models.Q(models.Q(('state', 'proposed'), _negated=True), ('decided_by__isnull', False), models.Q(('decision', ''), _negated=True)), _connector='OR'), name='order_charge_decided_with_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='ordercharge',
            constraint=models.CheckConstraint(condition=models.Q(('decided_by', None), models.Q(('decided_by', models.F('asked_by')), _negated=True), _connector='OR'), name='order_charge_decided_by_somebody_else'),
        ),
        migrations.AddConstraint(
            model_name='orderclause',
            constraint=models.CheckConstraint(condition=models.Q(('rate_percent__gte', 0), ('rate_percent__lte', 100)), name='clause_rate'),
        ),
        migrations.AddConstraint(
            model_name='orderclause',
            constraint=models.CheckConstraint(condition=models.Q(('cap_percent', None), models.Q(('cap_percent__gt', 0), ('cap_percent__isnull', False), ('cap_percent__lte', 100)), _connector='OR'), name='clause_cap'),
        ),
        StateEdges("billing_ordercharge", "state", [("proposed", "accepted"), ("proposed", "waived")]),
        RefuseWhen(
            "billing_ordercharge",
            "billing_ordercharge_decided",
            "UPDATE OR DELETE",
            "OLD.state <> 'proposed'",
            "what was decided about a charge never changes",
        ),
    ]
