"""I3: what is exported comes back as it was, here (nothing changes) and elsewhere (the same again)."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from customers.models import Customer
from ordermgmt.lib.importing import short_key
from orders.models import Order
from tests.factories import orders as make

pytestmark = pytest.mark.django_db

FILES = {
    "customers": {"source_key": "C-7", "name": "'=甲方 Works", "kind": "company", "country": "DE", "currency": "EUR",
                  "language": "en", "tags": "A, B", "payment_days": "14", "credit_limit": "5000.5", "is_active": "1",
                  "line1": "Street 1", "city": "Ulm"},
    "contacts": {"source_key": "9", "customer": "C-7", "name": "Li Na", "email": "li@example.com", "is_primary": "1"},
    "suppliers": {"source_key": "Steel AG", "name": "Steel AG", "currency": "EUR", "is_active": "1"},
    "products": {"source_key": "P-1", "sku": "P-1", "name": "Pump", "unit": "pcs", "kind": "goods", "currency": "EUR",
                 "list_price": "12.5", "cost": "7", "reorder_point": "0", "lead_days": "3", "tax_category": "S",
                 "is_active": "1"},
    "stock": {"source_key": "P-1@MAIN", "product": "P-1", "warehouse": "MAIN", "quantity": "4"},
    "orders": {"source_key": "SO-1", "number": "SO-1", "customer": "C-7", "state": "shipped", "currency": "EUR",
               "order_date": "2026-01-05", "promised_date": "2026-02-01", "position": "1", "product": "P-1",
               "description": "Pump, '-painted", "quantity": "2", "unit_price": "12.5", "discount_percent": "10",
               "unit_cost": "7", "tax_category": "S"},
}  # fmt: skip


def outcomes(folder: Path) -> dict[str, tuple[int, int, int]]:
    out = StringIO()
    call_command("import_data", "ordermgmt", str(folder), "--format", "json", stdout=out)
    steps: list[dict[str, Any]] = json.loads(out.getvalue())["steps"]
    assert [step["problems"] for step in steps] == [[]] * 6
    return {step["target"]: (step["created"], step["changed"], step["unchanged"]) for step in steps}


def exported(folder: Path) -> dict[str, str]:
    call_command("export_data", str(folder), stdout=StringIO())
    return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}


def test_i3_import_export_import_is_equal_elsewhere(tmp_path: Path) -> None:
    first = exported(tmp_path / "empty")
    heads = {name.removesuffix(".csv"): text.splitlines()[0].split(",") for name, text in first.items()}
    given = tmp_path / "given"
    given.mkdir()
    for kind, values in FILES.items():
        unknown = set(values) - set(heads[kind])
        assert not unknown
        cells = (f'"{values[name]}"' if "," in values.get(name, "") else values.get(name, "") for name in heads[kind])
        (given / f"{kind}.csv").write_bytes(f"{','.join(heads[kind])}\r\n{','.join(cells)}\r\n".encode())
    assert set(outcomes(given).values()) == {(1, 0, 0)}
    assert Customer.objects.get(source_key="ordermgmt:C-7").name == "=甲方 Works"  # the apostrophe is the spreadsheet's
    again = exported(tmp_path / "again")
    for name, text in again.items():
        added = text.removeprefix(first[name])
        assert f"{first[name].splitlines()[0]}\n{added}" == (given / name).read_bytes().decode().replace("\r\n", "\n")
    assert {(made, changed) for made, changed, _same in outcomes(tmp_path / "again").values()} == {(0, 0)}


def test_i3_what_was_made_here_is_known_again(tmp_path: Path) -> None:
    order = make.placed()
    before = exported(tmp_path / "first")
    found = outcomes(tmp_path / "first")
    assert {(created, changed) for created, changed, _same in found.values()} == {(0, 0)}
    assert found["orders"] == (0, 0, 1)
    assert exported(tmp_path / "second") == before
    assert Order.objects.get().version == order.version


def test_mass_editing_by_a_spreadsheet(tmp_path: Path) -> None:
    name = make.customer_a().name
    exported(tmp_path)
    path = tmp_path / "customers.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(name, "甲方 and Sons"), encoding="utf-8")
    assert outcomes(tmp_path)["customers"][1] == 1
    assert Customer.objects.filter(name="甲方 and Sons").count() == 1


def test_a_key_of_any_length_can_be_stored() -> None:
    keys = {short_key("s:" + "name " * 60), short_key("s:" + "name " * 60 + "2"), short_key("s:C-1")}
    assert len(keys) == 3
    assert max(map(len, keys)) == 100
    assert "s:C-1" in keys
