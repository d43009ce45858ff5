"""Orders and changes driven at random: whatever is asked, judged, approved, applied, held or shipped, replay gives the
present order and every invariant holds after each step.

The suite runs a small profile; `HYPOTHESIS_EXAMPLES` and `HYPOTHESIS_STEPS` ask for more (200 × 50 before a release).
"""

import os
from decimal import Decimal
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from billing.services import draft_invoice, issue_invoice
from changes.models import ChangeRequest
from changes.services import Op, acknowledge_change, apply_change, reassess_change, replay, take_back_change
from fulfilment.services import ship_order
from ordermgmt.lib.fsm import TransitionRefused
from ordermgmt.lib.invariants import violations
from orders.models import Order, OrderAmendment
from orders.services import hold_order, resume_order
from tests.factories.changes import agreed, fresh, judged, submitted
from tests.factories.orders import line, person, started

REFUSED = (ValidationError, TransitionRefused, PermissionDenied)  # the last: somebody who is not asked to acknowledge
KINDS = st.sampled_from(
    ["quantity", "price", "discount", "add", "remove", "line_date", "description", "delivery_address"]
)
NUMBER = st.integers(min_value=0, max_value=9)


class Changing(RuleBasedStateMachine):
    """One order with a stock line and a made line, and any number of change requests at any stage."""

    reached = 0  # how many changes were applied in all examples: none would prove nothing

    @initialize()
    def order_is_started(self) -> None:
        self.outer = transaction.atomic()
        self.outer.__enter__()
        self.pk = started(line(quantity=4), line("SKU-1", 40, supply="make")).pk
        self.applied = 0

    def teardown(self) -> None:
        if hasattr(self, "outer"):
            transaction.set_rollback(True)
            self.outer.__exit__(None, None, None)

    def order(self) -> Order:
        return Order.objects.get(pk=self.pk)

    def tried(self, deed: object) -> bool:
        """Whether the verb went through; a refusal has written nothing."""
        try:
            with transaction.atomic():
                deed()  # type: ignore[operator]
        except REFUSED:
            return False
        return True

    def one(self, state: str, pick: int) -> ChangeRequest | None:
        rows = list(ChangeRequest.objects.filter(order=self.pk, state=state).order_by("pk"))
        return fresh(rows[pick % len(rows)]) if rows else None

    def operation(self, kind: str, place: int, number: int) -> Op:
        order = self.order()
        pk = order.order_lines[place % len(order.order_lines)].pk
        row = {"description": f"Part {number}", "quantity": str(number), "unit_price": "7.125", "supply": "make"}
        return {
            "add": Op("add", after=row),
            "remove": Op("remove", pk),
            "line_date": Op("line_date", pk, f"2999-01-0{max(number, 1)}"),
            "description": Op("description", pk, f"Text {number}"),
            "delivery_address": Op("delivery_address", after=f"Dock {number}"),
        }.get(kind, Op(kind, pk, str(number)))

    @rule(kind=KINDS, place=NUMBER, number=NUMBER)
    def ask(self, kind: str, place: int, number: int) -> None:
        self.tried(lambda: submitted(self.order(), self.operation(kind, place, number)))

    @rule(kind=KINDS, place=NUMBER, number=NUMBER)
    def ask_and_get_it_approved(self, kind: str, place: int, number: int) -> None:
        self.tried(lambda: agreed(judged(submitted(self.order(), self.operation(kind, place, number)))))

    @rule(kind=KINDS, place=NUMBER, number=NUMBER)
    def change(self, kind: str, place: int, number: int) -> None:
        self.ask_and_get_it_approved(kind, place, number)
        self.apply(-1)

    @rule(pick=NUMBER)
    def judge(self, pick: int) -> None:
        if change := self.one("submitted", pick):
            self.tried(lambda: judged(change))

    @rule(pick=NUMBER)
    def approve(self, pick: int) -> None:
        if change := self.one("assessed", pick):
            self.tried(lambda: agreed(change))

    @rule(pick=NUMBER, anew=st.booleans())
    def judge_again(self, pick: int, anew: bool) -> None:
        if change := self.one("approved" if anew else "assessed", pick):
            self.tried(lambda: reassess_change(change, actor=person("pm")))

    @rule(pick=NUMBER)
    def apply(self, pick: int) -> None:
        if change := self.one("approved", pick):
            was = self.order().version
            done = self.tried(lambda: apply_change(change, actor=person("pm")))
            self.applied += done
            Changing.reached += done
            assert done == (fresh(change).state == "applied")
            if done:
                assert change.order_version == was
                assert not self.tried(lambda: apply_change(change, actor=person("pm2")))

    @rule(pick=NUMBER)
    def take_back(self, pick: int) -> None:
        if change := self.one("approved", pick):
            self.tried(lambda: take_back_change(change, actor=person("sales")))

    @rule(pick=NUMBER)
    def acknowledge(self, pick: int) -> None:
        if change := self.one("applied", pick):
            self.tried(lambda: acknowledge_change(change, actor=person("warehouse")))

    @rule(place=NUMBER, quantity=NUMBER)
    def ship(self, place: int, quantity: int) -> None:
        order = self.order()
        pk = order.order_lines[place % len(order.order_lines)].pk
        self.tried(
            lambda: ship_order(order, quantities={pk: Decimal(quantity)}, key=uuid4().hex, actor=person("warehouse"))
        )

    @rule(place=NUMBER, quantity=st.integers(min_value=1, max_value=3))
    def invoice(self, place: int, quantity: int) -> None:
        order = self.order()
        pk = order.order_lines[place % len(order.order_lines)].pk

        def deed() -> None:
            draft = draft_invoice(order, quantities={pk: Decimal(quantity)}, actor=person("finance"))
            issue_invoice(draft, actor=person("finance2"))

        self.tried(deed)

    @rule()
    def hold_or_resume(self) -> None:
        order = self.order()
        if order.on_hold:
            self.tried(lambda: resume_order(order, actor=person("pm")))
        else:
            self.tried(lambda: hold_order(order, reason="wait", actor=person("pm")))

    @invariant()
    def replay_is_the_present(self) -> None:
        if not hasattr(self, "pk"):
            return
        order = self.order()
        assert replay(order) == []
        assert OrderAmendment.objects.filter(order=order).count() == self.applied
        rows = ChangeRequest.objects.filter(order=order)
        assert (order.open_changes, order.pending_changes) == (rows.open().count(), rows.pending().count())
        assert [str(one) for one in violations(["C", "S", "T", "M1"])] == []


def run(examples: int, steps: int) -> None:
    """Runs the machine; what it finds is raised with the shortest way there."""
    profile = settings(
        max_examples=examples, stateful_step_count=steps, deadline=None, database=None, derandomize=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    run_state_machine_as_test(Changing, settings=profile)


@pytest.mark.django_db
def test_changes_at_random() -> None:
    run(int(os.environ.get("HYPOTHESIS_EXAMPLES", "6")), int(os.environ.get("HYPOTHESIS_STEPS", "25")))
    assert Changing.reached > 0
