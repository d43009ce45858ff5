"""A3 for verbs that touch a second row, or take what a form has already changed: their events still give each row."""

from decimal import Decimal

import pytest

from changes.models import ChangeReason
from changes.services import save_reason
from customers.models import Address
from customers.services import add_address, add_contact
from ordermgmt.accounts.models import AccessLink
from ordermgmt.accounts.services import accept_invitation, invite_user
from ordermgmt.activity.services import work_off
from ordermgmt.lib.invariants import violations
from orders import services as order_services
from tests.factories import billing, orders
from tests.factories.orders import person

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def replayed(db):
    """After each test here, replaying the events of every row gives the row."""
    yield
    assert [str(one.row) for one in violations(["A3"])] == []


def test_who_is_invited_may_correct_the_name(admin):
    invite_user(email="nora@example.com", name="Nora New", roles=["pm"], actor=admin)
    work_off()  # the link is made with its mail
    link = AccessLink.objects.latest("pk")
    assert accept_invitation(link, name="Nora Neumann", password="seven green herons wade").name == "Nora Neumann"


def test_the_default_address_and_the_main_contact_change_hands(sales):
    customer = orders.customer_a()
    for street in ("One Street", "Two Street"):
        add_address(customer, actor=sales, line1=street, kind="delivery", is_default=True)
        add_contact(customer, actor=sales, name=street, is_primary=True)
        customer.refresh_from_db()
    assert Address.objects.filter(customer=customer, kind="delivery", is_default=True).count() == 1


def test_a_refund(finance2):
    from billing.services import refund_credit

    invoice = billing.issued(orders.accepted())
    payment = billing.pay(invoice, amount=invoice.due + 20)
    refund_credit(payment, amount=Decimal(20), reason="too much", key="k", actor=finance2)


def test_a_quotation_of_another_revision(sales):
    order = orders.made()
    order_services.quote_order(order, actor=sales)
    order = order_services.edit_order(order, version=order.version, header={"terms": "net"}, lines=None, actor=sales)
    assert order_services.quote_order(order, actor=sales).revision == 2


def test_a_reason_that_a_form_has_changed_already(admin):
    reason = save_reason(code="WEATHER", name="Weather", actor=admin)
    reason.name = "Frost"
    save_reason(reason, code="WEATHER", name="Frost", actor=person("admin"))
    assert ChangeReason.objects.get(pk=reason.pk).name == "Frost"
