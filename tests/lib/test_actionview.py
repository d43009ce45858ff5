"""The one view behind every verb, tried on a customer's verbs."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from customers.models import Customer

pytestmark = pytest.mark.django_db
SignIn = Callable[[Any], Client]


@pytest.fixture
def customer(sales: Any) -> Customer:
    return Customer.objects.get(name="甲方机械有限公司")


def address(customer: Customer, name: str) -> str:
    return f"{customer.get_absolute_url()}do/{name}/"


def test_get_asks_and_changes_nothing(client_of: SignIn, sales: Any, customer: Customer) -> None:
    response = client_of(sales).get(address(customer, "deactivate"))
    assert response.status_code == 200
    assert "csrfmiddlewaretoken" in response.content.decode()
    customer.refresh_from_db()
    assert customer.is_active


def test_post_performs_and_leads_back(client_of: SignIn, sales: Any, customer: Customer) -> None:
    response = client_of(sales).post(address(customer, "deactivate"), {"version": customer.version})
    assert response.status_code == 302
    assert response["Location"] == customer.get_absolute_url()
    customer.refresh_from_db()
    assert not customer.is_active


def test_a_dialog_gets_the_form_alone_and_an_address_to_go_to(
    client_of: SignIn, sales: Any, customer: Customer
) -> None:
    client, dialog = client_of(sales), {"X-Dialog": "1"}
    assert "<html" not in client.get(address(customer, "deactivate"), headers=dialog).content.decode()
    done = client.post(address(customer, "deactivate"), {"version": customer.version}, headers=dialog)
    assert (done.status_code, done["X-Location"]) == (204, customer.get_absolute_url())


def test_p15_a_form_opened_before_somebody_elses_change_is_409(
    client_of: SignIn, sales: Any, customer: Customer
) -> None:
    response = client_of(sales).post(address(customer, "deactivate"), {"version": customer.version - 1 or 99})
    assert response.status_code == 409
    assert "Somebody changed this" in response.content.decode()
    customer.refresh_from_db()
    assert customer.is_active


def test_a_wrong_field_is_422_with_its_sentence_and_what_was_typed(
    client_of: SignIn, sales: Any, customer: Customer
) -> None:
    data = {"version": customer.version, "name": "Typed name", "email": "no-address"}
    response = client_of(sales).post(address(customer, "add-contact"), data)
    page = response.content.decode()
    assert response.status_code == 422
    assert 'value="Typed name"' in page
    assert 'aria-invalid="true"' in page


def test_a_colleagues_object_is_404_and_a_verb_without_the_right_403(
    client_of: SignIn, sales2: Any, finance: Any, customer: Customer
) -> None:
    assert client_of(sales2).post(address(customer, "deactivate")).status_code == 404
    assert client_of(finance).post(address(customer, "add-contact")).status_code == 403


def test_a_verb_that_does_not_exist_is_404_and_other_methods_are_refused(
    client_of: SignIn, sales: Any, customer: Customer
) -> None:
    assert client_of(sales).get(address(customer, "explode")).status_code == 404
    assert client_of(sales).put(address(customer, "deactivate")).status_code == 405
