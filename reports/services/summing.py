"""Daily sums: which days are dirty, made anew from the documents, and compared with them every night.

Events mark the order dates they touch, in the worker, after the order's own transaction. A day that waits to be marked
or made anew is never read from its sums.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count, F, Max, Min, Q, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from fulfilment.models import MaterialUse, WorkedHours
from inventory.models import ProductCategory
from ordermgmt.activity.models import Delivery
from ordermgmt.lib.money import ZERO
from orders.models import Order, OrderLine
from reports.models import DaySum, DirtyDay, SumsCheck

from .filtering import SOLD
from .order_facts import AGREED, BEFORE, LINE_COST
from .profit import effects, figures, labels, moves

#: The subscribers whose unfinished deliveries are days that nobody marked yet.
_OF_ORDERS, _OF_PRODUCTS = "reports.tasks.mark_order_day", "reports.tasks.mark_product_days"
_OF_HOURS = "reports.tasks.mark_hours_days"
#: Days that one transaction makes anew, and differences that one check keeps.
_BATCH, _MOST_KEPT = 31, 200
_FIELDS = ("count", "net", "gross", "cost", "before", "agreed")
_UNIT = Decimal("0.0001")

Key = tuple[str, dt.date, str, str, int | None, int | None]
Sums = dict[Key, dict[str, Any]]


def mark_days(days: Iterable[dt.date]) -> None:
    """Notes that the sums of these order dates may no longer be right; twice is once.

    Waits for a worker that makes such a day anew at this moment, so that what it may not have seen is made after it.
    """
    for day in sorted(set(days)):
        if DirtyDay.objects.filter(day=day).update(day=day):
            continue
        try:
            with transaction.atomic():
                DirtyDay.objects.create(day=day)
        except IntegrityError:
            DirtyDay.objects.filter(day=day).update(day=day)


def mark_all() -> int:
    """Notes every day that has orders or sums, e.g. after a restore or orders made by SQL; gives how many."""
    days = set(Order.objects.order_by().values_list("order_date", flat=True).distinct())
    days |= set(DaySum.objects.order_by().values_list("day", flat=True).distinct())
    DirtyDay.objects.bulk_create([DirtyDay(day=day) for day in sorted(days)], ignore_conflicts=True)
    return len(days)


def is_settled(first: dt.date | None, last: dt.date | None) -> bool:
    """Whether every day from `first` to `last` has sums that hold all that was committed."""
    dirty = DirtyDay.objects.all()
    if first:
        dirty = dirty.filter(day__gte=first)
    if last:
        dirty = dirty.filter(day__lte=last)
    return (
        not dirty.exists()
        and not Delivery.objects.unfinished().filter(effect__in=[_OF_ORDERS, _OF_PRODUCTS, _OF_HOURS]).exists()
    )


def refresh_sums(*, most: int | None = None) -> int:
    """Makes the sums of dirty days anew, a month of days at a time; gives how many days.

    Two workers share the days between them; one that is killed leaves its days dirty.
    """
    done, asked = 0, 0
    rows: list[DirtyDay] = []
    while len(rows) == asked and (most is None or done < most):
        asked = _BATCH if most is None else min(_BATCH, most - done)
        with transaction.atomic():
            rows = list(DirtyDay.objects.select_for_update(no_key=True, skip_locked=True).order_by("day")[:asked])
            if not rows:
                break
            DirtyDay.objects.filter(pk__in=[row.pk for row in rows]).delete()
            days = [row.day for row in rows]
            DaySum.objects.filter(day__in=days).delete()
            DaySum.objects.bulk_create(_as_rows(documents_of(days)), batch_size=500)
        done += len(rows)
    return done


def _as_rows(sums: Sums) -> Iterator[DaySum]:
    for (kind, day, key, currency, owner, team), values in sums.items():
        yield DaySum(kind=kind, day=day, key=key, currency=currency, owner_id=owner, team_id=team, **values)


def documents_of(days: list[dt.date]) -> Sums:
    """What the documents of these order dates come to: the sums as they must be."""
    return _orders(days) | _categories(days) | _reasons(days)


def _sold(days: list[dt.date]) -> Any:
    return Order.objects.filter(order_date__in=days, state__in=SOLD).order_by()


def _exact(value: Any) -> Decimal:
    return Decimal(value or 0).quantize(_UNIT)


def _orders(days: list[dt.date]) -> Sums:
    rows = _sold(days).values_list("order_date", "currency", "owner_id", "team_id")
    found = rows.annotate(Count("pk"), Sum("net_total"), Sum("gross_total"), Sum("cost_total"))
    return {
        (DaySum.Kind.ORDER, day, "", currency, owner, team): {
            "count": count, "net": _exact(net), "gross": _exact(gross), "cost": _exact(cost),
        }
        for day, currency, owner, team, count, net, gross, cost in found
    }  # fmt: skip


def _categories(days: list[dt.date]) -> Sums:
    lines = OrderLine.objects.filter(order__order_date__in=days, order__state__in=SOLD).order_by()
    at = ("order__order_date", "product__category_id", "order__currency", "order__owner_id", "order__team_id")
    rows = lines.values_list(*at).annotate(
        Count("pk"), Sum("net"), of_before=Sum(BEFORE), of_agreed=Sum(AGREED), of_cost=Sum(LINE_COST)
    )
    return {
        (DaySum.Kind.CATEGORY, day, str(category or ""), currency, owner, team): {
            "count": count, "net": _exact(net), "before": _exact(before), "agreed": _exact(agreed), "cost": _exact(cost),
        }
        for day, category, currency, owner, team, count, net, before, agreed, cost in rows
    }  # fmt: skip


def _reasons(days: list[dt.date]) -> Sums:
    """By the one calculation of profit, for the orders whose margin something moved."""
    orders = _sold(days)
    moved = moves(orders)
    found: Sums = defaultdict(lambda: {"count": 0, "net": ZERO})
    for row in figures(orders.filter(pk__in=moved.orders), moved):
        for key, amount in effects(row).items():
            if amount:
                line = found[DaySum.Kind.REASON, row["day"], key, row["currency"], row["owner"], row["team"]]
                line["count"] += 1
                line["net"] += amount
    return dict(found)


# --- every night -----------------------------------------------------------------------------------------------


def check_sums() -> SumsCheck:
    """Compares all sums with the documents, keeps what differs, and marks those days so that they are made anew.

    Days that wait to be marked or made anew may differ: that is no news.
    """
    at, days, found = timezone.now(), 0, 0
    kept: list[dict[str, Any]] = []
    for chunk in _all_days():
        differing = list(_differences(chunk))
        if differing:  # asked once more: meanwhile a worker may have made the day anew
            again = sorted({one["day"] for one in differing} - _waiting())
            differing = list(_differences(again))
        days += len(chunk)
        found += len(differing)
        kept += differing[: _MOST_KEPT - len(kept)]
        mark_days(one["day"] for one in differing)
    return SumsCheck.objects.create(at=at, days=days, found=found, differences=kept)


def _waiting() -> set[dt.date]:
    unmarked = Delivery.objects.unfinished()
    orders = Order.objects.filter(pk__in=unmarked.filter(effect=_OF_ORDERS).values("event__root_id"))
    products = unmarked.filter(effect=_OF_PRODUCTS).values("event__subject_id")
    days = days_of_products(products) | set(orders.order_by().values_list("order_date", flat=True))
    return days | set(DirtyDay.objects.values_list("day", flat=True))


def _all_days() -> Iterator[list[dt.date]]:
    spans = [
        Order.objects.aggregate(a=Min("order_date"), z=Max("order_date")),
        DaySum.objects.aggregate(a=Min("day"), z=Max("day")),
    ]
    days = [one[end] for one in spans for end in ("a", "z") if one[end]]
    if not days:
        return
    day, last = min(days), max(days)
    while day <= last:
        chunk = [day + dt.timedelta(days=n) for n in range(_BATCH) if day + dt.timedelta(days=n) <= last]
        yield chunk
        day = chunk[-1] + dt.timedelta(days=1)


def _differences(days: list[dt.date]) -> Iterator[dict[str, Any]]:
    """Each figure that the sums of these days have otherwise than the documents."""
    wanted = documents_of(days)
    at = ("kind", "day", "key", "currency", "owner_id", "team_id")
    stored = {tuple(row[name] for name in at): row for row in DaySum.objects.filter(day__in=days).values(*at, *_FIELDS)}
    for key in sorted(set(wanted) | set(stored), key=str):
        right, wrong = wanted.get(key, {}), stored.get(key, {})
        for name in _FIELDS:
            documents, sums = right.get(name) or ZERO, wrong.get(name) or ZERO
            if documents != sums:
                kind, day, of, currency, _owner, _team = key
                yield {
                    "kind": str(kind), "day": day, "key": of, "currency": currency, "figure": name,
                    "documents": str(documents), "sums": str(sums),
                }  # fmt: skip


def difference_rows(check: SumsCheck | None) -> list[dict[str, Any]]:
    """What a comparison found, with words for what and which figure."""
    reasons = labels()
    ids = [one["key"] for one in check.differences if one["kind"] == DaySum.Kind.CATEGORY] if check else []
    names = {
        str(pk): name for pk, name in ProductCategory.objects.filter(pk__in=filter(None, ids)).values_list("pk", "name")
    }
    figure = {
        "count": _("Number"), "net": _("Net"), "gross": _("Including tax"), "cost": _("Cost"),
        "before": _("Before discounts"), "agreed": _("Net before rounding"),
    }  # fmt: skip

    def what(one: dict[str, Any]) -> Any:
        if one["kind"] == DaySum.Kind.ORDER:
            return _("Orders")
        return (
            reasons.get(one["key"], "")
            if one["kind"] == DaySum.Kind.REASON
            else names.get(one["key"], _("No category"))
        )

    found = check.differences if check else []
    return [one | {"what": what(one), "figure_name": figure[one["figure"]]} for one in found]


def days_of_products(products: Any) -> set[dt.date]:
    """The order dates of the orders with any of the products (keys): those whose sums name their category."""
    lines = OrderLine.objects.filter(product__in=products).order_by().annotate(day=F("order__order_date"))
    return set(lines.values_list("day", flat=True).distinct())


def days_of_rate(currency: str) -> set[dt.date]:
    """The order dates of the orders whose hours or material the rates of a currency bring into their own."""
    worked = WorkedHours.objects.filter(order__currency=currency).order_by()
    days = set(worked.values_list("order__order_date", flat=True).distinct())
    order = "production__order_line__order"
    taken = MaterialUse.objects.filter(Q(product__currency=currency) | Q(**{f"{order}__currency": currency})).order_by()
    return days | set(taken.values_list(f"{order}__order_date", flat=True).distinct())
