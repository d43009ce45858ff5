"""Role x action x state: every cell by the table of product.md §2 and §3, written down here once more by hand."""

import datetime as dt
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from ordermgmt.lib.fsm import TransitionRefused
from orders.actions import ORDER_ACTIONS
from orders.models import Order
from tests.factories import orders as make

pytestmark = pytest.mark.django_db

ROLES = ["sales", "sales_manager", "pm", "warehouse", "finance", "finance_manager", "manager", "admin"]
SELL, FIN = {"sales", "sales_manager"}, {"finance", "finance_manager"}
RUNNING = {"placed", "in_production", "shipped", "rectification"}
OPEN = RUNNING | {"draft", "accepted"}
#: action: (states in which it is offered, roles to which it is offered)
TABLE: dict[str, tuple[set[str], set[str]]] = {
    "place": ({"draft"}, SELL),
    "quote": ({"draft"}, SELL),
    "delete": ({"draft"}, SELL),
    "duplicate": (OPEN | {"settled", "cancelled"}, SELL),
    "save_template": (OPEN | {"settled", "cancelled"}, SELL),
    "change_customer": ({"draft"}, SELL),
    "start": ({"placed"}, {"pm"}),
    "assign": (OPEN, {"sales_manager", "pm", "manager"}),
    "schedule": ({"placed"}, {"sales_manager", "pm", "manager"}),
    "finish": ({"in_production"}, {"pm", "warehouse"}),
    "hold": (RUNNING, {"pm"} | FIN),
    "cancel": ({"draft", "placed"}, {"sales_manager"}),
    "agree_termination": ({"in_production"}, FIN),
    "terminate": ({"in_production"}, {"manager"}),
    "settle": ({"accepted"}, FIN),
    "reopen": ({"settled"}, {"finance_manager"}),
    # these depend on a fact beside the state, which none of the orders below has
    "resume": (set(), set()),
    "ask_approval": (set(), set()),
    "grant_approval": (set(), set()),
    "refuse_approval": (set(), set()),
    "waive_deposit": (set(), set()),
}


def _data(name: str) -> dict[str, Any]:
    """What the action's form would hand to the service."""
    return {
        "save_template": {"name": "again", "is_shared": False},
        "change_customer": {"customer": make.customer_a()},
        "assign": {"project_manager": make.person("pm")},
        "schedule": {"promised_date": dt.date(2999, 1, 1)},
        **{
            key: {"reason": "why"} for key in ["waive_deposit", "hold", "cancel", "terminate", "reopen", "ask_approval"]
        },
        **{key: {"note": ""} for key in ["grant_approval", "refuse_approval"]},
    }.get(name, {})


@pytest.mark.parametrize("state", list(make.BY_STATE))
def test_every_cell(state: str) -> None:
    order = make.BY_STATE[state]()
    for role in ROLES:
        actor = make.person(role)
        for name, (states, roles) in TABLE.items():
            action = ORDER_ACTIONS.get(name)
            assert action is not None
            expected = state in states and role in roles
            assert action.offered(Order.objects.get(pk=order.pk), actor) == expected, (role, name, state)
            if role not in roles or state not in states:
                _must_refuse(order, action, actor)


def _must_refuse(order: Order, action: Any, actor: Any) -> None:
    """What is not offered does nothing either, by whatever way it is asked for."""
    before = Order.objects.values("state", "version", "on_hold").get(pk=order.pk)
    try:
        with transaction.atomic():
            action.perform(Order.objects.get(pk=order.pk), actor=actor, **_data(action.name))
            changed = Order.objects.filter(pk=order.pk).values("state", "version", "on_hold").first() != before
            transaction.set_rollback(True)
    except (TransitionRefused, PermissionDenied, ValidationError):
        return
    assert not changed, (action.name, before["state"], actor.email)


def test_the_table_misses_no_action_of_this_app() -> None:
    ours = {action.name for action in ORDER_ACTIONS if action.perform.__module__.split(".")[0] in ("orders", "billing")}
    assert ours == set(TABLE)
