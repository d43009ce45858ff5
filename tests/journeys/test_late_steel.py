"""Late steel is noticed, its orders are seen, another supplier is chosen, the plan moves, the customer's date is proposed."""

import datetime as dt
import os
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation
from django.utils.translation import gettext as _t

from changes.models import ChangeRequest
from fulfilment.models import Milestone
from fulfilment.services import add_milestone, plan_needs
from inventory.models import PurchaseOrder
from inventory.services import confirm_purchase
from ordermgmt.accounts.models import User
from ordermgmt.activity.services import work_off
from ordermgmt.company.services import business_today
from orders.models import Order
from tests.factories.boms import conveyor
from tests.factories.inventory import person
from tests.factories.orders import line, started
from tests.factories.purchases import offers, supplier

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def later(days: int) -> dt.date:
    return business_today() + dt.timedelta(days=days)


def _seen(one: Any, name: str) -> None:
    """axe, no page wider than the screen, and a picture where somebody asks for them."""
    one.look()
    wide = one.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 1, name
    if folder := os.environ.get("JOURNEY_PICTURES"):
        one.page.screenshot(path=str(Path(folder) / f"steel-{name}.png"), full_page=True)


def _confirm(one: Any, button: str, name: str) -> None:
    dialog = one.page.get_by_role("dialog")
    dialog.wait_for()
    _seen(one, name)
    dialog.get_by_role("button", name=button, exact=True).click()
    dialog.wait_for(state="hidden")
    one.page.wait_for_load_state()


def _order() -> Order:
    """A conveyor whose steel is needed in ten days, with nobody in time but at another supplier."""
    goods = conveyor()
    for name, price, days in (("Slow Steel", 4, 9), ("Swift Steel", 5, 14), ("Idle Steel", 3, 40)):
        offers(supplier(name), goods["steel"], price, lead_days=days)
    order = started(line("B-CONV", 2, supply="make"), promised_date=later(20))
    pm = person("pm")
    steel = add_milestone(order, code="M1", name="Steel", kind="material", forecast=later(10), owner=pm, actor=pm)
    weld = add_milestone(
        order, code="M2", name="Welding", start=later(10), forecast=later(16), before=[steel], actor=pm
    )
    add_milestone(order, code="M3", name="Delivery", kind="delivery", forecast=later(19), before=[weld], actor=pm)
    plan_needs(order)
    return order


@pytest.mark.parametrize(
    ("language", "theme", "width"),
    [("en", "light", 1440), ("zh-hans", "dark", 1440), ("zh-hans", "light", 390), ("en", "dark", 390)],
)
def test_late_steel(visitor: Any, language: str, theme: str, width: int) -> None:
    order = _order()
    User.objects.update(language=language, theme=theme)
    translation.activate(language)
    shot = f"{language}-{width}"
    pm = visitor(person("pm"))
    pm.page.set_viewport_size({"width": width, "height": 900})

    pm.open("/inventory/products/B-CONV/bom/?quantity=2")
    _seen(pm, f"bom-{shot}")
    pm.open(f"/fulfilment/materials/?q={order.number}")
    _seen(pm, f"waiting-{shot}")
    pm.open(f"/fulfilment/materials/order/?order={order.number}")
    _seen(pm, f"order-{shot}")
    pm.press(_t("Draft purchase orders"))
    _seen(pm, f"drafted-{shot}")
    pm.page.get_by_role("link", name=_t("Place the order"), exact=True).click()
    _confirm(pm, _t("Place the order"), f"place-{shot}")

    # The supplier confirms, and later puts it off.
    purchase = PurchaseOrder.objects.get()
    assert purchase.supplier.name == "Slow Steel"
    for days in (9, 30):
        dates = {row.pk: later(days) for row in purchase.lines.all()}
        confirm_purchase(purchase, dates=dates, actor=person("pm"))
        work_off()

    pm.open("/fulfilment/board/?show=risk")
    assert order.number in pm.page.content()
    pm.open("/fulfilment/watch/?show=risk")
    assert purchase.number in pm.page.content()
    _seen(pm, f"watch-{shot}")
    pm.page.get_by_role("link", name=_t("Late deliveries"), exact=True).first.click()
    pm.page.wait_for_load_state()
    assert order.number in pm.page.content()
    _seen(pm, f"late-{shot}")

    pm.page.locator("li", has_text="Swift Steel").get_by_role("link", name=_t("Order here instead")).click()
    _confirm(pm, _t("Order from another supplier"), f"replace-{shot}")
    new = PurchaseOrder.objects.get(supplier__name="Swift Steel")
    assert new.number in pm.page.url
    _seen(pm, f"instead-{shot}")
    planned = dict(Milestone.objects.values_list("code", "forecast"))
    assert planned == {"M1": later(14), "M2": later(20), "M3": later(20)}

    # What Swift Steel confirms is later still: the plan follows, and the customer is asked.
    confirm_purchase(new, dates={row.pk: later(18) for row in new.lines.all()}, actor=person("pm"))
    work_off()
    pm.open(f"/fulfilment/late/?order={order.number}")
    pm.page.get_by_role("link", name=_t("Plan the orders anew"), exact=True).click()
    _confirm(pm, _t("Plan the orders anew"), f"replan-{shot}")
    assert dict(Milestone.objects.values_list("code", "forecast"))["M3"] == later(24)
    pm.open(f"{order.get_absolute_url()}#materials")
    _seen(pm, f"page-{shot}")
    pm.open(f"/changes/orders/{order.number}/new/?promised={later(24).isoformat()}")
    assert pm.page.locator("[name=promised_date]").input_value() == later(24).isoformat()
    pm.page.locator("[name=reason]").select_option(index=1)
    pm.page.get_by_label(_t("What and why")).fill("Steel is late")
    _seen(pm, f"proposed-{shot}")
    pm.page.get_by_role("button", name=_t("Save and open"), exact=True).click()
    pm.page.wait_for_url(lambda url: "/new/" not in url)
    change = ChangeRequest.objects.get()
    assert [(op.kind, op.after) for op in change.operations.all()] == [("promised_date", later(24).isoformat())]

    seller = visitor(User.objects.get(pk=order.owner_id))
    seller.open("/activity/notifications/")
    for name in ("Slow Steel", "Swift Steel"):
        assert name in seller.page.content()
    _seen(seller, f"told-{shot}")
