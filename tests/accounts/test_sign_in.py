"""Signing in and out: right, wrong, slowed down, with a second factor, and where it leads."""

import datetime as dt
import time

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.test import Client
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice

from ordermgmt.accounts.models import RecoveryCode, Throttle, UserSession
from ordermgmt.accounts.services import begin_totp, confirm_totp, make_recovery_codes
from ordermgmt.activity.models import Event
from tests.cast import PASSWORD

pytestmark = pytest.mark.django_db


def sign_in(client, email="sales@example.com", password=PASSWORD, *, address="192.0.2.1", follow=False, **data):
    return client.post("/login/", {"email": email, "password": password, **data}, REMOTE_ADDR=address, follow=follow)


def code_of(user, at=None):
    device = TOTPDevice.objects.get(user=user)
    return f"{totp(device.bin_key, device.step, device.t0, device.digits, drift=0) if at is None else at:06d}"


@pytest.fixture
def enrolled(pm):
    """A project manager with a second factor; returns person and recovery codes. The clock moves on a step."""
    with time_machine.travel(dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC), tick=False):
        begin_totp(pm)
        return pm, confirm_totp(pm, code=code_of(pm))


@pytest.fixture
def later():
    with time_machine.travel(dt.datetime(2026, 3, 2, 10, tzinfo=dt.UTC), tick=False) as clock:
        yield clock


def test_works(client, sales):
    assert client.get("/login/").status_code == 200
    response = sign_in(client)
    assert (response.status_code, response["Location"]) == (302, "/")
    assert client.get("/").status_code == 200
    assert Event.objects.filter(type="accounts.signed_in", actor=sales).count() == 1
    assert UserSession.objects.get(user=sales).address == "192.0.2.1"


def test_signed_in_is_led_on(client_of, sales):
    assert client_of(sales).get("/login/?next=/profile/")["Location"] == "/profile/"


def test_address_in_any_case(client):
    assert sign_in(client, " Sales@Example.COM ").status_code == 302


def test_new_session_id(client):
    """A session id planted before the sign-in is worth nothing after it."""
    session = client.session
    session["planted"] = 1
    session.save()
    client.cookies["session"] = planted = session.session_key
    sign_in(client)
    assert client.cookies["session"].value != planted
    assert not Session.objects.filter(session_key=planted).exists()


@pytest.mark.parametrize("email", ["sales@example.com", "nobody@example.com", "system@localhost"])
def test_wrong_password_says_the_same_for_everybody(client, email):
    response = sign_in(client, email, "wrong")
    assert response.status_code == 422
    assert "do not fit together" in response.content.decode()
    assert "_auth_user_id" not in client.session


def test_wrong_password_is_recorded(client, sales):
    sign_in(client, password="wrong")
    assert Event.objects.get(type="accounts.sign_in_failed").subject_id == sales.pk
    assert "wrong" not in str(Event.objects.filter(type="accounts.sign_in_failed").values())


def test_empty_form(client):
    response = client.post("/login/", {})
    assert response.status_code == 422


def test_disabled_person_stays_out(client, sales):
    sales.is_active = False
    sales.save()
    assert sign_in(client).status_code == 422


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "http:///evil.example", "javascript:alert(1)"],
)
def test_p30_open_redirect(client, target):
    assert sign_in(client, next=target)["Location"] == "/"


def test_next_page(client):
    assert sign_in(client, next="/profile/?a=1")["Location"] == "/profile/?a=1"


def test_p32_brute_force(client, later):
    """30 wrong tries from 30 addresses slow the account down, not its owner's own browser, and not others."""
    sign_in(client)  # the usual device
    client.post("/logout/")
    for number in range(30):
        response = sign_in(Client(), password=f"guess {number}", address=f"198.51.100.{number}")
    assert response.status_code == 429
    assert "Too many wrong tries" in response.content.decode()
    stranger = sign_in(Client(), address="203.0.113.9")
    assert stranger.status_code == 429, "the account is throttled, even for the right password"
    assert sign_in(Client(), "pm@example.com", address="198.51.100.1").status_code == 302, "others are not"
    assert sign_in(client, address="192.0.2.77").status_code == 302, "the usual device is not kept out"
    later.shift(dt.timedelta(minutes=16))
    assert sign_in(Client(), address="203.0.113.9").status_code == 302, "after the wait everybody may try again"


def test_p32_unknown_account_is_throttled_alike(later):
    for number in range(6):
        response = sign_in(Client(), "nobody@example.com", "guess", address=f"198.51.100.{number}")
    assert response.status_code == 429


def test_p32_similar_time_for_unknown_accounts(client, settings):
    """Both hash a password: the unknown account does not answer in a fraction of the time."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    settings.SIGN_IN_TRIES = 99
    took = {}
    for email in ("nobody@example.com", "sales@example.com"):
        started = time.perf_counter()
        for _ in range(3):
            sign_in(client, email, "wrong")
        took[email] = time.perf_counter() - started
    # The stored hash of the cast is a quick one, so only the lower bound of the unknown one means something.
    assert took["nobody@example.com"] > 0.05


def test_device_of_another_account_does_not_help(client, later):
    """The cookie of one's own account opens no way round the throttle of another."""
    sign_in(client, "pm@example.com")
    client.post("/logout/")
    for number in range(6):
        sign_in(client, password="guess", address=f"198.51.100.{number}")
    assert sign_in(client).status_code == 429


def test_own_account_does_not_wipe_the_guesses_of_a_shared_device(client, later):
    """Both have signed in on this browser; between guesses at the one, the guesser signs in to their own account."""
    for email in ("sales@example.com", "pm@example.com"):
        sign_in(client, email)
        client.post("/logout/")
    for _ in range(3):
        for _guess in range(2):
            sign_in(client, password="guess")
        sign_in(client, "pm@example.com")
        client.post("/logout/")
    assert sign_in(client).status_code == 429
    assert sign_in(client, "pm@example.com").status_code == 302


def test_usual_device_is_counted_too(client, later):
    sign_in(client)
    client.post("/logout/")
    for _ in range(6):
        response = sign_in(client, password="guess")
    assert response.status_code == 429


def test_forged_device_cookie(client, later):
    client.cookies["device"] = "forged"
    for number in range(6):
        response = sign_in(client, password="guess", address=f"198.51.100.{number}")
    assert response.status_code == 429


def test_one_address_that_tries_everybody(later, settings):
    settings.SIGN_IN_TRIES_PER_ADDRESS = 8
    for number in range(9):
        response = sign_in(Client(), f"person{number}@example.com", "guess")
    assert response.status_code == 429


def test_right_password_forgets_wrong_ones(client, later):
    for _ in range(4):
        sign_in(client, password="guess")
    assert sign_in(client).status_code == 302
    assert not Throttle.objects.filter(key__startswith="account:").exists()


def test_behind_a_proxy_the_noted_address_counts(client, sales, settings):
    settings.TRUSTED_PROXIES = 1
    client.post(
        "/login/",
        {"email": sales.email, "password": PASSWORD},
        REMOTE_ADDR="10.0.0.1",
        headers={"x-forwarded-for": "6.6.6.6, 203.0.113.5"},
    )
    assert UserSession.objects.get(user=sales).address == "203.0.113.5"


def test_without_proxies_the_header_counts_for_nothing(client, sales):
    client.post(
        "/login/",
        {"email": sales.email, "password": PASSWORD},
        REMOTE_ADDR="10.0.0.1",
        headers={"x-forwarded-for": "203.0.113.5"},
    )
    assert UserSession.objects.get(user=sales).address == "10.0.0.1"


def test_too_few_proxies_noted(client, sales, settings):
    settings.TRUSTED_PROXIES = 2
    client.post("/login/", {"email": sales.email, "password": PASSWORD}, REMOTE_ADDR="10.0.0.1")
    assert UserSession.objects.get(user=sales).address == "10.0.0.1"


# --- second factor ----------------------------------------------------------------------------------------------


def test_second_factor(client, enrolled, later):
    person, _codes = enrolled
    assert sign_in(client, person.email, next="/profile/")["Location"] == "/login/two-factor/"
    assert client.get("/profile/").status_code == 302, "the password alone opens nothing"
    assert client.get("/login/two-factor/").status_code == 200
    response = client.post("/login/two-factor/", {"code": code_of(person)})
    assert response["Location"] == "/profile/"
    assert client.get("/profile/").status_code == 200


def test_second_factor_code_counts_once(client, enrolled, later):
    person, _codes = enrolled
    sign_in(client, person.email)
    client.post("/login/two-factor/", {"code": code_of(person)})
    other = Client()
    sign_in(other, person.email)
    assert other.post("/login/two-factor/", {"code": code_of(person)}).status_code == 422


def test_second_factor_wrong_codes_end_the_try(client, enrolled, later, settings):
    settings.SIGN_IN_TRIES = 99
    person, _codes = enrolled
    sign_in(client, person.email)
    for _ in range(5):
        assert client.post("/login/two-factor/", {"code": "zzzzz-zzzzz"}).status_code == 422
    assert client.post("/login/two-factor/", {"code": code_of(person)})["Location"] == "/login/"


def test_second_factor_wrong_codes_are_throttled(client, enrolled, later, settings):
    settings.SIGN_IN_TRIES = 2
    person, _codes = enrolled
    sign_in(client, person.email)
    client.post("/login/two-factor/", {"code": "000000"})
    client.post("/login/two-factor/", {"code": "000000"})
    assert client.post("/login/two-factor/", {"code": "000000"}).status_code == 429


def test_second_factor_empty(client, enrolled, later):
    person, _codes = enrolled
    sign_in(client, person.email)
    assert client.post("/login/two-factor/", {"code": ""}).status_code == 422


def test_second_factor_without_password(client):
    assert client.get("/login/two-factor/")["Location"] == "/login/"


def test_second_factor_takes_ten_minutes_at_most(client, enrolled, later):
    person, _codes = enrolled
    sign_in(client, person.email)
    later.shift(601)
    assert client.post("/login/two-factor/", {"code": code_of(person)})["Location"] == "/login/"


def test_recovery_code_counts_once(client, enrolled, later):
    person, codes = enrolled
    sign_in(client, person.email)
    assert client.post("/login/two-factor/", {"code": codes[0].upper()})["Location"] == "/"
    assert Event.objects.filter(type="accounts.recovery_code_used").count() == 1
    other = Client()
    sign_in(other, person.email)
    assert other.post("/login/two-factor/", {"code": codes[0]}).status_code == 422
    assert RecoveryCode.objects.filter(user=person, used_at=None).count() == 9


def test_recovery_codes_are_stored_hashed(enrolled):
    person, codes = enrolled
    stored = set(RecoveryCode.objects.filter(user=person).values_list("code_digest", flat=True))
    assert len(stored) == len(codes) == 10
    assert not stored & set(codes)


def test_recovery_codes_of_others_do_not_fit(client, enrolled, later, sales):
    person, _codes = enrolled
    begin_totp(sales)
    theirs = confirm_totp(sales, code=code_of(sales))
    sign_in(client, person.email)
    assert client.post("/login/two-factor/", {"code": theirs[0]}).status_code == 422


def test_new_recovery_codes_replace_old_ones(client, enrolled, later):
    person, codes = enrolled
    make_recovery_codes(person, password=PASSWORD)
    sign_in(client, person.email)
    assert client.post("/login/two-factor/", {"code": codes[0]}).status_code == 422


# --- signing out ------------------------------------------------------------------------------------------------


def test_sign_out(client, sales):
    sign_in(client)
    key = client.session.session_key
    assert client.get("/logout/").status_code == 405
    assert client.post("/logout/")["Location"] == "/login/"
    assert not Session.objects.filter(session_key=key).exists()
    assert UserSession.objects.get(user=sales).ended_at is not None
    assert client.get("/profile/").status_code == 302
    assert client.post("/logout/").status_code == 302, "a second time leads to the sign-in page"


def test_forms_need_their_secret(sales):
    strict = Client(enforce_csrf_checks=True)
    response = strict.post("/login/", {"email": sales.email, "password": PASSWORD})
    assert response.status_code == 403
    assert "Please try again" in response.content.decode()
