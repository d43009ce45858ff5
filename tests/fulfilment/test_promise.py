"""The promise date while an order is typed: stock, material and work centres, with the reason; asked with few queries."""

import datetime as dt
import json
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from fulfilment.services import book_capacity, plan_needs
from fulfilment.services.promising import promise_lines
from inventory.models import Product, SupplierPrice
from inventory.services import create_supplier, set_supplier_price
from ordermgmt.company.services import business_today
from orders.models import OrderLine
from orders.services import order_promise
from orders.services.promising import from_stock_or_lead_time
from tests.factories import capacity as make
from tests.factories.boms import conveyor
from tests.factories.inventory import make_product, put_stock
from tests.factories.orders import customer_a, person, started
from tests.factories.orders import line as entered

pytestmark = pytest.mark.django_db


def on(days, weeks=1):
    return make.monday(weeks) + dt.timedelta(days=days)


def row(product, quantity, supply="make", position=1):
    return OrderLine(position=position, product=product, quantity=Decimal(quantity), supply=supply, description="x")


def sku(code="SKU-1"):
    return Product.objects.get(sku=code)


def lead(product, days):
    Product.objects.filter(pk=product.pk).update(lead_days=days)
    return Product.objects.get(pk=product.pk)


class TestPromise:
    def test_stock_is_shared_among_the_lines_in_turn(self):
        product = lead(sku(), 12)
        found = promise_lines(
            [row(product, 8, "stock"), row(product, 3, "stock", 2), row(product, 2, "stock", 3)], on(0)
        )
        assert [one.day for one in found] == [on(0), on(0) + dt.timedelta(12), on(0) + dt.timedelta(12)]
        assert found[0].text == "from stock today"
        assert "12 days" in found[1].text

    def test_work_begins_when_the_material_is_there_and_lies_over_free_time(self):
        weld, paint = make.centre("WELD", name="Welding"), make.centre("PAINT", name="Painting")
        make.routing(weld, unit=8)
        make.routing(paint, position=2, unit=2)
        (one,) = promise_lines([row(lead(sku(), 7), 3)], on(0))
        # Material Monday in a week; welding Monday to Wednesday; painting 6 h on Wednesday.
        assert one.day == on(2, 2)
        assert one.reason.startswith("material takes 7 days, Welding 24 h until")

    def test_a_full_work_centre_is_the_reason(self):
        weld = make.centre("WELD", name="Welding")
        make.routing(weld, unit=1)
        book_capacity(started(), work_centre=weld, hours=Decimal(80), first=on(0), last=on(4, 2), actor=person("pm"))
        (one,) = promise_lines([row(sku(), 4)], on(0))
        assert one.day == on(0, 3)
        assert "Welding full until" in one.reason

    def test_lines_share_the_work_centre(self):
        make.routing(make.centre(), unit=8)
        found = promise_lines([row(sku(), 1), row(sku(), 1, position=2)], on(0))
        assert [one.day for one in found] == [on(0), on(1)]

    def test_the_fastest_supplier_counts_where_the_product_says_nothing(self):
        product = sku()
        for days in (20, 9):
            supplier = create_supplier(name=f"S{days}", lead_days=days, actor=person("pm"))
            price = SupplierPrice(supplier=supplier, product=product, price=Decimal(5))
            set_supplier_price(price, actor=person("pm"))
        (one,) = promise_lines([row(product, 1, "buy")], on(0))
        assert one.day == on(2, 2)
        assert "9 days" in one.reason

    def test_what_nobody_knows_is_said(self):
        shut = make.centre("SHUT", name="Shut", weekdays=0)
        make.routing(shut, "SVC-1")
        lines = [row(sku(), 1, "make"), row(sku("SVC-1"), 1, "service", 2), row(None, 1, "make", 3)]
        found = promise_lines(lines, on(0))
        assert [one.day for one in found] == [None, None, None]
        assert "full for more than a year" in found[1].reason
        whole = order_promise(lines, found)
        assert whole.day is None
        assert "line 1, no lead time known" in whole.text

    def test_the_order_waits_for_its_latest_line(self):
        slow, fast = lead(sku("SKU-2"), 30), lead(sku(), 5)
        lines = [row(fast, 1, "buy"), row(slow, 1, "buy", 2)]
        whole = order_promise(lines, promise_lines(lines, on(0)))
        assert whole.day == on(0) + dt.timedelta(30)
        assert "line 2" in whole.reason
        assert order_promise([], []) is None
        lines = [row(fast, 1, "stock")]
        assert order_promise(lines, promise_lines(lines, on(0))).reason == "everything is in stock"

    def test_a_service_of_unknown_length_does_not_take_the_day_from_the_rest(self):
        lines = [row(lead(sku(), 5), 1, "buy"), row(sku("SVC-1"), 1, "service", 2)]
        whole = order_promise(lines, promise_lines(lines, on(0)))
        assert whole.day == on(0) + dt.timedelta(5)
        assert whole.reason == (
            "line 1, buying it takes 5 days. Without the services that have no day yet: line 2, no lead time known"
        )
        whole = order_promise(lines[1:], promise_lines(lines[1:], on(0)))
        assert (whole.day, whole.text) == (None, "No date can be given yet: line 2, no lead time known.")

    def test_without_work_centres_stock_and_lead_time_answer(self):
        found = from_stock_or_lead_time([row(sku(), 1, "stock"), row(lead(sku(), 3), 99, "stock")], on(0))
        assert [one.day for one in found] == [on(0), on(3)]

    def test_as_many_queries_for_one_line_as_for_many(self):
        centres = [make.centre(f"C{n}") for n in range(5)]
        products = [make_product() for _ in range(30)]
        for n, product in enumerate(products):
            make.routing(centres[n % 5], product.sku, unit="0.1")
        with CaptureQueriesContext(connection) as few:
            promise_lines([row(products[0], 1)], on(0))
        with CaptureQueriesContext(connection) as many:
            promise_lines([row(product, 1, position=n) for n, product in enumerate(products)], on(0))
        assert len(many) == len(few) <= 9


class TestBillOfMaterial:
    def test_the_component_that_decides_is_the_reason(self):
        goods = conveyor()
        for name, days in (("steel", 12), ("motor", 5), ("bolt", 3), ("round", 20)):
            lead(goods[name], days)
        put_stock(goods["round"], 100)
        lead(goods["conveyor"], 4)
        (one,) = promise_lines([row(sku("B-CONV"), 1)], on(0))
        assert one.day == on(0) + dt.timedelta(16)
        assert one.reason == "B-STEEL takes 12 days, making it takes 4 days"
        make.routing(make.centre(name="Welding"), "B-CONV", unit=8)
        (one,) = promise_lines([row(sku("B-CONV"), 1)], on(0))
        assert one.reason.startswith("B-STEEL takes 12 days, Welding 8 h until")

    def test_what_others_count_on_is_not_free(self):
        goods = conveyor()
        for name in ("steel", "motor", "round"):
            put_stock(goods[name], 100)
        lead(goods["bolt"], 9)
        put_stock(goods["bolt"], 60)
        lines = [row(sku("B-CONV"), 2), row(sku("B-CONV"), 1, position=2)]
        assert [one.reason for one in promise_lines(lines, on(0))] == ["no lead time known", "B-BOLT takes 9 days"]
        plan_needs(started(entered("B-CONV", 2, supply="make")))
        assert [one.reason for one in promise_lines(lines[:1], on(0))] == ["B-BOLT takes 9 days"]

    def test_an_assembly_adds_the_time_it_takes(self):
        goods = conveyor()
        for name in ("steel", "bolt", "motor"):
            put_stock(goods[name], 100)
        (one,) = promise_lines([row(sku("B-CONV"), 1)], on(0))
        assert (one.day, one.reason) == (None, "no lead time known for B-ROUND")
        lead(goods["round"], 6)
        lead(goods["shaft"], 2)
        lead(goods["drive"], 1)
        (one,) = promise_lines([row(sku("B-CONV"), 1)], on(0))
        assert (one.day, one.reason) == (on(0) + dt.timedelta(9), "B-ROUND takes 6 days, assemblies take 3 days")


class TestWhileTyping:
    def test_the_preview_says_day_and_reason(self, client_of, sales):
        make.routing(make.centre(name="Welding"), unit=8)
        line = {"product": sku().pk, "quantity": "2", "unit_price": "1", "supply": "make", "unit": "pcs"}
        body = {"header": {"customer": customer_a().pk, "currency": "EUR"}, "lines": [line]}
        answer = client_of(sales).post("/orders/entry/preview/", json.dumps(body), content_type="application/json")
        found = answer.json()
        assert "Welding 16 h until" in found["rows"]["0"]["promise"]
        assert found["promise"]["text"].startswith("Earliest delivery ")
        assert dt.date.fromisoformat(found["promise"]["date"]) > business_today()
        assert not any("before the earliest" in one for one in found["warnings"])
        body["header"]["promised_date"] = str(business_today())
        answer = client_of(sales).post("/orders/entry/preview/", json.dumps(body), content_type="application/json")
        assert any("before the earliest delivery" in one for one in answer.json()["warnings"])
        body["lines"] = []
        answer = client_of(sales).post("/orders/entry/preview/", json.dumps(body), content_type="application/json")
        assert answer.json()["promise"] is None
