"""States: the transition table of django-fsm with guards that explain themselves.

A guard is a function of the instance that returns None when it is content, or a `Blocker`: a sentence for the reader
and a link to the place that mends it. `check_transition` is the first line of every verb.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import django_fsm
from django.core.exceptions import PermissionDenied
from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django_fsm import transition

__all__ = [
    "Blocker",
    "FSMField",
    "Guard",
    "Refreshable",
    "TransitionRefused",
    "blockers",
    "check_transition",
    "edges",
    "guarded",
    "transition",
]

Guard = Callable[[Any], "Blocker | None"]


class FSMField(django_fsm.FSMField):
    """A state that only transitions move.

    A model of a migration's past has no transitions. There each of the hundreds of copies of a field would look at every
    model that is made after it, and a fresh database took minutes to migrate.
    """

    def contribute_to_class(self, cls: Any, name: str, private_only: bool = False, **kwargs: Any) -> None:
        if cls.__module__ == "__fake__":
            super(django_fsm.FSMFieldMixin, self).contribute_to_class(cls, name, private_only=private_only, **kwargs)
        else:
            super().contribute_to_class(cls, name, private_only=private_only, **kwargs)


@dataclass(frozen=True)
class Blocker:
    """Why a step is not possible now, and where to mend it (`link` may be empty).

    Whoever lacks the `right` that the link asks for sees the sentence alone.
    """

    sentence: str | Promise
    link: str = ""
    label: str | Promise = ""
    right: str = ""


class Refreshable:
    """Lets `refresh_from_db()` read a protected state. The library's own mixin takes the protection off for all
    threads meanwhile."""

    def refresh_from_db(self, using: str | None = None, fields: Any = None, from_queryset: Any = None) -> None:
        if fields is None or "state" in fields:
            self.__dict__.pop("state", None)
        super().refresh_from_db(using, fields, from_queryset)  # type: ignore[misc]  # of the model beside it


class TransitionRefused(Exception):
    """A step was refused; `blockers` says by what. Nothing has been written."""

    def __init__(self, blockers: list[Blocker]) -> None:
        self.blockers = blockers
        super().__init__(" ".join(str(blocker.sentence) for blocker in blockers))


def guarded(*guards: Guard) -> list[Callable[[Any], bool]]:
    """`conditions=` for a transition, from guards that explain themselves."""

    def passes(guard: Guard) -> Callable[[Any], bool]:
        def condition(instance: Any) -> bool:
            return guard(instance) is None

        condition.guard = guard  # type: ignore[attr-defined]  # read back by blockers()
        return condition

    return [passes(guard) for guard in guards]


def _declared(method: Callable[..., Any], state: str) -> Any:
    return method._django_fsm.get_transition(state)  # type: ignore[attr-defined]


def blockers(method: Callable[..., Any]) -> list[Blocker]:
    """What stands between the instance and this step, in the order of the guards; empty when it may go."""
    instance: models.Model = method.__self__  # type: ignore[attr-defined]
    meta = method._django_fsm  # type: ignore[attr-defined]
    state = meta.field.get_state(instance)
    declared = _declared(method, state)
    if declared is None:
        return [Blocker(_("This step is not possible from the present state."))]
    found = (getattr(condition, "guard", lambda _instance: None)(instance) for condition in declared.conditions or [])
    return [blocker for blocker in found if blocker is not None]


def check_transition(method: Callable[..., Any], actor: Any) -> None:
    """State first, then right, then guards.

    Raises TransitionRefused where state or guards refuse, PermissionDenied where `actor` lacks the right.
    """
    meta = method._django_fsm  # type: ignore[attr-defined]
    instance = method.__self__  # type: ignore[attr-defined]
    declared = _declared(method, meta.field.get_state(instance))
    if declared is None:
        raise TransitionRefused(blockers(method))
    # has_transition_perm() would also ask the guards, and call a blocked step forbidden
    if not declared.has_perm(instance, actor):
        raise PermissionDenied
    if found := blockers(method):
        raise TransitionRefused(found)


def edges(model: type[models.Model], field: str = "state") -> set[tuple[str, str]]:
    """All (source, target) pairs of a model's state field, for the database trigger and its test."""
    fsm_field = model._meta.get_field(field)
    pairs: Iterable[Any] = fsm_field.get_all_transitions(model)  # type: ignore[union-attr]
    return {(step.source, step.target) for step in pairs}
