"""Rules that the database holds itself, and the units and the warehouse that every company starts with."""

from django.db import migrations

from ordermgmt.lib.database import AppendOnly, StateEdges

UNITS = [
    ("pcs", "Pieces", 0),
    ("set", "Sets", 0),
    ("kg", "Kilograms", 3),
    ("m", "Metres", 3),
    ("m2", "Square metres", 3),
    ("l", "Litres", 3),
    ("h", "Hours", 2),
    ("day", "Days", 2),
    ("lot", "Lump sum", 0),
]


def begin(apps, schema_editor):
    unit = apps.get_model("inventory", "Unit")
    for code, name, decimals in UNITS:
        unit.objects.get_or_create(code=code, defaults={"name": name, "decimals": decimals})
    warehouse = apps.get_model("inventory", "Warehouse")
    if not warehouse.objects.exists():
        warehouse.objects.create(code="MAIN", name="Main warehouse", is_default=True)


class Migration(migrations.Migration):
    dependencies = [("inventory", "0001_initial")]

    operations = [
        AppendOnly("inventory_stockmovement"),
        StateEdges("inventory_stockadjustment", "state", [("pending", "applied"), ("pending", "rejected")]),
        migrations.RunPython(begin, migrations.RunPython.noop),
    ]
