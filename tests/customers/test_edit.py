"""Changing a customer, its terms, its people and places."""

from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied

from customers.models import Address, Contact, Customer
from customers.services import create_customer, edit_customer, edit_terms
from ordermgmt.activity.models import Event
from ordermgmt.lib.conflict import StaleVersion

pytestmark = pytest.mark.django_db


@pytest.fixture
def own(sales: Any) -> Customer:
    return create_customer(actor=sales, name="Eigen GmbH", country="DE")


@pytest.fixture
def foreign(sales2: Any) -> Customer:
    return create_customer(actor=sales2, name="Fremd GmbH", country="DE")


def data(customer: Customer, **changes: Any) -> dict[str, Any]:
    own = {name: getattr(customer, name) for name in ("kind", "name", "country", "currency", "language", "version")}
    return {**own, "owner": customer.owner_id, **changes}


def test_edit_works(client_of: Any, sales: Any, own: Customer) -> None:
    answer = client_of(sales).post(f"{own.get_absolute_url()}edit/", data(own, name="Eigen AG"))
    assert answer.status_code == 302
    own.refresh_from_db()
    assert (own.name, own.version) == ("Eigen AG", 2)
    event = Event.objects.get(type="customers.edited", subject_id=own.pk)
    assert (event.before["name"], event.after["name"]) == ("Eigen GmbH", "Eigen AG")
    assert Customer.objects.found_by("eigen ag").get() == own


def test_a_new_salesperson_brings_their_team(client_of: Any, sales: Any, sales2: Any, own: Customer) -> None:
    assert sales2.team_id not in (None, own.team_id)
    answer = client_of(sales).post(f"{own.get_absolute_url()}edit/", data(own, owner=sales2.pk))
    assert answer["Location"] == "/customers/"
    own.refresh_from_db()
    assert (own.owner, own.team) == (sales2, sales2.team)
    assert client_of(sales).get(own.get_absolute_url()).status_code == 404


def test_tags_that_are_added_leave_a_customer_that_can_be_edited(client_of: Any, sales: Any, own: Customer) -> None:
    client = client_of(sales)
    for place, status in ((0, 302), (1, 422)):
        tags = ", ".join(f"tag {15 * place + number}" for number in range(15))
        assert client.post(f"{own.get_absolute_url()}do/tag/", {"tags": tags}).status_code == status
    own.refresh_from_db()
    assert len(own.tags) == 15


def test_edit_get_writes_nothing(client_of: Any, sales: Any, own: Customer) -> None:
    assert client_of(sales).get(f"{own.get_absolute_url()}edit/", data(own, name="X")).status_code == 200
    own.refresh_from_db()
    assert own.name == "Eigen GmbH"


def test_edit_twice_is_one_change(sales: Any, own: Customer) -> None:
    for _time in range(2):
        edit_customer(own, actor=sales, name="Eigen AG")
    own.refresh_from_db()
    assert own.version == 2
    assert Event.objects.filter(type="customers.edited", subject_id=own.pk).count() == 1


def test_p20_foreign_customers_do_not_exist(client_of: Any, sales: Any, foreign: Customer, sales2: Any) -> None:
    client = client_of(sales)
    contact = Contact.objects.create(customer=foreign, name="Frau Fremd")
    address = Address.objects.create(customer=foreign, line1="Fremdweg 1")
    for url in (
        foreign.get_absolute_url(),
        f"{foreign.get_absolute_url()}edit/",
        f"{foreign.get_absolute_url()}do/add-contact/",
        f"/customers/contacts/{contact.pk}/do/edit/",
        f"/customers/addresses/{address.pk}/do/remove/",
    ):
        answer = client.get(url)
        assert answer.status_code == 404, url
        assert "Fremd" not in answer.content.decode()
        assert client.post(url, data(foreign, name="X")).status_code == 404
    assert "Fremd" not in client.get("/customers/?q=fremd").content.decode().replace('value="fremd"', "")
    assert client.get("/customers/autocomplete/?q=fremd").json() == {"results": []}
    assert "Fremd" not in "".join(part.decode() for part in client.get("/customers/?export=csv"))
    assert client_of(sales2).get(foreign.get_absolute_url()).status_code == 200


def test_p15_stale_form_shows_both_values(client_of: Any, sales: Any, own: Customer) -> None:
    client, url = client_of(sales), f"{own.get_absolute_url()}edit/"
    first, second = data(own, name="Tab Eins"), data(own, name="Tab Zwei", segment="Handel")
    assert client.post(url, first).status_code == 302
    answer = client.post(url, second)
    assert answer.status_code == 409
    assert ("Name", "Tab Eins", "Tab Zwei") in answer.context["differing"]
    own.refresh_from_db()
    assert own.name == "Tab Eins"
    again = {**second, "version": answer.context["form"]["version"].value()}
    assert client.post(url, again).status_code == 302
    own.refresh_from_db()
    assert (own.name, own.segment) == ("Tab Zwei", "Handel")


def test_p16_stale_child(client_of: Any, sales: Any, own: Customer) -> None:
    client = client_of(sales)
    opened = data(own, name="Kopf")
    child = {"name": "Frau Kind", "version": own.version}
    assert client.post(f"{own.get_absolute_url()}do/add-contact/", child).status_code == 302
    assert client.post(f"{own.get_absolute_url()}edit/", opened).status_code == 409
    assert (
        client.post(
            f"{own.get_absolute_url()}do/add-address/", {"kind": "billing", "line1": "X", "version": 1}
        ).status_code
        == 409
    )


def test_terms_are_finances(client_of: Any, sales: Any, finance: Any, own: Customer) -> None:
    url = f"{own.get_absolute_url()}do/terms/"
    given = {"payment_days": "14", "credit_limit": "5000.00", "version": own.version}
    assert client_of(sales).post(url, given).status_code == 403
    with pytest.raises(PermissionDenied):
        edit_terms(own, actor=sales, credit_limit=Decimal(1))
    with pytest.raises(PermissionDenied):
        create_customer(actor=sales, name="X", credit_limit=Decimal(1))
    client = client_of(finance)
    assert client.get(url).status_code == 200
    assert client.post(url, given).status_code == 302
    own.refresh_from_db()
    assert (own.payment_days, own.credit_limit) == (14, Decimal(5000))
    assert client.post(url, given).status_code == 409  # the second press sees that it is done
    assert client.post(url, {"payment_days": "-1", "version": own.version}).status_code == 422


def test_contacts(client_of: Any, sales: Any, own: Customer) -> None:
    client, url = client_of(sales), f"{own.get_absolute_url()}do/add-contact/"
    client.post(url, {"name": "Erste", "email": "erste@eigen-kunde.example"})
    client.post(url, {"name": "Zweite", "is_primary": "on"})
    first, second = Contact.objects.filter(customer=own).order_by("pk")
    assert (first.is_primary, second.is_primary) == (False, True)
    assert Customer.objects.found_by("zweite").get() == own
    client.post(f"/customers/contacts/{first.pk}/do/edit/", {"name": "Erste", "phone": "+49 30 1234567"})
    first.refresh_from_db()
    assert first.phone == "+49 30 1234567"
    client.post(f"/customers/contacts/{first.pk}/do/remove/", {})
    assert not Contact.objects.filter(pk=first.pk).exists()
    assert client.post(f"/customers/contacts/{first.pk}/do/remove/", {}).status_code == 404
    # two made, the first stepped back as main contact and was edited
    assert Event.objects.filter(root_id=own.pk, type="customers.contact_saved").count() == 4


def test_addresses(client_of: Any, sales: Any, warehouse: Any, own: Customer) -> None:
    client, url = client_of(sales), f"{own.get_absolute_url()}do/add-address/"
    client.post(url, {"kind": "billing", "line1": "Weg 1", "city": "Köln", "country": "DE"})
    client.post(url, {"kind": "billing", "line1": "Weg 2", "is_default": "on"})
    first, second = own.addresses.order_by("pk")
    assert (first.is_default, second.is_default) == (False, True)
    assert first.as_text().endswith("Köln\nGermany")
    assert Customer.objects.found_by("koln").get() == own


def test_given_to_a_colleague_in_bulk(client_of: Any, sales: Any, sales2: Any, own: Customer) -> None:
    other = create_customer(actor=sales, name="Zweit GmbH")
    client = client_of(sales)
    chosen = {"action": "assign", "selected": [own.pk, other.pk]}
    assert client.post("/customers/", chosen).status_code == 200
    answer = client.post("/customers/", {**chosen, "confirmed": "1", "owner": sales2.pk})
    assert [done for _row, _text, done in answer.context["results"]] == [True, True]
    own.refresh_from_db()
    assert (own.owner, own.team) == (sales2, sales2.team)
    assert client.get(own.get_absolute_url()).status_code == 404


def test_inactive_and_back(client_of: Any, sales: Any, own: Customer) -> None:
    client = client_of(sales)
    assert client.post(f"{own.get_absolute_url()}do/deactivate/", {}).status_code == 302
    assert client.get("/customers/autocomplete/?q=eigen").json() == {"results": []}
    assert client.post(f"{own.get_absolute_url()}do/deactivate/", {}).status_code in (302, 409)
    assert client.post(f"{own.get_absolute_url()}do/activate/", {}).status_code == 302
    own.refresh_from_db()
    assert own.is_active


def test_stale_service(sales: Any, own: Customer) -> None:
    with pytest.raises(StaleVersion):
        edit_customer(own, actor=sales, version=99, name="X")
    with pytest.raises(TypeError):
        edit_customer(own, actor=sales, number="C1")
