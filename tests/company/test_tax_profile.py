"""Tax profiles: shipped as fixtures, edited on a page, and a country that nobody has heard of from a fixture alone."""

from decimal import Decimal

import pytest

from billing import services as billing_services
from ordermgmt.activity.models import Event
from ordermgmt.company import services
from ordermgmt.company.models import SellerProfile, TaxProfile
from orders.services import rules_of
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
    assert billing_services.profile_data(profile, rules_of(order)) == invoice.tax_profile


def _rules(*rows, union="DE FR", code="EU-DE"):
    sent = {"union": union, "form-TOTAL_FORMS": str(len(rows)), "form-INITIAL_FORMS": "0"}
    for place, row in enumerate(rows):
        sent |= {f"form-{place}-{name}": str(value) for name, value in row.items()}
    return f"{_url(code)}abroad/", sent


K = {"where": "union", "supply": "goods", "tax_id": "yes", "category": "K", "ORDER": 1}
G = {"where": "elsewhere", "category": "G", "ORDER": 2}


def test_the_rules_for_sales_abroad_are_edited_on_the_page(client_of, admin):
    client = client_of(admin)
    # The second row comes first, as its place says; a row without a category goes.
    url, sent = _rules(
        K | {"ORDER": 5}, {"where": "union", "company": "no", "category": "S", "ORDER": 2}, G | {"category": ""}
    )
    assert client.post(url, sent).status_code == 302
    profile = TaxProfile.objects.get(code="EU-DE")
    assert profile.abroad == {
        "union": ["DE", "FR"],
        "rules": [
            {"where": "union", "company": False, "category": "S"},
            {"where": "union", "supply": "goods", "tax_id": True, "category": "K"},
        ],
    }
    assert profile.version == 2
    found = services.propose_category(profile, country="FR", tax_id="FR40303265045", company=False, service=False)
    assert found.category == "S"
    assert services.propose_category(profile, country="US", tax_id="", company=True, service=False) is None
    page = client.get(_url()).content.decode()
    assert "everything within the union to persons: S Standard rate" in page
    assert 'value="K" selected' in page
    assert Event.objects.filter(type="company.tax_profile_edited").latest("pk").after["abroad"]


def test_rules_that_can_not_hold_are_refused_with_a_sentence(client_of, admin):
    before = TaxProfile.objects.get(code="EU-DE").abroad
    cases = [
        (_rules(G, K | {"where": "elsewhere", "ORDER": 3}), "Rule 2 is never reached: rule 1"),
        (_rules(K, union="DE FR QQ"), "Not a country: QQ."),
        (_rules(K | {"category": "AE"}, code="CN"), "no rate of category"),
        (_rules(K | {"where": "moon"}), "moon"),
    ]
    for (url, sent), sentence in cases:
        answer = client_of(admin).post(url, sent)
        assert answer.status_code == 422
        assert sentence in answer.content.decode()
    assert TaxProfile.objects.get(code="EU-DE").abroad == before
    profile, strange = TaxProfile.objects.get(code="EU-DE"), {"rules": [{"colour": "red", "category": "G"}]}
    with pytest.raises(TypeError, match="colour"):
        services.edit_tax_profile(profile, actor=admin, abroad=strange)


def test_rules_abroad_want_the_right_and_a_post(client_of, admin, finance):
    url, sent = _rules(K)
    assert client_of(finance).post(url, sent).status_code == 403
    assert client_of(admin).get(url).status_code == 405
    assert client_of(admin).post("/company/profiles/999999/abroad/", sent).status_code == 404


def test_cash_rounding_is_a_line_a_currency(client_of, admin):
    client = client_of(admin)
    assert client.post(_url(), _data(cash_steps="chf 0,050\nSEK 1\n\n")).status_code == 302
    assert TaxProfile.objects.get(code="EU-DE").cash_steps == {"CHF": "0.05", "SEK": "1"}
    assert "CHF 0.05\nSEK 1" in client.get(_url()).content.decode()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("CHF 0.05\nCHF 0.1", "stands twice"), ("XQQ 1", "XQQ is not a currency code"), ("CHF 0.01", "CHF: the step is a multiple"),
     ("CHF 0.055", "CHF: the step"), ("CHF", "CHF: the step"), ("CHF NaN", "CHF: the step"), ("JPY 0.5", "JPY: the step"),
     ("CHF -0.05", "CHF: the step"), ("CHF 1000", "CHF: the step")],
)  # fmt: skip
def test_coins_that_there_are_not(client_of, admin, text, sentence):
    answer = client_of(admin).post(_url(), _data(cash_steps=text))
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert TaxProfile.objects.get(code="EU-DE").cash_steps == {}
