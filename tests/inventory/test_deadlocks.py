"""Work that meets at the same rows in another order waits, and is never thrown out by PostgreSQL as a deadlock.

Each test holds one side still where it has its first lock, so that one round shows what otherwise needs luck.
"""

from collections.abc import Callable
from decimal import Decimal
from threading import Event, Thread
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, connections, transaction

from fulfilment.models import Rectification
from fulfilment.services import ReturnedPart, complete_rectification, return_goods, returning, start_rectification
from fulfilment.services.netting import one_at_a_time
from inventory.models import PurchaseOrder, Warehouse
from inventory.services import (
    Came,
    ReservationRequest,
    draft_purchase,
    moving,
    purchase_shortages,
    receive_purchase,
    receiving,
    reserve,
    return_purchase,
    save_bom_line,
    save_setup,
)
from tests.factories.fulfilment import examine, fresh, ship
from tests.factories.inventory import make_product, person, put_stock
from tests.factories.orders import line, started
from tests.factories.purchases import offers, received, supplier
from tests.fulfilment.test_return import SOON

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
D = Decimal
#: Long enough that the other side has come to its lock.
PAUSE = 0.5
#: As long as a side waits for a sign of the other on a machine that is busy.
PATIENCE = 60


def together(*deeds: Callable[[], object]) -> list[str]:
    """Runs all at once; gives each one's fault, "" where there was none."""
    faults = [""] * len(deeds)

    def run(place: int, deed: Callable[[], object]) -> None:
        try:
            deed()
        except DatabaseError as error:
            faults[place] = str(error).splitlines()[0]
        finally:
            connections.close_all()

    threads = [Thread(target=run, args=one) for one in enumerate(deeds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return faults


def pausing(monkeypatch: pytest.MonkeyPatch, module: object, name: str) -> Event:
    """The function of the module stops for a moment once it has run first; gives the sign that it has."""
    there, real = Event(), getattr(module, name)

    def slow(*given: object, **named: object) -> object:
        result = real(*given, **named)
        if not there.is_set():
            there.set()
            Event().wait(PAUSE)
        return result

    monkeypatch.setattr(module, name, slow)
    return there


def against_products() -> PurchaseOrder:
    """With the supplier, its lines against the order of the products."""
    from inventory.services import order_purchase

    first, second = make_product(), make_product()
    for product in (first, second):
        put_stock(product, 10)
    rows = [{"product": product, "quantity": D(4), "unit_price": D(1)} for product in (second, first)]
    order = draft_purchase(supplier(), lines=rows, actor=person("pm"))
    return order_purchase(order, actor=person("pm"))


def reserve_all(order: PurchaseOrder) -> None:
    products = [line.product for line in order.lines.select_related("product__unit") if line.product]
    reserve([ReservationRequest(one, D(1), "test", one.pk) for one in products], actor=person("warehouse"))


def test_a_receipt_meets_a_reservation(monkeypatch: pytest.MonkeyPatch) -> None:
    order, actor = against_products(), person("warehouse")
    came = {row.pk: Came(D(1)) for row in order.lines.all()}
    there = pausing(monkeypatch, moving, "book")

    def promise() -> None:
        there.wait(PATIENCE)
        reserve_all(order)

    assert together(lambda: receive_purchase(order, came=came, key=uuid4().hex, actor=actor), promise) == ["", ""]


def test_goods_sent_back_meet_a_reservation(monkeypatch: pytest.MonkeyPatch) -> None:
    order, actor = against_products(), person("warehouse")
    received(order, Came(D(4)), Came(D(4)))
    back = {row.pk: D(1) for row in order.lines.all()}
    there = pausing(monkeypatch, receiving, "book")

    def promise() -> None:
        there.wait(PATIENCE)
        reserve_all(order)

    deeds = lambda: return_purchase(order, quantities=back, reason="bent", key=uuid4().hex, actor=actor), promise
    assert together(*deeds) == ["", ""]


def test_a_receipt_takes_its_number_when_it_has_the_stock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for stock keeps nobody from a receipt of other goods."""
    order, other, actor = against_products(), against_products(), person("warehouse")
    held, done = Event(), Event()

    def hold() -> None:
        with transaction.atomic():
            reserve_all(order)
            held.set()
            done.wait(PATIENCE)

    def receive(one: PurchaseOrder) -> None:
        came = {row.pk: Came(D(1)) for row in one.lines.all()}
        receive_purchase(one, came=came, key=uuid4().hex, actor=actor)

    def second() -> None:
        held.wait(PATIENCE)
        Event().wait(PAUSE)
        try:
            with transaction.atomic():
                _impatient()
                receive(other)
        finally:
            done.set()

    def first() -> None:
        held.wait(PATIENCE)
        receive(order)

    assert together(hold, first, second) == ["", "", ""]


def test_an_exchange_meets_a_return(monkeypatch: pytest.MonkeyPatch) -> None:
    put_stock(line()["product"], 20)
    task, order = _to_replace(), started(line(quantity=4))
    ship(order)
    order, actor = fresh(order), person("warehouse")
    there = pausing(monkeypatch, returning, "issue_all")

    def take_back() -> None:
        there.wait(PATIENCE)
        parts = [ReturnedPart(order.order_lines[0].pk, "restock", D(1))]
        return_goods(order, parts=parts, reason="too many", key=uuid4().hex, actor=actor)

    done = lambda: complete_rectification(task, result="sent", faulty="restock", actor=person("pm"))  # noqa: E731
    assert together(done, take_back) == ["", ""]


def _to_replace() -> Rectification:
    order = started(line(quantity=4))
    ship(order)
    examine(fresh(order), 1)
    task, pm = Rectification.objects.get(order=order), person("pm")
    return start_rectification(task, remedy="replace", owner=pm, due=SOON, actor=pm)


def test_shortages_meet_a_draft() -> None:
    product, who, actor = make_product(), supplier(), person("pm")
    offers(who, product, 8)
    row = {"product": product, "quantity": D(1)}
    drafted, locked = Event(), Event()

    def draft() -> None:
        with transaction.atomic():
            draft_purchase(who, lines=[row], actor=actor)
            drafted.set()
            locked.wait(PATIENCE)
            Event().wait(PAUSE)

    def missing() -> dict[int, Decimal]:
        drafted.wait(PATIENCE)
        locked.set()
        return {product.pk: D(3)}

    assert together(draft, lambda: purchase_shortages(missing, actor=actor)) == ["", ""]
    assert PurchaseOrder.objects.count() == 2


def test_whoever_changes_a_bill_keeps_nobody_from_ordering_the_product() -> None:
    product, part, actor = make_product(), make_product(), person("pm")
    row = {"product": product, "quantity": D(1), "unit_price": D(1)}
    who, changed, done = supplier(), Event(), Event()

    def change() -> None:
        with transaction.atomic():
            save_bom_line(product, component=part, quantity=D(1), actor=person("pm"))
            changed.set()
            done.wait(PATIENCE)

    def draft() -> None:
        changed.wait(PATIENCE)
        try:
            with transaction.atomic():
                _impatient()
                draft_purchase(who, lines=[row], actor=actor)
        finally:
            done.set()

    assert together(change, draft) == ["", ""]


def test_one_at_a_time_while_the_default_warehouse_changes() -> None:
    """Whoever waits while another warehouse becomes the default has the lock afterwards, not an empty hand."""
    changing, waits, has, done = Event(), Event(), Event(), Event()

    def change() -> None:
        with transaction.atomic():
            save_setup(Warehouse(code="W9", name="Ninth", is_default=True), actor=person("manager"))
            changing.set()
            waits.wait(PATIENCE)
            Event().wait(PAUSE)

    def share() -> None:
        changing.wait(PATIENCE)
        waits.set()
        with transaction.atomic():
            one_at_a_time()
            has.set()
            done.wait(PATIENCE)

    def next_one() -> None:
        has.wait(PATIENCE)
        try:
            with transaction.atomic():
                _impatient("100ms")
                one_at_a_time()
        finally:
            done.set()

    faults = together(change, share, next_one)
    assert faults[:2] == ["", ""]
    assert "lock timeout" in faults[2]


def _impatient(time: str = "5s") -> None:
    """Whoever has to wait here is thrown out."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{time}'")
