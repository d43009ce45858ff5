"""Nothing of a settled order's account moves: no document, instalment, payment, charge or plan, whoever asks."""

import django.db.models.deletion
import ordermgmt.lib.fsm
import ordermgmt.lib.fsm
import ordermgmt.lib.money
from django.conf import settings
from django.db import migrations, models

from ordermgmt.lib.database import AppendOnly, RefuseWhen, RefuseWhere, StateEdges

CLOSED = "EXISTS (SELECT 1 FROM orders_order AS o WHERE o.id = {order} AND o.state = 'settled' AND o.final_amount IS NOT NULL)"
ON_DOCUMENT = (
    "EXISTS (SELECT 1 FROM billing_invoice AS i JOIN orders_order AS o ON o.id = i.order_id "
    "WHERE i.id = {row}.invoice_id AND o.state = 'settled' AND o.final_amount IS NOT NULL)"
)
ON_PLAN = (
    "EXISTS (SELECT 1 FROM billing_instalmentplan AS p JOIN orders_order AS o ON o.id = p.order_id "
    "WHERE p.id = {row}.plan_id AND o.state = 'settled' AND o.final_amount IS NOT NULL)"
)
MESSAGE = "the account of a settled order is closed"


def either(row):
    return f"({ON_DOCUMENT.format(row=row)} OR {ON_PLAN.format(row=row)})"


def closed(table, *events):
    """No row of a table that names an order, once that order is settled."""
    return [
        RefuseWhere(
            table, f"{table}_settled_{event.lower()}", event,
            CLOSED.format(order=f"{'OLD' if event == 'DELETE' else 'NEW'}.order_id"), MESSAGE,
        )
        for event in events
    ]  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [
        ('billing', '0020_final_account'),
        ('documents', '0003_imports'),
        ('orders', '0008_final_account'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='FinalAccount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField(verbose_name='version')),
                ('state', ordermgmt.lib.fsm.FSMField(choices=[('drawn', 'Drawn up'), ('frozen', 'Frozen'), ('replaced', 'Replaced')], default='drawn', max_length=10, protected=True, verbose_name='state')),
                ('content', models.JSONField(default=dict)),
                ('digest', models.CharField(max_length=64)),
                ('final_net', ordermgmt.lib.money.AmountField(decimal_places=4, max_digits=19, verbose_name='final, net')),
                ('final_gross', ordermgmt.lib.money.AmountField(decimal_places=4, max_digits=19, verbose_name='final amount')),
                ('drawn_at', models.DateTimeField(auto_now_add=True)),
                ('frozen_at', models.DateTimeField(blank=True, null=True)),
                ('drawn_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('frozen_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('order', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='accounts', to='orders.order', verbose_name='order')),
            ],
            options={
                'ordering': ['-number'],
                'constraints': [models.UniqueConstraint(fields=('order', 'number'), name='final_account_version_once'), models.UniqueConstraint(condition=models.Q(('state', 'replaced'), _negated=True), fields=('order',), name='final_account_one_in_force'), models.CheckConstraint(condition=models.Q(('frozen_by', None), models.Q(('frozen_by', models.F('drawn_by')), _negated=True), _connector='OR'), name='final_account_frozen_by_somebody_else'), models.CheckConstraint(condition=models.Q(('state', 'replaced'), models.Q(('frozen_by', None), ('state', 'drawn')), models.Q(('frozen_by__isnull', False), ('state', 'frozen')), _connector='OR'), name='final_account_frozen_by_a_person')],
            },
            bases=(ordermgmt.lib.fsm.Refreshable, models.Model),
        ),
        migrations.CreateModel(
            name='SettlementPaper',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('language', models.CharField(choices=[('en', 'English'), ('zh-hans', 'Simplified Chinese')], max_length=10)),
                ('at', models.DateTimeField(auto_now_add=True)),
                ('file', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='documents.storedfile')),
                ('settlement', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='papers', to='billing.settlement')),
            ],
            options={
                'ordering': ['language'],
                'constraints': [models.UniqueConstraint(fields=('settlement', 'language'), name='settlement_paper_once')],
            },
        ),
        StateEdges(
            "billing_finalaccount", "state", [("drawn", "frozen"), ("drawn", "replaced"), ("frozen", "replaced")]
        ),
        RefuseWhen(
            "billing_finalaccount", "billing_finalaccount_kept", "UPDATE",
            "OLD.order_id <> NEW.order_id OR OLD.number <> NEW.number OR OLD.digest <> NEW.digest "
            "OR OLD.final_net <> NEW.final_net OR OLD.final_gross <> NEW.final_gross "
            "OR OLD.drawn_by_id <> NEW.drawn_by_id OR CAST(OLD.content AS TEXT) IS DISTINCT FROM CAST(NEW.content AS TEXT) "
            "OR (OLD.frozen_by_id IS NOT NULL AND OLD.frozen_by_id IS DISTINCT FROM NEW.frozen_by_id)",
            "a final account never changes: draw up the next version",
        ),
        RefuseWhen(
            "billing_finalaccount", "billing_finalaccount_stays", "DELETE", "true", "a final account is kept"
        ),
        AppendOnly("billing_settlementpaper"),
        *closed("billing_finalaccount", "INSERT", "UPDATE"),
        *closed("billing_ordercharge", "INSERT", "UPDATE", "DELETE"),
        *closed("billing_orderclause", "INSERT", "UPDATE", "DELETE"),
        *closed("billing_instalmentplan", "INSERT", "UPDATE", "DELETE"),
        *closed("billing_invoice", "INSERT"),
        RefuseWhere(
            "billing_invoice", "billing_invoice_settled_update", "UPDATE",
            "(OLD.state <> NEW.state OR OLD.credited <> NEW.credited OR OLD.due <> NEW.due "
            "OR OLD.order_id IS DISTINCT FROM NEW.order_id) AND " + CLOSED.format(order="NEW.order_id"), MESSAGE,
        ),
        RefuseWhere("billing_instalment", "billing_instalment_settled_insert", "INSERT", either("NEW"), MESSAGE),
        RefuseWhere("billing_instalment", "billing_instalment_settled_delete", "DELETE", either("OLD"), MESSAGE),
        RefuseWhere(
            # A retention that stands apart is paid when its day has come.
            "billing_instalment", "billing_instalment_settled_update", "UPDATE",
            "(OLD.amount <> NEW.amount OR OLD.credited <> NEW.credited OR OLD.due_date <> NEW.due_date "
            "OR OLD.kind <> NEW.kind OR OLD.invoice_id IS DISTINCT FROM NEW.invoice_id "
            "OR (OLD.paid <> NEW.paid AND OLD.kind <> 'retention')) AND " + either("NEW"), MESSAGE,
        ),
        RefuseWhere(
            "billing_allocation", "billing_allocation_settled", "INSERT",
            "EXISTS (SELECT 1 FROM billing_instalment AS n JOIN billing_invoice AS i ON i.id = n.invoice_id "
            "JOIN orders_order AS o ON o.id = i.order_id WHERE n.id = NEW.instalment_id AND o.state = 'settled' "
            "AND o.final_amount IS NOT NULL AND (n.kind <> 'retention' OR NEW.payment_id IS NULL))", MESSAGE,
        ),
    ]  # fmt: skip
