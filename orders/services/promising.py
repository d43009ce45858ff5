"""By when an order can be promised: the earliest day of each line with its reason, from stock and lead times.

A floor above that knows more (work centres, purchases) registers its own answer with `promised_by`.
"""

import datetime as dt
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import F, Sum
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from inventory.services import arrivals, free_quantities
from orders.models import OrderLine

#: So many services without a day are named.
_NAMED = 3


@dataclass(frozen=True)
class Promise:
    """The earliest day of a line, None where nobody can tell, with the reason as a sentence's part."""

    day: dt.date | None
    reason: str
    is_stock: bool = False

    @property
    def text(self) -> str:
        """Day and reason for the reader."""
        if self.day is None or self.is_stock:
            return self.reason
        return f"{formats.date_format(self.day, 'SHORT_DATE_FORMAT')}: {self.reason}"


Promiser = Callable[[Sequence[OrderLine], dt.date], list[Promise]]
_promisers: list[Promiser] = []


def promised_by(promiser: Promiser) -> Promiser:
    """Registers who answers instead of stock and lead times alone. Raises ValueError for a second one: which of two
    answers counts would be chance."""
    if _promisers:
        raise ValueError(f"{_promisers[0].__name__} answers for dates already")
    _promisers.append(promiser)
    return promiser


def promises(lines: Sequence[OrderLine], today: dt.date) -> list[Promise]:
    """The earliest day of each (unsaved) line in turn; lines of one product share its stock in their order.

    A fixed number of queries, however many lines.
    """
    promiser = _promisers[0] if _promisers else from_stock_or_lead_time
    return promiser(lines, today)


def too_early(promised: dt.date | None, whole: Promise | None) -> str:
    """By how much a promised date lies before what can be kept, as a sentence; empty where it can be, or nobody knows."""
    if promised is None or whole is None or whole.day is None or promised >= whole.day:
        return ""
    days = (whole.day - promised).days
    return ngettext(
        "The promised date lies %(days)s day before the earliest delivery, %(day)s.",
        "The promised date lies %(days)s days before the earliest delivery, %(day)s.",
        days,
    ) % {"days": days, "day": formats.date_format(whole.day, "SHORT_DATE_FORMAT")}


def from_stock_or_lead_time(lines: Sequence[OrderLine], today: dt.date) -> list[Promise]:
    """What the product itself knows."""
    ids = {line.product_id for line in lines if line.product_id}
    left, coming = free_quantities(ids), unclaimed(ids, today)
    return [
        stock_promise(line, left, today) or arriving(line, left, coming) or by_lead_time(line, today) for line in lines
    ]


Coming = dict[int, list[tuple[dt.date, Decimal]]]


def unclaimed(product_ids: Collection[int], today: dt.date) -> Coming:
    """What is on its way per product and day that no order entered before waits for: the first to come goes to them."""
    coming = arrivals(product_ids, today)
    if not coming:
        return {}
    still = F("quantity") - F("qty_cancelled") - F("qty_shipped") - F("qty_reserved")
    waiting = OrderLine.objects.filter(product__in=coming, order__state__in=["placed", "in_production"]).order_by()
    for pk, claimed in waiting.values_list("product_id").annotate(claimed=Sum(still)):
        rest, claim = [], max(claimed or Decimal(0), Decimal(0))
        for day, quantity in coming[pk or 0]:
            taken = min(claim, quantity)
            claim -= taken
            rest.append((day, quantity - taken))
        coming[pk or 0] = rest
    return coming


def arriving(line: OrderLine, left: dict[int, Decimal], coming: Coming) -> Promise | None:
    """When what suppliers have promised covers what the stock lacks; None otherwise. Ask after `stock_promise`."""
    if not line.is_stocked or line.product is None or not line.product.is_stocked:
        return None
    missing = -left[line.product.pk]  # of this line and those before it
    for day, quantity in coming.get(line.product.pk, []):
        missing -= quantity
        if missing <= 0:
            return Promise(day, _("on its way from a supplier"))
    return None


def stock_promise(line: OrderLine, left: dict[int, Decimal], today: dt.date) -> Promise | None:
    """From stock if there is enough of it, which is then taken from `left`; None otherwise."""
    if not line.is_stocked or line.product is None or not line.product.is_stocked:
        return None
    free = left[line.product.pk]
    left[line.product.pk] = free - line.quantity
    return Promise(today, _("from stock today"), is_stock=True) if free >= line.quantity else None


def by_lead_time(line: OrderLine, today: dt.date, days: int | None = None) -> Promise:
    """After the product's lead time in calendar days, or `days` where somebody knows better."""
    known = days if days is not None else line.product.lead_days if line.product else 0
    if not known:
        return Promise(
            None, _("not enough in stock; no lead time known") if line.is_stocked else _("no lead time known")
        )
    text = ngettext("buying it takes %(days)s day", "buying it takes %(days)s days", known)
    return Promise(today + dt.timedelta(days=known), text % {"days": known})


def order_promise(lines: Sequence[OrderLine], found: Sequence[Promise]) -> Promise | None:
    """The earliest day of the order as a whole, with the line that decides it; None without lines.

    Its day is None as long as goods have none. A service of which nobody knows how long it takes is named, and the
    rest has its day: it is agreed with the customer, and holds up nobody's delivery.
    """
    if not found:
        return None
    both = list(zip(lines, found, strict=True))
    unknown = [one.day is None and line.supply == OrderLine.Supply.SERVICE for line, one in both]
    known = [pair for pair, is_open in zip(both, unknown, strict=True) if not is_open]
    services = [pair for pair, is_open in zip(both, unknown, strict=True) if is_open]
    for line, one in known or both[:1]:
        if one.day is None:
            text = _("No date can be given yet: line %(position)s, %(reason)s.")
            return Promise(None, text % {"position": line.position, "reason": one.reason}, is_stock=True)
    line, one = max(known, key=lambda pair: pair[1].day or dt.date.min)  # the first of those with the same day
    if one.is_stock:
        reason = _("everything is in stock")
    else:
        reason = _("line %(position)s, %(reason)s") % {"position": line.position, "reason": one.reason}
    if services:
        apart = [
            _("line %(position)s, %(reason)s") % {"position": line.position, "reason": one.reason}
            for line, one in services[:_NAMED]
        ]
        named = _("; ").join(apart) + ("; …" if len(services) > _NAMED else "")
        reason = _("%(reason)s. Without the services that have no day yet: %(lines)s") % {
            "reason": reason,
            "lines": named,
        }
    return Promise(one.day, reason, is_stock=one.is_stock)
