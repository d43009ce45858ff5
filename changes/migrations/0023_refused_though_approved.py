"""What is approved can be refused until it is applied."""

from importlib import import_module

from django.db import migrations

from ordermgmt.lib.database import StateEdges

_before = import_module("changes.migrations.0002_rules").EDGES


class Migration(migrations.Migration):
    dependencies = [("changes", "0022_as_approved_by_case")]

    operations = [
        StateEdges("changes_changerequest", "state", [*_before, ("approved", "refused")], _before),
    ]
