"""What an order line says about a product: typed, checked attribute by attribute."""

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from inventory.models import SpecificationAttribute, SpecificationTemplate
from inventory.services import describe_specification, save_template, validate_specification
from ordermgmt.accounts.services import system_user
from tests.factories.inventory import make_product

pytestmark = pytest.mark.django_db


@pytest.fixture
def motor():
    template = save_template(
        SpecificationTemplate(name="Motor"),
        [
            SpecificationAttribute(key="voltage", label="Voltage", kind="number", unit="V", minimum=110, maximum=400),
            SpecificationAttribute(key="power", label="Power", kind="number", minimum=1),
            SpecificationAttribute(key="load", label="Load", kind="number", maximum=9),
            SpecificationAttribute(key="colour", label="Colour", kind="choice", choices=["red", "蓝"], required=True),
            SpecificationAttribute(key="sealed", label="Sealed", kind="boolean"),
            SpecificationAttribute(key="remark", label="Remark"),
        ],
        actor=system_user(),
    )
    return make_product(specification_template=template)


def test_values_are_typed_and_exact(motor):
    values = {"voltage": " 230.50 ", "colour": "蓝", "sealed": "是", "remark": "<b>"}
    clean = validate_specification(motor, values)
    assert clean == {"voltage": "230.5", "colour": "蓝", "sealed": True, "remark": "<b>"}
    assert describe_specification(motor, clean)[0] == ("Voltage", "230.5 V")
    assert ("Sealed", "yes") in describe_specification(motor, clean)


def test_each_fault_stands_at_its_attribute(motor):
    faults = {
        "voltage": "90", "power": "0", "load": "10", "colour": "green", "sealed": "perhaps", "remark": "x" * 501, "size": "1",
    }  # fmt: skip
    with pytest.raises(ValidationError) as refused:
        validate_specification(motor, faults)
    assert set(refused.value.error_dict) == set(faults)
    for value in ("many", "NaN", "Infinity", "1e99", "2_30", True):
        with pytest.raises(ValidationError):
            validate_specification(motor, {"voltage": value, "colour": "red"})


@pytest.mark.parametrize("value", ["1e-999999", f"0.{'0' * 5000}1", Decimal("1E-999999"), Decimal("1E+999999")])
def test_no_number_is_kept_as_an_endless_text(motor, value):
    with pytest.raises(ValidationError) as refused:
        validate_specification(motor, {"load": value, "colour": "red"})
    assert set(refused.value.error_dict) == {"load"}


@pytest.mark.parametrize("value", ["1,500", "１５００", "1500.0", Decimal("1.5E+3")])
def test_a_number_is_read_as_people_type_it(motor, value):
    assert validate_specification(motor, {"power": value, "colour": "red"})["power"] == "1500"


def test_required_only_when_complete(motor):
    with pytest.raises(ValidationError) as refused:
        validate_specification(motor, {"colour": " "})
    assert set(refused.value.error_dict) == {"colour"}
    assert validate_specification(motor, {}, complete=False) == {}


def test_no_template_no_attributes():
    assert validate_specification(make_product(), {}) == {}
    with pytest.raises(ValidationError):
        validate_specification(make_product(), {"voltage": "230"})
