"""A small order book with something in every section of every report, made by the real services."""

import datetime as dt
from decimal import Decimal
from typing import Any

from billing.services import accept_charge, add_charge, equal_rows, plan_instalments
from customers.models import Customer
from customers.services import create_customer
from fulfilment.models import Rectification
from fulfilment.services import (
    add_risk,
    answer_feedback,
    ask_feedback,
    book_capacity,
    complete_rectification,
    realise_risk,
    start_rectification,
)
from inventory.models import PurchaseLine
from inventory.services import Came
from ordermgmt.company.services import business_today
from orders.models import Order
from orders.services import cancel_order, create_order, place_order
from tests.factories.billing import issued
from tests.factories.capacity import centre
from tests.factories.changes import applied, more
from tests.factories.fulfilment import examine, ship
from tests.factories.orders import line, person, started
from tests.factories.purchases import ordered, received

DAY = dt.date(2025, 2, 3)


def customers() -> list[Customer]:
    """Two of sales' customers, won on different ways and in different regions."""
    found = []
    for name, channel in (("Nord", "web"), ("Süd", "")):
        known = Customer.objects.filter(name=name).first()
        found.append(known or create_customer(actor=person("sales"), name=name, channel=channel))
    return found


def book_line(price: str = "100", **fields: Any) -> dict[str, Any]:
    """A line without a product, made for the order."""
    fields = {"supply": "make", "tax_category": "S", "unit_cost": None} | fields
    fields.pop("unit_cost")
    return {"description": "Work", "quantity": Decimal(3), "unit_price": Decimal(price), **fields}


def make_book(*, rounds: int = 2, day: dt.date = DAY) -> list[Order]:
    """Orders of two customers in two regions: placed, started, drafts that are open and expired, one cancelled."""
    sales, made = person("sales"), []
    for turn in range(rounds):
        for place, customer in enumerate(customers()):
            on = day + dt.timedelta(days=31 * turn + 7 * place)
            header: dict[str, Any] = {
                "customer": customer, "order_date": on, "promised_date": on + dt.timedelta(days=40),
                "region": ("华东", "")[place],
            }  # fmt: skip
            lines = [
                line("SKU-1", 2 + turn, supply="make", discount_percent=Decimal("4.5")),
                book_line(f"{90 + turn}.355"),
            ]
            order = create_order(actor=sales, lines=lines, **header)
            made.append(place_order(order, actor=sales))
            running = started(line("SKU-1", 3, supply="make", discount_percent=Decimal("3.3")), **header)
            applied(running, more(running, 5 + turn))
            made.append(running)
            made.append(create_order(actor=sales, lines=lines, valid_until=on + dt.timedelta(days=9), **header))
            lost = place_order(create_order(actor=sales, lines=[book_line("7.77")], **header), actor=sales)
            made.append(cancel_order(lost, reason="Budget", actor=person("sales_manager")))
    return made


def make_work(*, day: dt.date = DAY) -> None:
    """Beside the book: a late delivery that is rejected and put right, its penalty and risk, answers, money, purchases,
    hours of two work centres, a delivery in time and one that is still to come."""
    done = started(
        line("SKU-1", 4, supply="make"),
        customer=customers()[0],
        order_date=day,
        promised_date=day + dt.timedelta(days=9),
    )
    ship(done)
    examine(done, 2)
    rejection = Rectification.objects.get(order=done)
    start_rectification(rejection, remedy="repair", owner=person("pm"), due=business_today(), actor=person("pm"))
    complete_rectification(rejection, result="polished", cost=Decimal("12.34"), actor=person("pm"))
    fields = {"title": "Storm", "probability": 4, "impact": 5, "owner": person("pm"), "review_on": business_today()}
    add_risk(done, actor=person("pm"), **fields)
    risk = add_risk(done, actor=person("pm"), category_id="weather", **fields)
    realise_risk(risk, outcome="It came.", days=3, cost=Decimal("55.10"), actor=person("pm"))
    for kind, net in (("penalty", "20.50"), ("charge", "7.25")):
        charge = add_charge(
            done, kind=kind, net=Decimal(net), tax_category="S", description=kind, reason="agreed", key=f"{done.pk}:{kind}",
            actor=person("finance"),
        )  # fmt: skip
        accept_charge(charge, decision="as agreed", actor=person("finance2"))
    for score in (2, 5):
        link = ask_feedback(done, key=f"ask {score}", actor=person("pm"))
        answer_feedback(link, score=score, text="So so")
    plan_instalments(done, rows=equal_rows(done, 2, day), actor=person("finance"))
    running = started(line("SKU-1", 1, supply="make"), customer=customers()[1], order_date=day)
    issued(running)
    order = ordered(10)
    received(order, Came(Decimal(10)))
    # Nobody can receive in the past: the days are put in by hand.
    PurchaseLine.objects.filter(order=order).update(
        first_promised_on=day, received_on=day + dt.timedelta(days=4), days_late=4
    )
    awaited = ordered(3)
    PurchaseLine.objects.filter(order=awaited).update(first_promised_on=day + dt.timedelta(days=60))
    for name, first in (("W", business_today()), ("X", business_today() + dt.timedelta(days=40))):
        here = centre(f"{name}{running.pk}")
        book_capacity(running, work_centre=here, hours=Decimal(6), first=first, actor=person("pm"))
    ahead = business_today() + dt.timedelta(days=9)
    kept, _coming = (
        started(line("SKU-1", 1, supply="make"), customer=customers()[1], promised_date=ahead) for _ in "ab"
    )
    ship(kept)
