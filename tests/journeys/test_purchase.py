"""Goods that run short are ordered at the desk, promised for a day that passes, and received in part on a phone."""

import datetime as dt
import os
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation
from django.utils.translation import gettext as _t

from inventory.models import PurchaseOrder
from ordermgmt.accounts.models import User
from ordermgmt.company.services import business_today
from tests.factories.inventory import make_product, person
from tests.factories.purchases import offers, supplier

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def _seen(one: Any, name: str) -> None:
    """axe, no page wider than the screen, and a picture where somebody asks for them."""
    one.look()
    wide = one.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 1, name
    if folder := os.environ.get("JOURNEY_PICTURES"):
        one.page.screenshot(path=str(Path(folder) / f"purchase-{name}.png"), full_page=True)


def _confirm(one: Any, button: str, **fill: str) -> None:
    page = one.page
    page.get_by_role("link", name=button, exact=True).click()
    dialog = page.get_by_role("dialog")
    for label, text in fill.items():
        dialog.locator(f"[name^={label}]").first.fill(text)
    _seen(one, f"dialog-{button[:6]}")
    dialog.get_by_role("button", name=button, exact=True).click()
    dialog.wait_for(state="hidden")
    page.wait_for_load_state()


@pytest.mark.parametrize(("language", "theme"), [("en", "light"), ("zh-hans", "dark")])
def test_short_ordered_promised_received(visitor: Any, language: str, theme: str) -> None:
    who = supplier("Northern Steel")
    product = make_product("STEEL-7", name="Steel sheet 7 mm", reorder_point=40)
    offers(who, product, "12.50", lead_days=9)
    User.objects.update(language=language, theme=theme)
    translation.activate(language)
    pm = visitor(person("pm"))
    pm.open("/inventory/shortages/")
    _seen(pm, f"shortages-{language}")
    pm.press(_t("Draft purchase orders over what is missing"))
    _seen(pm, f"list-{language}")
    order = PurchaseOrder.objects.get()
    pm.open(order.get_absolute_url())
    _seen(pm, f"draft-{language}")
    pm.page.locator("#add-line [name=quantity]").fill("0")
    pm.press(_t("Add line"))
    _seen(pm, f"refused-{language}")
    pm.open(order.get_absolute_url())
    _confirm(pm, _t("Place the order"))
    PurchaseOrder.objects.update(ordered_on=business_today() - dt.timedelta(days=9))
    _confirm(pm, _t("Enter confirmed dates"), date_=str(business_today() - dt.timedelta(days=2)))
    _seen(pm, f"ordered-{language}")
    pm.open("/")
    assert order.number in pm.page.content()

    store = visitor(person("warehouse"))
    store.page.set_viewport_size({"width": 390, "height": 844})
    store.open(order.get_absolute_url())
    _confirm(store, _t("Receive"), accepted_="25", rejected_="5", reason_="rust")
    _seen(store, f"received-{language}")
    assert "12.5" not in store.page.content()
    _confirm(store, _t("Receive"))
    assert PurchaseOrder.objects.get().state == "received"
    pm.open(who.get_absolute_url())
    _seen(pm, f"supplier-{language}")
