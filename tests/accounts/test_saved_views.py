"""Saved views of lists, people in the command palette, and links that lose a race."""

import pytest
from django.core.exceptions import ValidationError

from ordermgmt.accounts.models import AccessLink, User
from ordermgmt.accounts.services import accept_invitation, ask_password_reset, find_link, invite_user, make_link
from ordermgmt.accounts.tasks import mail_reset
from ordermgmt.activity.models import Event
from ordermgmt.lib.palette import find

pytestmark = pytest.mark.django_db
VIEW = {"list_key": "orders", "name": "Mine", "query": "q=a&state=draft", "back": "/orders/"}


def test_save_use_and_remove(client_of, sales):
    browser = client_of(sales)
    assert browser.get("/views/save/").status_code == 405
    assert browser.post("/views/save/", VIEW)["Location"] == "/orders/?q=a&state=draft"
    browser.post("/views/save/", VIEW | {"query": "q=b"})
    view = sales.saved_views.get()
    assert (view.name, view.query) == ("Mine", "q=b"), "the same name again replaces it"
    browser.post("/views/save/", {"remove": str(view.pk), "back": "/orders/"})
    browser.post("/views/save/", {"remove": str(view.pk), "back": "/orders/"})
    assert not sales.saved_views.exists()


def test_view_of_somebody_else_stays(client_of, sales, sales2):
    client_of(sales).post("/views/save/", VIEW)
    view = sales.saved_views.get()
    client_of(sales2).post("/views/save/", {"remove": str(view.pk), "back": "/orders/"})
    assert sales.saved_views.exists()


def test_view_without_a_name_and_p30(client_of, sales):
    browser = client_of(sales)
    response = browser.post("/views/save/", VIEW | {"name": "\x00 ", "back": "https://evil.example/"})
    assert response["Location"].startswith("/?")
    assert not sales.saved_views.exists()


def test_palette_finds_people_for_administrators_only(admin, sales):
    def hits(user):
        return [hit.title for group in find(user, "walter") for hit in group["hits"]]

    assert "Walter Warehouse" in hits(admin)
    assert "Walter Warehouse" not in hits(sales)


def test_two_use_one_link_at_once(admin):
    nora = invite_user(email="nora@example.com", name="Nora", actor=admin)
    token = make_link(nora, AccessLink.Purpose.INVITE).rstrip("/").rsplit("/", 1)[1]
    first, second = (find_link(token, AccessLink.Purpose.INVITE) for _ in range(2))
    accept_invitation(first, name="Nora", password="seven green herons wade")
    with pytest.raises(ValidationError, match="used"):
        accept_invitation(second, name="Nobody", password="nine yellow herons wade")
    assert User.objects.get(pk=nora.pk).name == "Nora"


def test_no_mail_to_who_was_disabled_meanwhile(sales, mailoutbox):
    ask_password_reset(sales.email)
    User.objects.filter(pk=sales.pk).update(is_active=False)
    mail_reset(Event.objects.get(type="accounts.password_reset_asked"))
    assert not mailoutbox
