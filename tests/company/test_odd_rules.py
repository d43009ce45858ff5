"""Odd input on the tax pages: a sentence, nothing written, and never an error page."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from ordermgmt.company import services
from ordermgmt.company.models import TaxProfile, TaxRate

pytestmark = pytest.mark.django_db
RATE = {"category": "S", "percent": "16", "valid_from": "2026-07-01"}


@pytest.fixture(autouse=True)
def _shipped_profiles(db):
    services.ensure_company()


def _germany():
    return TaxProfile.objects.get(code="EU-DE")


def _rate_errors(answer):
    return {name: str(errors) for name, errors in answer.context["rate_form"].errors.items()}


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"percent": "100.000001"}, "percent"), ({"percent": "-1"}, "percent"), ({"percent": "NaN"}, "percent"),
        ({"percent": "Infinity"}, "percent"), ({"percent": "1e999999"}, "percent"), ({"percent": ""}, "percent"),
        ({"percent": "19.0000001"}, "percent"), ({"category": "XX"}, "category"), ({"category": "S\x00"}, "category"),
        ({"category": ""}, "category"), ({"valid_from": "2026-02-30"}, "valid_from"), ({"valid_from": ""}, "valid_from"),
        ({"valid_from": "2000-01-01"}, "valid_from"), ({"valid_from": "0001-01-01"}, "valid_from"),
        ({"profile": "999999"}, "profile"), ({"profile": "9" * 40}, "profile"), ({"profile": "x"}, "profile"),
        ({"exemption_reason": "x" * 201}, "exemption_reason"), ({"components": "State 10"}, "components"),
        ({"components": "State"}, "components"),
    ],
)  # fmt: skip
def test_a_rate_that_can_not_be(client_of, admin, wrong, field):
    before = set(TaxRate.objects.values_list("pk", "valid_to"))
    answer = client_of(admin).post("/company/rates/", {"profile": _germany().pk} | RATE | wrong)
    assert answer.status_code == 422
    assert field in _rate_errors(answer)
    assert set(TaxRate.objects.values_list("pk", "valid_to")) == before


def test_the_first_rate_of_a_category_on_the_first_day_of_all(client_of, admin):
    """Nothing ends the day before, for there is none."""
    profile = _germany()
    TaxRate.objects.filter(profile=profile, category="O").delete()
    sent = {"profile": profile.pk, "category": "O", "percent": "0", "valid_from": "0001-01-01"}
    assert client_of(admin).post("/company/rates/", sent).status_code == 302
    assert client_of(admin).post("/company/rates/", sent).status_code == 422  # a second time


@pytest.mark.parametrize(
    "wrong",
    [{"percent": Decimal("100.01")}, {"percent": Decimal("-0.01")}, {"percent": Decimal("NaN")}, {"category": "XX"}],
)
def test_the_verb_refuses_what_no_form_let_through(admin, wrong):
    given = {"category": "S", "percent": Decimal(16), "valid_from": dt.date(2026, 7, 1)} | wrong
    with pytest.raises(ValidationError):
        services.set_tax_rate(_germany(), actor=admin, **given)
    assert _germany().version == 1


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("buyer.colour", "is none of these, or stands twice"), ("buyer.tax_id\nbuyer.tax_id cn.uscc", "stands twice"),
        ("buyer.tax_id no.rule", "There is no rule"), ("buyer.tax_id cn.uscc cn.uscc", "There is no rule"),
        ("buyer.tax_id os.system", "There is no rule"), (".", "is none of these"), ("<b>", "is none of these"),
        ("buyer.tax_id __import__", "There is no rule"), ("x" * 1001, "1000"), ("buyer.tax_id ..", "There is no rule"),
    ],
)  # fmt: skip
def test_required_fields_that_there_are_not(client_of, admin, text, sentence):
    profile = _germany()
    sent = {"name": "Germany", "e_invoice": "factur-x", "wording": "", "required": text}
    answer = client_of(admin).post(f"/company/profiles/{profile.pk}/", sent)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert (_germany().required, _germany().version) == (profile.required, 1)


@pytest.mark.parametrize(
    ("rows", "union", "sentence"),
    [
        ([{"category": "XX"}], "DE", "XX"), ([{"category": "G"}, {"category": "G"}], "DE", "is never reached"),
        ([{"category": "G", "ORDER": "x"}], "DE", ""), ([{"category": "G", "tax_id": "maybe"}], "DE", "maybe"),
        ([{"category": "G", "ORDER": "9" * 30}, {"category": "K", "where": "union", "ORDER": "1"}], "DE \x00", ""),
        ([{"category": "G"}], "D" * 2001, "2000"), ([{"category": "G"}], "deu", "Not a country: DEU."),
    ],
)  # fmt: skip
def test_rules_abroad_that_can_not_hold(client_of, admin, rows, union, sentence):
    profile = _germany()
    sent = {"form-TOTAL_FORMS": len(rows), "form-INITIAL_FORMS": 0, "union": union}
    for place, row in enumerate(rows):
        sent |= {f"form-{place}-{name}": value for name, value in ({"ORDER": place + 1} | row).items()}
    answer = client_of(admin).post(f"/company/profiles/{profile.pk}/abroad/", sent)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert (_germany().abroad, _germany().version) == (profile.abroad, 1)


@pytest.mark.parametrize("count", ["", "x", "-1", "9" * 30, "31"])
def test_the_number_of_rows_is_nonsense(client_of, admin, count):
    profile = _germany()
    sent = {"form-TOTAL_FORMS": count, "form-INITIAL_FORMS": count, "union": "DE"}
    assert client_of(admin).post(f"/company/profiles/{profile.pk}/abroad/", sent).status_code in (302, 422)


def test_keys_that_no_row_can_have(client_of, admin):
    for key in ("9" * 30, "0"):
        assert client_of(admin).get(f"/company/profiles/{key}/").status_code == 404
        assert client_of(admin).post(f"/company/profiles/{key}/abroad/").status_code == 404
