"""The people of the tests: one per role, and rivals where a rule needs two of them."""

from dataclasses import dataclass

from django.utils import timezone

from ordermgmt.accounts.models import Department, RoleAssignment, Team, User
from ordermgmt.accounts.roles import Role

PASSWORD = "correct horse battery staple"


@dataclass(frozen=True)
class Part:
    """One person of the cast."""

    key: str
    name: str
    role: Role
    team: str

    @property
    def email(self) -> str:
        return f"{self.key}@example.com"


CAST = (
    Part("sales", "Sally Sales", Role.SALES, "North"),
    Part("sales2", "Simon Sales", Role.SALES, "South"),
    Part("sales_manager", "Sam Sales Manager", Role.SALES_MANAGER, "North"),
    Part("pm", "Paula Project", Role.PM, "Projects"),
    Part("pm2", "Peter Project", Role.PM, "Projects"),
    Part("warehouse", "Walter Warehouse", Role.WAREHOUSE, "Store"),
    Part("warehouse2", "Wanda Warehouse", Role.WAREHOUSE, "Store"),
    Part("consultant", "Carl Consultant", Role.SERVICE, "Projects"),
    Part("consultant2", "Clara Consultant", Role.SERVICE, "Projects"),
    Part("finance", "Fiona Finance", Role.FINANCE, "Finance"),
    Part("finance2", "Felix Finance", Role.FINANCE, "Finance"),
    Part("finance_manager", "Frank Finance Manager", Role.FINANCE_MANAGER, "Finance"),
    Part("manager", "Mary Manager", Role.MANAGER, "North"),
    Part("admin", "Ada Admin", Role.ADMIN, "Office"),
)
# North and South belong to different departments: what South sells, North's manager doesn't see.
_DEPARTMENTS = {"South": "Export"}


def seed() -> None:
    """Makes the cast where it is not there yet."""
    for part in CAST:
        department, _ = Department.objects.get_or_create(name=_DEPARTMENTS.get(part.team, "Home"))
        team, _ = Team.objects.get_or_create(department=department, name=part.team)
        user = User.objects.filter(email=part.email).first()
        if user is None:
            user = User(email=part.email, name=part.name, team=team, joined_at=timezone.now())
            user.set_password(PASSWORD)
            user.save()
        RoleAssignment.objects.get_or_create(user=user, role=part.role)
