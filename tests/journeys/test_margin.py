"""A manager finds out in three clicks why the margin of an order fell: dashboard, profit report, order, change."""

import datetime as dt
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation
from django.utils.translation import gettext as _t

from fulfilment.models import Risk
from ordermgmt.accounts.models import User
from ordermgmt.activity.services import work_off
from ordermgmt.company.services import business_today
from orders.models import Order
from reports.services import refresh_sums
from reports.services.dashboards import month_before
from tests.factories.changes import applied, more
from tests.factories.inventory import person
from tests.factories.orders import line, placed, started

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def _seen(one: Any, name: str) -> None:
    """axe, no page wider than the screen, and a picture where somebody asks for them."""
    one.look()
    wide = one.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 1, name
    if folder := os.environ.get("JOURNEY_PICTURES"):
        one.page.screenshot(path=str(Path(folder) / f"margin-{name}.png"), full_page=True)


def _book() -> tuple[Order, str]:
    """A year of orders, and one that a change and a storm made dearer."""
    today = business_today()
    for back, quantity in ((11, 40), (7, 90), (5, 60), (3, 120), (2, 80), (1, 110)):
        placed(line(quantity=quantity, supply="make"), order_date=month_before(today, back))
    order = started(line(quantity=5), line("SKU-1", 90, supply="make"), promised_date=today + dt.timedelta(days=5))
    change = applied(order, more(order, 2))
    Risk.objects.create(
        order=order, title="Storm", owner=person("pm"), review_on=today, state="happened", outcome="It came.",
        cost=Decimal(55),
    )  # fmt: skip
    return Order.objects.get(pk=order.pk), change.number


@pytest.mark.parametrize(
    ("language", "theme", "width"),
    [("en", "light", 1440), ("zh-hans", "dark", 1440), ("zh-hans", "light", 390), ("en", "dark", 390)],
)
def test_why_the_margin_fell(visitor: Any, language: str, theme: str, width: int) -> None:
    order, change = _book()
    work_off()
    refresh_sums()
    User.objects.update(language=language, theme=theme)
    translation.activate(language)
    shot = f"{language}-{width}"
    one = visitor(person("manager"))
    page = one.page
    page.set_viewport_size({"width": width, "height": 900})

    one.open("/reports/dashboard/")  # nobody has asked yet: the page does so by itself, and waits
    page.get_by_text(_t("The figures are being made. The page shows them as soon as they are there.")).wait_for()
    work_off()
    page.locator(".dashboard").wait_for()
    page.locator("canvas").first.wait_for()
    _seen(one, f"dashboard-{shot}")

    tile = page.locator("section", has=page.get_by_role("heading", name=_t("Orders that lost margin"), exact=True))
    tile.get_by_role("button").click()  # one
    page.wait_for_url("**/reports/runs/**")
    work_off()
    page.locator("#by_order").wait_for()
    _seen(one, f"profit-{shot}")

    page.locator("#by_order").get_by_role("link", name=order.number, exact=True).click()  # two
    page.wait_for_url(f"**{order.get_absolute_url()}#*")
    box = page.locator("#margin")
    box.scroll_into_view_if_needed()
    assert "55" in box.inner_text()
    _seen(one, f"order-{shot}")

    box.get_by_role("link", name=change, exact=True).first.click()  # three
    page.wait_for_url(f"**/changes/**{change}/**")
    one.look()
