"""Real deliveries as purchase orders: what was promised and what came, against counted figures."""

import json
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command
from django.db.models import Sum

from inventory.models import PurchaseLine, PurchaseOrder, StockItem, Supplier
from inventory.services import supplier_records
from ordermgmt.lib.invariants import violations
from tests.conftest import data_folder

pytestmark = [pytest.mark.django_db, pytest.mark.data]


def imported():
    out = StringIO()
    folder = data_folder() / "03_scms_delivery_history"
    call_command("import_data", "scms", str(folder), "--format", "json", stdout=out)
    return {step["target"]: step for step in json.loads(out.getvalue())["steps"]}


def test_scms(client_of, finance):
    expected = json.loads((data_folder() / "EXPECTED.json").read_text())["03_scms_delivery_history"]
    before = StockItem.objects.count()
    steps = imported()
    assert steps["suppliers"]["created"] == expected["vendors"]
    assert steps["purchases"]["created"] == expected["distinct_po_so"] == PurchaseOrder.objects.count()
    assert PurchaseLine.objects.count() == expected["rows"]
    records = supplier_records(Supplier.objects.values_list("pk", flat=True))
    for name in ("late", "on_time", "early"):
        assert sum(getattr(one, name) for one in records.values()) == expected[f"lines_{name}"]
    assert sum(one.late_days for one in records.values()) == expected["late_days_sum"]
    assert max(one.worst for one in records.values()) == expected["late_days_max"]
    assert max(one.earliest for one in records.values()) == expected["early_days_max"]
    named = {one.name: records[one.pk] for one in Supplier.objects.filter(pk__in=records)}
    for name, lines, late, mean in expected["vendors_top10_by_late_lines"]:
        found = named[name]
        assert (found.lines, found.late, found.mean_delay) == (lines, late, Decimal(str(mean)))
        assert found.reject_rate is None
    late_value = PurchaseLine.objects.filter(days_late__gt=0).aggregate(sum=Sum("net"))["sum"]
    assert [round(late_value, 2), round(PurchaseLine.objects.aggregate(sum=Sum("net"))["sum"], 2)] == [
        Decimal(expected["line_value_late_usd"]), Decimal(expected["line_value_total_usd"])
    ]  # fmt: skip
    assert round(PurchaseLine.objects.aggregate(sum=Sum("freight"))["sum"], 2) == Decimal(
        expected["freight_numeric_sum"]
    )
    assert PurchaseLine.objects.filter(unit_price=0).count() == expected["zero_unit_price_lines"]

    told = steps["purchases"]["warnings"]
    dates = [one for one in told if one["column"] == "PO Sent to Vendor Date"]
    freights = [one for one in told if one["column"] == "Freight Cost (USD)"]
    # Of the cells that are no m/d/yy 1,712 are days in ISO form, which are read; the rest are words, and told.
    assert len(dates) == sum(expected["po_sent_text_values"].values())
    assert len(dates) + 1712 == expected["po_sent_date_formats"]["text"]
    assert len(freights) == expected["freight_not_numeric_lines"]

    assert StockItem.objects.count() == before  # what came then is not on today's shelves
    assert {step: (one["created"], one["unchanged"]) for step, one in imported().items()} == {
        "suppliers": (0, 73), "purchases": (0, expected["distinct_po_so"])
    }  # fmt: skip
    page = client_of(finance).get(Supplier.objects.get(name="Orgenics, Ltd").get_absolute_url()).content.decode()
    for shown in ("754", "98", "12.58", "87", "no data"):
        assert shown in page
    assert list(violations(["A2", "S1", "S2"])) == []
