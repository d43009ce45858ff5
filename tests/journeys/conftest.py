"""A real browser before a real server: Chromium through Playwright, and axe on every page that is visited."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page, sync_playwright

from ordermgmt.accounts.models import User
from tests.cast import PASSWORD
from tests.conftest import chromium

ROOT = Path(__file__).resolve().parents[2]
_NO_CALL = SimpleNamespace(params={})
QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A journey in several languages, themes and widths: each database sees every second of them; one without variants
    is SQLite's, unless it is about PostgreSQL (decision 0034).
    """
    if os.environ.get("ALL_JOURNEYS"):
        return
    on_postgres, seen = bool(os.environ.get("TEST_DATABASE_URL")), Counter[str]()
    skip = pytest.mark.skip(reason="this journey is the other database's (ALL_JOURNEYS=1 runs all of them)")
    for item in items:
        if item.path.parent != Path(__file__).parent or item.get_closest_marker("postgres"):
            continue
        if "language" in getattr(item, "callspec", _NO_CALL).params:
            place = seen[item.nodeid.partition("[")[0]]
            seen[item.nodeid.partition("[")[0]] += 1
            if place % 2 != on_postgres:
                item.add_marker(skip)
        elif on_postgres:
            item.add_marker(skip)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all journeys."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=QUIET)
        yield browser
        browser.close()


class Visitor:
    """Somebody at a browser. Every page is looked at by axe, and no script may fail on it."""

    def __init__(self, browser: Browser, base: str, axe: str) -> None:
        self.base, self.axe, self.problems = base, axe, []
        self.context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
        self.page: Page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.problems.append(f"{self.page.url}: {error}"))
        self.page.on("console", self._console)

    def _console(self, message: Any) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.problems.append(f"{self.page.url}: {message.text}")

    def sign_in(self, user: User) -> "Visitor":
        """Through the sign-in page, as a person does."""
        self.page.context.clear_cookies()
        self.open("/login/")
        self.page.locator("input[type=email], input[name=username], input[name=email]").first.fill(user.email)
        self.page.locator("input[type=password]").first.fill(PASSWORD)
        self.page.locator("main button[type=submit]").first.click()
        self.page.wait_for_url(lambda url: "/login" not in url)
        return self

    def open(self, path: str) -> Page:
        """Opens an address of ours and looks at it."""
        answer = self.page.goto(self.base + path)
        assert answer is not None
        assert answer.status < 400, f"{path} answers {answer.status}"
        self.look()
        return self.page

    def look(self) -> None:
        """axe finds nothing on the present page, and nothing has failed so far."""
        self.page.wait_for_load_state("networkidle")
        self.page.evaluate(self.axe)
        found = self.page.evaluate(
            "async () => (await axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']})).violations"
            ".map(v => v.id + ': ' + v.nodes.map(n => n.target.join(' ')).slice(0, 4).join(', '))"
        )
        assert not found, f"axe on {self.page.url}: {found}"
        assert not self.problems, self.problems

    def press(self, name: str, *, exact: bool = False) -> None:
        """Presses the button or link that is called so."""
        button = self.page.get_by_role("button", name=name, exact=exact)
        target = button if button.count() else self.page.get_by_role("link", name=name, exact=exact)
        target.first.click()
        self.page.wait_for_load_state()


@pytest.fixture
def visitor(transactional_db: None, browser: Browser, live_server: Any) -> Iterator[Callable[[User], Visitor]]:
    """`visitor(user)`: that person at a browser of their own, signed in."""
    axe = ROOT / "static" / "vendor" / "axe.js"
    if not axe.exists():
        pytest.fail("static/vendor/axe.js is missing: run `manage.py assets`")
    opened: list[Visitor] = []

    def enter(user: User) -> Visitor:
        one = Visitor(browser, live_server.url, axe.read_text("utf-8"))
        opened.append(one)
        return one.sign_in(user)

    settings.ALLOWED_HOSTS.append("localhost")
    yield enter
    for one in opened:
        one.context.close()
