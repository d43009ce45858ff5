"""Suppliers have a language, purchase orders a document in it and mails that bring it to them."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from ordermgmt.lib.database import AppendOnly, LiftTriggers, RestoreTriggers


def speak_chinese(apps, schema_editor):
    """Suppliers in China are written to in Chinese; whoever is not may be told so on their page."""
    apps.get_model("inventory", "Supplier").objects.filter(country="CN").update(language="zh-hans")


class Migration(migrations.Migration):
    dependencies = [
        ("inventory", "0006_bom_without_circle"),
        ("documents", "0003_imports"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        LiftTriggers("inventory_supplier"),
        migrations.AddField(
            model_name="supplier",
            name="language",
            field=models.CharField(
                choices=[("en", "English"), ("zh-hans", "Simplified Chinese")], db_default="en", default="en", max_length=10,
                verbose_name="language",
            ),
        ),
        RestoreTriggers("inventory_supplier"),
        migrations.CreateModel(
            name='PurchasePaper',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('content_hash', models.CharField(max_length=64)),
                ('made_at', models.DateTimeField(auto_now_add=True)),
                ('file', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='documents.storedfile')),
                ('order', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='papers', to='inventory.purchaseorder')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='PurchaseMail',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('to', models.EmailField(max_length=254, verbose_name='to')),
                ('message', models.TextField(blank=True, verbose_name='message')),
                ('key', models.CharField(help_text='The same form is sent once.', max_length=160, unique=True)),
                ('at', models.DateTimeField(auto_now_add=True)),
                ('sent_at', models.DateTimeField(blank=True, null=True, verbose_name='sent')),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('order', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='mails', to='inventory.purchaseorder')),
                ('paper', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='mails', to='inventory.purchasepaper')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.AddConstraint(
            model_name='purchasepaper',
            constraint=models.UniqueConstraint(fields=('order', 'content_hash'), name='purchase_paper_once'),
        ),
        migrations.AddConstraint(
            model_name='purchasemail',
            constraint=models.CheckConstraint(condition=models.Q(('to', ''), _negated=True), name='purchase_mail_has_a_reader'),
        ),
        migrations.AddConstraint(
            model_name='purchasemail',
            constraint=models.CheckConstraint(condition=models.Q(('sent_at', None), ('paper__isnull', False), _connector='OR'), name='purchase_mail_sent_with_its_document'),
        ),
        AppendOnly("inventory_purchasepaper"),
        migrations.RunPython(speak_chinese, migrations.RunPython.noop, elidable=True),
    ]  # fmt: skip
