"""The ground the tests stand on holds, also after a test that really commits."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from ordermgmt.accounts.models import User
from tests.cast import CAST


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", [1, 2])
def test_a_committing_test_finds_the_seed_and_leaves_it(turn: int, sales: Any) -> None:
    assert User.objects.filter(email__endswith="@example.com").count() == len(CAST)
    User.objects.create(email=f"extra{turn}@example.com", name="Extra")


def test_the_cast_plays_its_roles(sales: Any, sales2: Any, manager: Any, client_of: Callable[[Any], Client]) -> None:
    assert sales.has_perm("orders.create_order")
    assert not sales.has_perm("billing.issue_invoice")
    assert sales.department_id != sales2.department_id
    assert client_of(manager).session["_auth_user_id"] == str(manager.pk)
