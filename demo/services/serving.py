"""Who performs the demo company's services: assigned week by week, with the hours they book, one with a low score."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

from fulfilment.models import Assignment, CapacityBooking, Skill, StaffMember, WorkedHours
from fulfilment.services import (
    Entry,
    add_absence,
    answer_feedback,
    ask_blocked,
    ask_feedback,
    assign_staff,
    book_hours,
    booking_blocked,
    lock_hours,
    release_order,
    save_skill,
    save_staff,
    set_cost_rate,
    skill_for,
    suggest,
)
from ordermgmt.accounts.services import DEMO_DOMAIN
from ordermgmt.company.services import business_today
from orders.models import Order, OrderLine

from .base_data import Company
from .words import SERVICE_STAFF, SKILLS

_EIGHT = (dt.time(8), dt.time(16))
_WORKED_IN = ("in_production", "shipped", "rectification", "accepted")
#: So much of a line is done by one person; the rest is somebody else's.
_MOST = Decimal(40)


def serving(company: Company) -> Iterator[float]:
    """Every week people are assigned to what was ordered, and book what they worked."""
    _set_up(company)
    week = 0
    while True:
        yield 7
        week += 1
        _book(week)
        _give_back()
        _assign()


def leave_low_score(company: Company) -> None:
    """What there is to see today: locked hours, an absence, and a customer who is not content with somebody."""
    today = business_today()
    lock_hours(until=today - dt.timedelta(days=today.weekday() + 8), actor=company.people["manager"])
    person = StaffMember.objects.get(user=company.people["service2"])
    busy = CapacityBooking.objects.filter(assignment__staff=person, day__gte=today)
    day = max([today, *busy.values_list("day", flat=True)]) + dt.timedelta(days=3)
    add_absence(person, day=day, last=day + dt.timedelta(days=4), reason="Leave", actor=company.people["pm"])
    rows = Assignment.objects.exclude(order__project_manager=None).select_related("order")
    # Somebody at work today, else whose work ended last: in a small company nobody may be at work.
    order = next((one.order for one in rows.order_by("-last", "pk") if not ask_blocked(one.order)), None)
    if order is None or order.project_manager is None:
        return
    link = ask_feedback(order, key="demo", actor=order.project_manager)
    text = "顾问准备不足，现场进度太慢。" if order.language == "zh-hans" else "Not well prepared, and slow on site."
    answer_feedback(link, score=2, text=text, by=order.contact.name if order.contact else "")


def _set_up(company: Company) -> None:
    pm, manager = company.people["pm"], company.people["manager"]
    skills = {
        name: save_skill(None, name=name, products=[company.goods[sku] for sku in skus], actor=pm)
        for name, skus in SKILLS.items()
    }
    since = business_today() - dt.timedelta(days=30)
    for key, rate, levels in SERVICE_STAFF:
        one = save_staff(
            None, user=company.people[key], shifts=[(n, *_EIGHT) for n in range(5)],
            levels={skills[name]: level for name, level in levels.items()}, actor=pm,
        )  # fmt: skip
        set_cost_rate(one, valid_from=since, rate=Decimal(rate), actor=manager)
        raised = (Decimal(rate) * Decimal("1.04")).quantize(Decimal("0.01"))
        set_cost_rate(one, valid_from=since + dt.timedelta(days=210), rate=raised, actor=manager)


def _assign() -> None:
    today = business_today()
    first, last = today + dt.timedelta(days=1), today + dt.timedelta(days=18)
    fresh = Order.objects.filter(state="in_production", on_hold=False, assignments=None)
    for order in fresh.exclude(project_manager=None).order_by("pk"):
        for line in order.order_lines:
            if line.supply != OrderLine.Supply.SERVICE or line.qty_to_ship <= 0 or order.project_manager is None:
                continue
            hours = min(_MOST, line.qty_to_ship * (8 if line.unit == "day" else 1))
            skill: Skill | None = skill_for(line.product_id)
            found = suggest(order, minutes=int(hours * 60), first=first, last=last, skill=skill)
            if found and found[0].fits:
                assign_staff(
                    order, staff=found[0].staff, hours=hours, first=first, last=last, line=line, skill=skill,
                    key=f"demo-{line.pk}", actor=order.project_manager,
                )  # fmt: skip


def _book(week: int) -> None:
    """The week as planned, but for an hour more every third week."""
    today = business_today()
    people = StaffMember.objects.filter(user__email__endswith=f"@{DEMO_DOMAIN}").select_related("user")
    for person in people:
        rows = CapacityBooking.objects.filter(
            assignment__staff=person, day__lt=today, day__gte=today - dt.timedelta(days=10), order__state__in=_WORKED_IN
        ).order_by("day", "pk")
        known = set(WorkedHours.objects.filter(staff=person).values_list("assignment", "day"))
        more = 60 if week % 3 == 0 else 0
        entries = {
            (one.assignment_id, one.day): Entry(one.assignment_id, one.day, one.minutes + more)
            for one in rows
            if one.assignment_id and (one.assignment_id, one.day) not in known
        }
        book_hours(person, entries=entries.values(), actor=person.user)


def _give_back() -> None:
    """Whose work has ended needs nobody any more."""
    rows = CapacityBooking.objects.filter(day__gte=business_today()).order_by().values("order")
    for order in Order.objects.filter(pk__in=rows).order_by("pk"):
        if booking_blocked(order):
            release_order(order, actor=order.project_manager)
