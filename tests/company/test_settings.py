"""The company's settings: data, logo, dated tax rates."""

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile

from billing.models import Payment
from billing.services.receivables import cancelled_on
from ordermgmt.company import services
from ordermgmt.company.models import SellerProfile, TaxProfile
from ordermgmt.company.services.editing import FIELDS

pytestmark = pytest.mark.django_db
PNG = (Path(__file__).parent.parent / "lib" / "logo.png").read_bytes()


def _data(**changes):
    seller = services.default_seller()
    data = {name: getattr(seller, name) for name in FIELDS} | {"tax_profile": seller.tax_profile_id}
    return data | changes


def test_works(client_of, admin):
    answer = client_of(admin).post("/company/", _data(name="Werk 1 GmbH", currency="cny"))
    assert answer.status_code == 302
    seller = SellerProfile.objects.get()
    assert (seller.name, seller.currency) == ("Werk 1 GmbH", "CNY")


def test_get_changes_nothing(client_of, admin):
    assert client_of(admin).get("/company/", _data(name="x")).status_code == 200
    assert SellerProfile.objects.get().name != "x"


def test_without_the_right_403(client_of, finance):
    client = client_of(finance)
    for url in ("/company/", "/company/logo/", "/company/rates/"):
        assert client.post(url, _data()).status_code == 403
    with pytest.raises(PermissionDenied):
        services.edit_company(services.default_seller(), actor=finance, name="x")


@pytest.mark.parametrize(
    "wrong",
    [
        {"currency": "XXQ"}, {"country": "d"}, {"name": ""}, {"time_zone": "Moon"}, {"vat_id": "DE136695977"}, {"receipt_tolerance": 101},
        {"country": "CN", "tax_id": "91310115MA1K3J0Y2X"},
    ],
)  # fmt: skip
def test_wrong_data_is_refused_at_its_field(client_of, admin, wrong):
    answer = client_of(admin).post("/company/", _data(**wrong))
    assert answer.status_code == 422
    assert "is-invalid" in answer.content.decode()


def test_an_unknown_field_is_an_error(admin):
    with pytest.raises(TypeError):
        services.edit_company(services.default_seller(), actor=admin, is_default=False)


def test_the_logo_comes_and_goes(client_of, admin):
    client = client_of(admin)
    client.post("/company/logo/", {"logo": SimpleUploadedFile("l.png", PNG)})
    shown = client.get("/company/logo/")
    assert (shown.content, shown["Content-Type"]) == (PNG, "image/png")
    client.post("/company/logo/", {"remove": "1"})
    assert client.get("/company/logo/").status_code == 404


@pytest.mark.parametrize(
    ("name", "content"), [("l.png", b"<svg onload=alert(1)>"), ("l.txt", b"text"), ("l.png", PNG + b"0" * 1_000_001)]
)
def test_p27_what_is_no_picture_is_refused(client_of, admin, name, content):
    answer = client_of(admin).post("/company/logo/", {"logo": SimpleUploadedFile(name, content)})
    assert answer.status_code == 422
    assert not SellerProfile.objects.get().logo


def test_a_rate_begins_and_the_one_before_ends(client_of, admin):
    profile = services.default_seller().tax_profile
    day = dt.date(2026, 7, 1)
    data = {"profile": profile.pk, "category": "S", "percent": "16", "valid_from": day.isoformat()}
    client = client_of(admin)
    assert client.post("/company/rates/", data).status_code == 302
    assert services.tax_rate(profile, "S", day) == Decimal(16)
    assert services.tax_rate(profile, "S", day - dt.timedelta(days=1)) == Decimal(19)
    assert TaxProfile.objects.get(pk=profile.pk).version == 2
    assert client.post("/company/rates/", data).status_code == 422
    assert client.post("/company/rates/", data | {"percent": "101"}).status_code == 422


def test_a_category_without_a_rate(admin):
    with pytest.raises(services.NoTaxRate):
        services.tax_rate(services.default_seller().tax_profile, "S", dt.date(1990, 1, 1))


def test_business_days_are_the_companys():
    services.ensure_company()
    SellerProfile.objects.filter(is_default=True).update(time_zone="Asia/Shanghai")
    late = dt.datetime(2026, 6, 30, 17, tzinfo=dt.UTC)
    july = dt.date(2026, 7, 1)
    assert services.business_day(late) == july
    assert services.business_day_end(july) == late + dt.timedelta(hours=23)
    assert services.business_day_end(dt.date.max).year == dt.MAXYEAR
    assert cancelled_on(Payment(cancelled_at=late)) == july
