"""Making people known, and asking for them."""

from collections.abc import Iterable, Sequence

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from ordermgmt.accounts import events
from ordermgmt.accounts.models import RoleAssignment, Team, User
from ordermgmt.accounts.roles import Role
from ordermgmt.activity.services import record, snapshot

from .rights import require

SYSTEM_EMAIL = "system@localhost"
_SHOWN = ("email", "name", "team", "language", "is_active")


def system_user() -> User:
    """The application itself: actor of imports, jobs and schedules. It can't sign in."""
    user = User.objects.filter(is_system=True).first()
    if user is None:
        user, _made = User.objects.get_or_create(
            is_system=True, defaults={"email": SYSTEM_EMAIL, "name": "System", "password": "!", "is_active": True}
        )
    return user


def users_with_role(*roles: Role) -> QuerySet[User]:
    """Active people who hold any of the roles, with their team at hand."""
    return User.objects.active().with_role(*roles).select_related("team")


def new_user(*, email: str, name: str, roles: Iterable[str], team: Team | None, language: str) -> User:
    """Saves a person with roles and no password. Raises ValidationError with the fields that are wrong."""
    user = User(
        email=email.strip().lower(), name=name.strip(), team=team, language=language, time_zone=settings.TIME_ZONE
    )
    user.set_unusable_password()
    user.full_clean()
    user.save()
    RoleAssignment.objects.bulk_create(RoleAssignment(user=user, role=Role(role)) for role in sorted(set(roles)))
    return user


def described(user: User) -> dict[str, object]:
    """The person as the audit keeps them."""
    return {**snapshot(user, *_SHOWN), "roles": sorted(user.role_codes)}


@transaction.atomic
def create_user(
    *,
    email: str,
    name: str,
    roles: Sequence[str] = (),
    team: Team | None = None,
    password: str | None = None,
    language: str = "en",
    actor: User,
) -> User:
    """Makes a person who can be given work at once; with `password` they can sign in, without they ask for one.

    For set-up, imports and tests; on the page people are invited. Raises PermissionDenied and ValidationError.
    """
    require(actor, "accounts.manage_users")
    user = new_user(email=email, name=name, roles=roles, team=team, language=language)
    if password is not None:
        user.set_password(password)
    user.joined_at = timezone.now()
    user.save(update_fields=["password", "joined_at"])
    record(events.USER_CREATED, user, actor=actor, before={}, after=described(user), name=user.name)
    return user
