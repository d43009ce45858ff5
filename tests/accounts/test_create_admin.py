"""The first administrator of a new installation."""

from typing import Any

import pytest
from django.core.management import CommandError, call_command

from ordermgmt.accounts.models import User

pytestmark = pytest.mark.django_db


def test_the_administrator_can_sign_in(monkeypatch: Any) -> None:
    monkeypatch.setenv("ADMIN_PASSWORD", "a long quiet river at dusk")
    call_command("create_admin", "first@example.com", "First Admin")
    made = User.objects.get(email="first@example.com")
    assert made.check_password("a long quiet river at dusk")
    assert made.role_codes == {"admin"}
    with pytest.raises(CommandError):
        call_command("create_admin", "FIRST@example.com", "Again")


def test_a_weak_password_is_refused_and_nobody_is_made(monkeypatch: Any) -> None:
    monkeypatch.setenv("ADMIN_PASSWORD", "short")
    with pytest.raises(CommandError):
        call_command("create_admin", "weak@example.com", "Weak")
    assert not User.objects.filter(email="weak@example.com").exists()
