"""A risk that happened is an issue until it is solved; what is done against it is reported; its category is the company's."""

import django.core.validators
import django.db.models.deletion
import ordermgmt.lib.fsm
from django.db import migrations, models

from ordermgmt.lib.database import LiftTriggers, RestoreTriggers, StateEdges

BEFORE = [("open", "happened"), ("open", "closed")]


class Migration(migrations.Migration):
    dependencies = [("fulfilment", "0040_risk_settings")]

    operations = [
        LiftTriggers("fulfilment_risk"),
        migrations.RemoveConstraint(
            model_name='risk',
            name='risk_cost_only_if_happened',
        ),
        migrations.AddField(
            model_name='risk',
            name='due',
            field=models.DateField(blank=True, null=True, verbose_name='solved by'),
        ),
        migrations.AddField(
            model_name='risk',
            name='mitigated_on',
            field=models.DateField(blank=True, null=True, verbose_name='mitigated on'),
        ),
        migrations.AddField(
            model_name='risk',
            name='reminded_on',
            field=models.DateField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='risk',
            name='resolution',
            field=models.CharField(blank=True, max_length=500, verbose_name='solution'),
        ),
        migrations.AlterField(
            model_name='risk',
            name='impact',
            field=models.PositiveSmallIntegerField(default=3, help_text="How much it would hurt, on the company's scale.", validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(5)], verbose_name='impact'),
        ),
        migrations.AlterField(
            model_name='risk',
            name='probability',
            field=models.PositiveSmallIntegerField(default=3, help_text="How likely it is, on the company's scale.", validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(5)], verbose_name='probability'),
        ),
        migrations.AlterField(
            model_name='risk',
            name='state',
            field=ordermgmt.lib.fsm.FSMField(choices=[('open', 'Open'), ('happened', 'Happened'), ('resolved', 'Solved'), ('closed', 'Closed')], default='open', max_length=50, protected=True, verbose_name='state'),
        ),
        migrations.AlterField(
            model_name='risk',
            name='category',
            field=models.ForeignKey(db_column='category', default='technical', help_text='Where it comes from.', on_delete=django.db.models.deletion.PROTECT, related_name='risks', to='fulfilment.riskcategory', to_field='code', verbose_name='category'),
        ),
        migrations.AddIndex(
            model_name='risk',
            index=models.Index(fields=['state', 'review_on'], name='risk_by_review'),
        ),
        migrations.AddConstraint(
            model_name='risk',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['happened', 'resolved']), models.Q(('cost', 0), ('days', 0), ('due', None)), _connector='OR'), name='risk_cost_only_if_happened'),
        ),
        migrations.AddConstraint(
            model_name='risk',
            constraint=models.CheckConstraint(condition=models.Q(('mitigated_on', None), models.Q(('mitigation', ''), _negated=True), _connector='OR'), name='risk_mitigated_by_something'),
        ),
        migrations.AddConstraint(
            model_name='risk',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'resolved'), ('resolution', ''), _connector='OR'), name='risk_solution_only_if_solved'),
        ),
        migrations.AddConstraint(
            model_name='risk',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'resolved'), _negated=True), models.Q(('resolution', ''), _negated=True), _connector='OR'), name='risk_solved_says_how'),
        ),
        RestoreTriggers("fulfilment_risk"),
        StateEdges("fulfilment_risk", "state", [*BEFORE, ("happened", "resolved")], replaces=BEFORE),
    ]
