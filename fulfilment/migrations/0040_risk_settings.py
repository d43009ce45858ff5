"""The company's categories of risks and its two scales, beginning with what was fixed before."""

import django.core.validators
from django.db import migrations, models

CATEGORIES = [
    ("technical", "Technical", "技术"), ("people", "People", "人员"), ("supply", "Supply", "供应"),
    ("customer", "Customer", "客户"), ("regulation", "Regulation", "法规"),
    ("weather", "Weather and force majeure", "天气与不可抗力"), ("finance", "Finance", "资金"),
]  # fmt: skip
LEVELS = {
    "probability": [
        ("Hardly ever", "几乎不会"), ("Unlikely", "不太可能"), ("Possible", "有可能"), ("Likely", "很可能"),
        ("Almost certain", "几乎肯定"),
    ],
    "impact": [
        ("Hardly felt", "几乎无影响"), ("Small", "影响较小"), ("Noticeable", "影响明显"), ("Grave", "影响严重"),
        ("The order fails", "订单失败"),
    ],
}  # fmt: skip


def fill(apps, schema_editor):
    category, level = apps.get_model("fulfilment", "RiskCategory"), apps.get_model("fulfilment", "RiskLevel")
    for code, name, name_zh in CATEGORIES:
        category.objects.get_or_create(code=code, defaults={"name": name, "name_zh": name_zh})
    for axis, names in LEVELS.items():
        for value, (name, name_zh) in enumerate(names, start=1):
            level.objects.get_or_create(axis=axis, value=value, defaults={"name": name, "name_zh": name_zh})
    apps.get_model("fulfilment", "RiskScale").objects.get_or_create(pk=1)


class Migration(migrations.Migration):
    dependencies = [("fulfilment", "0031_defects")]

    operations = [
        migrations.CreateModel(
            name='RiskCategory',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(help_text='What people choose in English.', max_length=120, verbose_name='name')),
                ('name_zh', models.CharField(blank=True, help_text='What people choose in Chinese; empty: the same.', max_length=120, verbose_name='Chinese name')),
                ('code', models.CharField(help_text='Short and lasting; reports count by it. It stays as it is.', max_length=20, unique=True, verbose_name='code')),
                ('is_active', models.BooleanField(default=True, help_text='A category that is no longer offered stays on old risks.', verbose_name='offered')),
            ],
            options={
                'ordering': ['code'],
            },
        ),
        migrations.CreateModel(
            name='RiskLevel',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(help_text='What people choose in English.', max_length=120, verbose_name='name')),
                ('name_zh', models.CharField(blank=True, help_text='What people choose in Chinese; empty: the same.', max_length=120, verbose_name='Chinese name')),
                ('axis', models.CharField(choices=[('probability', 'Probability'), ('impact', 'Impact')], max_length=11, verbose_name='scale')),
                ('value', models.PositiveSmallIntegerField(verbose_name='step')),
            ],
            options={
                'ordering': ['axis', 'value'],
            },
        ),
        migrations.CreateModel(
            name='RiskScale',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('middle_from', models.PositiveSmallIntegerField(default=6, help_text='From this probability times impact on a risk is middling; below it is low.', validators=[django.core.validators.MinValueValidator(2), django.core.validators.MaxValueValidator(24)], verbose_name='middling from')),
                ('high_from', models.PositiveSmallIntegerField(default=15, help_text='From this probability times impact on a risk is high, and its order is at risk.', validators=[django.core.validators.MinValueValidator(3), django.core.validators.MaxValueValidator(25)], verbose_name='high from')),
                ('version', models.PositiveIntegerField(default=1)),
            ],
        ),
        migrations.AddConstraint(
            model_name='riskcategory',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('code', ''), _negated=True), models.Q(('name', ''), _negated=True)), name='risk_category_has_code_and_name'),
        ),
        migrations.AddConstraint(
            model_name='risklevel',
            constraint=models.UniqueConstraint(fields=('axis', 'value'), name='risk_level_once'),
        ),
        migrations.AddConstraint(
            model_name='risklevel',
            constraint=models.CheckConstraint(condition=models.Q(('axis__in', ['probability', 'impact']), ('value__range', (1, 5)), models.Q(('name', ''), _negated=True)), name='risk_level_on_a_scale'),
        ),
        migrations.AddConstraint(
            model_name='riskscale',
            constraint=models.CheckConstraint(condition=models.Q(('pk', 1)), name='risk_scale_once'),
        ),
        migrations.AddConstraint(
            model_name='riskscale',
            constraint=models.CheckConstraint(condition=models.Q(('high_from__lte', 25), ('middle_from__gte', 2), ('middle_from__lt', models.F('high_from'))), name='risk_scale_in_order', violation_error_message='High begins above middling, and both lie between 2 and 25.'),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
