"""One order driven at random through inspection, shipping, acceptance, rectification and returns; every invariant after
each step.

The suite runs a small profile; `HYPOTHESIS_EXAMPLES` and `HYPOTHESIS_STEPS` ask for more (200 × 50 before a release).
"""

import datetime as dt
import os
from collections.abc import Iterable
from decimal import Decimal
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from fulfilment.models import GoodsReturnLine, Rectification, ShipmentLine
from fulfilment.services import (
    Found,
    LineResult,
    ReturnedPart,
    add_criterion,
    complete_rectification,
    inspect_order,
    record_acceptance,
    rectifying,
    return_goods,
    send_returned,
    ship_order,
    start_rectification,
    waive_acceptance,
)
from inventory.models import StockItem, StockMovement
from inventory.services import receive_stock
from ordermgmt.activity.models import Event
from ordermgmt.lib.fsm import TransitionRefused
from ordermgmt.lib.invariants import violations
from orders.models import Order
from orders.services import locked
from tests.factories.inventory import main_warehouse
from tests.factories.orders import line, person, started

REFUSED = (ValidationError, TransitionRefused)
FEW = st.integers(min_value=0, max_value=4)
PLACE = st.integers(min_value=0, max_value=1)


class Delivery(RuleBasedStateMachine):
    """An order of a stock line and a made line, with a model of what was sent, came back, passed and failed.

    The made line is inspected before it leaves: `ready` is what passed and is still here, `exchanged` what is planned to
    be sent for rejected pieces or again for returned ones, by rectification. `undecided` and `to_send` are the returns
    that nobody answered, and those that goods go out for.

    `gone` are the lines that are shipped when it begins, so that short runs see every later state too.
    """

    gone: tuple[int, ...] = ()

    @initialize(
        stocked=st.integers(min_value=1, max_value=5),
        made=st.integers(min_value=1, max_value=3),
    )
    def order_is_started(self, stocked: int, made: int) -> None:
        self.outer = transaction.atomic()
        self.outer.__enter__()
        order = started(line(quantity=stocked), line("SKU-1", made, supply="make"))
        self.pk, self.ordered = order.pk, [stocked, made]
        self.shipped, self.accepted, self.rejected, self.returned = [0, 0], [0, 0], [0, 0], [0, 0]
        self.ready, self.exchanged = 0, {}
        self.undecided, self.to_send = {}, {}
        criterion = add_criterion(
            order, order_line=order.order_lines[1], stage="dispatch", title="Width", actor=person("pm")
        )
        self.criterion = criterion.pk
        self.shelf = self.on_hand()
        self.state = order.state
        for place in self.gone:
            if place == 1:
                self.inspect(made, 0)
            self.ship(place, self.ordered[place])

    def teardown(self) -> None:
        if hasattr(self, "outer"):
            transaction.set_rollback(True)
            self.outer.__exit__(None, None, None)

    def order(self) -> Order:
        return Order.objects.get(pk=self.pk)

    def on_hand(self) -> Decimal:
        return StockItem.objects.get(product__sku="SKU-1").on_hand

    def waiting(self, place: int) -> int:
        return self.shipped[place] - self.accepted[place] - self.rejected[place] - self.returned[place]

    def nothing_waits(self) -> bool:
        if self.undecided or self.to_send:
            return False
        return all(self.waiting(one) == 0 and self.rejected[one] == 0 for one in (0, 1))

    def tried(self, deed: object, *, allowed: bool) -> bool:
        """Whether the verb went through, which must be what the model says."""
        try:
            with transaction.atomic():
                deed()  # type: ignore[operator]
        except REFUSED:
            assert not allowed, "refused what the model allows"
            return False
        assert allowed, "let through what the model refuses"
        return True

    @rule(good=FEW, bad=FEW)
    def inspect(self, good: int, bad: int) -> None:
        left = self.ordered[1] - self.shipped[1] + sum(self.exchanged.values()) - self.ready
        result = LineResult(self.order().order_lines[1].pk, Decimal(good), Decimal(bad), "bent" if bad else "")
        found, key, walter = Found(self.criterion, passed=not bad), uuid4().hex, person("warehouse")

        def deed() -> None:
            for _twice in range(2):
                inspect_order(self.order(), results=[result], findings=[found], key=key, actor=walter)

        if self.tried(
            deed, allowed=self.state in ("in_production", "shipped", "rectification") and 0 < good + bad <= left
        ):
            self.ready += good

    @rule(place=PLACE, quantity=FEW)
    def ship(self, place: int, quantity: int) -> None:
        pk = self.order().order_lines[place].pk
        fits = 0 < quantity <= self.ordered[place] - self.shipped[place] and (place == 0 or quantity <= self.ready)
        key, walter = uuid4().hex, person("warehouse")

        def deed() -> None:
            for _twice in range(2):  # the same form sent twice
                ship_order(self.order(), quantities={pk: Decimal(quantity)}, key=key, actor=walter)

        if self.tried(deed, allowed=self.state == "in_production" and fits):
            self.shipped[place] += quantity
            self.shelf -= quantity if place == 0 else 0
            self.ready -= quantity if place == 1 else 0
            if self.shipped == self.ordered:
                self.state = "shipped"

    @rule(
        good=st.tuples(FEW, FEW),
        bad=st.tuples(FEW, FEW),
        by=st.sampled_from(["pm", "manager"]),
        within=st.sampled_from([True, True, False]),
    )
    def examine(self, good: tuple[int, int], bad: tuple[int, int], by: str, within: bool) -> None:
        order = self.order()
        if within:  # else most draws are more than waits, and short runs never see a rejection
            bad = (min(bad[0], self.waiting(0)), min(bad[1], self.waiting(1)))
            good = (min(good[0], self.waiting(0) - bad[0]), min(good[1], self.waiting(1) - bad[1]))
        fits = any(good + bad) and all(good[one] + bad[one] <= self.waiting(one) for one in (0, 1))
        results = [
            LineResult(row.pk, Decimal(good[one]), Decimal(bad[one]), "bent" if bad[one] else "")
            for one, row in enumerate(order.order_lines)
        ]
        allowed = self.state == "shipped" and fits and order.completed_by != person(by)
        key = uuid4().hex

        def deed() -> None:
            for _twice in range(2):
                record_acceptance(order, results=results, signed_by="W", evidence="n", key=key, actor=person(by))

        if self.tried(deed, allowed=allowed):
            for one in (0, 1):
                self.accepted[one] += good[one]
                self.rejected[one] += bad[one]
            if any(bad):
                self.state = "rectification"
            elif self.nothing_waits():
                self.state = "accepted"

    @rule(place=PLACE, quantity=FEW, way=st.sampled_from(GoodsReturnLine.Disposition.values))
    def take_back(self, place: int, quantity: int, way: str) -> None:
        part = ReturnedPart(self.order().order_lines[place].pk, way, Decimal(quantity))
        fits = 0 < quantity <= self.waiting(place)
        key = uuid4().hex

        def deed() -> None:
            for _twice in range(2):
                return_goods(self.order(), parts=[part], reason="r", key=key, actor=person("warehouse"))

        if self.tried(deed, allowed=fits and self.state in ("in_production", "shipped", "rectification")):
            self.returned[place] += quantity
            self.shelf += quantity if way == "restock" else 0
            task = Rectification.objects.filter(order=self.pk).latest("pk")
            self.undecided[task.pk] = (place, quantity, way)

    @precondition(lambda self: self.undecided)
    @rule(remedy=st.sampled_from(Rectification.Remedy.values))
    def answer(self, remedy: str) -> None:
        pk, (place, quantity, way) = next(iter(self.undecided.items()))
        task, pm, order = Rectification.objects.get(pk=pk), person("pm"), self.order()
        due = timezone.localdate() + dt.timedelta(days=3)
        fits = remedy in ("replace", "credit") or (remedy == "repair" and way == "repair")
        if not self.tried(lambda: start_rectification(task, remedy=remedy, owner=pm, due=due, actor=pm), allowed=fits):
            return
        del self.undecided[pk]
        if remedy != "credit":
            self.to_send[pk] = (place, quantity, remedy)
            if place == 1:
                self.exchanged[pk] = quantity
        elif self.state == "shipped" and self.nothing_waits() and any(self.accepted) and order.completed_by != pm:
            self.state = "accepted"

    @precondition(lambda self: self.to_send)
    @rule()
    def send_again(self) -> None:
        pk, (place, quantity, remedy) = next(iter(self.to_send.items()))
        task, from_shelf = Rectification.objects.get(pk=pk), place == 0 and remedy == "replace"
        held = sum(row.qty_reserved for row in self.order().order_lines)
        there = self.ready if place == 1 else self.shelf - held

        def deed() -> None:
            send_returned(task, result="sent", actor=person("warehouse"))

        if self.tried(deed, allowed=there >= quantity or (place == 0 and remedy == "repair")):
            del self.to_send[pk]
            self.returned[place] -= quantity
            self.shelf -= quantity if from_shelf else 0
            if self.exchanged.pop(pk, None):
                self.ready -= quantity

    @precondition(lambda self: self.state == "rectification")
    @rule(remedy=st.sampled_from(Rectification.Remedy.values), faulty=st.sampled_from(["", "restock", "scrap"]))
    def put_right(self, remedy: str, faulty: str) -> None:
        tasks = Rectification.objects.filter(order=self.pk, return_line=None).open()
        task = tasks.order_by("pk").select_related("order_line")[0]
        place, quantity, pm = task.order_line.position - 1, int(task.quantity), person("pm")
        replaced = remedy == "replace"
        from_shelf = replaced and place == 0
        held = sum(row.qty_reserved for row in self.order().order_lines)
        due = timezone.localdate() + dt.timedelta(days=3)
        start_rectification(task, remedy=remedy, owner=pm, due=due, actor=pm)
        self.exchanged.pop(task.pk, None)
        if replaced and place == 1:
            self.exchanged[task.pk] = quantity
        there = self.shelf - held if place == 0 else self.ready

        def deed() -> None:
            complete_rectification(task, result="done", faulty=faulty, actor=pm)

        if self.tried(deed, allowed=not replaced or there >= quantity):
            if self.exchanged.pop(task.pk, None):
                self.ready -= quantity
            self.rejected[place] -= quantity
            self.shelf -= quantity if from_shelf else 0
            self.shelf += quantity if replaced and faulty == "restock" else 0
            if not any(self.rejected):
                self.state = "shipped"

    @rule(quantity=st.integers(min_value=1, max_value=3))
    def receive(self, quantity: int) -> None:
        product = line()["product"]
        receive_stock(product, main_warehouse(), Decimal(quantity), key=uuid4().hex, actor=person("warehouse"))
        self.shelf += quantity

    @precondition(lambda self: sum(self.shipped) >= 3 and any(self.accepted))  # it ends the run: not too early
    @rule()
    def waive(self) -> None:
        mary = person("manager")
        if self.tried(
            lambda: waive_acceptance(self.order(), reason="r", actor=mary),
            allowed=self.state == "shipped" and not (self.undecided or self.to_send),
        ):
            for one in (0, 1):
                self.accepted[one] += self.waiting(one)
            self.state = "accepted"

    @invariant()
    def the_rows_are_what_the_model_says(self) -> None:
        if not hasattr(self, "pk"):
            return
        order = self.order()
        assert (order.state, self.on_hand()) == (self.state, self.shelf)
        rows = order.order_lines
        for one, row in enumerate(rows):
            stored = (row.qty_shipped, row.qty_accepted, row.qty_rejected, row.qty_returned)
            assert stored == (self.shipped[one], self.accepted[one], self.rejected[one], self.returned[one])
        assert not list(violations("ST"))

    @invariant()
    def what_left_the_shelf_stands_in_the_ledger(self) -> None:
        if hasattr(self, "pk"):
            sent = ShipmentLine.objects.filter(order_line__order=self.pk, order_line__supply="stock")
            sent = sent.exclude(shipment__replacement__rectification__remedy="repair")
            issued = StockMovement.objects.filter(kind="issue", stock_item__product__sku="SKU-1")
            assert -sum(row.quantity for row in issued) == sum(row.quantity for row in sent)
            assert Event.objects.filter(type="orders.accepted").count() <= 1


class PartShipped(Delivery):
    """Begins with the stock line shipped."""

    gone = (0,)


class AllShipped(Delivery):
    """Begins with everything at the customer's."""

    gone = (0, 1)


def run(machine: type[Delivery], examples: int, steps: int, phases: Iterable[Phase] = tuple(Phase)) -> None:
    """Runs the machine; what it finds is raised with the shortest way there, or as found without `Phase.shrink`."""
    profile = settings(
        max_examples=examples, stateful_step_count=steps, deadline=None, database=None, derandomize=True,
        phases=phases, report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    run_state_machine_as_test(machine, settings=profile)


@pytest.mark.django_db
@pytest.mark.parametrize("machine", [Delivery, PartShipped, AllShipped])
def test_delivery_and_acceptance_at_random(machine: type[Delivery]) -> None:
    run(machine, int(os.environ.get("HYPOTHESIS_EXAMPLES", "4")), int(os.environ.get("HYPOTHESIS_STEPS", "15")))


@pytest.mark.django_db
def test_a_fault_after_the_rejection_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: with a rectification that forgets the line's counter the run must fail."""
    monkeypatch.setattr(rectifying, "note_rectified", lambda order, _quantities, actor: locked(order))
    with pytest.raises(AssertionError):
        run(AllShipped, 12, 20, [Phase.generate])
