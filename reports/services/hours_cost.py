"""Cost of booked hours beside what the service lines of an order reckon with.

A service line carries the cost it was planned with; booked hours say what the work really costs. Counting both would
charge the work twice, so the profit of an order takes the difference: what is above the plan as soon as it is above it,
and what stayed below it once the order is performed.
"""

from decimal import Decimal

from django.db.models import F, QuerySet, Sum

from fulfilment.models import WorkedHours
from fulfilment.services import hours_cost, hours_cost_by_day
from ordermgmt.company.services import DatedRates, default_seller
from ordermgmt.lib.money import ZERO
from orders.models import Order, OrderLine

_PERFORMED = (Order.State.SHIPPED, Order.State.ACCEPTED, Order.State.SETTLED)


def hours_beside_plan(orders: QuerySet[Order]) -> dict[int, Decimal]:
    """Per order in its currency, not rounded: above zero what hours cost beyond the plan, below zero what they saved.

    Orders without booked hours are absent. Hours of an order in a foreign currency count at the last rate known on
    their day, else the first one; where no rate is known at all they can't be counted. At most six queries.
    """
    worked = orders.filter(pk__in=WorkedHours.objects.filter(minutes__gt=0).values("order")).order_by()
    known = {pk: (currency, state) for pk, currency, state in worked.values_list("pk", "currency", "state")}
    if not known:
        return {}
    own = default_seller().currency
    spent = hours_cost(orders.filter(currency=own).values("pk"))
    if foreign := {pk: currency for pk, (currency, _state) in known.items() if currency != own}:
        rates = DatedRates(foreign.values())
        for order, days in hours_cost_by_day(worked.exclude(currency=own).values("pk")).items():
            converted = [rates.convert(cost, own, foreign[order], day) for day, cost in days.items()]
            if None not in converted:
                spent[order] = sum((one for one in converted if one is not None), ZERO)
    lines = OrderLine.objects.filter(order__in=worked.values("pk"), unit_cost__isnull=False)
    costs = lines.filter(supply=OrderLine.Supply.SERVICE).order_by().values_list("order")
    planned = dict(costs.annotate(sum=Sum((F("quantity") - F("qty_cancelled")) * F("unit_cost"))))
    beside = {order: cost - (planned.get(order) or ZERO) for order, cost in spent.items()}
    return {
        order: amount if known[order][1] in _PERFORMED else max(ZERO, amount) for order, amount in beside.items()
    }  # fmt: skip
