"""Reserving, releasing and shipping stock: overselling is impossible (S1-S6, P01-P03)."""

import os
import subprocess
import sys
from decimal import Decimal
from threading import Barrier, Thread

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, connections, transaction
from django.db.models import F, Sum

from inventory.models import Reservation, StockItem, StockMovement, Warehouse
from inventory.services import (
    InsufficientStock,
    ReservationRequest,
    free_quantities,
    free_quantity,
    issue_reserved,
    ledger,
    release,
    release_quantity,
    reserve,
    reserved_quantities,
)
from tests.factories.inventory import make_product, person, put_stock

HOLDER = "orders.orderline"


def ask(product, quantity, holder=1):
    return ReservationRequest(product, Decimal(quantity), HOLDER, holder)


def row(product):
    return StockItem.objects.filter(product=product).values_list("on_hand", "reserved", "free").get()


@pytest.mark.django_db
class TestReserve:
    def test_takes_from_what_is_free(self, warehouse):
        product = make_product()
        put_stock(product, 10)
        reserve([ask(product, 4)], actor=warehouse)
        assert row(product) == (10, 4, 6)
        assert free_quantity(product) == 6
        assert reserved_quantities(HOLDER, [1, 2]) == {1: 4}
        assert Reservation.objects.get(holder_id=1).quantity == 4

    def test_adds_to_what_the_holder_has(self, warehouse):
        product = make_product()
        put_stock(product, 10)
        reserve([ask(product, 4)], actor=warehouse)
        reserve([ask(product, 3)], actor=warehouse)
        assert Reservation.objects.get(holder_id=1).quantity == 7

    def test_more_than_free_is_refused_and_named(self, warehouse):
        product, other = make_product(), make_product()
        put_stock(product, 10)
        put_stock(other, 10)
        with pytest.raises(InsufficientStock) as refused:
            reserve([ask(other, 5), ask(product, 11, 2)], actor=warehouse)
        (short,) = refused.value.shortages
        assert (short.product, short.wanted, short.free) == (product, 11, 10)
        assert product.sku in str(refused.value)
        assert row(other) == (10, 0, 10)

    def test_p02_two_lines_of_one_product_are_one_unit(self, warehouse):
        product = make_product()
        put_stock(product, 10)
        with pytest.raises(InsufficientStock) as refused:
            reserve([ask(product, 6, 1), ask(product, 6, 2)], actor=warehouse)
        assert refused.value.shortages[0].wanted == 12
        assert row(product) == (10, 0, 10)
        assert not Reservation.objects.exists()

    def test_fractions_are_exact_on_every_database(self, warehouse):
        from tests.factories.inventory import unit

        product = make_product(unit=unit("kg"))
        put_stock(product, Decimal("0.3"))
        for _round in range(3):
            reserve([ask(product, "0.1")], actor=warehouse)
        assert row(product) == (Decimal("0.3"), Decimal("0.3"), 0)

    def test_whole_units_only(self, warehouse):
        product = make_product()
        put_stock(product, 10)
        with pytest.raises(ValidationError):
            reserve([ask(product, "1.5")], actor=warehouse)
        with pytest.raises(ValidationError):
            reserve([ask(product, 0)], actor=warehouse)
        with pytest.raises(ValidationError):
            reserve([ask(product, 10**10)], actor=warehouse)

    def test_one_warehouse_that_has_it_all_goes_before_several(self, warehouse):
        product = make_product()
        second = Warehouse.objects.create(code="W2", name="Second")
        put_stock(product, 3)
        put_stock(product, 5, second)
        reserve([ask(product, 4)], actor=warehouse)
        assert Reservation.objects.get().stock_item.warehouse == second
        reserve([ask(product, 4, 2)], actor=warehouse)
        assert free_quantities([product.pk]) == {product.pk: 0}
        assert Reservation.objects.filter(holder_id=2).aggregate(total=Sum("quantity"))["total"] == 4

    def test_a_closed_warehouse_gives_nothing(self, warehouse):
        product = make_product()
        second = Warehouse.objects.create(code="W2", name="Second")
        put_stock(product, 5, second)
        Warehouse.objects.filter(pk=second.pk).update(is_active=False)
        with pytest.raises(InsufficientStock):
            reserve([ask(product, 1)], actor=warehouse)

    def test_nothing_asked_does_nothing(self, warehouse):
        reserve([], actor=warehouse)

    def test_same_number_of_queries_for_many_lines(self, warehouse, django_assert_num_queries):
        products = [make_product() for _place in range(20)]
        for product in products:
            put_stock(product, 10)
        with django_assert_num_queries(8):
            reserve([ask(product, 1, place) for place, product in enumerate(products, 1)], actor=warehouse)


@pytest.mark.django_db
class TestRelease:
    def test_p03_release_once(self, warehouse):
        product = make_product()
        put_stock(product, 10)
        reserve([ask(product, 4)], actor=warehouse)
        assert release(HOLDER, [1], actor=warehouse) == 4
        assert release(HOLDER, [1], actor=warehouse) == 0
        assert row(product) == (10, 0, 10)
        released = StockMovement.objects.filter(stock_item__product=product, kind="release")
        assert [move.reserved_change for move in released] == [-4]

    def test_a_part(self, warehouse):
        product = make_product()
        put_stock(product, 10)
        reserve([ask(product, 4)], actor=warehouse)
        release_quantity(HOLDER, 1, Decimal(1), actor=warehouse)
        release_quantity(HOLDER, 1, Decimal(0), actor=warehouse)
        assert row(product) == (10, 3, 7)
        with pytest.raises(InsufficientStock):
            release_quantity(HOLDER, 1, Decimal(4), actor=warehouse)
        assert row(product) == (10, 3, 7)


@pytest.mark.django_db
class TestIssue:
    def test_on_hand_and_reserved_fall_together_once_per_key(self, warehouse):
        product = make_product()
        put_stock(product, 10)
        reserve([ask(product, 4)], actor=warehouse)
        for _time in range(2):
            issue_reserved(HOLDER, 1, Decimal(3), key="DN-1:1", actor=warehouse)
        assert row(product) == (7, 1, 6)
        assert Reservation.objects.get().quantity == 1
        issue_reserved(HOLDER, 1, Decimal(1), key="DN-2:1", actor=warehouse)
        assert not Reservation.objects.exists()

    def test_never_more_than_the_holder_has_reserved(self, warehouse):
        product = make_product()
        put_stock(product, 10)
        reserve([ask(product, 4), ask(product, 4, 2)], actor=warehouse)
        with pytest.raises(InsufficientStock):
            issue_reserved(HOLDER, 1, Decimal(5), key="DN-1:1", actor=warehouse)
        assert row(product) == (10, 8, 2)

    def test_from_two_warehouses(self, warehouse):
        product = make_product()
        put_stock(product, 3)
        put_stock(product, 3, Warehouse.objects.create(code="W2", name="Second"))
        reserve([ask(product, 5)], actor=warehouse)
        issue_reserved(HOLDER, 1, Decimal(5), key="DN-1:1", actor=warehouse)
        keys = StockMovement.objects.filter(kind="issue").values_list("key", flat=True)
        assert set(keys) == {"DN-1:1", "DN-1:1/2"}


@pytest.mark.django_db
class TestTheDatabaseHoldsIt:
    def test_reserved_never_exceeds_on_hand(self):
        product = make_product()
        put_stock(product, 10)
        items = StockItem.objects.filter(product=product)
        for change in ({"reserved": 11}, {"on_hand": -1}, {"reserved": -1}):
            with pytest.raises(IntegrityError), transaction.atomic():
                items.update(**change)

    def test_movements_are_append_only_with_a_unique_key(self):
        product = make_product()
        item = put_stock(product, 10)
        moves = StockMovement.objects.filter(stock_item=item)
        with pytest.raises(IntegrityError), transaction.atomic():
            moves.update(quantity=5)
        with pytest.raises(IntegrityError), transaction.atomic():
            moves.delete()
        with pytest.raises(IntegrityError), transaction.atomic():
            StockMovement.objects.create(
                stock_item=item, kind="receipt", quantity=1, key=moves.get().key, actor=person("warehouse")
            )


def naive_shift(on_hand, reserved):
    """What the conditional UPDATE replaces: a check, then a write that trusts it."""
    for pk, change in reserved.items():
        StockItem.objects.filter(pk=pk).update(reserved=F("reserved") + change)
    return len(on_hand)


def race(product, actor, threads=16):
    """16 people each ask for 1 of 10 at the same moment; returns how many got it."""
    barrier, won = Barrier(threads), []

    def run(holder):
        try:
            barrier.wait()
            reserve([ask(product, 1, holder)], actor=actor)
            won.append(holder)
        except InsufficientStock:
            pass
        finally:
            connections.close_all()

    people = [Thread(target=run, args=(holder,)) for holder in range(1, threads + 1)]
    for one in people:
        one.start()
    for one in people:
        one.join()
    return len(won)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_p01_oversell_sixteen_threads_race_for_ten():
    actor = person("warehouse")
    for _round in range(30):
        product = make_product()
        put_stock(product, 10)
        assert race(product, actor) == 10
        assert row(product) == (10, 10, 0)
        assert Reservation.objects.filter(stock_item__product=product).count() == 10


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_p01_positive_control_oversells_without_the_lock(monkeypatch):
    """Without lock, conditional UPDATE and check constraint the same race must oversell, else P01 proves nothing."""
    table, name = StockItem._meta.db_table, "stock_reserved_at_most_on_hand"
    monkeypatch.setattr(ledger, "_shift", naive_shift)
    monkeypatch.setattr(
        type(StockItem.objects.all()),
        "locked",
        lambda self, ids: list(self.filter(product_id__in=ids).order_by("product_id", "warehouse_id")),
    )
    monkeypatch.setattr(
        type(StockItem.objects),
        "locked",
        lambda self, ids: list(self.filter(product_id__in=ids).order_by("product_id", "warehouse_id")),
    )
    actor, oversold = person("warehouse"), 0
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    try:
        for _round in range(30):
            product = make_product()
            StockItem.objects.create(product=product, warehouse=Warehouse.objects.get(is_default=True), on_hand=10)
            oversold += race(product, actor) > 10
    finally:
        Reservation.objects.all().delete()
        StockItem.objects.filter(reserved__gt=F("on_hand")).update(reserved=0)
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK (reserved <= on_hand)")
    assert oversold >= 1


SQLITE_RACE = """
import django; django.setup()
from tests import cast; cast.seed()
from tests.factories.inventory import make_product, person, put_stock
from tests.inventory.test_reserve import race, row
for _round in range(5):
    product = make_product(); put_stock(product, 10)
    assert race(product, person("warehouse")) == 10, "oversold or lost"
    assert row(product) == (10, 10, 0), row(product)
print("held")
"""


@pytest.mark.django_db
@pytest.mark.skipif(bool(os.environ.get("TEST_DATABASE_URL")), reason="is about SQLite")
def test_p01_on_a_sqlite_file(another_database, tmp_path):
    """The same race on the embedded default: a file on the disk, as it is delivered."""
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "ordermgmt.settings", "VAR_DIR": str(tmp_path)}
    env |= {"DATABASE_URL": another_database(), "REDIS_URL": ""}
    run = subprocess.run([sys.executable, "-c", SQLITE_RACE], env=env, capture_output=True, text=True, timeout=120)
    assert run.stdout.strip().endswith("held"), run.stderr
