"""What every page has: policy, language, escaped text, calm answers to nonsense; and no template breaks the policy."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import RequestDataTooBig
from django.template import Context, Template
from django.test import Client, RequestFactory
from django.utils import translation

from ordermgmt.lib import palette
from ordermgmt.lib.stylesheets import class_words, trim
from ordermgmt.lib.tables.exporting import csv_lines
from ordermgmt.lib.views import bad_request
from ordermgmt.navigation import ENTRIES
from tests.factories.orders import started

ROOT = Path(__file__).resolve().parents[2]
PAGES = [path for path in sorted((ROOT / "templates").rglob("*.html")) if path.parts[-2] not in ("emails", "pdf")]
PAGES = [path for path in PAGES if "emails" not in path.parts and "pdf" not in path.parts]
SignIn = Callable[[Any], Client]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_no_template_needs_what_the_policy_forbids(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)", text), "a script without src"
    assert not re.search(r"<style|\sstyle=", text), "a style of its own"
    assert not re.search(r"\son[a-z]+=[\"']|javascript:|hx-on", text), "a handler"
    assert not re.search(r"(?:src|href)=[\"'](?:https?:)?//", text), "something from another host"


@pytest.mark.parametrize(
    "address", [entry.url for entry in ENTRIES if not entry.permission] + ["/search/", "/nothing/"]
)
def test_each_page_sends_the_policy(client_of: SignIn, sales: Any, address: str) -> None:
    policy = client_of(sales).get(address)["Content-Security-Policy"]
    for part in ("default-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert part in policy
    assert "unsafe" not in policy


def test_the_side_bar_names_only_what_the_role_may_open(client_of: SignIn, warehouse: Any, admin: Any) -> None:
    assert "/users/" not in client_of(warehouse).get("/").content.decode().split("page-wrapper")[0]
    assert "/users/" in client_of(admin).get("/").content.decode().split("page-wrapper")[0]


def test_the_reader_has_language_theme_and_density_of_the_profile(client_of: SignIn, sales: Any) -> None:
    type(sales).objects.filter(pk=sales.pk).update(language="zh-hans", theme="dark", density="compact")
    page = client_of(sales).get("/").content.decode()
    assert '<html lang="zh-hans" data-theme="dark" data-density="compact"' in page
    assert "跳到正文" in page


@pytest.mark.parametrize("path", ["/nothing/", "/orders/%00/", "/customers/%00/", f"/orders/{'9' * 40}/", "/%00"])
def test_p28_p29_an_address_that_is_none_is_404_in_the_look_of_the_site(
    client_of: SignIn, sales: Any, path: str
) -> None:
    response = client_of(sales).get(path)
    assert response.status_code == 404
    assert "ordermgmt" in response.content.decode()


@pytest.mark.parametrize("text", ["%00", "%F0%9F%92%A9", "x" * 5000, "%25%27%22%3B--", "<b>"])
def test_p28_search_and_palette_bear_anything(client_of: SignIn, sales: Any, text: str) -> None:
    client = client_of(sales)
    assert client.get(f"/search/?q={text}").status_code == 200
    assert client.get(f"/search/palette/?q={text}").status_code == 200


def test_p25_the_search_page_escapes_what_was_typed(client_of: SignIn, sales: Any) -> None:
    page = client_of(sales).get("/search/", {"q": '"><img src=x onerror=alert(1)>'}).content.decode()
    assert "<img src=x" not in page


@pytest.mark.parametrize(
    "source",
    [
        "{% badge evil evil %}", "{% icon evil %}", "{% money one evil %}",
        "{% include 'components/empty.html' with empty_title=evil empty_text=evil %}",
    ],
)  # fmt: skip
def test_p25_components_escape(source: str) -> None:
    evil = '"><img src=x onerror=alert(1)>'
    if "money" in source:
        shown = Template("{% load ui %}{{ evil }}").render(Context({"evil": evil}))
    else:
        shown = Template("{% load ui %}" + source).render(Context({"evil": evil, "one": 1}))
    assert "<img" not in shown


def test_the_palette_offers_what_the_right_allows(sales: Any, admin: Any) -> None:
    def urls(user: Any) -> set[str]:
        return {hit.url for group in palette.find(user, "invite") for hit in group["hits"]}

    assert "/users/invite/" in urls(admin)
    assert "/users/invite/" not in urls(sales)


def test_the_palette_finds_a_customer_of_ones_own_and_no_other(client_of: SignIn, sales: Any, sales2: Any) -> None:
    def titles(user: Any) -> str:
        return json.dumps(json.loads(client_of(user).get("/search/palette/?q=甲方").content), ensure_ascii=False)

    assert "甲方机械" in titles(sales)
    assert "甲方机械" not in titles(sales2)


def test_quick_commands_are_those_one_may_use(sales: Any, finance: Any) -> None:
    assert "/orders/new/" in {one.url for one in palette.quick_commands(sales)}
    assert "/orders/new/" not in {one.url for one in palette.quick_commands(finance)}


def test_an_export_that_is_too_long_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ordermgmt.lib.tables.exporting.MOST_ROWS", 2)
    lines = list(csv_lines([], [1, 2, 3]))
    assert len(lines) == 4
    assert "Only the first 2 rows" in lines[-1]


def test_a_style_sheet_keeps_what_is_named_and_what_code_completes(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text('<p class="used alert-{% if x %}info{% endif %}">', "utf-8")
    words, beginnings = class_words([page])
    css = "p{a:b}.used,.unused{a:b}.alert-info{a:b}.gone{a:b}.used:not(.other,.more){a:b}@media print{.gone{a:b}}"
    assert trim(css, words, beginnings) == "p{a:b}.used{a:b}.alert-info{a:b}.used:not(.other,.more){a:b}"


def test_a_view_is_saved_opened_by_default_left_by_clearing_and_removed(
    client_of: SignIn, sales: Any, sales2: Any
) -> None:
    data = {"list_key": "customers", "query": "q=甲&sort=-name", "back": "/customers/", "name": "Mine"}
    client = client_of(sales)
    client.post("/views/save/", {**data, "is_default": "on"})
    client.post("/views/save/", {**data, "name": "Ours", "is_shared": "on"})
    assert "sort=-name" in client.get("/customers/")["Location"]
    assert client.get("/customers/?q=").status_code == 200
    colleague = client_of(sales2).get("/customers/?q=").content.decode()
    assert "Ours" in colleague
    assert "Mine" not in colleague
    mine = sales.saved_views.get(name="Mine")
    client_of(sales2).post("/views/save/", {**data, "remove": mine.pk})
    assert sales.saved_views.filter(pk=mine.pk).exists()
    client.post("/views/save/", {**data, "remove": mine.pk})
    assert not sales.saved_views.filter(pk=mine.pk).exists()


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_p30_saving_a_view_leads_nowhere_else(client_of: SignIn, sales: Any, back: str) -> None:
    data = {"list_key": "customers", "query": "q=", "back": back, "name": "x"}
    response = client_of(sales).post("/views/save/", data)
    assert "evil" not in response.get("Location", "")


@pytest.mark.parametrize("limit", ["DATA_UPLOAD_MAX_MEMORY_SIZE", "DATA_UPLOAD_MAX_NUMBER_FIELDS"])
def test_what_is_too_large_is_answered_with_a_sentence(client_of: SignIn, pm: Any, settings: Any, limit: str) -> None:
    place = f"/orders/{started().number}/do/record_acceptance/"
    setattr(settings, limit, 50)
    client, rows = client_of(pm), {f"accepted_{place}": "1" for place in range(60)}
    page = client.post(place, rows)
    assert page.status_code == 413
    assert "send a part of it, then the rest" in page.content.decode()
    dialog = client.post(place, rows, headers={"X-Dialog": "1"})
    assert (dialog.status_code, "<html" in dialog.content.decode()) == (413, False)
    with translation.override("zh-hans"):
        assert "一次" in bad_request(RequestFactory().post("/"), RequestDataTooBig()).content.decode()


def test_a_long_entry_is_answered_in_the_way_of_its_page(client_of: SignIn, sales: Any, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 50
    body = json.dumps({"header": {}, "lines": [{"text": "x" * 99}]})
    answer = client_of(sales).post("/orders/entry/save/", body, content_type="application/json")
    assert answer.status_code == 413
    assert "Nothing was saved" in answer.json()["message"]


def test_what_can_not_be_read_stays_a_bad_request(client_of: SignIn, sales: Any) -> None:
    page = client_of(sales).get("/", headers={"host": "evil.example"})
    assert page.status_code == 400
    assert "Nothing has been changed" in page.content.decode()
