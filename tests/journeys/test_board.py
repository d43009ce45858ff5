"""The board at a browser: a colleague's deed shows within five seconds, a card goes only where it may."""

import time
from typing import Any

import pytest

from ordermgmt.accounts.models import User
from orders.services import assign_order, hold_order
from tests.factories.fulfilment import ship
from tests.factories.orders import line, person, placed, started

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_cards_move_where_they_may_and_colleagues_see_it(visitor: Any) -> None:
    order = started(line(supply="make", quantity=2))
    held = started(line(supply="make"))
    waiting = placed(line(supply="make"))
    assign_order(waiting, project_manager=person("pm"), actor=person("manager"))
    one = visitor(person("manager"))
    page = one.open("/fulfilment/board/")
    card = page.locator(f"[data-card='{order.number}']")
    card.drag_to(page.locator("[data-column=accepted]"))
    page.get_by_text("There is no step from").wait_for()
    # A colleague at a browser of their own starts an order with the keyboard alone: both boards show it at once.
    colleague = visitor(person("pm"))
    theirs = colleague.open("/fulfilment/board/")
    theirs.get_by_role("link", name=f"{waiting.number} → In production").focus()
    theirs.keyboard.press("Enter")
    dialog = theirs.get_by_role("dialog")
    dialog.get_by_role("button", name="Start work").focus()
    begun = time.monotonic()
    theirs.keyboard.press("Enter")
    begun_card = f"[data-column=in_production] [data-card='{waiting.number}']"
    page.locator(begun_card).wait_for(timeout=5_000)
    assert time.monotonic() - begun < 5
    theirs.locator(begun_card).wait_for(timeout=5_000)
    theirs.get_by_text("Work has begun.").wait_for()
    hold_order(held, reason="credit", actor=person("pm"))
    for board in (page, theirs):
        board.locator(f"[data-card='{held.number}'] .state-hold").wait_for(timeout=5_000)
    colleague.look()
    ship(order)
    moved = page.locator(f"[data-column=shipped] [data-card='{order.number}']")
    moved.wait_for(timeout=5_000)
    moved.get_by_role("link", name="Accepted").focus()
    page.keyboard.press("Enter")
    page.get_by_role("dialog").get_by_label("Signed by").wait_for()
    page.keyboard.press("Escape")
    page.locator(f"[data-column=shipped] [data-card='{order.number}']").drag_to(
        page.locator("[data-column=rectification]")
    )
    page.get_by_role("dialog").get_by_label("Signed by").wait_for()
    one.look()
    User.objects.filter(email="manager@example.com").update(theme="dark", language="zh-hans")
    one.page.set_viewport_size({"width": 390, "height": 844})
    page = one.open("/fulfilment/board/")
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 1, f"{overflow} px too wide"
