"""What a browser sends as a number and is none."""

import pytest
from django import forms

from fulfilment.forms.materials import seen_quantity
from inventory.models import Product
from ordermgmt.lib.fields import FoundSelect
from ordermgmt.lib.typed import whole
from tests.factories.inventory import person

SQUARED = "²"


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), ("17", 17), ("9" * 18, 10**18 - 1), ("9" * 19, None), (SQUARED, None), ("٣", None), ("-1", None),
     ("1.5", None), ("", None), (None, None), (5, 5), ("9" * 5000, None)],
)  # fmt: skip
def test_whole(text, number):
    assert whole(text) == number


@pytest.mark.django_db
class TestPages:
    @pytest.mark.parametrize(
        ("who", "address"),
        [
            ("manager", "/fulfilment/staff/?skill={}"),
            ("sales", "/customers/similar/?own={}"),
            ("pm", "/inventory/products/SKU-1/bom/?line={}"),
            ("admin", "/audit/?q={}"),
        ],
    )
    def test_asked(self, client_of, who, address):
        for text in (SQUARED, "9" * 30):
            assert client_of(person(who)).get(address.format(text)).status_code in (200, 404)

    @pytest.mark.parametrize(
        ("address", "data"),
        [
            ("/inventory/products/SKU-1/edit/", {"version": SQUARED}),
            ("/inventory/products/SKU-1/do/receive/", {"version": SQUARED}),
            ("/inventory/adjustments/", {"action": "approve", "selected": SQUARED}),
            ("/views/save/", {"remove": SQUARED}),
            ("/views/save/", {"remove": "9" * 5000}),
        ],
    )
    def test_sent(self, client_of, manager, address, data):
        assert client_of(manager).post(address, data).status_code < 500

    def test_chosen(self):
        field = forms.ModelChoiceField(Product.objects.all(), widget=FoundSelect)
        for text in (SQUARED, "9" * 5000):
            assert "option" in field.widget.render("product", text)


def test_what_was_missing():
    for text in (SQUARED, "", "1.2.3", "9" * 30, "-1"):
        assert seen_quantity(text) == -1
    assert (seen_quantity("2.5"), seen_quantity("7")) == (2.5, 7)
