"""Demo mode: who a first visitor can be."""

from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import override

from ordermgmt.accounts.models import RoleAssignment
from ordermgmt.accounts.roles import LABELS, Role

DEMO_DOMAIN = "demo.example"
DEMO_PASSWORD = "walk-around-freely"  # noqa: S105  # printed on the sign-in page, works in demo mode only


@dataclass(frozen=True)
class DemoLogin:
    """One button of the sign-in page."""

    role: str
    language: str
    label: str
    name: str
    email: str
    password: str


def demo_logins() -> list[DemoLogin]:
    """One login per role and language, in demo mode; nothing otherwise. Labels are in the login's own language."""
    if not settings.DEMO:
        return []
    held = RoleAssignment.objects.filter(user__email__endswith=f"@{DEMO_DOMAIN}", user__is_active=True)
    rows = held.order_by("user__pk").values_list("user__language", "role", "user__name", "user__email")
    first: dict[tuple[str, str], DemoLogin] = {}
    for language, role, name, email in rows:
        with override(language):
            label = str(LABELS[Role(role)])
        first.setdefault((language, role), DemoLogin(role, language, label, name, email, DEMO_PASSWORD))
    return [
        first[language, role] for language, _name in settings.LANGUAGES for role in Role if (language, role) in first
    ]
