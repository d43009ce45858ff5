"""Tax profiles: shipped as fixtures, edited on a page, and a country that nobody has heard of from a fixture alone."""

from decimal import Decimal

import pytest

from billing import services as billing_services
from ordermgmt.activity.models import Event
from ordermgmt.company import services
from ordermgmt.company.models import SellerProfile, TaxProfile
from tests.factories import billing, orders

pytestmark = pytest.mark.django_db

RURITANIA = {
    "code": "RU-X", "name": "Ruritania", "country": "XR", "tax_rounding": "line", "wording": "By the King's grace.",
    "rates": [
        {"category": "S", "percent": "11.5", "valid_from": "2000-01-01", "valid_to": "2020-12-31"},
        {"category": "S", "percent": "12.3", "valid_from": "2021-01-01"},
        {"category": "E", "percent": "0", "valid_from": "2000-01-01", "exemption_reason": "Exempt by royal charter"},
    ],
}  # fmt: skip


@pytest.fixture(autouse=True)
def _shipped_profiles(db):
    services.ensure_company()


def _url(code="EU-DE"):
    return f"/company/profiles/{TaxProfile.objects.get(code=code).pk}/"


def _data(**changes):
    return {"name": "Germany", "e_invoice": "factur-x", "wording": ""} | changes


def test_works(client_of, admin):
    assert client_of(admin).post(_url(), _data()).status_code == 302
    profile = TaxProfile.objects.get(code="EU-DE")
    assert (profile.name, profile.e_invoice, profile.version) == ("Germany", "factur-x", 2)
    assert Event.objects.filter(type="company.tax_profile_edited").count() == 1


def test_get_changes_nothing(client_of, admin):
    page = client_of(admin).get(_url())
    assert "Reverse charge, Article 196" in page.content.decode()
    assert TaxProfile.objects.get(code="EU-DE").version == 1


def test_without_the_right_403(client_of, finance):
    assert client_of(finance).post(_url(), _data()).status_code == 403


@pytest.mark.parametrize("wrong", [{"name": ""}, {"e_invoice": "fax"}])
def test_wrong_data_is_refused_at_its_field(client_of, admin, wrong):
    assert client_of(admin).post(_url(), _data(**wrong)).status_code == 422
    assert TaxProfile.objects.get(code="EU-DE").version == 1


def test_how_it_rounds_is_not_for_the_form(client_of, admin):
    client_of(admin).post(_url(), _data(tax_rounding="line", code="X"))
    assert TaxProfile.objects.get(code="EU-DE").tax_rounding == "group"
    with pytest.raises(TypeError, match="tax_rounding"):
        services.edit_tax_profile(TaxProfile.objects.get(code="EU-DE"), actor=admin, tax_rounding="line")


def test_an_invented_country_bills_from_a_fixture_alone():
    profile = services.load_profile(RURITANIA)
    assert services.load_profile(RURITANIA | {"name": "another"}).name == "Ruritania"
    SellerProfile.objects.update(tax_profile=profile)
    order = orders.accepted(*[billing.free_line(price="0.05") for _ in range(7)])
    invoice = billing.issued(order)
    # 12.3 % of 0.05 is 0.00615, which is a cent on each of the seven lines.
    assert (invoice.tax_total, invoice.due) == (Decimal("0.07"), Decimal("0.42"))
    assert invoice.tax_profile["wording"] == "By the King's grace."
    assert billing_services.profile_data(profile) == invoice.tax_profile
