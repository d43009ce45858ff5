"""What pages say: words that need two in Chinese, names of services, of the company and of the application itself."""

import datetime as dt

import pytest
from django.test import Client
from django.utils import translation

from fulfilment.models import MaterialNeed, MaterialSupply
from fulfilment.services import add_milestone, move_milestone
from ordermgmt.accounts.services import system_user
from ordermgmt.activity.models import Event
from ordermgmt.activity.services import record
from ordermgmt.company.services import business_today, default_seller
from ordermgmt.lib.templatetags.ui import day
from orders import events
from orders.models import Order
from tests.factories.orders import line, person, started
from tests.factories.purchases import ordered
from tests.factories.staff import service_order, staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def chinese(pm):
    pm.language = "zh-hans"
    pm.save()
    with translation.override("zh-hans"):
        yield pm


class TestChinese:
    def test_the_start_of_a_step_is_not_the_start_page(self, client_of, chinese):
        order = started()
        step = add_milestone(order, code="M1", name="Steel", forecast=business_today(), actor=person("pm"))
        plan = client_of(chinese).get(f"/fulfilment/orders/{order.number}/plan/").content.decode()
        move = client_of(chinese).get(f"/fulfilment/milestones/{step.pk}/do/move/").content.decode()
        assert ">开始</th>" in plan
        assert "开始" in move.split('name="start"')[0].rsplit("<label", 1)[1]

    def test_the_application_itself_has_a_chinese_name(self, client_of, chinese):
        order = started()
        record(events.ORDER_HELD, order, actor=system_user(), reason="x")
        page = client_of(chinese).get(order.get_absolute_url()).content.decode()
        assert "<strong>系统</strong>" in page
        assert "<strong>System</strong>" not in page

    def test_a_list_speaks_of_services_as_their_page_does(self, client_of, pm):
        today = business_today()
        order = service_order(order_date=today - dt.timedelta(30), promised_date=today - dt.timedelta(3))
        page = client_of(pm).get("/fulfilment/watch/").content.decode()
        assert order.number in page
        assert "In progress" in page
        assert "In production" not in page
        assert 'class="filter-box"' not in page
        assert 'type="hidden" name="show"' in client_of(pm).get("/fulfilment/watch/?show=risk").content.decode()


def test_only_who_books_hours_has_them_in_the_menu(client_of, pm, consultant):
    entry = 'href="/fulfilment/hours/"'
    assert entry not in client_of(pm).get("/").content.decode()
    assert entry in client_of(consultant).get("/").content.decode()
    staff("pm")
    assert entry in client_of(pm).get("/").content.decode()


def test_a_purchase_says_how_many_orders_of_others_it_serves(client_of, pm, pm2):
    mine, theirs = started(line(supply="make")), started(line(supply="make"))
    Order.objects.filter(pk=theirs.pk).update(project_manager=pm2)
    purchase = ordered(10)
    bought = purchase.lines.get()
    for order in (mine, theirs):
        row = {"order": order, "order_line": order.order_lines[0], "product": bought.product}
        need = MaterialNeed.objects.create(**row, path="1", level=1, quantity_per=1, required=1)
        MaterialSupply.objects.create(need=need, line=bought, quantity=1)
    page = client_of(pm).get(purchase.get_absolute_url()).content.decode()
    assert theirs.number not in page
    assert "and 1 order of somebody else" in page


def test_the_customers_page_bears_the_companys_name(client_of):
    page = Client().get("/fulfilment/feedback/thanks/").content.decode()
    assert f'public-brand">{default_seller().name}<' in page
    assert "ordermgmt" not in page.split("<body>")[1]


def test_a_service_is_not_picked_reserved_or_shipped(client_of, consultant, warehouse, pm):
    order = service_order()
    page = client_of(pm).get(order.get_absolute_url()).content.decode()
    assert "Pick list" not in page
    assert "Complete the services" in page
    assert "shipping or delivery" not in page


def test_days_in_the_timeline_are_the_readers(pm):
    order = started()
    first, then = (business_today() + dt.timedelta(days) for days in (3, 5))
    step = add_milestone(order, code="M1", name="Steel", forecast=first, actor=pm)
    move_milestone(step, forecast=then, reason="late", actor=pm)
    said = Event.objects.get(type="fulfilment.milestone_moved").message
    assert day(then) in said
    assert str(then) not in said
