"""Decimals in the database: what divides evenly in no currency must not lose its cents."""

from decimal import Decimal

import pytest
from django.db.models import F, Value
from django.db.models.functions import Round

from inventory.models import Product
from ordermgmt.lib.money import HUNDRED, AmountField

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("price", "divisor", "result"), [("16934", 1, "169.34"), ("1", 3, "0.0033"), ("10.5", 2, "0.0525")]
)
def test_a_quotient_of_whole_amounts_keeps_its_decimals(price: str, divisor: int, result: str) -> None:
    """SQLite keeps 16934.00 as an integer and 100 as well: their quotient would be cut off."""
    Product.objects.filter(sku="SKU-1").update(list_price=Decimal(price))
    quotient = F("list_price") / (Value(Decimal(divisor), AmountField()) * HUNDRED)
    divided = Round(quotient, 4, output_field=AmountField())
    found = Product.objects.filter(sku="SKU-1").annotate(found=divided).get()
    assert found.found == Decimal(result)  # type: ignore[attr-defined]
