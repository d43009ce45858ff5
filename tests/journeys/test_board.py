"""The board at a browser: a colleague's deed shows within five seconds, a card goes only where it may."""

from typing import Any

import pytest

from ordermgmt.accounts.models import User
from orders.services import hold_order
from tests.factories.fulfilment import ship
from tests.factories.orders import line, person, started

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_cards_move_where_they_may_and_colleagues_see_it(visitor: Any) -> None:
    order = started(line(supply="make", quantity=2))
    held = started(line(supply="make"))
    one = visitor(person("manager"))
    page = one.open("/fulfilment/board/")
    card = page.locator(f"[data-card='{order.number}']")
    card.drag_to(page.locator("[data-column=accepted]"))
    page.get_by_text("There is no step from").wait_for()
    ship(order)
    moved = page.locator(f"[data-column=shipped] [data-card='{order.number}']")
    moved.wait_for(timeout=6_000)
    hold_order(held, reason="credit", actor=person("pm"))
    page.locator(f"[data-card='{held.number}'] .state-hold").wait_for(timeout=6_000)
    moved.get_by_role("link", name="Accepted").focus()
    page.keyboard.press("Enter")
    page.get_by_role("dialog").get_by_label("Signed by").wait_for()
    page.keyboard.press("Escape")
    moved.drag_to(page.locator("[data-column=rectification]"))
    page.get_by_role("dialog").get_by_label("Signed by").wait_for()
    one.look()
    User.objects.filter(email="manager@example.com").update(theme="dark", language="zh-hans")
    one.page.set_viewport_size({"width": 390, "height": 844})
    page = one.open("/fulfilment/board/")
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 1, f"{overflow} px too wide"
