"""The promise date at a browser: the earliest day with its reason while typing, taken over with one press."""

from decimal import Decimal
from typing import Any

import pytest

from fulfilment.services import book_capacity
from ordermgmt.accounts.models import User
from orders.models import Order
from tests.factories import capacity as make
from tests.factories.orders import draft, line, person, started

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_earliest_day_is_read_and_taken_over(visitor: Any) -> None:
    weld = make.centre(name="Welding")
    make.routing(weld, unit=4)
    book_capacity(started(), work_centre=weld, hours=Decimal(60), first=make.monday(), actor=person("pm"))
    order = draft(line(quantity=6, supply="make"))
    one = visitor(person("sales"))
    page = one.open(f"{order.get_absolute_url()}edit/")
    box = page.locator("#entry-promise")
    box.get_by_text("Welding").wait_for()
    one.look()
    before = order.promised_date
    with page.expect_response(lambda answer: answer.url.endswith("/save/")):
        box.get_by_role("button", name="Take over as the promised date").click()
    after = Order.objects.get(pk=order.pk).promised_date
    assert after is not None
    assert after != before
    assert page.get_by_label("Promised date").input_value() == after.isoformat()
    User.objects.filter(email="sales@example.com").update(theme="dark", language="zh-hans")
    one.page.set_viewport_size({"width": 390, "height": 844})
    page = one.open(f"{order.get_absolute_url()}edit/")
    page.locator("#entry-promise").get_by_text("最早交期").wait_for()
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 1
