"""`check_invariants` of orders is silent about those that went a legal way, and names what was bent."""

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from ordermgmt.lib.invariants import all_invariants, violations
from tests.factories import orders as make

pytestmark = pytest.mark.django_db


def test_silent_after_every_way() -> None:
    for build in make.BY_STATE.values():
        build()
    make.placed(make.line(quantity=2), make.line("SVC-1"))
    # the factory hands facts down itself, so what fulfilment and billing hold of their own rows is not asked here
    ours = [one for one in all_invariants() if one.find.__module__.startswith("orders.")]
    assert len(ours) >= 8
    assert {one.code: list(one.find()) for one in ours if list(one.find())} == {}


def test_names_what_was_bent() -> None:
    order = make.placed(make.line(quantity=2), make.line("SVC-1"))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE orders_orderline SET qty_reserved = 1 WHERE order_id = %s", [order.pk])
        bend = "UPDATE orders_order SET net_total = net_total + 1, gross_total = gross_total + 1 WHERE id = %s"
        cursor.execute(bend, [make.draft().pk])  # a placed one the database guards itself
        cursor.execute(
            "INSERT INTO orders_orderstep (order_id, source, target, at) VALUES (%s, 'draft', 'settled', '2026-01-01')",
            [order.pk],
        )
    codes = {violation.invariant.code for violation in violations(["S4", "M1", "T1", "T2"])}
    assert codes == {"S4", "M1", "T1", "T2"}
    with pytest.raises(CommandError):
        call_command("check_invariants", "T1")
