"""Two people at once, on PostgreSQL: apply against apply, shipping, issuing, cancelling; approve against an edit.

Each has a positive control: with the locks taken out the same race reaches rules that only the database still holds, or
leaves rows that contradict each other. `RACE_ROUNDS` asks for more rounds (100 before a release).
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from threading import Barrier, Thread
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connections

from billing.services import draft_invoice, issue_invoice
from changes.models import ChangeRequest, ChangeRequestQuerySet
from changes.services import apply_change, approve_change
from fulfilment.services import ship_order
from ordermgmt.lib.conflict import StaleVersion
from ordermgmt.lib.fsm import TransitionRefused
from ordermgmt.lib.invariants import violations
from orders.models import Order, OrderAmendment, OrderQuerySet
from orders.services import cancel_order, hold_order
from tests.factories.changes import approved, assessed, fresh, more
from tests.factories.inventory import main_warehouse
from tests.factories.orders import line, person, placed, started

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
ROUNDS = int(os.environ.get("RACE_ROUNDS", "4"))
REFUSED = (TransitionRefused, ValidationError)


def race(*deeds: Callable[[], Any]) -> list[str]:
    """What became of each deed: "done", "refused", or the name of the database's own refusal."""
    barrier, found = Barrier(len(deeds)), [""] * len(deeds)

    def run(place: int) -> None:
        try:
            barrier.wait()
            deeds[place]()
            found[place] = "done"
        except REFUSED:
            found[place] = "refused"
        except (DatabaseError, StaleVersion) as error:
            found[place] = type(error).__name__
        finally:
            connections.close_all()

    threads = [Thread(target=run, args=(place,)) for place in range(len(deeds))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


@contextmanager
def no_locks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The locks of order and request taken out, and a moment to think after each reading."""

    def order(self: Any, pk: int) -> Order:
        row = self.select_related("customer").get(pk=pk)
        time.sleep(0.03)
        return row

    def request(self: Any, pk: int) -> ChangeRequest:
        row = self.get(pk=pk)
        time.sleep(0.03)
        return row

    with monkeypatch.context() as patch:
        patch.setattr(OrderQuerySet, "locked", order)
        patch.setattr(ChangeRequestQuerySet, "locked", request)
        yield


def now(order: Order) -> Order:
    return Order.objects.get(pk=order.pk)


def stocked() -> None:
    from uuid import uuid4

    from inventory.services import receive_stock

    product = line()["product"]
    receive_stock(product, main_warehouse(), Decimal(1000), key=uuid4().hex, actor=person("warehouse"))


def sound() -> None:
    assert [str(one) for one in violations(["C1", "C2", "C3", "C4", "S1", "S2", "S4", "M1", "M3", "T1", "T2"])] == []


def twice(order: Order) -> tuple[Callable[[], Any], Callable[[], Any], ChangeRequest]:
    change = approved(order, more(order, 3))
    return (
        (lambda: apply_change(change, actor=person("pm"))),
        (lambda: apply_change(change, actor=person("pm2"))),
        change,
    )


def shipping(order: Order) -> tuple[Callable[[], Any], Callable[[], Any], ChangeRequest]:
    change, pk = approved(order, more(order, 3)), order.order_lines[0].pk
    return (
        lambda: apply_change(change, actor=person("pm")),
        lambda: ship_order(order, quantities={pk: Decimal(5)}, key=f"race{pk}", actor=person("warehouse")),
        change,
    )


def test_apply_against_apply(monkeypatch: pytest.MonkeyPatch) -> None:
    stocked()
    for _round in range(ROUNDS):
        order = started(line(quantity=5), line("SKU-1", 90, supply="make"))
        one, two, change = twice(order)
        assert sorted(race(one, two)) == ["done", "refused"]
        assert OrderAmendment.objects.filter(order=order).count() == 1
        assert (now(order).order_lines[0].quantity, fresh(change).state) == (3, "applied")
    sound()
    bad = 0
    for _round in range(3):
        order = started(line(quantity=5), line("SKU-1", 90, supply="make"))
        one, two, _change = twice(order)
        with no_locks(monkeypatch):
            bad += sorted(race(one, two)) != ["done", "refused"]
    assert bad, "without the lock nothing collided: the test is void"


def test_apply_against_ship(monkeypatch: pytest.MonkeyPatch) -> None:
    stocked()
    for _round in range(ROUNDS):
        order = started(line(quantity=5), line("SKU-1", 90, supply="make"))
        one, two, change = shipping(order)
        assert sorted(race(one, two)) == ["done", "refused"]
        row = now(order).order_lines[0]
        assert (row.quantity, row.qty_shipped) in {(3, 0), (5, 5)}
        # what was shipped leaves no room for the request: it waits to be taken back
        assert fresh(change).state == ("applied" if row.quantity == 3 else "approved")
    sound()
    bad = 0
    for _round in range(3):
        order = started(line(quantity=5), line("SKU-1", 90, supply="make"))
        one, two, _change = shipping(order)
        with no_locks(monkeypatch):
            bad += sorted(race(one, two)) != ["done", "refused"]
    assert bad, "without the lock nothing collided: the test is void"


def issuing(order: Order) -> tuple[Callable[[], Any], Callable[[], Any]]:
    draft = draft_invoice(now(order), actor=person("finance"))
    change = approved(now(order), more(order, 7))
    return (lambda: apply_change(change, actor=person("pm"))), (lambda: issue_invoice(draft, actor=person("finance2")))


def test_apply_against_issue(monkeypatch: pytest.MonkeyPatch) -> None:
    for _round in range(ROUNDS):
        order = placed(line(quantity=5, supply="make"), line("SKU-1", 90, supply="make"))
        one, two = issuing(order)
        found = race(one, two)
        assert "done" in found
        assert set(found) <= {"done", "refused"}
        after = now(order)
        if found == ["done", "done"]:
            assert after.invoiced_total == after.gross_total
        else:
            assert after.order_lines[0].quantity == (7 if found[0] == "done" else 5)
    sound()
    bad = 0
    for _round in range(3):
        order = placed(line(quantity=5, supply="make"), line("SKU-1", 90, supply="make"))
        one, two = issuing(order)
        with no_locks(monkeypatch):
            found = race(one, two)
        after = now(order)
        bad += not set(found) <= {"done", "refused"}
        bad += found == ["done", "done"] and after.invoiced_total != after.gross_total
        bad += "done" in found and after.order_lines[0].quantity != (7 if found[0] == "done" else 5)
    assert bad, "without the lock nothing collided: the test is void"


def test_apply_against_cancel(monkeypatch: pytest.MonkeyPatch) -> None:
    stocked()
    for _round in range(ROUNDS):
        order = placed(line(quantity=5, supply="stock"), line("SKU-1", 90, supply="make"))
        change = approved(order, more(order, 7))
        found = race(
            lambda order=order: cancel_order(order, reason="no", actor=person("sales_manager")),
            lambda change=change: apply_change(change, actor=person("pm")),
        )
        assert found[0] == "done"
        assert (now(order).state, fresh(change).state) in {("cancelled", "applied"), ("cancelled", "approved")}
        assert all(row.qty_reserved == 0 for row in now(order).order_lines)
    sound()
    bad = 0
    for _round in range(3):
        order = placed(line(quantity=5, supply="stock"), line("SKU-1", 90, supply="make"))
        change = approved(order, more(order, 7))
        with no_locks(monkeypatch):
            found = race(
                lambda order=order: cancel_order(order, reason="no", actor=person("sales_manager")),
                lambda change=change: apply_change(change, actor=person("pm")),
            )
        held = any(row.qty_reserved for row in now(order).order_lines)
        bad += held or any(one not in ("done", "refused") for one in found) or now(order).state != "cancelled"
    assert bad, "without the lock nothing collided: the test is void"


def test_approve_against_an_edit_of_the_order(monkeypatch: pytest.MonkeyPatch) -> None:
    def one_round() -> tuple[ChangeRequest, Order, list[str]]:
        order = started(line(quantity=5, supply="make"), line("SKU-1", 90, supply="make"))
        change = assessed(order, more(order, 6))
        found = race(
            lambda: approve_change(change, actor=person("manager")),
            lambda: hold_order(order, reason="wait", actor=person("pm")),
        )
        return change, order, found

    for _round in range(ROUNDS):
        change, order, found = one_round()
        assert found[1] == "done"
        assert found[0] in ("done", "refused")
        with pytest.raises(TransitionRefused):
            apply_change(fresh(change), actor=person("pm"))
        assert now(order).order_lines[0].quantity == 5
        assert not OrderAmendment.objects.filter(order=order).exists()
    sound()
    bad = 0
    for _round in range(3):
        with no_locks(monkeypatch):
            change, order, found = one_round()
        bad += found != ["done", "done"] or now(order).version == order.version or not now(order).on_hold
        bad += now(order).pending_changes != ChangeRequest.objects.filter(order=order).pending().count()
        bad += found == ["done", "done"] and fresh(change).order_version != now(order).version
    assert bad, "without the lock nothing collided: the test is void"
