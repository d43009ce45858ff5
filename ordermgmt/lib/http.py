"""The request of a signed-in person, as views behind the sign-in get it."""

from typing import TYPE_CHECKING

from django.http import HttpRequest

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


class Request(HttpRequest):
    """Annotate with this where `LoginRequiredMiddleware` has let the reader in: `user` is nobody anonymous."""

    if TYPE_CHECKING:
        user: User
