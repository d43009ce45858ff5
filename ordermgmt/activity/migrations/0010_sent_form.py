"""Which forms were sent: a form sent twice is one deed."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('activity', '0003_followup_reminded'),
    ]

    operations = [
        migrations.CreateModel(
            name='SentForm',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=160, unique=True)),
                ('made', models.BigIntegerField()),
                ('at', models.DateTimeField(auto_now_add=True)),
            ],
        ),
    ]
