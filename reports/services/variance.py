"""Why the margin of one order is not the planned one: the profit report's own figures, with the documents behind them."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from django.utils.functional import Promise

from changes.models import ChangeRequest
from fulfilment.models import Risk
from orders.models import Order

from .definitions import Row
from .profit import effects, figures, labels, reworked

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


@dataclass
class Part:
    """One thing that moved the margin by `amount` of the order's currency, with (title, address) of its documents."""

    key: str
    label: str | Promise
    amount: Decimal
    documents: list[tuple[str, str]] = field(default_factory=list)


def _changes(order: Order, user: "User") -> list[tuple[str, str]]:
    applied = ChangeRequest.objects.visible_to(user).filter(order=order, state=ChangeRequest.State.APPLIED)
    return [(one.number, one.get_absolute_url()) for one in applied.order_by("pk").only("number", "order_id")]


def _rework(order: Order, _user: "User") -> list[tuple[str, str]]:
    done = reworked().filter(order=order).order_by("pk")
    return [(one.reason, f"{order.get_absolute_url()}#acceptance") for one in done]


def _risks(order: Order, user: "User") -> list[tuple[str, str]]:
    happened = Risk.objects.visible_to(user).happened().filter(order=order, cost__gt=0)
    return [(one.title, f"{order.get_absolute_url()}#risks") for one in happened.order_by("pk")]


_DOCUMENTS = {"changes": _changes, "extras": _changes, "rework": _rework, "risks": _risks}


def variance_of(order: Order, user: "User") -> tuple[Row, list[Part]] | None:
    """The order's line of the profit report, and what moved its margin, the strongest first; None before it is sold.

    The parts add up to the line's `difference`.
    """
    if order.state in (Order.State.DRAFT, Order.State.CANCELLED):
        return None
    row = next(iter(figures(Order.objects.filter(pk=order.pk))))
    names = labels()
    parts = [Part(key, names[key], amount) for key, amount in effects(row).items() if amount]
    for part in parts:
        if part.key in _DOCUMENTS:
            part.documents = _DOCUMENTS[part.key](order, user)
    return row, sorted(parts, key=lambda part: -abs(part.amount))
