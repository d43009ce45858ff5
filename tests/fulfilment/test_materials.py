"""What orders need of material: exploded, shared by date, followed by every change, ordered in one step."""

import datetime as dt
from decimal import Decimal
from threading import Barrier, Thread

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connections
from django.db.models import QuerySet

from fulfilment import tasks
from fulfilment.models import MaterialNeed, MaterialSupply, Milestone, Rectification
from fulfilment.services import (
    Wanted,
    add_milestone,
    complete_rectification,
    move_milestone,
    plan_all_needs,
    plan_needs,
    propose,
    purchase_needs_of,
    reasons,
    start_rectification,
    watched,
    with_reasons,
)
from inventory.models import Product, PurchaseOrder, Warehouse
from inventory.services import (
    add_purchase_line,
    adjust_stock,
    confirm_purchase,
    count_stock,
    order_purchase,
    purchase_shortages,
    remove_purchase_line,
)
from inventory.views.stock import short_products
from ordermgmt.activity.services import work_off
from ordermgmt.company.services import business_today
from ordermgmt.lib.invariants import violations
from orders.models import Order, OrderLine
from orders.services import cancel_order
from tests.factories.boms import conveyor, goes_into
from tests.factories.fulfilment import examine, fresh, ship
from tests.factories.inventory import main_warehouse, make_product, person, put_stock
from tests.factories.orders import line, placed, started
from tests.factories.purchases import offers, supplier

D = Decimal
MADE = {"supply": "make"}


def later(days):
    return business_today() + dt.timedelta(days=days)


def needs(order):
    """(required, from stock, on order, missing) by SKU, added up."""
    found = {}
    for one in MaterialNeed.objects.filter(order=order).select_related("product"):
        row = (one.required, one.from_stock, one.on_order, one.missing)
        found[one.product.sku] = tuple(
            a + b for a, b in zip(found.get(one.product.sku, (0, 0, 0, 0)), row, strict=True)
        )
    return found


def conveyors(quantity=1, **header):
    order = started(line("B-CONV", quantity, **MADE), **header)
    plan_needs(order)
    return order


@pytest.mark.django_db
class TestNeeds:
    def test_levels_are_netted_from_the_top(self):
        goods = conveyor()
        put_stock(goods["steel"], 15)
        put_stock(goods["motor"], 1)
        order = conveyors(3)
        assert needs(order) == {
            "B-FRAME": (3, 0, 0, 3), "B-STEEL": (D("21.12"), 15, 0, D("6.12")), "B-DRIVE": (6, 0, 0, 6),
            "B-MOTOR": (6, 1, 0, 5), "B-SHAFT": (6, 0, 0, 6), "B-ROUND": (D("4.725"), 0, 0, D("4.725")),
            "B-BOLT": (74, 0, 0, 74),
        }  # fmt: skip

    def test_an_assembly_in_stock_needs_no_parts(self):
        goods = conveyor()
        goods["drive"].is_stocked = True
        goods["drive"].save()
        put_stock(goods["drive"], 5)
        assert {sku: row[0] for sku, row in needs(conveyors(3)).items()} == {
            "B-FRAME": 3, "B-STEEL": D("21.12"), "B-DRIVE": 6, "B-MOTOR": 1, "B-SHAFT": 1, "B-ROUND": D("0.788"),
            "B-BOLT": 74,
        }  # fmt: skip  # 0.7875 m, rounded up to millimetres

    def test_who_needs_it_first_has_it_first(self):
        goods = conveyor()
        put_stock(goods["bolt"], 30)
        late = conveyors(promised_date=later(60))
        assert needs(late)["B-BOLT"] == (25, 25, 0, 0)
        early = conveyors(promised_date=later(20))
        assert needs(early)["B-BOLT"] == (25, 25, 0, 0)
        assert needs(late)["B-BOLT"] == (25, 5, 0, 20)

    def test_a_line_that_is_bought_needs_itself(self):
        make_product("B-BUY", is_stocked=False)
        order = started(line("B-BUY", 4, supply="buy"))
        plan_needs(order)
        assert needs(order) == {"B-BUY": (4, 0, 0, 4)}
        one = MaterialNeed.objects.get()
        assert (one.needed_by, one.is_made) == (order.promised_date, False)

    def test_again_changes_nothing(self):
        conveyor()
        order = conveyors(2)
        kept = list(MaterialNeed.objects.order_by("pk").values())
        assert plan_all_needs() == 1
        plan_needs(order)
        assert list(MaterialNeed.objects.order_by("pk").values()) == kept
        assert list(violations(["S11"])) == []

    def test_the_night_mends_what_was_missed(self):
        goods = conveyor()
        order = placed(line("B-CONV", 2, **MADE))
        plan_needs(order)
        put_stock(goods["bolt"], 10)  # nobody was told
        goes_into(goods["frame"], goods["bolt"], 4)
        assert plan_all_needs() == 1
        assert needs(order)["B-BOLT"] == (58, 10, 0, 48)
        cancel_order(Order.objects.get(pk=order.pk), reason="no", actor=person("sales_manager"))
        assert plan_all_needs() == 1
        assert not MaterialNeed.objects.exists()

    def test_queries_do_not_grow_with_orders(self, django_assert_max_num_queries):
        conveyor()
        orders = [conveyors() for _n in range(2)]
        with django_assert_max_num_queries(25):
            plan_needs(orders[0])
        for _n in range(6):
            conveyors()
        with django_assert_max_num_queries(25):
            plan_needs(orders[0])


@pytest.mark.django_db
class TestNothingNeeded:
    def test_what_is_made_needs_nothing_any_more(self, client_of):
        conveyor()
        order = conveyors()
        client = client_of(person("pm"))
        OrderLine.objects.filter(order=order).update(qty_produced=1)
        plan_needs(order)
        page = client.get(order.get_absolute_url()).content.decode()
        assert "No material is needed any more: everything is made." in page
        assert "Nothing is known of what" not in page

    def test_what_has_no_bill_is_not_known(self, client_of):
        make_product("B-PLAIN")
        order = started(line("B-PLAIN", 1, **MADE))
        plan_needs(order)
        page = client_of(person("pm")).get(order.get_absolute_url()).content.decode()
        assert "Nothing is known of what its products are made of." in page


@pytest.mark.django_db
class TestFollowing:
    def test_the_plan_says_by_when(self):
        goods = conveyor()
        goods["drive"].lead_days = 5
        goods["drive"].save()
        order = conveyors(promised_date=later(40))
        day = {one.product.sku: one.needed_by for one in MaterialNeed.objects.select_related("product")}
        assert (day["B-BOLT"], day["B-MOTOR"]) == (later(40), later(35))
        step = add_milestone(
            order,
            code="M1",
            name="Steel is there",
            kind=Milestone.Kind.MATERIAL,
            forecast=later(12),
            actor=person("pm"),
        )
        work_off()
        assert MaterialNeed.objects.get(product=goods["bolt"]).needed_by == later(12)
        move_milestone(step, forecast=later(15), reason="late", actor=person("pm"))
        work_off()
        assert MaterialNeed.objects.get(product=goods["bolt"]).needed_by == later(15)
        assert MaterialNeed.objects.get(product=goods["motor"]).needed_by == later(10)

    def test_placed_and_cancelled(self):
        goods = conveyor()
        put_stock(goods["bolt"], 30)
        order = placed(line("B-CONV", 1, **MADE))
        work_off()
        assert needs(order)["B-BOLT"] == (25, 25, 0, 0)
        other = placed(line("B-CONV", 1, **MADE), promised_date=later(90))
        work_off()
        assert needs(other)["B-BOLT"][3] == 20
        cancel_order(Order.objects.get(pk=order.pk), reason="no", actor=person("sales_manager"))
        work_off()
        assert needs(order) == {}
        assert needs(other)["B-BOLT"] == (25, 25, 0, 0)

    def test_a_changed_bill_of_material(self, client_of):
        goods = conveyor()
        order = conveyors()
        goes_into(goods["frame"], goods["bolt"], 4)
        response = client_of(person("pm")).post(f"/fulfilment/orders/{order.number}/materials/do/reckon/")
        assert response.status_code == 302
        assert needs(order)["B-BOLT"][0] == 29
        assert (
            client_of(person("warehouse")).post(f"/fulfilment/orders/{order.number}/materials/do/reckon/").status_code
            == 403
        )

    def test_purchases_count(self):
        goods = conveyor()
        who = supplier()
        offers(who, goods["bolt"], 1)
        order = conveyors()
        purchase = purchase_needs_of(wanted(order, who, "B-BOLT"), actor=person("pm"))[0]
        row = purchase.lines.get()
        assert (row.quantity, row.needed_by) == (25, order.promised_date)
        assert needs(order)["B-BOLT"] == (25, 0, 25, 0)
        order_purchase(purchase, actor=person("pm"))
        confirm_purchase(PurchaseOrder.objects.get(), dates={row.pk: later(30)}, actor=person("pm"))
        work_off()
        need = MaterialNeed.objects.get(product=goods["bolt"])
        assert need.expected_on == later(30)
        assert list(MaterialNeed.objects.too_late(business_today())) == [need]
        for show in ("risk", "material"):
            assert order in watched(Order.objects.all(), person("pm"), show)
        told = " ".join(reasons(with_reasons(Order.objects.filter(pk=order.pk)).get()))
        assert f"B-BOLT of {purchase.number} comes on" in told
        assert "3 materials are not on order" in told

    def test_corrections_of_stock(self):
        goods = conveyor()
        put_stock(goods["bolt"], 25)
        order, where = conveyors(), main_warehouse()
        work_off()
        assert needs(order)["B-BOLT"] == (25, 25, 0, 0)
        adjust_stock(goods["bolt"], where, D(-5), reason="lost", key="a", actor=person("warehouse"))
        work_off()
        assert needs(order)["B-BOLT"] == (25, 20, 0, 5)
        count_stock(goods["bolt"], where, D(22), key="b", actor=person("warehouse"))
        work_off()
        assert needs(order)["B-BOLT"] == (25, 22, 0, 3)

    def test_goods_sent_for_rejected_ones(self):
        goods = conveyor()
        put_stock(goods["bolt"], 29)
        sold = started(line("B-BOLT", 4))
        ship(sold)
        examine(fresh(sold), 4)
        order, pm = conveyors(), person("pm")
        assert needs(order)["B-BOLT"] == (25, 25, 0, 0)
        task = start_rectification(Rectification.objects.get(), remedy="replace", owner=pm, due=later(5), actor=pm)
        work_off()
        complete_rectification(task, result="sent", actor=pm)
        work_off()
        assert needs(order)["B-BOLT"] == (25, 21, 0, 4)

    def test_a_draft_line_that_is_taken_away(self):
        goods = conveyor()
        who = supplier()
        offers(who, goods["bolt"], 1)
        order = conveyors()
        purchase = purchase_needs_of(wanted(order, who, "B-BOLT"), actor=person("pm"))[0]
        remove_purchase_line(purchase.lines.get(), actor=person("pm"))
        work_off()
        assert needs(order)["B-BOLT"] == (25, 0, 0, 25)

    def test_only_the_product_of_a_changed_line_is_shared_anew(self, monkeypatch):
        goods = conveyor()
        who = supplier()
        for name in ("bolt", "motor"):
            offers(who, goods[name], 1)
        order = conveyors()
        purchase = purchase_needs_of(wanted(order, who, "B-BOLT", "B-MOTOR"), actor=person("pm"))[0]
        other, shared = make_product(), []
        work_off()
        monkeypatch.setattr(tasks, "cover_needs", lambda products: shared.append(list(products)))
        add_purchase_line(purchase, product=other, quantity=D(1), unit_price=D(1), actor=person("pm"))
        remove_purchase_line(purchase.lines.get(product=goods["bolt"]), actor=person("pm"))
        work_off()
        assert shared == [[other.pk], [goods["bolt"].pk]]


def wanted(order, who, *skus):
    return [
        Wanted(one.product, who, one.missing, one.missing) for one in propose(person("pm"), order)
        if one.product.sku in skus
    ]  # fmt: skip


@pytest.mark.django_db
class TestOrdering:
    def test_ranked_grouped_pegged(self, client_of, django_assert_max_num_queries):
        goods = conveyor()
        fast, slow = supplier("Fast Steel"), supplier("Slow Steel")
        for product, price in (("steel", 5), ("round", 6), ("bolt", 1)):
            offers(fast, goods[product], price, lead_days=3)
        offers(slow, goods["steel"], 4, lead_days=50, minimum=100)
        first, second = conveyors(promised_date=later(20)), conveyors(promised_date=later(30))
        with django_assert_max_num_queries(12):
            proposals = {one.product.sku: one for one in propose(person("pm"))}
        steel = proposals["B-STEEL"]
        assert (steel.missing, steel.needed_by, list(steel.orders)) == (
            D("14.08"),
            later(20),
            [first.number, second.number],
        )
        assert [one.supplier.name for one in steel.offers] == ["Fast Steel", "Slow Steel"]
        assert [one.late for one in steel.offers] == [0, 30]
        assert (steel.offers[0].dearer, steel.offers[1].quantity) == (25, 100)
        assert proposals["B-MOTOR"].offers == []

        client = client_of(person("pm"))
        page = client.get("/fulfilment/materials/order/").content.decode()
        for text in (
            "Fast Steel",
            "in time, no record yet",
            "30 days too late",
            "Nobody has a price for these",
            "25.0 % dearer",
        ):
            assert text in page, text
        data = {}
        for one in proposals.values():
            key = one.product.pk
            data[f"seen_{key}"] = format(one.missing.normalize(), "f")
            if one.offers:
                data[f"supplier_{key}"] = one.offers[0].supplier.pk
                data[f"quantity_{key}"] = "20" if one is steel else "0"
        answer = client.post("/fulfilment/materials/order/", data)
        assert answer.status_code == 302
        purchase = PurchaseOrder.objects.get()
        assert [(row.product.sku, row.quantity) for row in purchase.lines.all()] == [("B-STEEL", 20)]
        pegs = MaterialSupply.objects.order_by("need__needed_by").values_list(
            "need__order__number", "pegged", "quantity"
        )
        assert list(pegs) == [(first.number, D("7.04"), D("7.04")), (second.number, D("7.04"), D("7.04"))]
        assert first.number in client.get(purchase.get_absolute_url()).content.decode()
        box = client.get(first.get_absolute_url()).content.decode()
        assert purchase.number in box
        assert "0.75" not in box or "B-ROUND" in box
        again = client.post("/fulfilment/materials/order/", data)
        assert again.status_code == 422
        assert PurchaseOrder.objects.count() == 1

    def test_what_was_ordered_for_somebody_stays_theirs(self):
        goods = conveyor()
        who = supplier()
        offers(who, goods["bolt"], 1)
        order = conveyors(promised_date=later(40))
        purchase_needs_of(wanted(order, who, "B-BOLT"), actor=person("pm"))
        urgent = conveyors(promised_date=later(10))
        assert needs(order)["B-BOLT"] == (25, 0, 25, 0)
        assert needs(urgent)["B-BOLT"] == (25, 0, 0, 25)

    def test_bad_input(self):
        goods = conveyor()
        who = supplier()
        offers(who, goods["bolt"], 1)
        order = conveyors()
        rows = wanted(order, who, "B-BOLT")
        with pytest.raises(ValidationError, match="Say how much"):
            purchase_needs_of([], actor=person("pm"))
        with pytest.raises(ValidationError, match="somebody ordered it"):
            purchase_needs_of([Wanted(goods["bolt"], who, D(25), D(24))], actor=person("pm"))
        with pytest.raises(PermissionDenied):
            purchase_needs_of(rows, actor=person("warehouse"))
        with pytest.raises(ValidationError, match="no price"):
            purchase_needs_of([Wanted(goods["bolt"], supplier(), D(25), D(25))], actor=person("pm"))
        assert not PurchaseOrder.objects.exists()


@pytest.mark.django_db
class TestLists:
    def test_the_start_page_says_what_open_orders_need(self, client_of):
        goods = conveyor()
        Product.objects.filter(pk=goods["bolt"].pk).update(reorder_point=15)
        put_stock(goods["bolt"], 20)
        conveyors()
        page = client_of(person("warehouse")).get("/").content.decode()
        for text in ("20 pcs free", "open orders need: 25 pcs", "wanted: 15 pcs"):
            assert text in page, text
        assert "wanted: 0 " not in page

    def test_shortages_know_demand_without_a_reorder_point(self):
        goods = conveyor()
        plain_product = make_product("B-BUY2")
        order = started(line("B-BUY2", 3, supply="buy"), line("B-CONV", 1, **MADE))
        plan_needs(order)
        rows = {one.sku: (one.demand, one.missing) for one in short_products(person("pm"))}
        assert plain_product.reorder_point == 0
        assert rows["B-BUY2"] == (3, 3)
        assert rows["B-BOLT"] == (25, 25)
        put_stock(goods["bolt"], 25)
        assert "B-BOLT" not in {one.sku for one in short_products(person("pm"))}

    def test_waiting(self, client_of, django_assert_max_num_queries):
        conveyor()
        order = conveyors()
        client = client_of(person("pm"))
        client.get("/fulfilment/materials/")
        with django_assert_max_num_queries(30):
            page = client.get("/fulfilment/materials/?cover=missing").content.decode()
        assert "B-STEEL" in page
        assert "B-FRAME" not in page, "made, not bought"
        assert order.number not in client.get("/fulfilment/materials/?cover=late").content.decode()
        assert order.number in client.get(f"/fulfilment/materials/?q=型材&order={order.number}").content.decode()
        assert order.number not in client_of(person("sales2")).get("/fulfilment/materials/").content.decode()


def without_lock(monkeypatch):
    """Nobody waits for the others any more; numbers are still taken one after the other."""
    real = QuerySet.select_for_update
    free = lambda self, **options: self if self.model is Warehouse else real(self, **options)  # noqa: E731
    monkeypatch.setattr(QuerySet, "select_for_update", free)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
class TestTwoAtOnce:
    def run(self, deed):
        barrier, found = Barrier(2), [""] * 2

        def one(place):
            try:
                barrier.wait()
                found[place] = deed()
            except ValidationError:
                found[place] = "refused"
            finally:
                connections.close_all()

        threads = [Thread(target=one, args=(place,)) for place in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sorted(found)

    def shortages(self):
        product = make_product(reorder_point=40)
        offers(supplier(), product, 9)
        actor = person("pm")

        def deed():
            def missing():
                rows = short_products(actor).filter(pk=product.pk).values("pk", "missing")
                return {row["pk"]: row["missing"] for row in rows}

            return f"{len(purchase_shortages(missing, actor=actor)[0])} drafted"

        return self.run(deed)

    def test_what_runs_short_is_drafted_once(self, monkeypatch):
        assert [self.shortages() for _round in range(8)] == [["0 drafted", "1 drafted"]] * 8
        without_lock(monkeypatch)
        found = [self.shortages() for _round in range(15)]
        assert ["1 drafted", "1 drafted"] in found, "without the lock nothing collided: the test is void"

    def test_what_orders_lack_is_drafted_once(self, monkeypatch):
        goods = conveyor()
        who = supplier()
        offers(who, goods["bolt"], 1)

        def both():
            MaterialNeed.objects.all().delete()
            PurchaseOrder.objects.all().delete()
            order = conveyors()
            rows = wanted(order, who, "B-BOLT")
            return self.run(lambda: purchase_needs_of(rows, order=order, actor=person("pm")) and "drafted")

        assert [both() for _round in range(6)] == [["drafted", "refused"]] * 6
        without_lock(monkeypatch)
        assert ["drafted", "drafted"] in [both() for _round in range(15)], "without the lock nothing collided"
