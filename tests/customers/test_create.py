"""Entering a customer."""

from typing import Any

import pytest

from customers.models import Customer
from customers.services import create_customer
from ordermgmt.activity.models import Event

pytestmark = pytest.mark.django_db
URL = "/customers/new/"


def form(**changes: Any) -> dict[str, Any]:
    return {
        "kind": "company",
        "name": "Testbau Alpha GmbH",
        "country": "DE",
        "currency": "EUR",
        "language": "en",
        **changes,
    }


def test_works(client_of: Any, sales: Any) -> None:
    answer = client_of(sales).post(URL, form(owner=sales.pk, tags="vip, neu, vip", tax_id="136695976"))
    made = Customer.objects.get(name="Testbau Alpha GmbH")
    assert answer.url == made.get_absolute_url()
    assert (made.owner, made.team, made.tags, made.tax_id) == (sales, sales.team, ["vip", "neu"], "DE136695976")
    event = Event.objects.get(type="customers.created", subject_id=made.pk)
    assert event.actor == sales
    assert event.after["name"] == made.name


def test_get_writes_nothing(client_of: Any, sales: Any) -> None:
    before = Customer.objects.count()
    assert client_of(sales).get(URL, form()).status_code == 200
    assert client_of(sales).get("/customers/new/quick/").status_code == 405
    assert Customer.objects.count() == before


@pytest.mark.parametrize("who", ["finance", "warehouse", "admin", "pm", "manager"])
def test_without_the_right(client_of: Any, who: str, request: pytest.FixtureRequest) -> None:
    client = client_of(request.getfixturevalue(who))
    assert client.post(URL, form()).status_code == 403
    assert client.post("/customers/new/quick/", {"text": "X"}).status_code == 403
    assert not Customer.objects.filter(name="Testbau Alpha GmbH").exists()


def test_second_time_asks(client_of: Any, sales: Any) -> None:
    client = client_of(sales)
    client.post(URL, form())
    answer = client.post(URL, form(name="TESTBAU ALPHA"))
    assert answer.status_code == 422
    assert "Testbau Alpha GmbH" in answer.content.decode()
    assert client.post(URL, form(name="TESTBAU ALPHA", confirmed="1")).status_code == 302
    assert Customer.objects.filter(name__istartswith="testbau alpha").count() == 2


def test_likeness_to_another_teams_customer_names_nobody(client_of: Any, sales: Any, sales2: Any) -> None:
    create_customer(actor=sales2, name="Geheim AG", email="x@geheim-kunde.example")
    answer = client_of(sales).post(URL, form(email="y@geheim-kunde.example"))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "One customer of another team is alike" in page
    assert "Geheim" not in page.replace("geheim-kunde", "")


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("tax_id", "DE123456789", "not a VAT number of Germany"),
        ("website", "not a site", "address of a web site"),
        ("name", "", "required"),
        ("email", "nobody", "valid email"),
        ("phone", "call me", "Write a phone number"),
        ("currency", "XXQ", "valid choice"),
        ("tags", ",".join(f"t{n}" for n in range(30)), "At most 20 tags"),
    ],
)
def test_mistakes_stand_at_their_field(client_of: Any, sales: Any, field: str, value: str, sentence: str) -> None:
    answer = client_of(sales).post(URL, form(**{field: value}))
    assert answer.status_code == 422
    assert sentence in str(answer.context["form"].errors[field])
    assert answer.context["form"]["country"].value() == "DE"  # nothing typed is lost


@pytest.mark.parametrize(
    ("country", "tax_id", "stored"),
    [
        ("CN", "91110000600037341L", "91110000600037341L"),
        ("CN", "9111 0000 6000 3734 1l", "91110000600037341L"),
        ("AT", "U13585627", "ATU13585627"),
        ("GR", "EL094259216", "EL094259216"),
        ("XK", "whatever 1", "whatever 1"),
        ("", "", ""),
    ],
)
def test_tax_ids_of_many_countries(client_of: Any, sales: Any, country: str, tax_id: str, stored: str) -> None:
    answer = client_of(sales).post(URL, form(country=country, tax_id=tax_id, confirmed="1"))
    assert answer.status_code == 302, answer.context["form"].errors
    assert Customer.objects.latest("pk").tax_id == stored


def test_p23_mass_assignment(client_of: Any, sales: Any, sales2: Any) -> None:
    extra = {
        "credit_limit": "999999",
        "payment_days": "1",
        "number": "C99999",
        "version": "7",
        "team": "1",
        "source_key": "x",
    }
    client_of(sales).post(URL, form(**extra))
    made = Customer.objects.get(name="Testbau Alpha GmbH")
    assert (made.credit_limit, made.payment_days, made.source_key, made.version) == (None, 30, None, 1)
    assert made.number != "C99999"


def test_p25_markup_is_text(client_of: Any, sales: Any) -> None:
    name = '"><img src=x onerror=alert(1)>'
    client = client_of(sales)
    client.post(URL, form(name=name, note=name, tags=name.replace(",", "")))
    made = Customer.objects.get(name=name)
    for url in (
        "/customers/",
        made.get_absolute_url(),
        f"{made.get_absolute_url()}edit/",
        "/customers/similar/?name=" + name,
    ):
        assert "<img src=x" not in client.get(url).content.decode()


def test_quickly_out_of_a_select(client_of: Any, sales: Any) -> None:
    answer = client_of(sales).post("/customers/new/quick/", {"text": "Schnell & Co"})
    assert answer.status_code == 201
    assert Customer.objects.get(pk=answer.json()["value"]).owner == sales
    assert client_of(sales).post("/customers/new/quick/", {"text": " "}).status_code == 422
