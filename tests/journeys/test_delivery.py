"""A delivery is inspected, picked, shipped in parts, rejected in part with a photo, put right in two rounds, signed."""

import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone, translation
from django.utils.translation import gettext as _t

from fulfilment.models import Acceptance, AcceptancePhoto, Defect, Inspection, Rectification, Shipment
from fulfilment.services import add_criterion
from ordermgmt.accounts.models import User
from ordermgmt.activity.services import work_off
from orders.models import Order
from tests.factories.fulfilment import fresh
from tests.factories.orders import line, person, started

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 60


def _seen(one: Any, name: str) -> None:
    """axe, no page wider than the screen, and a picture where somebody asks for them."""
    one.look()
    wide = one.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 1, name
    if folder := os.environ.get("JOURNEY_PICTURES"):
        one.page.screenshot(path=str(Path(folder) / f"delivery-{name}.png"), full_page=True)


def _do(one: Any, address: str, shot: str = "", **fields: Any) -> None:
    """Opens a verb's own page, fills its fields in and sends it."""
    if shot:
        one.open(address)
    else:
        one.page.goto(one.base + address)
    form = one.page.locator("main form").last
    for name, value in fields.items():
        field = form.locator(f"[name={name}]")
        if isinstance(value, dict):
            field.set_input_files(value)
        elif value is True:
            field.check()
        elif field.evaluate("field => field.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)
    if shot:
        _seen(one, shot)
    form.locator("button[type=submit]").last.click()
    one.page.wait_for_url(lambda url: address not in url)


def _order() -> Order:
    order = started(line(supply="make", quantity=4))
    add_criterion(
        order, order_line=order.order_lines[0], stage="dispatch", title="Width", unit="mm", minimum=Decimal("9.5"),
        maximum=Decimal("10.5"), method="Caliper", actor=person("pm"),
    )  # fmt: skip
    add_criterion(order, order_line=order.order_lines[0], title="Surface", actor=person("pm"))
    return order


def _put_right(pm: Any, shot: str, *, defect: str) -> None:
    """One more rectification, with a defect that is noted and corrected."""
    task = Rectification.objects.open().get()
    place = f"/fulfilment/rectifications/{task.pk}/do"
    _do(pm, f"{place}/plan/", remedy="repair", owner=str(person("pm").pk), due=str(timezone.localdate()))
    _do(pm, f"{place}/defect/", shot and f"defect-{shot}", text=defect)
    _do(pm, f"/fulfilment/defects/{Defect.objects.open().get().pk}/do/correct/")
    _do(pm, f"{place}/complete/", result="polished")


@pytest.mark.parametrize(
    ("language", "theme", "width"),
    [("en", "light", 1440), ("zh-hans", "dark", 1440), ("zh-hans", "light", 390), ("en", "dark", 390)],
)
def test_delivery(visitor: Any, language: str, theme: str, width: int) -> None:
    order = _order()
    pk, (measured, looked) = order.order_lines[0].pk, order.criteria.order_by("pk")
    User.objects.update(language=language, theme=theme)
    translation.activate(language)
    shot, verbs = f"{language}-{width}", f"/orders/{order.number}/do"
    photo = {"name": "found.png", "mimeType": "image/png", "buffer": PNG}

    walter = visitor(person("warehouse"))
    walter.page.set_viewport_size({"width": width, "height": 900})
    walter.open(f"/fulfilment/orders/{order.number}/picks/")
    _seen(walter, f"picks-{shot}")
    passed = {f"passed_{pk}": "4", f"criterion_{measured.pk}": "10.1"}
    _do(walter, f"{verbs}/inspect/", f"inspect-{shot}", **passed, photos=photo)
    assert Inspection.objects.get().photos.count() == 1
    _do(walter, f"{verbs}/ship/", f"ship-{shot}", **{f"quantity_{pk}": "1"}, inspected=True)
    _do(walter, f"{verbs}/ship/", **{f"quantity_{pk}": "3"}, inspected=True)
    assert Shipment.objects.count() == 2
    work_off()
    walter.open(order.get_absolute_url())
    _seen(walter, f"shipped-{shot}")

    pm = visitor(person("pm"))
    pm.page.set_viewport_size({"width": width, "height": 900})
    signed = {"signed_by": "Mr Wang", "evidence": "Protocol"}
    bad = {f"accepted_{pk}": "2", f"rejected_{pk}": "2", f"reason_{pk}": "scratched", f"criterion_{looked.pk}": "no"}
    _do(pm, f"{verbs}/record_acceptance/", f"reject-{shot}", **signed, **bad, photos=photo)
    assert AcceptancePhoto.objects.count() == 1
    _put_right(pm, shot, defect="Scratch on the left")
    pm.open(order.get_absolute_url())
    _seen(pm, f"rectified-{shot}")

    # Whoever put it right reported completion, so a colleague records the next rounds.
    mary = visitor(person("manager"))
    mary.page.set_viewport_size({"width": width, "height": 900})
    bad |= {f"accepted_{pk}": "1", f"rejected_{pk}": "1"}
    _do(mary, f"{verbs}/record_acceptance/", **signed, **bad)
    _put_right(pm, "", defect="Scratch on the right")
    _do(mary, f"{verbs}/record_acceptance/", f"sign-{shot}", **signed, **{f"criterion_{looked.pk}": "yes"})
    assert (fresh(order).state, Acceptance.objects.count(), Rectification.objects.count()) == ("accepted", 3, 2)

    work_off()
    mary.open(order.get_absolute_url())
    _seen(mary, f"accepted-{shot}")
    with mary.page.expect_download() as download:
        mary.page.get_by_role("link", name=_t("Certificate of acceptance")).first.click()
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF")
    mary.open("/fulfilment/defects/?corrected=yes")
    _seen(mary, f"defects-{shot}")
