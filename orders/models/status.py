"""Facts beside the state: hold, late, delivery, acceptance, billing and payment, read from counters and totals."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ordermgmt.lib.money import total

if TYPE_CHECKING:
    from .line import OrderLine
    from .order import Order

_ZERO = Decimal(0)


@dataclass(frozen=True)
class Fact:
    """One fact: what it is about, a code for its colour, its wording."""

    about: str | Promise
    code: str
    text: str | Promise


def _part(about: str, done: Decimal, whole: Decimal, words: tuple[str, str, str]) -> Fact:
    if done <= _ZERO:
        return Fact(about, "draft", words[0])
    return Fact(about, "part_paid", words[1]) if done < whole else Fact(about, "done", words[2])


def state_label(order: "Order") -> str:
    """The state in words: services are "in progress" and "delivered", stock orders "in fulfilment"."""
    service = order.kind == "service"
    if order.state == "in_production" and (service or order.is_stock_only):
        return _("In progress") if service else _("In fulfilment")
    return _("Delivered") if order.state == "shipped" and service else str(order.get_state_display())


def delivery(order: "Order", lines: Sequence["OrderLine"]) -> Fact:
    """How much of what is due has left the house or was performed."""
    service = order.kind == "service"
    words = (
        (_("nothing delivered"), _("partly delivered"), _("delivered"))
        if service
        else (_("nothing shipped"), _("partly shipped"), _("shipped"))
    )
    return _part(_("Delivery"), total(line.qty_shipped for line in lines), total(line.due for line in lines), words)


def acceptance(lines: Sequence["OrderLine"]) -> Fact:
    """How much of what was shipped the customer took."""
    if any(line.qty_rejected > 0 for line in lines):
        return Fact(_("Acceptance"), "rectification", _("something was rejected"))
    words = (_("not yet"), _("partly accepted"), _("accepted"))
    return _part(_("Acceptance"), total(line.qty_accepted for line in lines), total(line.due for line in lines), words)


def billing(order: "Order") -> Fact:
    """How much of the order is invoiced."""
    words = (_("not invoiced"), _("partly invoiced"), _("invoiced"))
    return _part(_("Billing"), order.invoiced_total, order.final_amount or order.final_gross, words)


def payment(order: "Order") -> Fact:
    """How much of the order is paid."""
    words = (_("not paid"), _("partly paid"), _("paid"))
    return _part(_("Payment"), order.paid_total, order.final_amount or order.final_gross, words)


def facts(order: "Order", lines: Sequence["OrderLine"], today: dt.date, *, money: bool) -> list[Fact]:
    """What a reader should know beside the state; billing and payment only for those who see prices (`money`)."""
    found = []
    if order.on_hold:
        found.append(Fact(_("On hold"), "hold", order.hold_reason))
    if order.is_late(today):
        days = (today - order.promised_date).days if order.promised_date else 0
        found.append(Fact(_("Late"), "late", _("%(days)s days behind the promise") % {"days": days}))
    if order.state in (order.State.DRAFT, order.State.CANCELLED):
        return found
    found += [delivery(order, lines), acceptance(lines)]
    if order.open_returns:
        waits = ngettext("%(count)s return waits", "%(count)s returns wait", order.open_returns)
        found.append(Fact(_("Returns"), "rectification", waits % {"count": order.open_returns}))
    if money:
        found += [billing(order), payment(order)]
    return found
