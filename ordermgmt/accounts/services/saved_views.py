"""Saving and removing views of lists."""

from django.db import transaction

from ordermgmt.accounts.models import SavedView, User


@transaction.atomic
def save_view(
    *, list_key: str, name: str, query: str, is_shared: bool = False, is_default: bool = False, actor: User
) -> SavedView:
    """Keeps a list's present look under a name; the same name again replaces it. One view opens by default."""
    if is_default:
        SavedView.objects.filter(user=actor, list_key=list_key).update(is_default=False)
    view, _made = SavedView.objects.update_or_create(
        user=actor, list_key=list_key, name=name,
        defaults={"query": query, "is_shared": is_shared, "is_default": is_default},
    )  # fmt: skip
    return view


@transaction.atomic
def remove_view(view_id: int, *, actor: User) -> None:
    """Removes one of the actor's own views; anybody else's stays."""
    SavedView.objects.filter(pk=view_id, user=actor).delete()
