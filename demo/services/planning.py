"""How the demo company plans: its work centres and templates, the plans and bookings of what runs, and what may go wrong."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import cast

from fulfilment.models import Milestone, PlanTemplate, Risk, WorkCentre
from fulfilment.services import (
    TemplateStep,
    add_exception,
    add_risk,
    apply_plan,
    book_capacity,
    book_needs,
    mitigate_risk,
    reach_milestone,
    realise_risk,
    review_risk,
    save_centre,
    save_plan_template,
    save_routing_step,
)
from ordermgmt.accounts.models import User
from ordermgmt.company.services import business_today
from ordermgmt.lib.fsm import TransitionRefused
from orders.models import Order, OrderLine

from .base_data import Company
from .words import CENTRES, PLAN_TEMPLATES, RISKS, ROUTING

_RUNNING = (Order.State.PLACED, Order.State.IN_PRODUCTION)
#: So many orders are planned, and so many of them carry a risk.
_PLANNED, _RISKY = 14, 9


def set_up(company: Company) -> None:
    """Work centres with shifts, what the products take of them, and the usual plans."""
    actor = company.people["pm"]
    centres = {}
    for code, name, stations, begins, ends in CENTRES:
        shifts = [(day, dt.time(begins), dt.time(ends)) for day in range(5)]
        centres[code] = save_centre(
            None, code=code, name=name, stations=stations, is_active=True, shifts=shifts, actor=actor
        )
    for sku, steps in ROUTING.items():
        for place, (code, setup, unit) in enumerate(steps, start=1):
            save_routing_step(
                None, product=company.goods[sku], position=place, work_centre=centres[code], setup_hours=Decimal(setup),
                unit_hours=Decimal(unit), actor=actor,
            )  # fmt: skip
    for _language, name, kind, template in PLAN_TEMPLATES:
        save_plan_template(
            None, name=name, kind=kind, product=None, is_active=True, steps=[TemplateStep(*one) for one in template],
            actor=actor,
        )  # fmt: skip


def running() -> list[Order]:
    """The newest orders that make or perform something, with somebody who sees to them."""
    supplies = (OrderLine.Supply.MAKE, OrderLine.Supply.SERVICE)
    rows = Order.objects.filter(state__in=_RUNNING, lines__supply__in=supplies).exclude(project_manager=None)
    return list(rows.select_related("project_manager", "customer").order_by("-pk").distinct()[:_PLANNED])


def _manager(order: Order) -> User:
    return cast(User, order.project_manager)  # `running()` gives none without


def worry(company: Company) -> Iterator[float]:
    """Risks as they were noted some weeks ago, and what became of some of them since."""
    noted: list[Risk] = []
    today = business_today()
    for place, order in enumerate(running()[:_RISKY]):
        category, probability, impact, english, chinese = RISKS[place % len(RISKS)]
        title, trigger, mitigation, contingency = chinese if order.customer.country == "CN" else english
        noted.append(
            add_risk(
                order, title=title, category_id=category, probability=probability, impact=impact, trigger=trigger,
                mitigation=mitigation, mitigation_due=today + dt.timedelta(days=10 + place * 3), contingency=contingency,
                owner=_manager(order), review_on=today + dt.timedelta(days=12 + place * 4),
                actor=_manager(order),
            )
        )  # fmt: skip
    yield 4
    if len(noted) > 2:
        mitigate_risk(noted[1], probability=1, impact=noted[1].impact, actor=noted[1].owner)
        later = business_today() + dt.timedelta(days=20)
        review_risk(noted[2], review_on=later, actor=noted[2].owner)
    yield 4
    if len(noted) > 3:
        risk = noted[3]
        is_chinese = risk.order.customer.country == "CN"
        outcome = (
            "供应商通知交期推迟，已另行询价。" if is_chinese else "The mill put the delivery off; another one is asked."
        )
        realise_risk(
            risk,
            outcome=outcome,
            days=6,
            cost=Decimal(1250),
            due=business_today() + dt.timedelta(days=5),
            actor=risk.owner,
        )


def plan_ahead(company: Company) -> None:
    """Plans and bookings of what runs: some of it done, some late, one work centre booked above its capacity."""
    today, booked = business_today(), None
    named = {one.name: one for one in PlanTemplate.objects.filter(product=None)}
    templates = {(language, kind): named[name] for language, name, kind, _steps in PLAN_TEMPLATES}
    for place, order in enumerate(running()):
        actor = _manager(order)
        first = max(order.order_date, today - dt.timedelta(days=18 - place))
        kind = "service" if order.kind == Order.Kind.SERVICE else "goods"
        apply_plan(order, template=templates[order.language, kind], first=first, owner=actor, anyway=True, actor=actor)
        for milestone in Milestone.objects.filter(order=order, forecast__lte=today).order_by("forecast", "pk")[
            : place % 4
        ]:
            reach_milestone(milestone, actual=milestone.forecast or today, actor=actor)
        material = Milestone.objects.filter(order=order, kind=Milestone.Kind.MATERIAL, actual=None).order_by("forecast")
        begins = [one.forecast for one in material[:1] if one.forecast] + [today + dt.timedelta(days=1 + place)]
        try:
            book_needs(order, first=max(begins), actor=actor)
            booked = order
        except TransitionRefused:
            pass  # its products ask for no work centre
    closed = next_monday(today) + dt.timedelta(days=7)
    add_exception(work_centre=None, day=closed, reason="Works holiday", anyway=True, actor=company.people["pm"])
    if booked is not None:
        book_capacity(
            booked, work_centre=WorkCentre.objects.get(code="WELD"), hours=Decimal(60), first=next_monday(today),
            last=next_monday(today) + dt.timedelta(days=4), reason="The customer needs it for the fair; Saturday shift agreed",
            actor=_manager(booked),
        )  # fmt: skip


def next_monday(today: dt.date) -> dt.date:
    """The Monday of the next week."""
    return today + dt.timedelta(days=7 - today.weekday())
