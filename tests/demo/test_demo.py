"""The demo company: complete, once, only into an empty database."""

import re
from collections import Counter
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from django.db.models import F

from billing.models import BankLine, Invoice
from billing.services import bookings, unset
from changes.models import ChangeRequest
from customers.models import Customer
from demo.services import NotEmpty, make_company
from fulfilment.models import CentreDay, CorrectiveAction, MaterialNeed, Milestone, PlanTemplate, Risk, WorkedHours
from fulfilment.services import late_lines
from inventory.models import Product
from inventory.services import boms_of, explode
from ordermgmt.accounts.roles import Role
from ordermgmt.accounts.services import demo_logins
from ordermgmt.activity.models import Delivery, Event, Job
from ordermgmt.company.services import business_today
from ordermgmt.lib.invariants import violations
from orders.models import Order

pytestmark = pytest.mark.django_db


def empty():
    """Takes the seed of the tests away, as far as the demo company minds it."""
    return not (Order.objects.exists() or Customer.objects.exists())


def test_not_beside_a_real_company(admin):
    if empty():
        from customers.services import create_customer
        from ordermgmt.accounts.services import system_user

        create_customer(actor=system_user(), name="A real one")
    with pytest.raises(NotEmpty):
        make_company(orders=0)
    with pytest.raises(CommandError):
        call_command("demo")


def test_a_company_with_an_order_in_every_state(settings, monkeypatch, capsys):
    monkeypatch.setattr("demo.services.making.is_empty", lambda: True)
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    call_command("demo", orders=6)
    assert "orders" in capsys.readouterr().out
    states = Counter(Order.objects.values_list("state", flat=True))
    assert set(states) >= set(Order.State) - {Order.State.CANCELLED}
    assert Order.objects.filter(on_hold=True).exists()
    assert Invoice.objects.issued().exists()
    assert ChangeRequest.objects.exclude(state="draft").exists()
    assert [str(one) for one in violations("C")] == []
    product = Product.objects.get(sku="CV-600")
    assert max(row.level for row in explode(product.pk, Decimal(1), boms_of([product.pk]))) == 3
    assert MaterialNeed.objects.waiting().exists(), "orders wait for material"
    assert late_lines(business_today()).exists(), "a supplier is late"
    assert [str(one) for one in violations(["S10", "S11", "K"])] == []
    assert WorkedHours.objects.filter(minutes__gt=0, rate__gt=0).exists(), "staff book hours"
    assert CorrectiveAction.objects.open().exists(), "a customer is not content"

    found = bookings(Customer.objects.all(), end=business_today())
    assert found
    assert all(one.balanced and one.rated for one in found)
    assert not unset({side.slot for one in found for side in one.postings})
    assert BankLine.objects.waiting().exists(), "bank entries wait to be booked"

    today = business_today()
    assert Milestone.objects.exclude(actual=None).exists(), "plans are under way"
    assert CentreDay.objects.filter(booked__gt=F("capacity")).exists(), "a work centre is overloaded, for a reason"
    assert Risk.objects.to_solve().exists(), "a risk happened"
    assert Risk.objects.to_review(today).exists(), "a review is due"
    assert Risk.objects.to_mitigate(today).exists(), "a mitigation is due"
    assert len(Risk.objects.open().heat()) >= 4, "the heat map has something to show"

    for one in (
        *Milestone.objects.values_list("name", flat=True),
        *PlanTemplate.objects.values_list("name", flat=True),
    ):
        assert not (re.search("[a-z]", one) and re.search("[一-鿿]", one)), f"two languages at once: {one}"
    chinese = Milestone.objects.filter(order__language="zh-hans").values_list("name", flat=True)
    assert chinese
    assert all(re.search("[一-鿿]", name) for name in chinese)
    taken = Order.objects.filter(state__in=["accepted", "settled"])
    asked = Job.objects.filter(kind="fulfilment.certificate")
    assert {job.params["order"] for job in asked} == set(taken.values_list("pk", flat=True)), "certificates are made"

    settings.DEMO = True
    english = {one.role for one in demo_logins() if one.language == "en"}
    assert english == set(Role) - {Role.CUSTOMER}
    assert {one.role for one in demo_logins() if one.language == "zh-hans"} >= {Role.SALES, Role.PM, Role.FINANCE}

    told = Delivery.objects.filter(event__source="demo")
    assert not told.exists(), "nobody hears of an invented past"
    assert Event.objects.filter(source="demo").exists()

    orders = Order.objects.count()
    call_command("demo", orders=6)
    assert Order.objects.count() == orders, "a second run changes nothing"
