"""One's own profile, password, second factor and sessions."""

import datetime as dt
import re
from contextlib import contextmanager

import pytest
import time_machine
from django.core import mail
from django.core.exceptions import ValidationError
from django.db import transaction
from django.test import Client
from django.utils import timezone
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice

from ordermgmt.accounts.models import User
from ordermgmt.accounts.services import ask_password_reset, begin_totp, confirm_totp, edit_profile, reset_two_factor
from ordermgmt.activity.models import Event
from ordermgmt.activity.services import work_off
from tests.cast import PASSWORD

pytestmark = pytest.mark.django_db


@pytest.fixture
def on_commit(django_capture_on_commit_callbacks):
    """`with on_commit():` lets the worker do at once what waits for the commit."""

    @contextmanager
    def capture():
        with django_capture_on_commit_callbacks(execute=True):
            yield
        work_off()

    return capture


GOOD = "seven green herons wade"
PROFILE = {
    "name": "Sally S.",
    "language": "zh-hans",
    "time_zone": "Asia/Shanghai",
    "theme": "dark",
    "density": "compact",
}


def code_of(user):
    device = TOTPDevice.objects.get(user=user)
    return f"{totp(device.bin_key):06d}"


# --- profile ----------------------------------------------------------------------------------------------------


def test_profile_works(client_of, sales):
    browser = client_of(sales)
    assert browser.get("/profile/").status_code == 200
    assert browser.post("/profile/", PROFILE)["Location"] == "/profile/"
    sales.refresh_from_db()
    assert {name: getattr(sales, name) for name in PROFILE} == PROFILE
    event = Event.objects.get(type="accounts.profile_edited")
    assert event.before["language"] == "en"
    assert event.after["language"] == "zh-hans"
    assert 'lang="zh-hans"' in browser.get("/profile/").content.decode()
    browser.post("/profile/", PROFILE)
    assert Event.objects.filter(type="accounts.profile_edited").count() == 1, "a second time changes nothing"


def test_p23_mass_assignment(client_of, sales):
    """Extra fields of the form are ignored."""
    extra = {
        "email": "boss@example.com",
        "is_active": "",
        "is_system": "1",
        "roles": ["admin"],
        "team": 1,
        "password": "x",
    }
    before = (sales.email, sales.team_id, sales.is_system, sales.password)
    client_of(sales).post("/profile/", PROFILE | extra)
    sales = User.objects.get(pk=sales.pk)
    assert (sales.email, sales.team_id, sales.is_system, sales.password) == before
    assert (sales.role_codes, sales.is_active) == ({"sales"}, True)


def test_service_knows_its_fields(sales):
    with pytest.raises(TypeError):
        edit_profile(sales, email="boss@example.com")


@pytest.mark.parametrize(
    "wrong", [{"time_zone": "Moon/Crater"}, {"language": "tlh"}, {"theme": "pink"}, {"name": ""}, {"name": "x" * 151}]
)
def test_profile_refuses(client_of, sales, wrong):
    response = client_of(sales).post("/profile/", PROFILE | wrong)
    assert response.status_code == 422
    assert User.objects.get(pk=sales.pk).name == "Sally Sales"
    with pytest.raises(ValidationError):
        edit_profile(sales, **wrong)


# --- password ---------------------------------------------------------------------------------------------------


def test_change_password(client_of, sales):
    here, elsewhere = client_of(sales), client_of(sales)
    here.get("/"), elsewhere.get("/")
    assert here.get("/profile/password/").status_code == 200
    response = here.post("/profile/password/", {"old": PASSWORD, "password": GOOD, "again": GOOD})
    assert response["Location"] == "/profile/"
    assert here.get("/profile/").status_code == 200, "this device stays signed in"
    assert elsewhere.get("/profile/").status_code == 302, "others do not"
    sales.refresh_from_db()
    assert sales.check_password(GOOD)


@pytest.mark.parametrize(
    ("old", "new", "again"),
    [
        ("wrong", GOOD, GOOD),
        (PASSWORD, "short", "short"),
        (PASSWORD, GOOD, "other"),
        (PASSWORD, "sally sales", "sally sales"),
    ],
)
def test_change_password_refuses(client_of, sales, old, new, again):
    response = client_of(sales).post("/profile/password/", {"old": old, "password": new, "again": again})
    assert response.status_code == 422
    sales.refresh_from_db()
    assert sales.check_password(PASSWORD)


def link_in(message):
    return re.search(r"https?://\S+", message.body)[0]


def ask(client, email, on_commit, **more):
    with on_commit():
        return client.post("/password/forgot/", {"email": email}, **more)


def test_reset_password(client, client_of, sales, on_commit):
    browser = client_of(sales)
    browser.get("/")
    assert client.get("/password/forgot/").status_code == 200
    ask(client, "SALES@example.com", on_commit)
    link = link_in(mail.outbox[0])
    assert client.get(link).status_code == 200
    assert client.post(link, {"password": "short", "again": "short"}).status_code == 422
    assert client.post(link, {"password": GOOD, "again": GOOD})["Location"] == "/login/"
    assert browser.get("/profile/").status_code == 302, "every session ends"
    assert client.post(link, {"password": GOOD, "again": GOOD}).status_code == 410, "single use"
    sales.refresh_from_db()
    assert sales.check_password(GOOD)


def test_reset_says_the_same_for_unknown_people(client, on_commit, sales):
    known = ask(client, "sales@example.com", on_commit)
    unknown = ask(client, "nobody@example.com", on_commit)
    strip = re.compile(r'name="csrf\w*" value="\w+"')
    assert strip.sub("", known.content.decode()) == strip.sub("", unknown.content.decode())
    assert len(mail.outbox) == 1


def test_reset_fills_no_letter_box(client, on_commit, sales):
    for _ in range(5):
        ask(client, "sales@example.com", on_commit)
    assert len(mail.outbox) == 1
    with time_machine.travel(timezone.now() + dt.timedelta(minutes=3)):
        ask(client, "sales@example.com", on_commit)
    assert len(mail.outbox) == 2


def test_reset_link_is_short_lived(client, on_commit, sales):
    ask(client, "sales@example.com", on_commit)
    with time_machine.travel(timezone.now() + dt.timedelta(minutes=31)):
        assert client.get(link_in(mail.outbox[0])).status_code == 410


def test_reset_for_disabled_and_malformed(client, on_commit, sales):
    assert ask(client, "no address", on_commit).status_code == 422
    User.objects.filter(pk=sales.pk).update(is_active=False)
    ask(client, "sales@example.com", on_commit)
    assert not mail.outbox


def test_reset_link_of_somebody_disabled_since(client, on_commit, sales):
    ask(client, "sales@example.com", on_commit)
    User.objects.filter(pk=sales.pk).update(is_active=False)
    assert client.post(link_in(mail.outbox[0]), {"password": GOOD, "again": GOOD}).status_code == 422


def test_p31_host_header(client, on_commit, sales, settings):
    settings.SITE_URL = "https://orders.example.com"
    assert ask(client, sales.email, on_commit, headers={"host": "evil.example"}).status_code == 400
    assert not mail.outbox
    ask(client, sales.email, on_commit, headers={"x-forwarded-host": "evil.example"})
    assert link_in(mail.outbox[0]).startswith("https://orders.example.com/password/reset/")


def test_p35_rollback_sends_nothing(sales, django_capture_on_commit_callbacks):
    def asked_and_failed():
        with transaction.atomic():
            ask_password_reset(sales.email)
            raise RuntimeError

    with django_capture_on_commit_callbacks(execute=True), pytest.raises(RuntimeError):
        asked_and_failed()
    work_off()
    assert not mail.outbox
    assert not Event.objects.filter(type="accounts.password_reset_asked").exists()


# --- second factor ----------------------------------------------------------------------------------------------


def test_enrol(client_of, sales):
    browser = client_of(sales)
    page = browser.get("/profile/two-factor/").content.decode()
    assert "<svg" in page
    assert "style=" not in page[page.index("<svg class") : page.index("</svg>", page.index("<svg class"))]
    assert browser.post("/profile/two-factor/", {"code": ""}).status_code == 422
    assert browser.post("/profile/two-factor/", {"code": "abc"}).status_code == 422
    device = TOTPDevice.objects.get(user=sales)
    assert not device.confirmed, "a wrong code switches nothing on"
    response = browser.post("/profile/two-factor/", {"code": code_of(sales)})
    assert len(response.context["codes"]) == 10
    assert "Switch off" in browser.get("/profile/two-factor/").content.decode()
    assert browser.post("/profile/two-factor/", {"code": "000000"}).status_code == 302, "on already"
    with pytest.raises(ValidationError):
        begin_totp(sales)
    assert "recovery code" in browser.get("/profile/").content.decode()


def test_confirm_without_beginning(sales):
    with pytest.raises(ValidationError):
        confirm_totp(sales, code="000000")


@pytest.fixture
def enrolled(sales):
    begin_totp(sales)
    confirm_totp(sales, code=code_of(sales))
    return sales


def test_remove(client_of, enrolled):
    browser = client_of(enrolled)
    assert browser.post("/profile/two-factor/remove/", {"password": "wrong"}).status_code == 422
    assert browser.post("/profile/two-factor/remove/", {}).status_code == 422
    assert browser.get("/profile/two-factor/remove/").status_code == 405
    assert browser.post("/profile/two-factor/remove/", {"password": PASSWORD})["Location"] == "/profile/"
    assert not TOTPDevice.objects.filter(user=enrolled).exists()
    assert not enrolled.recovery_codes.exists()
    browser.post("/profile/two-factor/remove/", {"password": PASSWORD})
    assert Event.objects.filter(type="accounts.totp_removed").count() == 1


def test_new_recovery_codes(client_of, enrolled):
    browser = client_of(enrolled)
    assert browser.post("/profile/two-factor/codes/", {"password": "wrong"}).status_code == 422
    assert len(browser.post("/profile/two-factor/codes/", {"password": PASSWORD}).context["codes"]) == 10


def test_new_recovery_codes_without_second_factor(client_of, sales):
    response = client_of(sales).post("/profile/two-factor/codes/", {"password": PASSWORD})
    assert response["Location"] == "/profile/two-factor/"
    assert not sales.recovery_codes.exists()


def test_administrator_resets_it(client_of, admin, enrolled):
    assert client_of(admin).post(f"/users/{enrolled.pk}/do/reset-two-factor/").status_code == 302
    assert not TOTPDevice.objects.filter(user=enrolled).exists()
    reset_two_factor(enrolled, actor=admin)
    assert Event.objects.filter(type="accounts.totp_removed").count() == 1


def test_role_that_needs_it(client_of, sales, settings):
    settings.TWO_FACTOR_ROLES = ["sales"]
    browser = client_of(sales)
    assert browser.get("/profile/")["Location"] == "/profile/two-factor/"
    page = browser.get("/profile/two-factor/")
    assert page.status_code == 200
    browser.post("/profile/two-factor/", {"code": code_of(sales)})
    assert browser.get("/profile/").status_code == 200
    assert browser.post("/profile/two-factor/remove/", {"password": PASSWORD}).status_code == 422
    assert TOTPDevice.objects.filter(user=sales).exists()


def test_role_that_does_not_need_it(client_of, pm, settings):
    settings.TWO_FACTOR_ROLES = ["sales"]
    browser = client_of(pm)
    assert browser.get("/profile/").status_code == 200
    assert browser.get("/profile/").status_code == 200


# --- sessions ---------------------------------------------------------------------------------------------------

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"


def signed_in(email="sales@example.com", agent=FIREFOX):
    browser = Client(headers={"user-agent": agent})
    browser.post("/login/", {"email": email, "password": PASSWORD})
    return browser


def test_sessions_are_listed_and_ended(sales):
    here, there = signed_in(), signed_in(agent="curl/8")
    sessions = here.get("/profile/").context["sessions"]
    assert {one.device for one in sessions} == {"Firefox, Windows", "curl"}
    other = next(one for one in sessions if one.device == "curl")
    assert here.get(f"/profile/sessions/{other.public_id}/end/").status_code == 405
    assert here.post(f"/profile/sessions/{other.public_id}/end/").status_code == 302
    assert there.get("/profile/").status_code == 302
    here.post(f"/profile/sessions/{other.public_id}/end/")
    assert Event.objects.filter(type="accounts.session_ended").count() == 1


def test_end_all_others(sales):
    here, there = signed_in(), signed_in()
    here.post("/profile/sessions/end-others/")
    here.post("/profile/sessions/end-others/")
    assert there.get("/profile/").status_code == 302
    assert here.get("/profile/").status_code == 200
    assert Event.objects.filter(type="accounts.session_ended").count() == 1


def test_p18_session_of_somebody_else(sales, sales2):
    signed_in("sales2@example.com")
    session = sales2.sessions.get()
    browser = signed_in()
    assert browser.post(f"/profile/sessions/{session.public_id}/end/").status_code == 404
    assert sales2.sessions.open().count() == 1
    assert Event.objects.filter(type="activity.denied", actor=sales).count() == 1


def test_idle_session_ends(sales):
    with time_machine.travel(dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC), tick=False) as clock:
        browser = signed_in()
        for _ in range(3):
            clock.shift(29 * 60)
            assert browser.get("/profile/").status_code == 200, "in use"
        clock.shift(31 * 60)
        assert browser.get("/profile/?a=1")["Location"] == "/login/?next=/profile/%3Fa%3D1"
        assert not sales.sessions.open().exists()


def test_no_session_lasts_longer_than_a_day_of_work(sales):
    with time_machine.travel(dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC), tick=False) as clock:
        browser = signed_in()
        for _ in range(48):
            clock.shift(15 * 60)
            assert browser.get("/profile/").status_code == 200
        clock.shift(60)
        assert browser.get("/profile/").status_code == 302


def test_seen_is_noted_once_a_minute(sales):
    with time_machine.travel(dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC), tick=False) as clock:
        browser = signed_in()
        start = sales.sessions.get().seen_at
        clock.shift(30)
        browser.get("/profile/")
        assert sales.sessions.get().seen_at == start
        clock.shift(31)
        browser.get("/profile/")
        assert sales.sessions.get().seen_at == start + dt.timedelta(seconds=61)


def test_fragments_are_sent_to_the_sign_in_page(client):
    assert client.get("/profile/", headers={"hx-request": "true"}).headers["HX-Redirect"] == "/login/"
    assert client.get("/profile/", headers={"x-dialog": "1"}).headers["X-Location"] == "/login/"


def test_private_pages_are_not_kept(client_of, sales, client):
    assert client_of(sales).get("/profile/")["Cache-Control"] == "no-store"
    assert client.get("/login/")["Cache-Control"] == "no-store"


def test_headers(client):
    response = client.get("/login/")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["X-Frame-Options"] == "DENY"
    assert response.cookies["csrf"]["httponly"]
    assert response.cookies["csrf"]["samesite"] == "Lax"
