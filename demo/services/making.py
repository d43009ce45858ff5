"""`make_company`: a year of a company's work, played through the application's own verbs."""

import datetime as dt
import heapq
import random
from itertools import count

from django.db import transaction
from django.utils import timezone

from billing.models import Invoice, Payment
from customers.models import Customer
from fulfilment.services import plan_all_needs, request_certificate
from inventory.models import Product
from ordermgmt.accounts.models import User
from ordermgmt.accounts.services import DEMO_DOMAIN
from ordermgmt.activity.services import Origin, origin
from ordermgmt.company.services import ensure_company
from orders.models import Order
from reports.services import mark_all, refresh_sums

from .base_data import Company, found, people
from .buying import leave_open
from .changing import ask_for_changes
from .clock import Clock, travelling
from .finance import bookkeeping, leave_collection
from .lives import Life, OrderLife, purchasing
from .planning import plan_ahead, set_up, worry
from .serving import leave_low_score, serving

_SEED = 20
#: Days that the history goes back, and days at its end of whose events people still hear.
_DAYS, _NEWS = 372, 3
#: So many days ago the risks of what runs were gone through.
_WORRIED = 16
#: Orders of the present, one for everything there is to see: fate, kind, days since the first draft.
_SCENES = (
    ("quotation", "mixed", 6), ("quotation", "stock", 4), ("quotation", "service", 9), ("quotation", "make", 3),
    ("approval", "make", 12), ("approval", "mixed", 16),
    ("placed", "make", 20), ("placed", "service", 18), ("placed", "mixed", 17),
    ("hold", "make", 40), ("hold", "mixed", 44),
    ("in_production", "make", 55), ("in_production", "mixed", 75), ("in_production", "service", 38),
    ("in_production", "make", 48), ("in_production", "stock", 16), ("in_production", "stock", 15),
    ("part_shipped", "make", 85), ("part_shipped", "mixed", 90),
    ("shipped", "stock", 20), ("shipped", "service", 50), ("shipped", "make", 88),
    ("rectification", "make", 105), ("rectification", "stock", 34), ("rectification", "mixed", 110),
    ("accepted", "stock", 28), ("accepted", "service", 60),
    ("overdue", "stock", 105), ("overdue", "service", 140), ("overdue", "make", 170),
)  # fmt: skip
_KINDS = ("stock", "stock", "make", "service", "mixed")


class NotEmpty(Exception):
    """There is a real company's data here: the demo company does not mix with it."""


def is_empty() -> bool:
    """Whether no company works here yet."""
    return not (Order.objects.exists() or Customer.objects.exists())


@transaction.atomic
def make_company(*, orders: int = 100, today: dt.datetime | None = None) -> dict[str, int] | None:
    """Makes the demo company: all of it or, when something fails, nothing. None where it is there already.

    Raises NotEmpty where orders or customers exist that are not the demo's.
    """
    if User.objects.filter(email__endswith=f"@{DEMO_DOMAIN}").exists():
        return None
    if not is_empty():
        raise NotEmpty("There are customers or orders already: the demo company needs an empty database.")
    end = today or timezone.now()
    clock = Clock((end - dt.timedelta(days=_DAYS)).replace(hour=7, minute=30, second=0, microsecond=0))
    kept = origin.set(Origin(source="demo"))
    try:
        with travelling(clock):
            ensure_company()
            company = Company(random.Random(_SEED))  # noqa: S311  # invented data wants to be the same each time
            found(company)
            set_up(company)
            _play(company, clock, end, orders)
            ask_for_changes()
            leave_collection(company)
        for order in Order.objects.filter(state__in=[Order.State.ACCEPTED, Order.State.SETTLED]).order_by("pk"):
            request_certificate(order, actor=order.project_manager)  # nobody was told that it was accepted
        mark_all()  # the invented past told nobody
        refresh_sums()
    finally:
        origin.reset(kept)
    return {
        "users": User.objects.people().count(),
        "customers": Customer.objects.count(),
        "products": Product.objects.count(),
        "orders": Order.objects.count(),
        "invoices": Invoice.objects.count(),
        "payments": Payment.objects.count(),
    }


@transaction.atomic
def make_staff() -> None:
    """Only the people of the demo company, with the seller they work for."""
    ensure_company()
    people(Company(random.Random(_SEED)))  # noqa: S311


def _play(company: Company, clock: Clock, end: dt.datetime, orders: int) -> None:
    """Takes the earliest step of all lives, again and again, until the present."""
    sequence = count()
    waiting: list[tuple[dt.datetime, int, Life]] = []

    def wait(at: dt.datetime, life: Life) -> None:
        heapq.heappush(waiting, (_at_work(at, company.chance), next(sequence), life))

    begin = clock.at
    wait(begin, purchasing(company))
    wait(begin, serving(company))
    wait(begin, bookkeeping(company))
    for _number in range(orders):
        # A little more every month: the company grows.
        share = company.chance.random() ** 0.8
        customer = company.chance.choice(company.customers)
        life = OrderLife(company, customer, company.chance.choice(_KINDS)).life()
        wait(begin + dt.timedelta(days=2 + share * (_DAYS - 3)), life)
    for number, (fate, kind, days) in enumerate(_SCENES):
        customer = company.customers[(number * 7) % len(company.customers)]
        wait(end - dt.timedelta(days=days), OrderLife(company, customer, kind, fate=fate).life())
    wait(end - dt.timedelta(days=_WORRIED), worry(company))
    while waiting:
        at, _place, life = heapq.heappop(waiting)
        if at > end:
            break
        clock.at = max(at, clock.at)
        origin.set(Origin(source="demo" if (end - clock.at).days >= _NEWS else "command"))
        pause = next(life, None)
        if pause is not None:
            wait(clock.at + dt.timedelta(days=pause), life)
    plan_ahead(company)
    leave_open(company)
    leave_low_score(company)
    plan_all_needs()


def _at_work(at: dt.datetime, chance: random.Random) -> dt.datetime:
    """The same time, moved into a working day: nobody ships on a Sunday night."""
    while at.weekday() >= 5:
        at += dt.timedelta(days=1)
    if not 7 <= at.hour < 16:
        at = at.replace(hour=chance.randint(7, 15), minute=chance.randint(0, 59))
    return at
