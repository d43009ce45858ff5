"""Reading about people: lists, pages, who sees whom."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from ordermgmt.accounts.models import User
from ordermgmt.accounts.roles import Role
from ordermgmt.accounts.services import create_user, disable_user, system_user, users_with_role
from tests.cast import PASSWORD

pytestmark = pytest.mark.django_db


def test_list_finds_by_name_role_and_state(client_of, admin, invited):
    browser = client_of(admin)

    def names(query):
        return {person.name for person in browser.get(f"/users/?{query}").context["page"]}

    assert names("q=nora") == names("state=invited") == {"Nora New"}
    assert names("role=warehouse") == {"Walter Warehouse", "Wanda Warehouse"}
    assert names("role=nothing&q=SALLY") == {"Sally Sales"}
    assert "System" not in names("")
    assert not names("state=disabled")


@pytest.mark.parametrize("query", ["q=%00", "page=999999999999999999", "page=-1", "page=x", "role=%00"])
def test_p28_odd_input(client_of, admin, query):
    assert client_of(admin).get(f"/users/?{query}").status_code == 200


def test_p29_huge_id(client_of, admin):
    assert client_of(admin).get("/users/99999999999999999999999999/").status_code == 404


def test_detail(client_of, admin, sales, invited):
    browser = client_of(admin)
    for person in (admin, sales, invited):
        assert browser.get(f"/users/{person.pk}/").status_code == 200
    own = browser.get(f"/users/{admin.pk}/").context["actions"]
    assert own == [], "nothing to do with oneself"


def test_system_user_is_nobodys_business(client_of, admin):
    assert client_of(admin).get(f"/users/{system_user().pk}/").status_code == 404


@pytest.mark.parametrize("path", ["/users/", "/users/invite/", "/teams/", "/teams/create/"])
def test_pages_need_the_right(client_of, sales, path):
    assert client_of(sales).get(path).status_code == 403


def test_list_costs_the_same_for_more_people(
    client_of, admin, django_assert_num_queries, django_assert_max_num_queries
):
    browser = client_of(admin)
    browser.get("/users/")
    with django_assert_max_num_queries(12) as few:
        browser.get("/users/")
    for number in range(20):
        create_user(email=f"p{number}@example.com", name=f"P {number}", roles=["pm"], actor=admin)
    with django_assert_num_queries(len(few)):
        browser.get("/users/")


def test_autocomplete(client_of, sales, invited):
    results = client_of(sales).get("/users/autocomplete/?q=pa&role=pm").json()["results"]
    assert [one["text"] for one in results] == ["Paula Project"]
    everybody = client_of(sales).get("/users/autocomplete/?q=").json()["results"]
    assert "Nora New" not in {one["text"] for one in everybody}


def test_customers_see_only_themselves(admin):
    customer = create_user(email="buyer@example.com", name="Buyer", roles=["customer"], actor=admin)
    assert list(User.objects.visible_to(customer)) == [customer]
    assert customer not in User.objects.visible_to(User.objects.get(email="sales@example.com"))


def test_people_without_roles_see_only_themselves(admin):
    nobody = create_user(email="nobody@example.com", name="Nobody", actor=admin)
    assert list(User.objects.visible_to(nobody)) == [nobody]


def test_users_with_role_are_active(admin, pm, pm2):
    disable_user(pm2, actor=admin)
    assert list(users_with_role(Role.PM)) == [pm]


def test_create_user(admin, manager, client):
    made = create_user(email="New@example.com", name="New", roles=["pm"], password=PASSWORD, actor=admin)
    assert made.email == "new@example.com"
    assert client.login(username="NEW@example.com", password=PASSWORD)
    with pytest.raises(ValidationError):
        create_user(email="new@EXAMPLE.com", name="Again", actor=admin)
    with pytest.raises(PermissionDenied):
        create_user(email="x@example.com", name="X", actor=manager)


def test_system_user_is_one(db):
    assert system_user() == system_user()
    assert not system_user().has_usable_password()


def test_roles_are_boxes_with_labels(client_of, admin):
    page = client_of(admin).get("/users/invite/").content.decode()
    assert '<legend class="form-label required">Roles</legend>' in page
    assert page.count('type="checkbox" name="roles"') == len(Role)
    assert page.count("form-check-input") == len(Role)
