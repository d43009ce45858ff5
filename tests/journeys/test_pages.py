"""Every page of the side bar, for every role, in both languages, light and dark, on desk and phone: axe finds nothing."""

from typing import Any

import pytest

from ordermgmt.accounts.models import User
from ordermgmt.navigation import ENTRIES

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
KEYS = ["sales", "pm", "warehouse", "finance", "manager", "admin"]


@pytest.mark.parametrize("key", KEYS)
def test_the_pages_of_a_role_have_no_fault(visitor: Any, key: str) -> None:
    user = User.objects.get(email=f"{key}@example.com")
    one = visitor(user)
    for entry in ENTRIES:
        if not entry.permission or user.has_perm(entry.permission):
            one.open(entry.url)


@pytest.mark.parametrize(
    ("theme", "language", "width"), [("dark", "en", 1440), ("light", "zh-hans", 375), ("dark", "zh-hans", 1440)]
)
def test_in_the_dark_in_chinese_and_on_a_phone(visitor: Any, theme: str, language: str, width: int) -> None:
    user = User.objects.get(email="manager@example.com")
    User.objects.filter(pk=user.pk).update(theme=theme, language=language)
    one = visitor(user)
    one.page.set_viewport_size({"width": width, "height": 812})
    for entry in ENTRIES:
        if not entry.permission or user.has_perm(entry.permission):
            page = one.open(entry.url)
            overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert overflow <= 1, f"{entry.url} is {overflow} px too wide"
