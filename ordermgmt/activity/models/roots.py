"""Which objects have a timeline: each app registers its own, so that this floor needs no knowledge of those above."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils.functional import Promise

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


def _nobody(_instance: Any) -> Iterable[Any]:
    return ()


@dataclass(frozen=True)
class Root:
    """One kind of object that carries a timeline, comments, files and follow-up tasks.

    `visible(user)` is its `visible_to`: whoever does not find the object there gets none of those either.
    `audience(instance)` gives the people who hear of comments (owner, project manager). `lookup` is the public key.
    """

    model: type[models.Model]
    visible: Callable[["User"], models.QuerySet[Any]]
    url: Callable[[Any], str]
    label: Callable[[Any], str] = str
    name: str | Promise = ""
    audience: Callable[[Any], Iterable["User"]] = _nobody

    @property
    def key(self) -> str:
        """The name under which rows point to this kind of object, e.g. "orders.order"."""
        return self.model._meta.label_lower


_roots: dict[str, Root] = {}


def register_root(
    model: type[models.Model],
    *,
    url: Callable[[Any], str],
    visible: Callable[["User"], models.QuerySet[Any]],
    label: Callable[[Any], str] = str,
    name: str | Promise = "",
    audience: Callable[[Any], Iterable["User"]] = _nobody,
) -> Root:
    """Gives a model a timeline with comments, files and follow-up tasks. Called from the app's `panels.py`."""
    root = Root(model, visible, url, label, name or model._meta.verbose_name or "", audience)
    _roots[root.key] = root
    return root


def root_of_type(key: str) -> Root | None:
    """The registered root of that name, None where there is none."""
    return _roots.get(key)


def root_for(instance: models.Model) -> Root:
    """The registration of an object's model. Raises KeyError where the model carries no timeline."""
    return _roots[instance._meta.label_lower]


def all_roots() -> list[Root]:
    """Every registered root, by name."""
    return [_roots[key] for key in sorted(_roots)]


def visible_root(user: "User", key: str, pk: int) -> models.Model | None:
    """The root object if this person may see it, else None."""
    root = _roots.get(key)
    return root.visible(user).filter(pk=pk).first() if root else None


def may_see(user: "User", key: str, pk: int | None) -> bool:
    """Whether the person may see that object. Of objects without registration only administrators hear."""
    root = _roots.get(key)
    if root is None:
        return user.has_perm("activity.view_audit")
    return root.visible(user).filter(pk=pk).exists()


def root_link(key: str, instance: Any) -> tuple[str, str]:
    """(label, address) of an object that carries a timeline, ("", "") for any other."""
    root = _roots.get(key)
    return (root.label(instance), root.url(instance)) if root and instance is not None else ("", "")


def find_root(key: str, pk: int | None) -> models.Model | None:
    """The registered object, without regard to who asks; None if it is gone."""
    root = _roots.get(key)
    return root.model._base_manager.filter(pk=pk).first() if root else None
