"""Reporting what was made: the counter, the material it takes, what may be shipped, and taking a report back."""

import datetime as dt
from decimal import Decimal
from threading import Barrier, Thread

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, connections, transaction
from django.urls import reverse

from fulfilment.models import MaterialNeed, MaterialUse, Production
from fulfilment.services import plan_needs, report_production, ship_order, take_back_production
from inventory.models import StockItem, StockMovement
from ordermgmt.activity.models import Event
from ordermgmt.activity.services import work_off
from ordermgmt.company.services import business_today
from ordermgmt.lib.fsm import TransitionRefused
from ordermgmt.lib.invariants import violations
from orders.models import Order
from orders.services import hold_order
from tests.factories.boms import conveyor, goes_into
from tests.factories.inventory import make_product, person, put_stock
from tests.factories.orders import line, started

D = Decimal
MADE = {"supply": "make"}


def table(quantity=3, top=2, legs=20):
    """A table of one top and four legs, so many ordered, so much material in stock."""
    product = make_product("T-TABLE", name="Table 桌子", is_stocked=False)
    parts = {"top": make_product("T-TOP", name="Top"), "leg": make_product("T-LEG", name="Leg")}
    goes_into(product, parts["top"])
    goes_into(product, parts["leg"], 4)
    put_stock(parts["top"], top)
    put_stock(parts["leg"], legs)
    return started(line("T-TABLE", quantity, **MADE)).lines.get(), parts


def stock(product):
    return StockItem.objects.get(product=product).on_hand


def report(row, quantity=1, **fields):
    fields = {"key": f"k-{row.pk}-{quantity}", "actor": person("warehouse"), **fields}
    return report_production(row, quantity=D(quantity), **fields)


@pytest.mark.django_db
class TestReport:
    def test_works(self):
        row, parts = table()
        made = report(row, 2, note="first two")
        row.refresh_from_db()
        assert (row.qty_produced, stock(parts["top"]), stock(parts["leg"])) == (2, 0, 12)
        assert {(use.product.sku, use.quantity, use.standard) for use in made.uses.all()} == {
            ("T-TOP", 2, 2), ("T-LEG", 8, 8),
        }  # fmt: skip
        assert list(violations()) == []

    def test_twice_is_once(self):
        row, parts = table()
        assert report(row, 2) == report(row, 2)
        assert stock(parts["leg"]) == 12
        assert Production.objects.count() == 1

    def test_other_use_than_the_bill_says(self):
        row, parts = table()
        other = make_product("T-GLUE", name="Glue")
        put_stock(other, 5)
        made = report(row, 1, used={parts["leg"].pk: D(5), parts["top"].pk: D(0), other.pk: D(1)})
        assert {(use.product.sku, use.quantity, use.standard) for use in made.uses.all()} == {
            ("T-TOP", 0, 1), ("T-LEG", 5, 4), ("T-GLUE", 1, 0),
        }  # fmt: skip
        assert (stock(parts["top"]), stock(parts["leg"]), stock(other)) == (2, 15, 4)

    def test_an_assembly_on_the_shelf_is_taken_and_the_rest_made_of_its_parts(self):
        goods = conveyor()
        goods["drive"].is_stocked = True
        goods["drive"].save()
        for name, quantity in {"drive": 1, "steel": 20, "motor": 3, "round": 9, "bolt": 100}.items():
            put_stock(goods[name], quantity)
        made = report(started(line("B-CONV", 1, **MADE)).lines.get())
        used = {use.product.sku: use.quantity for use in made.uses.all()}
        # two drives: one from the shelf, one of a motor and a shaft (0.7875 m of round steel, counted in three decimals)
        assert used["B-DRIVE"] == 1
        assert used["B-MOTOR"] == 1
        assert "B-SHAFT" not in used  # none on the shelf
        assert used["B-ROUND"] == D("0.788")
        assert used["B-STEEL"] == D("7.04")

    @pytest.mark.parametrize(
        ("quantity", "fields", "where", "sentence"),
        [
            (0, {}, "quantity", "above zero"),
            (4, {}, "quantity", "Only 3 are still to be made."),
            ("0.5", {}, "quantity", "fewer decimals"),
            (1, {"on": dt.date(2999, 1, 1)}, "on", "future"),
            (1, {"on": dt.date(1999, 1, 1)}, "on", "before the order"),
        ],
    )
    def test_bad_input(self, quantity, fields, where, sentence):
        row, _parts = table(top=9)
        with pytest.raises(ValidationError) as refused:
            report(row, quantity, **fields)
        assert sentence in str(refused.value.message_dict[where])
        assert not Production.objects.exists()

    def test_material_that_is_not_there(self):
        row, parts = table(top=2)
        with pytest.raises(ValidationError) as refused:
            report(row, 3)
        assert "Only 2 are free" in str(refused.value.message_dict[f"used_{parts['top'].pk}"])
        row.refresh_from_db()
        assert (row.qty_produced, stock(parts["leg"])) == (0, 20)
        assert not Production.objects.exists()

    def test_reserved_stock_is_not_taken(self):
        row, parts = table(top=2)
        started(line("T-TOP", 2))
        with pytest.raises(ValidationError):
            report(row, 1)
        assert stock(parts["top"]) == 2

    def test_held_and_not_started(self):
        row, _parts = table()
        hold_order(row.order, reason="wait", actor=person("pm"))
        with pytest.raises(TransitionRefused, match="on hold"):
            report(row)

    def test_right(self):
        row, _parts = table()
        with pytest.raises(PermissionDenied):
            report(row, actor=person("sales"))


@pytest.mark.django_db
class TestEffects:
    def test_only_what_is_made_is_shipped(self):
        row, _parts = table()
        report(row, 1)
        order = Order.objects.get(pk=row.order_id)
        with pytest.raises(ValidationError, match="Only 1 are reported made"):
            ship_order(order, quantities={row.pk: D(2)}, key="two", actor=person("warehouse"))
        ship_order(order, quantities={row.pk: D(1)}, key="one", actor=person("warehouse"))
        row.refresh_from_db()
        assert row.qty_shipped == 1

    def test_needs_fall_with_what_is_made(self, on_commit):
        row, parts = table(quantity=3, top=2)
        plan_needs(row.order)
        with on_commit():
            report(row, 2)
        work_off()
        left = {one.product.sku: (one.required, one.missing) for one in MaterialNeed.objects.filter(order=row.order)}
        assert left == {"T-TOP": (1, 1), "T-LEG": (4, 0)}
        assert list(violations()) == []
        assert stock(parts["leg"]) == 12


@pytest.mark.django_db
class TestTakeBack:
    def test_works_and_the_second_time_is_refused(self):
        row, parts = table()
        made = report(row, 2, used={parts["leg"].pk: D(9)})
        back = take_back_production(made, reason="wrong order", actor=person("warehouse"))
        row.refresh_from_db()
        assert (row.qty_produced, stock(parts["top"]), stock(parts["leg"]), back.quantity) == (0, 2, 20, -2)
        with pytest.raises(TransitionRefused, match="already"):
            take_back_production(made, reason="again", actor=person("warehouse"))
        assert sum(use.quantity for use in MaterialUse.objects.all()) == 0
        assert list(violations()) == []

    def test_not_what_is_shipped(self):
        row, _parts = table()
        made = report(row, 2)
        ship_order(Order.objects.get(pk=row.order_id), quantities={row.pk: D(1)}, key="s", actor=person("warehouse"))
        with pytest.raises(TransitionRefused, match="shipped"):
            take_back_production(made, reason="no", actor=person("warehouse"))

    def test_the_database_keeps_reports(self):
        made = report(table()[0])
        for write in (Production.objects.all(), MaterialUse.objects.filter(production=made)):
            with pytest.raises(DatabaseError), transaction.atomic():
                write.update(quantity=7)
            with pytest.raises(DatabaseError), transaction.atomic():
                write._raw_delete(write.db)


@pytest.mark.django_db
class TestPages:
    def test_report_and_take_back(self, client_of, warehouse):
        row, parts = table()
        client, url = client_of(warehouse), reverse("fulfilment:made-action", args=[row.pk, "report_made"])
        page = client.get(url)
        assert "2 free; empty" in page.content.decode()
        sent = {"quantity": "1", "on": str(business_today()), "key": "page", f"used_{parts['leg'].pk}": "5"}
        assert client.post(url, sent | {f"used_{parts['top'].pk}": "9"}).status_code == 422
        assert client.post(url, sent).status_code == 302
        made = Production.objects.get()
        assert stock(parts["leg"]) == 15
        text = client.get(row.order.get_absolute_url()).content.decode()
        assert "bill of material: 4" in text
        url = reverse("fulfilment:production-action", args=[made.pk, "take_back"])
        assert client.post(url, {"reason": ""}).status_code == 422
        assert client.post(url, {"reason": "typed the wrong line"}).status_code == 302
        assert stock(parts["leg"]) == 20

    def test_who_may_not(self, client_of, sales, sales2, pm):
        row, _parts = table()
        url = reverse("fulfilment:made-action", args=[row.pk, "report_made"])
        assert client_of(sales).get(url).status_code == 403
        assert client_of(sales2).get(url).status_code == 404
        assert client_of(pm).get(url).status_code == 200


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_report_the_last_of_the_material_at_once():
    row, parts = table(quantity=2, top=1)
    barrier, results = Barrier(2), []

    def go(number):
        try:
            barrier.wait(10)
            report(row, 1, key=f"race-{number}")
            results.append("made")
        except ValidationError:
            results.append("short")
        finally:
            connections.close_all()

    threads = [Thread(target=go, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    row.refresh_from_db()
    assert sorted(results) == ["made", "short"]
    assert (row.qty_produced, stock(parts["top"])) == (1, 0)
    assert StockMovement.objects.filter(holder_kind="fulfilment.production").count() == 2


@pytest.mark.django_db
class TestShippedUnreported:
    """A line that is made here without a bill of material: what leaves was made, though nobody had said so."""

    def made(self):
        return list(Production.objects.values_list("quantity", "recorded_by__email"))

    def test_what_leaves_is_reported_made(self, client_of, warehouse):
        row = started(line(quantity=4, **MADE)).lines.get()
        report(row, 1)
        page = client_of(warehouse).get(f"/orders/{row.order.number}/do/ship/").content.decode()
        assert "4 open, 0 reserved, 1 reported made" in page
        ship_order(row.order, quantities={row.pk: D(3)}, key="s1", actor=warehouse)
        ship_order(row.order, quantities={row.pk: D(3)}, key="s1", actor=warehouse)
        row.refresh_from_db()
        assert (row.qty_produced, row.qty_shipped, row.qty_to_make) == (3, 3, 1)
        assert self.made() == [(2, warehouse.email), (1, warehouse.email)]
        assert list(Event.objects.filter(type="fulfilment.produced").order_by("pk").values_list("data__lines", flat=True)) == [
            "1 × 1", "1 × 2",
        ]  # fmt: skip
        assert list(violations()) == []

    def test_nothing_twice_where_it_was_reported(self, warehouse):
        row = started(line(quantity=4, **MADE)).lines.get()
        report(row, 4)
        ship_order(row.order, quantities={row.pk: D(4)}, key="s1", actor=warehouse)
        assert [quantity for quantity, _by in self.made()] == [4]

    def test_not_for_goods_from_stock_or_with_a_bill(self, warehouse):
        row, _parts = table(quantity=2)
        with pytest.raises(ValidationError):
            ship_order(row.order, quantities={row.pk: D(1)}, key="s1", actor=warehouse)
        stocked = started(line(quantity=1)).lines.get()
        ship_order(stocked.order, quantities={stocked.pk: D(1)}, key="s2", actor=warehouse)
        assert not Production.objects.exists()
