"""People who perform services in the tests, set up and assigned through the real services."""

import datetime as dt
from decimal import Decimal
from typing import Any
from uuid import uuid4

from fulfilment.models import Assignment, Skill, StaffMember
from fulfilment.services import assign_staff, save_skill, save_staff
from orders.models import Order
from tests.factories.capacity import EIGHT, monday
from tests.factories.orders import line, person, started


def on(days: int, weeks: int = 1) -> dt.date:
    """A day so many days after the Monday so many weeks from this one's."""
    return monday(weeks) + dt.timedelta(days=days)


def skill(name: str = "Commissioning") -> Skill:
    """A skill, once."""
    return Skill.objects.filter(name=name).first() or save_skill(None, name=name, actor=person("pm"))


def staff(key: str = "consultant", weekdays: int = 7, **levels: int) -> StaffMember:
    """Somebody of the cast who works eight hours on so many days of the week, with skills by name."""
    return save_staff(
        None, user=person(key), shifts=[(n, *EIGHT) for n in range(weekdays)],
        levels={skill(name): level for name, level in levels.items()}, actor=person("pm"),
    )  # fmt: skip


def service_order(**header: Any) -> Order:
    """A service order in work under Paula."""
    return started(line(supply="service"), **header)


def assign(order: Order, who: StaffMember, hours: Any, first: dt.date, last: dt.date, **fields: Any) -> Assignment:
    """Assigns somebody as Paula does."""
    fields = {"key": uuid4().hex, "actor": person("pm")} | fields
    return assign_staff(order, staff=who, hours=Decimal(hours), first=first, last=last, **fields)
