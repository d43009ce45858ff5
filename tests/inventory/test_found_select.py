"""Pages that choose among thousands of products or suppliers carry only the chosen one."""

import pytest

from inventory.models import Supplier
from tests.factories.inventory import make_product, person
from tests.factories.purchases import drafted, supplier

pytestmark = pytest.mark.django_db


@pytest.fixture
def many():
    make_product(name="Nobody chose this")
    supplier("Nobody chose them")


def addresses():
    order = drafted(1)
    who = Supplier.objects.get(pk=order.supplier_id)
    return [
        "/inventory/purchases/",
        "/inventory/purchases/new/",
        order.get_absolute_url(),
        f"{who.get_absolute_url()}prices/add/",
        "/fulfilment/criteria/new/",
    ]


@pytest.mark.parametrize("place", range(5))
def test_nobody_chosen(client_of, many, place):
    answer = client_of(person("manager")).get(addresses()[place])
    assert answer.status_code == 200
    assert "data-autocomplete" in answer.text
    assert "Nobody chose" not in answer.text


def test_the_chosen_one_is_there(client_of, many):
    client = client_of(person("manager"))
    product, who = make_product(name="Chosen pump"), supplier("Chosen supplier")
    for answer, name in (
        (client.get(f"/inventory/purchases/new/?supplier={who.number}"), who),
        (client.get(f"/inventory/purchases/?supplier={who.pk}"), who),
        (client.post(f"/inventory/suppliers/{who.number}/prices/add/", {"product": product.pk, "price": "x"}), product),
        (client.post("/fulfilment/criteria/new/", {"product": product.pk}), product),
    ):
        assert f"selected>{name}" in answer.text
        assert "Nobody chose" not in answer.text


def test_a_filter_finds_former_suppliers(client_of):
    supplier("Former supplier", is_active=False)
    client = client_of(person("manager"))
    for address, found in (("?q=former", 0), ("?all=1&q=former", 1)):
        assert len(client.get(f"/inventory/suppliers/autocomplete/{address}").json()["results"]) == found


def test_a_choice_is_still_checked(client_of, many):
    client = client_of(person("manager"))
    gone = supplier("Given up", is_active=False)
    answer = client.post("/inventory/purchases/new/", {"supplier": gone.pk, "tolerance": "0"})
    assert answer.status_code == 422
    assert "supplier" in answer.context["form"].errors
