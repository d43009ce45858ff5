"""Receiving, adjusting, counting, and the second person who approves."""

from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction

from inventory.models import StockAdjustment, StockItem, StockMovement
from inventory.services import (
    Came,
    ReservationRequest,
    adjust_stock,
    approve_adjustment,
    count_stock,
    issue_reserved,
    open_stock,
    receive_stock,
    reject_adjustment,
    reserve,
    return_stock,
)
from ordermgmt.activity.models import Event
from ordermgmt.lib.fsm import TransitionRefused
from tests.factories.inventory import main_warehouse, make_product, person, put_stock, unit
from tests.factories.purchases import ordered, received

pytestmark = pytest.mark.django_db


@pytest.fixture
def product():
    made = make_product()
    put_stock(made, 100)
    return made


def on_hand(product):
    return StockItem.objects.get(product=product).on_hand


def adjust(product, quantity, actor, key="k", reason="found"):
    return adjust_stock(product, main_warehouse(), Decimal(quantity), reason=reason, key=key, actor=actor)


class TestReceive:
    def test_works_once_per_key(self, warehouse, product):
        for _time in range(2):
            receive_stock(product, main_warehouse(), Decimal(5), key="note 7", actor=warehouse, reason="note 7")
        assert on_hand(product) == 105
        assert (
            Event.objects.filter(type="inventory.stock_received", data__key=f"form:receive:{product.pk}:note 7").count()
            == 1
        )

    def test_a_forms_key_names_nothing_else(self, warehouse, product):
        """Whatever stands in the hidden field: it is not what a shipment, a purchase or a correction is booked under."""
        waiting = adjust(product, -50, warehouse, reason="lost")
        first, second = ordered(5), ordered(5)
        receipt, row = received(first, Came(Decimal(1))), second.lines.get()
        for key in (f"adjustment:{waiting.pk}", f"receipt:{receipt.pk + 1}:{row.pk}", "DN-2026-00042:1"):
            receive_stock(product, main_warehouse(), Decimal(1), key=key, actor=warehouse)
        approve_adjustment(waiting, actor=person("manager"))
        assert received(second, Came(Decimal(4))).pk == receipt.pk + 1
        assert on_hand(row.product) == 4
        reserve([ReservationRequest(product, Decimal(2), "test", 1)], actor=warehouse)
        issue_reserved("test", 1, Decimal(2), key="DN-2026-00042:1", actor=warehouse)
        assert on_hand(product) == 100 - 50 + 3 - 2

    def test_one_key_for_two_products(self, warehouse, product):
        other = make_product()
        for one in (product, other):
            receive_stock(one, main_warehouse(), Decimal(1), key="same", actor=warehouse)
            adjust(one, 1, warehouse, key="same")
        assert (on_hand(product), on_hand(other)) == (102, 2)

    def test_needs_right_and_a_stocked_product(self, sales, warehouse, product):
        with pytest.raises(PermissionDenied):
            receive_stock(product, main_warehouse(), Decimal(5), key="a", actor=sales)
        service = make_product(kind="service")
        for bad in (Decimal(0), Decimal(-1), Decimal("0.5")):
            with pytest.raises(ValidationError):
                receive_stock(product, main_warehouse(), bad, key="b", actor=warehouse)
        with pytest.raises(ValidationError):
            receive_stock(service, main_warehouse(), Decimal(1), key="c", actor=warehouse)

    def test_opening_and_return(self, admin, sales, warehouse, product):
        open_stock(product, main_warehouse(), Decimal(1), key="o", actor=admin)
        return_stock(product, main_warehouse(), Decimal(2), key="r", actor=warehouse)
        return_stock(product, main_warehouse(), Decimal(2), key="r", actor=warehouse)
        assert on_hand(product) == 103
        with pytest.raises(PermissionDenied):
            open_stock(product, main_warehouse(), Decimal(1), key="p", actor=sales)

    def test_page(self, client_of, warehouse, product):
        client = client_of(warehouse)
        address = f"/inventory/products/{product.sku}/do/receive/"
        data = {"warehouse": main_warehouse().pk, "quantity": "7", "reason": "note 8", "key": "form-1"}
        assert client.get(address).status_code == 200
        assert on_hand(product) == 100
        for _time in range(2):
            assert client.post(address, data).status_code == 302
        assert on_hand(product) == 107
        assert client.post(address, data | {"quantity": "1.5", "key": "x"}).status_code == 422
        assert client.post(address, data | {"quantity": "many"}).status_code == 422

    @pytest.mark.parametrize("verb", ["receive", "adjust"])
    def test_what_has_no_shelf_is_refused_with_a_sentence(self, client_of, warehouse, verb):
        data = {"warehouse": main_warehouse().pk, "quantity": "7", "reason": "found", "key": "form-1"}
        page = client_of(warehouse).post(f"/inventory/products/SVC-1/do/{verb}/", data)
        assert page.status_code == 422
        assert page.context["form"].non_field_errors() == ["SVC-1 is not kept in stock."]


class TestAdjust:
    def test_within_the_limit_at_once_and_once(self, warehouse, product):
        once, again = adjust(product, -3, warehouse), adjust(product, -3, warehouse)
        assert (once, once.state, on_hand(product)) == (again, "applied", 97)
        assert StockMovement.objects.filter(kind="adjustment").count() == 1

    def test_limits_add_up(self, warehouse, warehouse2, product):
        assert adjust(product, 6, warehouse, "a").state == "applied"
        assert adjust(product, -5, warehouse, "b").state == "pending"
        assert adjust(product, -5, warehouse2, "c").state == "applied"
        assert on_hand(product) == 101

    def test_who_shipped_it_does_not_adjust_it_alone(self, warehouse, product):
        reserve([ReservationRequest(product, Decimal(1), "t.h", 1)], actor=warehouse)
        issue_reserved("t.h", 1, Decimal(1), key="DN", actor=warehouse)
        assert adjust(product, 1, warehouse).state == "pending"

    def test_what_is_reserved_can_not_vanish(self, warehouse, product):
        reserve([ReservationRequest(product, Decimal(95), "t.h", 1)], actor=warehouse)
        with pytest.raises(ValidationError, match="free"):
            adjust(product, -6, warehouse)
        assert not StockAdjustment.objects.exists()

    def test_needs_the_right(self, sales, manager, product):
        for actor in (sales, manager):
            with pytest.raises(PermissionDenied):
                adjust(product, 1, actor)


class TestDecide:
    def test_approve_by_a_manager_once(self, warehouse, manager, product):
        waiting = adjust(product, -50, warehouse)
        assert (waiting.state, on_hand(product)) == ("pending", 100)
        approve_adjustment(waiting, actor=manager, note="seen")
        assert on_hand(product) == 50
        for verb in (approve_adjustment, reject_adjustment):
            with pytest.raises(TransitionRefused):
                verb(waiting, actor=manager)
        assert on_hand(product) == 50

    def test_reject_leaves_the_stock(self, warehouse, manager, product):
        waiting = reject_adjustment(adjust(product, -50, warehouse), actor=manager, note="count again")
        assert (waiting.state, on_hand(product)) == ("rejected", 100)

    def test_p18_never_by_who_asked(self, warehouse, manager, product):
        from ordermgmt.accounts.models import RoleAssignment, User

        RoleAssignment.objects.create(user=warehouse, role="manager")
        both = User.objects.get(pk=warehouse.pk)
        waiting = adjust(product, -50, both)
        for verb in (approve_adjustment, reject_adjustment):
            with pytest.raises(TransitionRefused, match="somebody else"):
                verb(waiting, actor=both)

    def test_nobody_without_the_right(self, warehouse, warehouse2, finance, product):
        waiting = adjust(product, -50, warehouse)
        for actor in (warehouse2, finance):
            with pytest.raises(PermissionDenied):
                approve_adjustment(waiting, actor=actor)

    def test_not_when_it_was_reserved_meanwhile(self, warehouse, manager, product):
        waiting = adjust(product, -50, warehouse)
        reserve([ReservationRequest(product, Decimal(80), "t.h", 1)], actor=warehouse)
        with pytest.raises(TransitionRefused, match="reserved meanwhile"):
            approve_adjustment(waiting, actor=manager)
        assert (StockAdjustment.objects.get(pk=waiting.pk).state, on_hand(product)) == ("pending", 100)

    def test_the_database_holds_the_steps(self, warehouse, product):
        applied = adjust(product, 1, warehouse)
        with pytest.raises(IntegrityError), transaction.atomic():
            StockAdjustment.objects.filter(pk=applied.pk).update(state="pending")

    def test_pages_and_p14_bulk(self, client_of, warehouse, manager, product):
        rows = [adjust(product, -20, warehouse, f"bulk {place}") for place in range(3)]
        client = client_of(manager)
        assert client.get(f"/inventory/adjustments/{rows[0].pk}/do/approve/").status_code == 200
        assert product.sku in client.get("/").content.decode()
        assert client.post(f"/inventory/adjustments/{rows[0].pk}/do/approve/", {"note": ""}).status_code == 302
        chosen = {"action": "approve", "selected": [row.pk for row in rows], "confirmed": "1", "note": "all"}
        page = client.post("/inventory/adjustments/", chosen)
        assert page.status_code == 200
        assert on_hand(product) == 40  # the first was done before, the others once each
        assert StockAdjustment.objects.filter(state="applied").count() == 3
        assert client_of(warehouse).post(f"/inventory/adjustments/{rows[1].pk}/do/reject/").status_code == 403


class TestCount:
    def count(self, product, counted, actor, key="c", seen=None):
        seen = None if seen is None else Decimal(seen)
        return count_stock(product, main_warehouse(), Decimal(counted), seen=seen, key=key, actor=actor)

    def test_difference_becomes_a_correction(self, warehouse, product):
        counted = self.count(product, 98, warehouse, seen=100)
        assert (counted.difference, counted.adjustment.state, on_hand(product)) == (-2, "applied", 98)
        again = self.count(product, 98, warehouse, seen=100)
        assert again.adjustment == counted.adjustment
        assert on_hand(product) == 98

    def test_as_in_the_books(self, warehouse, product):
        assert self.count(product, 100, warehouse).adjustment is None
        assert StockItem.objects.get(product=product).counted_at

    def test_stock_that_moved_meanwhile_is_counted_again(self, warehouse, product):
        with pytest.raises(ValidationError, match="Count again"):
            self.count(product, 98, warehouse, seen=99)

    def test_big_difference_waits(self, warehouse, product):
        assert self.count(product, 20, warehouse).adjustment.state == "pending"
        assert on_hand(product) == 100

    def test_sheet_reports_each_row(self, client_of, warehouse, product):
        other = make_product()
        put_stock(other, 10)
        first, second = StockItem.objects.get(product=product), StockItem.objects.get(product=other)
        client = client_of(warehouse)
        address = f"/inventory/warehouses/{main_warehouse().code}/count/"
        data = {
            "key": "sheet", f"counted_{first.pk}": "99", f"seen_{first.pk}": "100", f"counted_{second.pk}": "many",
            f"seen_{second.pk}": "10",
        }  # fmt: skip
        response = client.post(address, data)
        assert response.status_code == 422
        page = response.content.decode()
        assert "many" in page
        assert "Enter a number" in page
        assert on_hand(product) == 99
        response = client.post(address, data | {f"counted_{second.pk}": "10"})
        assert response.status_code == 302
        assert on_hand(product) == 99

    @pytest.mark.parametrize(
        ("typed", "booked"), [("1,000", 1000), ("1,234,567", 1234567), ("1,000.5", "1000.5"), ("1,5", "1.5"), ("7", 7)]
    )
    @pytest.mark.parametrize("language", ["en", "zh-hans"])
    def test_a_number_is_read_as_the_sheet_shows_it(self, client_of, warehouse, typed, booked, language):
        warehouse.language = language
        warehouse.save()
        item = put_stock(make_product(unit=unit("kg")), 3)
        row = StockItem.objects.get(pk=item.pk)
        address = f"/inventory/warehouses/{main_warehouse().code}/count/"
        data = {f"counted_{row.pk}": typed, f"seen_{row.pk}": "3.000000", "key": "k"}
        assert client_of(warehouse).post(address, data).status_code == 302
        assert StockAdjustment.objects.get(stock_item=row).quantity == Decimal(booked) - 3

    @pytest.mark.parametrize("typed", ["1,00,000", "1,0000,000", "1.2.3", "²", "1e3", "NaN", "1,5,5", "999999999999"])
    def test_what_is_no_number_books_nothing(self, client_of, warehouse, typed):
        row = put_stock(make_product(unit=unit("kg")), 3)
        address = f"/inventory/warehouses/{main_warehouse().code}/count/"
        assert client_of(warehouse).post(address, {f"counted_{row.pk}": typed, "key": "k"}).status_code == 422
        assert not StockAdjustment.objects.exists()
