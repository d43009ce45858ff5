"""Two people at the gate book the same goods at the same moment, on PostgreSQL."""

from decimal import Decimal
from threading import Barrier, Thread
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connections
from django.db.models import QuerySet

from inventory.models import PurchaseOrder, Receipt, StockItem
from inventory.services import Came, receive_purchase
from ordermgmt.lib.conflict import StaleVersion
from ordermgmt.lib.fsm import TransitionRefused
from ordermgmt.lib.invariants import violations
from tests.factories.inventory import person
from tests.factories.purchases import ordered

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def both(order: PurchaseOrder, *keys: str) -> list[str]:
    barrier, found = Barrier(len(keys)), [""] * len(keys)
    line = order.lines.get().pk
    actor = person("warehouse")

    def run(place: int, key: str) -> None:
        try:
            barrier.wait()
            receive_purchase(order, came={line: Came(Decimal(10))}, key=key, actor=actor)
            found[place] = "done"
        except (TransitionRefused, ValidationError):
            found[place] = "refused"
        except (DatabaseError, StaleVersion) as error:
            found[place] = type(error).__name__
        finally:
            connections.close_all()

    threads = [Thread(target=run, args=one) for one in enumerate(keys)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(found)


def test_the_last_open_quantity_is_received_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for _round in range(8):
        order = ordered(10)
        assert both(order, uuid4().hex, uuid4().hex) == ["done", "refused"]
        assert StockItem.objects.get(product=order.lines.get().product).on_hand == 10
        again = ordered(10)
        key = uuid4().hex
        assert both(again, key, key) == ["done", "done"]
        assert Receipt.objects.filter(order=again).count() == 1
    assert [str(one) for one in violations(["S1", "S2", "S9"])] == []

    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **_options: self)
    results = [both(ordered(10), uuid4().hex, uuid4().hex) for _round in range(12)]
    assert any(one != ["done", "refused"] for one in results), "without the lock nothing collided: the test is void"
