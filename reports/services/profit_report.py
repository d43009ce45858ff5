"""REP-3: what each order earns, what it was to earn, and what made the difference.

margin planned = contract - its cost; margin now = net - cost - rework - what risks cost. The difference is the sum of
its parts: what changes brought in and cost, rework, risks. A floor that knows a further cost adds it to COSTS.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db.models import F, QuerySet, Sum
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from changes.models import Assessment, ChangeRequest
from fulfilment.models import Rectification, Risk
from ordermgmt.lib.money import ZERO, quantise
from orders.models import Order

from .definitions import Column, Report, Row, Section, register
from .filtering import sold_in
from .parameters import PeriodForm

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

_COST = "orders.view_cost"
Orders = QuerySet[Order]
Costs = dict[int, Decimal]


def _sums(rows: QuerySet[Any], amount: Any) -> Costs:
    found = rows.order_by().values("order_id").annotate(amount=Sum(amount)).values_list("order_id", "amount")
    return {order: amount for order, amount in found if amount}


def rework(orders: Orders) -> Costs:
    """Cost of what was put right: the line's cost of each quantity that was repaired, replaced or done again."""
    done = Rectification.objects.filter(order__in=orders.values("pk"), state=Rectification.State.DONE)
    return _sums(
        done.exclude(remedy=Rectification.Remedy.CONCESSION).exclude(order_line__unit_cost=None),
        F("quantity") * F("order_line__unit_cost"),
    )


def risks(orders: Orders) -> Costs:
    """What risks cost that happened."""
    return _sums(Risk.objects.filter(order__in=orders.values("pk"), state=Risk.State.HAPPENED), "cost")


def change_extras(orders: Orders) -> Costs:
    """What applied changes cost beside their lines, as it was judged."""
    applied = Assessment.objects.filter(change__state=ChangeRequest.State.APPLIED, is_void=False)
    found: Costs = defaultdict(lambda: ZERO)
    rows = applied.filter(change__order__in=orders.values("pk"), cost__gt=0)
    for order, cost in rows.values_list("change__order_id", "cost"):
        found[order] += cost
    return found


#: Costs beside the material, per order in its currency: key, name, where from.
COSTS: list[tuple[str, str | Promise, Callable[[Orders], Costs]]] = [
    ("extras", _("Cost of changes beside the lines"), change_extras),
    ("rework", _("Rework"), rework),
    ("risks", _("Risks that happened"), risks),
]


def _changes(orders: Orders) -> dict[int, tuple[Decimal, Decimal]]:
    """What applied changes did to net and cost of an order's lines."""
    applied = ChangeRequest.objects.filter(order__in=orders.values("pk"), state=ChangeRequest.State.APPLIED)
    found: dict[int, tuple[Decimal, Decimal]] = {}
    for order, net, impact in applied.order_by().values_list("order_id", "net_change", "impact"):
        before = found.get(order, (ZERO, ZERO))
        found[order] = (before[0] + net, before[1] + Decimal(impact.get("cost") or 0))
    return found


def _percent(part: Decimal, whole: Decimal) -> Decimal | None:
    return (part * 100 / whole).quantize(Decimal("0.01")) if whole else None


def figures(orders: Orders) -> Iterator[Row]:
    """The one calculation of profit, per order; a fixed number of queries."""
    changes = _changes(orders)
    beside = [(key, source(orders)) for key, _label, source in COSTS]
    names = ("pk", "number", "customer__name", "currency", "net_total", "cost_total", "state")
    for order in orders.order_by("-order_date", "-pk").values(*names).iterator(chunk_size=2000):
        pk, net, cost = order["pk"], order["net_total"], order["cost_total"]
        changed, change_cost = (quantise(one, order["currency"]) for one in changes.get(pk, (ZERO, ZERO)))
        extra = {key: quantise(costs.get(pk, ZERO), order["currency"]) for key, costs in beside}
        planned = (net - changed) - (cost - change_cost)
        margin = net - cost - sum(extra.values(), ZERO)
        yield extra | {
            "number": order["number"], "customer": order["customer__name"], "currency": order["currency"],
            "count": 1, "contract": net - changed, "changes": changed, "net": net, "cost": cost,
            "change_cost": change_cost, "planned": planned, "margin": margin, "difference": margin - planned,
            "planned_percent": _percent(planned, net - changed), "percent": _percent(margin, net),
            "link": f"/orders/{order['number']}/",
        }  # fmt: skip


def _why(row: Row) -> str:
    """What moved the margin, the strongest first, in words."""
    parts = [(_now("changes"), row["changes"] - row["change_cost"])]
    parts += [(str(label), -row[key]) for key, label, _source in COSTS]
    moved = sorted((part for part in parts if part[1]), key=lambda part: -abs(part[1]))
    return "; ".join(f"{name} {amount:+}" for name, amount in moved)


def by_order(user: "User", params: dict[str, Any]) -> Iterator[Row]:
    """Every order, those that lost most against their plan first."""
    rows = sorted(figures(sold_in(user, params)), key=lambda row: (row["difference"], row["margin"]))
    for row in rows:
        yield row | {"why": _why(row)}


def reasons(user: "User", params: dict[str, Any]) -> Iterator[Row]:
    """What moved the margin in all orders together, per currency."""
    sums: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for row in figures(sold_in(user, params)):
        parts = [("changes", row["changes"] - row["change_cost"])]
        for key, amount in parts + [(key, -row[key]) for key, _label, _source in COSTS]:
            if amount:
                sums[key, row["currency"]] += amount
                counts[key, row["currency"]] += 1
    labels: dict[str, str | Promise] = {"changes": _("Changes")} | {key: label for key, label, _source in COSTS}
    for key, label in labels.items():
        for (found, currency), amount in sorted(sums.items()):
            if found == key:
                count = counts[found, currency]
                yield {"reason": str(label), "currency": currency, "count": count, "amount": amount}


_AMOUNTS = (
    Column("contract", _("Contract"), "amount"),
    Column("changes", _("Changes"), "amount"),
    Column("net", _("Net"), "amount"),
    Column("cost", _("Cost of the lines"), "amount", _COST),
    *(Column(key, label, "amount", _COST) for key, label, _source in COSTS),
    Column("planned", _("Margin planned"), "amount", _COST),
    Column("margin", _("Margin now"), "amount", _COST),
    Column("difference", _("Difference"), "amount", _COST),
    Column("percent", _("Margin %"), "percent", _COST),
)

PROFIT = register(
    Report(
        key="profit",
        title=_("Profit per order"),
        summary=_("What each order earns, what it was to earn when it was placed, and what made the difference."),
        form=PeriodForm,
        also=(_COST,),
        sections=(
            Section(
                "by_order",
                _("By order"),
                (
                    Column("number", _("Order")),
                    Column("customer", _("Customer")),
                    Column("why", _("What moved the margin"), permission=_COST),
                    Column("currency", _("Currency")),
                    *_AMOUNTS,
                ),
                by_order,
                "number",
                "difference",
            ),
            Section(
                "reasons",
                _("Why margins moved"),
                (
                    Column("reason", _("Reason")),
                    Column("currency", _("Currency")),
                    Column("count", _("Orders"), "count"),
                    Column("amount", _("Effect on the margin"), "amount", _COST),
                ),
                reasons,
                "reason",
                "amount",
                permission=_COST,
            ),
        ),
    )
)
