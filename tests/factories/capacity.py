"""Work centres of the tests, through the real services."""

import datetime as dt
from decimal import Decimal
from typing import Any

from fulfilment.models import RoutingStep, WorkCentre
from fulfilment.services import save_centre, save_routing_step
from inventory.models import Product
from ordermgmt.company.services import business_today
from tests.factories.orders import person

EIGHT = (dt.time(8), dt.time(16))


def monday(weeks: int = 1) -> dt.date:
    """The Monday so many weeks from this one."""
    today = business_today()
    return today - dt.timedelta(days=today.weekday()) + dt.timedelta(days=7 * weeks)


def centre(code: str = "WELD", weekdays: int = 5, **fields: Any) -> WorkCentre:
    """A work centre of one station that works eight hours from Monday on so many days."""
    fields = {"name": f"Centre {code}", "stations": 1, "is_active": True} | fields
    return save_centre(None, code=code, shifts=[(n, *EIGHT) for n in range(weekdays)], actor=person("pm"), **fields)


def routing(
    work_centre: WorkCentre, sku: str = "SKU-1", *, position: int = 1, setup: Any = 0, unit: Any = 1
) -> RoutingStep:
    """So many hours of the centre for a line and for each unit of the product."""
    return save_routing_step(
        None, product=Product.objects.get(sku=sku), position=position, work_centre=work_centre,
        setup_hours=Decimal(setup), unit_hours=Decimal(unit), actor=person("pm"),
    )  # fmt: skip
