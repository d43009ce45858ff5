"""Two reasons that public contracts know."""

from django.db import migrations

REASONS = [("NEED", "Additional need", "新增需求"), ("UNFORESEEN", "Unforeseen circumstance", "未预见情况")]


def fill(apps, schema_editor):
    model = apps.get_model("changes", "ChangeReason")
    for code, name, name_zh in REASONS:
        model.objects.get_or_create(code=code, defaults={"name": name, "name_zh": name_zh})


class Migration(migrations.Migration):
    dependencies = [("changes", "0007_description")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
