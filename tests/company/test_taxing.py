"""How a sale abroad is taxed: the profile's rules as data, proposed with their reason and applied to lines that are silent."""

import datetime as dt
from decimal import Decimal

import pytest

from ordermgmt.company import services
from ordermgmt.company.models import TaxProfile
from orders.services import create_order
from tests.factories import billing, orders
from tests.factories.customers import customer

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _shipped_profiles(db):
    services.ensure_company()


# Directive 2006/112/EC: art. 138 supplies within the EU, art. 44 and 196 services, art. 146 exports, art. 59 services out.
@pytest.mark.parametrize(
    ("country", "tax_id", "service", "category"),
    [
        ("DE", "", False, None), ("", "", False, None), ("FR", "FR40303265045", False, "K"), ("FR", "", False, None),
        ("FR", "FR40303265045", True, "AE"), ("CH", "", False, "G"), ("CN", "", True, "O"), ("GB", "", False, "G"),
    ],
)  # fmt: skip
def test_a_german_seller(country, tax_id, service, category):
    profile = TaxProfile.objects.get(code="EU-DE")
    found = services.propose_category(profile, country=country, tax_id=tax_id, company=True, service=service)
    assert (found and found.category) == category
    assert found is None or f"({category})" in found.reason


def test_a_person_abroad_is_no_company():
    profile = TaxProfile.objects.get(code="EU-DE")
    assert services.propose_category(profile, country="US", tax_id="", company=False, service=True) is None


def test_a_line_that_is_silent_takes_it_and_one_that_speaks_keeps_its_own(sales):
    abroad = customer(name="Suisse SA", country="CH")
    order = create_order(
        customer=abroad, actor=sales, lines=[orders.line(), orders.line(tax_category="S"), billing.free_line()]
    )
    lines = list(order.lines.order_by("position"))
    assert [(one.tax_category, one.tax_rate) for one in lines] == [("G", 0), ("S", 19), ("S", 19)]
    assert order.tax_total == sum(one.net for one in lines[1:]) * Decimal("0.19")


def test_the_entry_page_says_why(client_of, sales):
    abroad = customer(name="Suisse SA", country="CH")
    row = {"product": orders.line()["product"].pk, "quantity": "1", "description": "", "unit_price": ""}
    sent = {"header": {"customer": str(abroad.pk), "currency": "EUR"}, "lines": [row]}
    shown = client_of(sales).post("/orders/entry/preview/", sent, content_type="application/json").json()
    assert any("Switzerland" in text and "(G)" in text for text in shown["warnings"]), shown


def test_a_profile_without_the_rate_proposes_nothing(sales):
    TaxProfile.objects.get(code="EU-DE").rates.filter(category="G").update(valid_to=dt.date(2001, 1, 1))
    order = create_order(customer=customer(name="Suisse SA", country="CH"), actor=sales, lines=[orders.line()])
    assert order.lines.get().tax_category == "S"
