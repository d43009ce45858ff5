"""`generate_orders`: a big book that keeps every invariant; PostgreSQL only."""

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from ordermgmt.lib.invariants import violations
from orders.models import Order

pytestmark = pytest.mark.django_db


@pytest.mark.postgres
def test_what_it_makes_holds() -> None:
    call_command("generate_orders", orders=200)
    assert Order.objects.filter(origin="imported").count() == 200
    assert list(violations(["S4", "S6", "M1", "T"])) == []


def test_refused_elsewhere_and_for_nothing() -> None:
    wanted = 5 if connection.vendor == "sqlite" else 0
    with pytest.raises(CommandError):
        call_command("generate_orders", orders=wanted)
