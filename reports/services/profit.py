"""What each order earns, what it was to earn, and what made the difference: the one calculation of profit.

margin planned = contract - cost of its lines
margin now     = net - cost of the lines - COSTS

The difference is the sum of what changes brought in and cost, and of COSTS; where these are sums over documents (PARTS)
the report leads to them. All in the order's currency, before tax.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

from django.db.models import Case, F, Q, QuerySet, Sum, Value, When
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from billing.models import OrderCharge
from changes.models import Assessment, ChangeRequest
from fulfilment.models import MaterialUse, Rectification, Risk
from ordermgmt.company.models import ExchangeRate
from ordermgmt.company.services import DatedRates, default_seller
from ordermgmt.lib.money import ZERO, AmountField, quantise
from orders.models import Order

from .definitions import Row
from .hours_cost import hours_beside_plan
from .shares import share

Orders = QuerySet[Order]
Costs = dict[int, Decimal]

#: What putting something right cost: what was noted, and the goods that were sent again.
REWORK_COST = F("cost") + Case(
    When(remedy=Rectification.Remedy.REPLACE, order_line__unit_cost__isnull=False,
         then=F("quantity") * F("order_line__unit_cost")),
    default=Value(ZERO), output_field=AmountField(),
)  # fmt: skip
#: What a charge or deduction takes from what the order brings in; a charge gives.
_CHARGE = Case(When(kind__in=OrderCharge.DEDUCTIONS, then=F("net")), default=-F("net"), output_field=AmountField())


def reworked() -> QuerySet[Rectification]:
    """What was put right; a concession costs nothing here."""
    return Rectification.objects.filter(state=Rectification.State.DONE).exclude(remedy=Rectification.Remedy.CONCESSION)


def _happened() -> QuerySet[Risk]:
    return Risk.objects.happened()


_TAKEN_FOR = "production__order_line__order"


def _taken(orders: Orders, *, abroad: bool) -> QuerySet[MaterialUse]:
    """What production took for the orders: of products that cost in the order's currency, or in another one."""
    uses = MaterialUse.objects.filter(**{f"{_TAKEN_FOR}__in": orders.order_by().values("pk")}).order_by()
    same = Q(product__currency=F(f"{_TAKEN_FOR}__currency"))
    return uses.exclude(same) if abroad else uses.filter(same)


def material(orders: Orders) -> Costs:
    """What production took beyond its bills of material (below zero: less), at the cost and the exchange rate of that day.

    What no rate brings into the order's currency is left out; `unrated` names it.
    """
    taken = Sum((F("quantity") - F("standard")) * F("unit_cost"))
    found: Costs = defaultdict(lambda: ZERO)
    found |= dict(_taken(orders, abroad=False).values_list(_TAKEN_FOR).annotate(taken=taken))
    fields = (_TAKEN_FOR, "product__currency", f"{_TAKEN_FOR}__currency", "production__on")
    rows = list(_taken(orders, abroad=True).values_list(*fields).annotate(taken=taken))
    rates = DatedRates(currency for row in rows for currency in row[1:3]) if rows else None
    for order, given, wanted, day, amount in rows:
        found[order] += (rates.convert(amount, given, wanted, day) if rates else None) or ZERO
    return {order: amount for order, amount in found.items() if amount}


def unrated(orders: Orders) -> dict[int, str]:
    """The currencies of an order's material that are not counted because no exchange rate was ever set."""
    own, rated = default_seller().currency, ExchangeRate.objects.order_by().values("currency")
    known = Q(product__currency=own) | Q(product__currency__in=rated)
    known &= Q(**{f"{_TAKEN_FOR}__currency": own}) | Q(**{f"{_TAKEN_FOR}__currency__in": rated})
    found: dict[int, set[str]] = defaultdict(set)
    rows = _taken(orders, abroad=True).exclude(known).exclude(quantity=F("standard"))
    for order, currency in rows.values_list(_TAKEN_FOR, "product__currency").distinct():
        found[order].add(currency)
    return {order: ", ".join(sorted(currencies)) for order, currencies in found.items()}


def _extras() -> QuerySet[Assessment]:
    return Assessment.objects.filter(change__state=ChangeRequest.State.APPLIED, is_void=False, cost__gt=0)


def _penalties() -> QuerySet[OrderCharge]:
    return OrderCharge.objects.agreed().filter(kind=OrderCharge.Kind.PENALTY)


def _deductions() -> QuerySet[OrderCharge]:
    return OrderCharge.objects.agreed().exclude(kind=OrderCharge.Kind.PENALTY)


def applied() -> QuerySet[ChangeRequest]:
    """Changes that were applied, each with what it did to the cost of the lines, as it was judged, and to the margin."""
    judged = Coalesce(Cast(KeyTextTransform("cost", "impact"), AmountField()), ZERO, output_field=AmountField())
    found = ChangeRequest.objects.filter(state=ChangeRequest.State.APPLIED).annotate(cost_change=judged)
    return found.annotate(effect=F("net_change") - F("cost_change"))


@dataclass(frozen=True)
class Part:
    """A cost that is a sum over documents: which, what each takes from the margin, and the way to its order."""

    key: str
    label: str | Promise
    documents: Callable[[], QuerySet[Any]]
    cost: Any
    order: str = "order_id"

    def per_order(self, orders: Orders) -> Costs:
        """What it takes from the margin of each order. One query."""
        rows = self.documents().filter(**{f"{self.order}__in": orders.order_by().values("pk")}).order_by()
        found = rows.values(self.order).annotate(taken=Sum(self.cost)).values_list(self.order, "taken")
        return {order: taken for order, taken in found if taken}


PARTS = (
    Part("penalties", _("Penalties"), _penalties, _CHARGE),
    Part("deductions", _("Discounts less charges"), _deductions, _CHARGE),
    Part("extras", _("Cost of changes beside the lines"), _extras, F("cost"), "change__order_id"),
    Part("rework", _("Rework"), reworked, REWORK_COST),
    Part("risks", _("Risks that happened"), _happened, F("cost")),
)
#: What takes from the margin beside the cost of the lines, per order in its currency: key, name, where from.
COSTS: list[tuple[str, str | Promise, Callable[[Orders], Costs]]] = [
    *((one.key, one.label, partial(Part.per_order, one)) for one in PARTS),
    ("material", _("Material beyond the bill"), material),
    ("hours", _("Hours beside the plan"), hours_beside_plan),
]


def _changes(orders: Orders) -> dict[int, tuple[Decimal, Decimal]]:
    """What applied changes did to net and cost of an order's lines."""
    rows = applied().filter(order__in=orders.order_by().values("pk")).order_by().values("order_id")
    summed = rows.annotate(net=Sum("net_change"), cost=Sum("cost_change")).values_list("order_id", "net", "cost")
    return {order: (net, cost) for order, net, cost in summed}


@dataclass(frozen=True)
class Moves:
    """What moved the margins of orders: applied changes (net, cost) and COSTS by key, and what can't be told."""

    changes: dict[int, tuple[Decimal, Decimal]]
    costs: list[tuple[str, Costs]]
    unrated: dict[int, str]

    @property
    def orders(self) -> set[int]:
        """The orders whose margin something moved."""
        return set(self.changes).union(*(costs for _key, costs in self.costs))


def moves(orders: Orders) -> Moves:
    """What moved the margins of these orders; a fixed number of queries."""
    return Moves(_changes(orders), [(key, source(orders)) for key, _label, source in COSTS], unrated(orders))


_NAMES = (
    "pk", "number", "customer__number", "customer__name", "currency", "net_total", "cost_total", "order_date", "owner_id",
    "team_id",
)  # fmt: skip


def figures(orders: Orders, found: Moves | None = None) -> Iterator[Row]:
    """Profit per order; a fixed number of queries whatever the number of orders. `found` are their `moves`, if known."""
    found = found or moves(orders)
    changes, beside = found.changes, found.costs
    for order in orders.order_by("-order_date", "-pk").values(*_NAMES).iterator(chunk_size=2000):
        pk, net, cost, currency = order["pk"], order["net_total"], order["cost_total"], order["currency"]
        changed, change_cost = (quantise(one, currency) for one in changes.get(pk, (ZERO, ZERO)))
        taken = {key: quantise(costs.get(pk, ZERO), currency) for key, costs in beside}
        planned = (net - changed) - (cost - change_cost)
        margin = net - cost - sum(taken.values(), ZERO)
        yield taken | {
            "number": order["number"], "customer": order["customer__name"], "customer__number": order["customer__number"],
            "day": order["order_date"], "owner": order["owner_id"], "team": order["team_id"],
            "month": order["order_date"].replace(day=1), "currency": currency, "count": 1, "contract": net - changed,
            "changes": changed, "net": net, "cost": cost, "change_cost": change_cost, "planned": planned, "margin": margin,
            "difference": margin - planned, "planned_percent": share(planned, net - changed), "percent": share(margin, net),
            "unrated": found.unrated.get(pk, ""),
            "link": f"/orders/{order['number']}/#margin",
        }  # fmt: skip


def effects(row: Row) -> dict[str, Decimal]:
    """What moved the margin of an order, by key: the sum is its difference to the plan."""
    return {"changes": row["changes"] - row["change_cost"]} | {key: -row[key] for key, _label, _source in COSTS}


def not_counted(currencies: str) -> str:
    """What to say of material that no exchange rate brings into an order's currency."""
    return gettext("Material in %(currencies)s is not counted: no exchange rate") % {"currencies": currencies}


def labels() -> dict[str, str | Promise]:
    """The names of the effects."""
    return {"changes": _("Changes")} | {key: label for key, label, _source in COSTS}
