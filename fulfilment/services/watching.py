"""Which orders need somebody's eye, and why: late, at risk, blocked, waiting for material or for the customer, mine."""

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.db.models import (
    Case,
    Count,
    DateField,
    Exists,
    ExpressionWrapper,
    F,
    IntegerField,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from fulfilment.models import MaterialNeed, MaterialSupply, Milestone, MilestoneLink, Risk, RiskScale
from ordermgmt.company.services import business_today
from orders.models import Order

from .capacity import day_text

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

SELECTIONS = ("all", "late", "blocked", "risk", "material", "waiting", "mine")
_SCORE = ExpressionWrapper(F("probability") * F("impact"), output_field=IntegerField())
_RUNNING = (Order.State.PLACED, Order.State.IN_PRODUCTION)


def watched(rows: "QuerySet[Order]", user: "User", selection: str) -> "QuerySet[Order]":
    """Of the given orders those of one selection; `all` narrows nothing."""
    today = business_today()
    if selection == "late":
        return Order.objects.late(today) & rows
    if selection == "blocked":
        return rows.filter(on_hold=True)
    if selection == "risk":
        # One set of keys: an OR of two would be asked for each order in turn.
        return rows.filter(pk__in=_high_risks().union(_issues(), _off_plan(today), _late_material(today)))
    if selection == "material":
        return rows.filter(pk__in=_waiting_for_material().union(_uncovered()), state__in=_RUNNING)
    if selection == "waiting":
        return rows.filter(state=Order.State.SHIPPED)
    if selection == "mine":
        return rows.filter(project_manager=user) | rows.filter(owner=user)
    return rows


def with_reasons(rows: "QuerySet[Order]") -> "QuerySet[Order]":
    """Adds what `reasons` tells, without a query for each order."""
    today = business_today()
    steps = {"slipping": _slipping(today), "beyond": _beyond(today), "material": _material()}
    found: dict[str, Any] = {"risk_title": Subquery(_risks().values("title")[:1])}
    found |= {f"issue_{part}": Subquery(_happened().values(part)[:1]) for part in ("title", "days")}
    found |= {f"arrival_{part}": Subquery(_arriving_late(today).values(path)[:1]) for part, path in _ARRIVAL.items()}
    lacking = MaterialNeed.objects.missing().filter(order=OuterRef("pk")).order_by().values("order")
    found["lacking"] = Subquery(lacking.annotate(total=Count("pk")).values("total"))
    coming = MaterialNeed.objects.waiting().filter(order=OuterRef("pk"), on_order__gt=0).order_by().values("order")
    found["coming"] = Subquery(coming.annotate(total=Count("pk")).values("total"))
    found["coming_last"] = Subquery(coming.annotate(last=Max("expected_on")).values("last"))
    for name, query in steps.items():
        found |= {f"{name}_{part}": Subquery(query.values(part)[:1]) for part in ("code", "name", "forecast")}
    return rows.annotate(watched_on=Value(today, output_field=DateField()), **found)


def reasons(order: Any) -> list[str]:
    """Why the order is watched, a sentence's part for each; `with_reasons` fetched it."""
    today, found = order.watched_on, []
    if order.on_hold:
        found.append(_("on hold: %(reason)s") % {"reason": order.hold_reason})
    if order.is_late(today):
        days = (today - order.promised_date).days
        found.append(ngettext("%(days)s day late", "%(days)s days late", days) % {"days": days})
    if order.state in _RUNNING:
        found += _of_plan(order, today)
    if order.issue_title:
        found.append(_issue(order))
    if order.risk_title:
        found.append(_("high risk: %(title)s") % {"title": order.risk_title})
    if order.state == Order.State.SHIPPED:
        found.append(_("the customer's acceptance is open"))
    return found


def _issue(order: Any) -> str:
    if not order.issue_days:
        return _("happened: %(title)s") % {"title": order.issue_title}
    text = ngettext("happened: %(title)s, %(n)s day lost", "happened: %(title)s, %(n)s days lost", order.issue_days)
    return text % {"title": order.issue_title, "n": order.issue_days}


def _of_plan(order: Any, today: dt.date) -> list[str]:
    found = []
    if order.arrival_number:
        values = {"sku": order.arrival_sku, "number": order.arrival_number, "day": _day(order.arrival_expected)}
        values["need"] = _day(order.arrival_needed)
        text = _("%(sku)s of %(number)s was expected on %(day)s") if order.arrival_expected < today else (
            _("%(sku)s of %(number)s comes on %(day)s, needed by %(need)s")
        )  # fmt: skip
        found.append(text % values)
    elif order.coming:
        text = ngettext(
            "%(n)s material is on order, expected on %(day)s",
            "%(n)s materials are on order, the last for %(day)s", order.coming,
        )  # fmt: skip
        found.append(text % {"n": order.coming, "day": _day(order.coming_last)})
    if order.lacking:
        text = ngettext("%(n)s material is not on order", "%(n)s materials are not on order", order.lacking)
        found.append(text % {"n": order.lacking})
    if order.material_code:
        values = {"code": order.material_code, "name": order.material_name, "day": _day(order.material_forecast)}
        found.append(_("waits for material: %(code)s %(name)s, %(day)s") % values)
    if order.slipping_code and order.slipping_code != order.material_code:
        values = {"code": order.slipping_code, "name": order.slipping_name, "day": _day(order.slipping_forecast)}
        found.append(_("%(code)s %(name)s was planned for %(day)s") % values)
    if order.beyond_code:
        values = {"code": order.beyond_code, "name": order.beyond_name, "day": _day(order.beyond_forecast)}
        found.append(_("%(code)s %(name)s is planned after the promise, for %(day)s") % values)
    return found


def _day(day: dt.date | None) -> str:
    return day_text(day) if day else "–"


# Which orders: found once for the whole list, from the few open rows, and not again for each of its orders.


def _high_risks() -> "QuerySet[Risk, Any]":
    rows = Risk.objects.filter(state=Risk.State.OPEN).annotate(points=_SCORE).filter(points__gte=_high_from())
    return rows.order_by().values("order")


def _issues() -> "QuerySet[Risk, Any]":
    """What happened is no risk any more: however small it was thought to be, it is there until it is solved."""
    return Risk.objects.filter(state=Risk.State.HAPPENED).order_by().values("order")


def _high_from() -> "Subquery":
    """From which score on a risk is high, as the company sets it."""
    return Subquery(RiskScale.objects.values("high_from")[:1])


def _off_plan(today: dt.date) -> "QuerySet[Milestone, Any]":
    slips = Q(forecast__lt=today) | Q(forecast__gt=F("order__promised_date"))
    return Milestone.objects.filter(slips, actual=None, order__state__in=_RUNNING).order_by().values("order")


def _waiting_for_material() -> "QuerySet[Milestone, Any]":
    return _first_material().filter(order__state__in=_RUNNING).order_by().values("order")


def _late_material(today: dt.date) -> "QuerySet[MaterialNeed, Any]":
    rows = MaterialNeed.objects.too_late(today).filter(order__state__in=_RUNNING)
    return rows.order_by().values("order")


def _uncovered() -> "QuerySet[MaterialNeed, Any]":
    return MaterialNeed.objects.waiting().filter(order__state__in=_RUNNING).order_by().values("order")


# Why: the first of them, for the orders of one page.


def _risks() -> "QuerySet[Risk]":
    """Open risks of the order in the upper part of the heat map, the worst first."""
    rows = Risk.objects.filter(order=OuterRef("pk"), state=Risk.State.OPEN).annotate(points=_SCORE)
    return rows.filter(points__gte=_high_from()).order_by("-points", "pk")


def _happened() -> "QuerySet[Risk]":
    """Risks of the order that happened and are not solved, what costs most days first."""
    return Risk.objects.filter(order=OuterRef("pk"), state=Risk.State.HAPPENED).order_by("-days", "pk")


_ARRIVAL = {
    "sku": "need__product__sku", "number": "line__order__number", "expected": "line__promised_on",
    "needed": "need__needed_by",
}  # fmt: skip


def _arriving_late(today: dt.date) -> "QuerySet[MaterialSupply]":
    """What suppliers bring the order after it is needed, or should have brought; the worst first."""
    late = Q(line__promised_on__gt=F("need__needed_by")) | Q(line__promised_on__lt=today)
    rows = MaterialSupply.objects.filter(late, need__order=OuterRef("pk"), need__required__gt=0, quantity__gt=0)
    return rows.order_by("-line__promised_on", "pk")


def _slipping(today: dt.date) -> "QuerySet[Milestone]":
    """Open milestones of the order whose day is past; the earliest first."""
    return Milestone.objects.filter(order=OuterRef("pk"), actual=None, forecast__lt=today).order_by("forecast", "pk")


def _beyond(today: dt.date) -> "QuerySet[Milestone]":
    """Open milestones of the order planned after its promised date, the delivery before the others; the latest first."""
    rows = Milestone.objects.filter(order=OuterRef("pk"), actual=None, forecast__gte=today)
    rows = rows.filter(forecast__gt=OuterRef("promised_date"))
    return rows.order_by(Case(When(kind=Milestone.Kind.DELIVERY, then=0), default=1), "-forecast", "pk")


def _material() -> "QuerySet[Milestone]":
    """Open material milestones of the order that wait for nothing else; the earliest first."""
    return _first_material().filter(order=OuterRef("pk")).order_by("forecast", "pk")


def _first_material() -> "QuerySet[Milestone]":
    earlier = MilestoneLink.objects.filter(after=OuterRef("pk"), before__actual=None)
    return Milestone.objects.filter(~Exists(earlier), actual=None, kind=Milestone.Kind.MATERIAL)
