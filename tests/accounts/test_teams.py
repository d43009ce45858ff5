"""Departments, teams, the permission table, demo logins, cookies behind TLS."""

import os
import subprocess
import sys

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from ordermgmt.accounts.models import Department, Team
from ordermgmt.accounts.roles import APP_LABELS, PERMISSION_LABELS, PERMISSIONS, Role
from ordermgmt.accounts.services import DEMO_PASSWORD, create_user, demo_logins, remove_team, save_department, save_team
from ordermgmt.activity.models import Event

pytestmark = pytest.mark.django_db


def test_department_and_team(client_of, admin):
    browser = client_of(admin)
    assert browser.get("/teams/").status_code == 200
    assert browser.get("/teams/departments/create/").status_code == 200
    browser.post("/teams/departments/create/", {"name": "Service"})
    service = Department.objects.get(name="Service")
    browser.post(f"/teams/departments/{service.pk}/edit/", {"name": "Field service"})
    assert browser.get(f"/teams/create/?department={service.pk}").status_code == 200
    browser.post("/teams/create/", {"name": "Crew", "department": service.pk})
    crew = Team.objects.get(name="Crew")
    assert browser.post(f"/teams/{crew.pk}/edit/", {"name": "Crew A", "department": service.pk}).status_code == 302
    assert browser.get("/teams/").status_code == 200
    assert browser.get(f"/teams/{crew.pk}/remove/").status_code == 405
    browser.post(f"/teams/{crew.pk}/remove/")
    assert not Team.objects.filter(pk=crew.pk).exists()
    assert browser.post(f"/teams/{crew.pk}/remove/").status_code == 404
    kinds = set(Event.objects.values_list("type", flat=True))
    assert {"accounts.department_saved", "accounts.team_saved", "accounts.team_removed"} <= kinds


def test_names_are_taken_once(client_of, admin):
    browser = client_of(admin)
    assert browser.post("/teams/departments/create/", {"name": "Home"}).status_code == 422
    home = Department.objects.get(name="Home")
    assert browser.post("/teams/create/", {"name": "North", "department": home.pk}).status_code == 422
    assert browser.post("/teams/create/", {"name": "", "department": home.pk}).status_code == 422


def test_team_with_people_stays(client_of, admin, sales):
    response = client_of(admin).post(f"/teams/{sales.team_id}/remove/", follow=True)
    assert "still belong to this team" in response.content.decode()
    assert Team.objects.filter(pk=sales.team_id).exists()
    assert not Event.objects.filter(type="accounts.team_removed").exists()


def test_without_the_right(manager, sales):
    with pytest.raises(PermissionDenied):
        save_department(Department(), name="X", actor=manager)
    with pytest.raises(PermissionDenied):
        save_team(Team(), name="X", department=Department.objects.first(), actor=manager)
    with pytest.raises(PermissionDenied):
        remove_team(sales.team, actor=manager)


def test_department_name_is_checked_below_the_page(admin):
    with pytest.raises(ValidationError):
        save_department(Department(), name=" ", actor=admin)


def test_permission_table(client_of, admin, manager, sales):
    page = client_of(admin).get("/permissions/").content.decode()
    for code in PERMISSIONS:
        assert code in page
    assert client_of(manager).get("/permissions/").status_code == 200
    assert client_of(sales).get("/permissions/").status_code == 403


def test_every_permission_has_a_label_and_a_holder():
    assert set(PERMISSIONS) == set(PERMISSION_LABELS)
    assert {code.partition(".")[0] for code in PERMISSIONS} == set(APP_LABELS)
    assert all(PERMISSIONS.values())


def test_demo_logins(client, settings, admin):
    create_user(email="sally@demo.example", name="Sally", roles=["sales"], password=DEMO_PASSWORD, actor=admin)
    assert demo_logins() == []
    assert DEMO_PASSWORD not in client.get("/login/").content.decode()
    settings.DEMO = True
    (login,) = demo_logins()
    assert login.role == Role.SALES
    assert "Sally" in client.get("/login/").content.decode()
    assert client.post("/login/", {"email": login.email, "password": login.password}).status_code == 302


def test_cookies_behind_tls(tmp_path):
    """The names and flags that browsers hold a site to, once its own address says https."""
    code = (
        "from django.conf import settings as s;"
        "print(s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, s.DEVICE_COOKIE_NAME, s.LANGUAGE_COOKIE_NAME,"
        "s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SECURE_SSL_REDIRECT, s.SECURE_HSTS_SECONDS >= 31536000)"
    )
    surroundings = os.environ | {
        "SITE_URL": "https://orders.example.com",
        "DJANGO_SETTINGS_MODULE": "ordermgmt.settings",
        "VAR_DIR": str(tmp_path),
    }
    out = subprocess.run([sys.executable, "-c", code], env=surroundings, capture_output=True, text=True, check=True)
    assert out.stdout.split() == ["__Host-session", "__Host-csrf", "__Host-device", "__Host-language", *["True"] * 4]
