"""Every page of this app opens, for those who may."""

import pytest

PAGES = ["/activity/tasks/", "/activity/notifications/", "/activity/preferences/", "/activity/jobs/"]


@pytest.mark.parametrize("path", PAGES)
def test_page_opens(client_of, sales, path):
    assert client_of(sales).get(path).status_code == 200


@pytest.mark.parametrize("path", ["/activity/audit/", "/activity/operations/"])
def test_administrators_page_opens(client_of, admin, sales, path):
    assert client_of(admin).get(path).status_code == 200
    assert client_of(sales).get(path).status_code == 403


@pytest.mark.parametrize("path", [*PAGES, "/activity/audit/", "/activity/operations/"])
def test_stranger_is_sent_to_sign_in(client, path):
    assert client.get(path).status_code == 302
