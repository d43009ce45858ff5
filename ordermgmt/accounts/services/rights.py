"""The first lines of an administrator's verb."""

from django.core.exceptions import PermissionDenied

from ordermgmt.accounts.models import User


def require(actor: User, permission: str) -> None:
    """Raises PermissionDenied unless the actor holds the permission."""
    if not actor.has_perm(permission):
        raise PermissionDenied(permission)


def locked(user: User) -> User:
    """The person's row as it is now, held until the transaction ends."""
    return User.objects.select_for_update(no_key=True).get(pk=user.pk)
