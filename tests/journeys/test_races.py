"""Many people at many browsers press the same thing at the same moment (P01, P04)."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from playwright.sync_api import Browser, Page

from billing.models import Invoice
from inventory.models import StockItem
from ordermgmt.activity.models import Job
from orders.models import Order
from tests.factories import billing
from tests.factories import orders as make
from tests.factories.inventory import make_product, put_stock

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SESSIONS = 16


@pytest.fixture
def sessions(browser: Browser, live_server: Any, client_of: Callable[[Any], Client]) -> Any:
    """`sessions(people)`: a browser session of its own for each, signed in, at no page yet."""
    contexts = []

    def enter(people: Sequence[Any]) -> list[Page]:
        for person in people:
            context = browser.new_context(reduced_motion="reduce")
            cookie = client_of(person).cookies[settings.SESSION_COOKIE_NAME]
            context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])
            contexts.append(context)
        return [context.new_page() for context in contexts]

    yield enter
    for context in contexts:
        context.close()


def press_together(pages: Sequence[Page]) -> None:
    """Sends the form of each page without waiting for any answer, then waits for all of them."""
    answered: set[int] = set()
    for place, page in enumerate(pages):
        page.on("load", lambda _page, place=place: answered.add(place))
        page.evaluate("setTimeout(() => document.querySelector('main form[method=post]').requestSubmit(), 60)")
    for _ in range(600):
        if len(answered) == len(pages):
            return
        pages[0].wait_for_timeout(50)
    pytest.fail(f"only {len(answered)} of {len(pages)} were answered")


def test_p01_sixteen_browser_sessions_race_for_the_last_ten(sessions: Any, live_server: Any) -> None:
    product = make_product("RACE-1", list_price=10)
    put_stock(product, 10)
    orders = [make.draft(make.line("RACE-1")) for _ in range(SESSIONS)]
    pages = sessions([make.person("sales")] * SESSIONS)
    for page, order in zip(pages, orders, strict=True):
        page.goto(f"{live_server.url}{order.get_absolute_url()}do/place/")
    press_together(pages)
    texts = [page.inner_text("body") for page in pages]
    placed = Order.objects.filter(pk__in=[order.pk for order in orders]).exclude(state=Order.State.DRAFT).count()
    item = StockItem.objects.get(product=product)
    assert (placed, item.on_hand, item.reserved) == (10, 10, 10)
    assert sum("The order is placed." in text for text in texts) == 10
    assert (
        sum("RACE-1" in text and "The order is placed." not in text for text in texts) == 6
    )  # each says what is short
    call_command("check_invariants")


def test_p04_two_people_press_issue_at_once(sessions: Any, live_server: Any) -> None:
    draft = billing.drafted()
    pages = sessions([make.person("finance"), make.person("finance_manager")])
    for page in pages:
        page.goto(f"{live_server.url}{draft.get_absolute_url()}do/issue/")
    press_together(pages)
    invoice = Invoice.objects.get(pk=draft.pk)
    assert (invoice.state, Invoice.objects.issued().count()) == ("issued", 1)
    assert Job.objects.filter(kind=billing.services.PDF_JOB).count() == 1
    # Whoever came second is led to the first one's invoice, or reads that it is issued already.
    assert all(str(invoice.number) in page.inner_text("body") for page in pages)
    call_command("check_invariants", "M", "N", "Q")
