"""Administrators' verbs on people: invite, roles, team, disable, enable."""

import datetime as dt
import re

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from ordermgmt.accounts.models import AccessLink, Team, User
from ordermgmt.accounts.roles import Role
from ordermgmt.accounts.services import (
    assign_roles,
    assign_team,
    create_user,
    disable_user,
    enable_user,
    invite_again,
    invite_user,
    reset_two_factor,
    system_user,
)
from ordermgmt.accounts.tasks import mail_invitation
from ordermgmt.activity.models import Event

pytestmark = pytest.mark.django_db


GOOD = "seven green herons wade"
NEW = {"email": "Nora@example.com", "name": "Nora New", "roles": ["pm"], "language": "en"}


def link_in(message):
    return re.search(r"https?://\S+", message.body)[0]


# --- invite -----------------------------------------------------------------------------------------------------


def test_invite_works(client_of, admin, client, on_commit):
    browser = client_of(admin)
    assert browser.get("/users/invite/").status_code == 200
    with on_commit():
        response = browser.post("/users/invite/", NEW)
    nora = User.objects.get(email="nora@example.com")
    assert response["Location"] == f"/users/{nora.pk}/"
    assert (nora.is_active, nora.is_invited, nora.role_codes) == (False, True, {"pm"})
    assert Event.objects.get(type="accounts.user_invited").after["roles"] == ["pm"]

    link = link_in(mail.outbox[0])
    assert client.get(link).status_code == 200
    response = client.post(link, {"name": "Nora Neumann", "password": GOOD, "again": GOOD})
    assert response["Location"] == "/login/"
    nora.refresh_from_db()
    assert (nora.name, nora.is_active, nora.is_invited) == ("Nora Neumann", True, False)
    assert nora.check_password(GOOD)
    assert client.post(link, {"name": "X", "password": GOOD, "again": GOOD}).status_code == 410, "single use"


@pytest.mark.parametrize("email", ["sales@example.com", "SALES@example.com", "no address", ""])
def test_invite_refuses_an_address(client_of, admin, email):
    response = client_of(admin).post("/users/invite/", NEW | {"email": email})
    assert response.status_code == 422
    assert not mail.outbox
    assert not Event.objects.filter(type="accounts.user_invited").exists()


def test_invite_without_the_right(client_of, manager):
    browser = client_of(manager)
    assert browser.post("/users/invite/", NEW).status_code == 403
    assert not User.objects.filter(email="nora@example.com").exists()
    assert Event.objects.filter(type="activity.denied", actor=manager).count() == 1
    with pytest.raises(PermissionDenied):
        invite_user(email="n@example.com", name="N", actor=manager)


def test_invite_a_role_that_does_not_exist(client_of, admin):
    assert client_of(admin).post("/users/invite/", NEW | {"roles": ["king"]}).status_code == 422


def test_the_link_is_not_stored(invited):
    token = link_in(mail.outbox[0]).rstrip("/").rsplit("/", 1)[1]
    stored = AccessLink.objects.get(user=invited)
    assert token not in str(vars(stored))
    assert token not in str(list(Event.objects.values()))


def test_invitation_ends_after_its_hours(invited, client):
    with time_machine.travel(timezone.now() + dt.timedelta(hours=73)):
        assert client.get(link_in(mail.outbox[0])).status_code == 410


def test_invite_again_replaces_the_link(invited, client, client_of, admin, on_commit):
    with on_commit():
        client_of(admin).post(f"/users/{invited.pk}/do/invite-again/")
    first, second = (link_in(message) for message in mail.outbox)
    assert client.get(first).status_code == 410
    assert client.get(second).status_code == 200


def test_invite_again_only_before_joining(admin, sales):
    with pytest.raises(ValidationError):
        invite_again(sales, actor=admin)


@pytest.mark.parametrize("password", ["short", "password1234567", "nora@example.com", "x" * 129, "ordermgmt12345"])
def test_invited_person_needs_a_good_password(invited, client, password):
    link = link_in(mail.outbox[0])
    response = client.post(link, {"name": "Nora", "password": password, "again": password})
    assert response.status_code == 422
    assert client.get(link).status_code == 200, "the link still works"


def test_passwords_must_agree(invited, client):
    response = client.post(link_in(mail.outbox[0]), {"name": "Nora", "password": GOOD, "again": GOOD + "x"})
    assert "The two passwords differ" in response.content.decode()


def test_mail_server_down_spoils_nothing(admin, on_commit, monkeypatch):
    """The invitation stands, and the mail is tried again later."""
    from ordermgmt.activity.models import Delivery

    def refuse(*_args, **_kwargs):
        raise ConnectionRefusedError

    monkeypatch.setattr("ordermgmt.accounts.services.mailing.send_mail_effect", refuse)
    with on_commit():
        nora = invite_user(email="nora@example.com", name="Nora", actor=admin)
    assert User.objects.filter(pk=nora.pk).exists()
    assert "ConnectionRefused" in Delivery.objects.get(event__type="accounts.user_invited").error


def test_mail_is_not_sent_to_who_is_in_already(invited, client, admin, on_commit):
    link = link_in(mail.outbox[0])
    client.post(link, {"name": "Nora", "password": GOOD, "again": GOOD})
    event = Event.objects.get(type="accounts.user_invited")
    mail_invitation(event)
    assert len(mail.outbox) == 1


def test_invitation_speaks_the_persons_language(admin, on_commit, client):
    with on_commit():
        invite_user(email="nora@example.com", name="诺拉", language="zh-hans", actor=admin)
    assert 'lang="zh-hans"' in client.get(link_in(mail.outbox[0])).content.decode()


# --- roles ------------------------------------------------------------------------------------------------------


def do(browser, person, name, **data):
    return browser.post(f"/users/{person.pk}/do/{name}/", data)


def test_assign_roles_works(client_of, admin, sales):
    browser = client_of(admin)
    assert browser.get(f"/users/{sales.pk}/do/assign-roles/").status_code == 200
    assert do(browser, sales, "assign-roles", roles=["pm", "finance"]).status_code == 302
    event = Event.objects.get(type="accounts.roles_assigned")
    assert (event.before, event.after) == ({"roles": ["sales"]}, {"roles": ["finance", "pm"]})
    assert do(browser, sales, "assign-roles", roles=["pm", "finance"]).status_code == 302
    assert Event.objects.filter(type="accounts.roles_assigned").count() == 1, "a second time changes nothing"


def test_assign_roles_without_the_right(client_of, manager, sales):
    assert do(client_of(manager), sales, "assign-roles", roles=["admin"]).status_code == 403
    with pytest.raises(PermissionDenied):
        assign_roles(sales, roles=[Role.ADMIN], actor=manager)


def test_nobody_changes_their_own_roles(client_of, admin):
    assert do(client_of(admin), admin, "assign-roles", roles=["admin", "finance"]).status_code == 403
    assert Event.objects.filter(type="activity.denied", actor=admin).count() == 1


def test_unknown_role(admin, sales):
    with pytest.raises(ValueError, match="king"):
        assign_roles(sales, roles=["king"], actor=admin)


def test_one_administrator_remains(admin):
    with pytest.raises(ValidationError, match="administrator"):
        assign_roles(admin, roles=[], actor=system_user())
    with pytest.raises(ValidationError, match="administrator"):
        disable_user(admin, actor=system_user())
    second = create_user(email="second@example.com", name="Second", roles=["admin"], actor=admin)
    disable_user(second, actor=admin)
    with pytest.raises(ValidationError):
        assign_roles(admin, roles=["pm"], actor=system_user())
    enable_user(second, actor=admin)
    assert assign_roles(admin, roles=["pm"], actor=second).role_codes == {"pm"}


def test_invited_administrator_does_not_count(admin):
    invite_user(email="nora@example.com", name="Nora", roles=["admin"], actor=admin)
    with pytest.raises(ValidationError):
        disable_user(admin, actor=system_user())


def test_p22_revoked_role_counts_at_once(client_of, admin):
    """The same session, the next request."""
    second = create_user(email="second@example.com", name="Second", roles=["admin"], actor=admin)
    browser = client_of(second)
    assert browser.get("/users/").status_code == 200
    assign_roles(second, roles=["finance"], actor=admin)
    assert browser.get("/users/").status_code == 403


# --- team -------------------------------------------------------------------------------------------------------


def test_assign_team_works(client_of, admin, sales):
    team = Team.objects.get(name="South")
    browser = client_of(admin)
    assert do(browser, sales, "assign-team", team=team.pk).status_code == 302
    assert do(browser, sales, "assign-team", team=team.pk).status_code == 302
    sales.refresh_from_db()
    assert sales.team == team
    assert Event.objects.filter(type="accounts.team_assigned").count() == 1
    assert do(browser, sales, "assign-team", team="").status_code == 302
    sales.refresh_from_db()
    assert (sales.team, sales.department_id) == (None, None)


def test_assign_team_without_the_right(manager, sales):
    with pytest.raises(PermissionDenied):
        assign_team(sales, team=None, actor=manager)


# --- disable, enable --------------------------------------------------------------------------------------------


def test_disable_ends_every_session(client_of, admin, sales):
    browser = client_of(sales)
    browser.get("/profile/")
    response = client_of(admin).get(f"/users/{sales.pk}/do/disable/")
    assert "end every session" in response.content.decode()
    assert do(client_of(admin), sales, "disable").status_code == 302
    assert browser.get("/profile/").status_code == 302
    assert not Session.objects.filter(session_key=browser.session.session_key or "").exists()
    assert not sales.sessions.open().exists()


def test_disable_twice(admin, sales):
    disable_user(sales, actor=admin)
    disable_user(sales, actor=admin)
    assert Event.objects.filter(type="accounts.user_disabled").count() == 1


def test_disable_oneself(client_of, admin):
    assert do(client_of(admin), admin, "disable").status_code == 403


def test_disable_without_the_right(client_of, manager, sales):
    assert do(client_of(manager), sales, "disable").status_code == 403
    assert User.objects.get(pk=sales.pk).is_active


def test_disable_an_invited_person_kills_the_link(invited, admin, client):
    disable_user(invited, actor=admin)
    assert client.get(link_in(mail.outbox[0])).status_code == 410


def test_enable(client_of, admin, sales):
    browser = client_of(admin)
    disable_user(sales, actor=admin)
    assert do(browser, sales, "enable").status_code == 302
    assert User.objects.get(pk=sales.pk).is_active
    enable_user(sales, actor=admin)
    assert Event.objects.filter(type="accounts.user_enabled").count() == 1


def test_enable_an_invited_person(invited, admin):
    with pytest.raises(ValidationError):
        enable_user(invited, actor=admin)


def test_reset_two_factor_without_the_right(manager, sales):
    with pytest.raises(PermissionDenied):
        reset_two_factor(sales, actor=manager)
