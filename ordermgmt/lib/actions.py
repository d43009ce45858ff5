"""One `Action` per verb on an object, and one view that serves confirmation, POST and errors for all of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.functional import Promise

from ordermgmt.lib.fsm import Blocker, blockers


class NoFields(forms.Form):
    """The form of an action that needs nothing but a yes."""


@dataclass(frozen=True)
class Action:
    """One verb on one kind of object.

    `perform(instance, actor=…, **cleaned_data)` is a service. `transition` names the FSM method whose state, right and
    guards decide whether the action is offered; an action without one gives `permission` and optionally `allowed`.
    `allowed_for(instance, user)` says what stands in the way of this very person, as who may not examine their own work.
    `when(instance)` says in which situation an action is offered at all.
    `done` says in a sentence of its own what was done.
    `consequences(instance)` lists in sentences what an irreversible step does, shown before it is confirmed.
    `done` says what was done; where that depends, it is a function of what `perform` gave.
    """

    name: str
    label: str | Promise
    perform: Callable[..., Any]
    transition: str = ""
    permission: str = ""
    form: type[forms.BaseForm] = NoFields
    allowed: Callable[[Any], list[Blocker]] | None = None
    allowed_for: Callable[[Any, Any], list[Blocker]] | None = None
    when: Callable[[Any], bool] | None = None
    consequences: Callable[[Any], list[str]] | None = None
    primary: bool = False
    danger: bool = False
    icon: str = ""
    done: str | Promise | Callable[[Any], str] = ""
    bulk: bool = False

    def method(self, instance: Any) -> Any:
        return getattr(instance, self.transition)

    def offered(self, instance: Any, user: Any) -> bool:
        """Whether the page shows it: right held and state a source of the step; guards may still block."""
        if self.permission and not user.has_perm(self.permission):
            return False
        if self.when is not None and not self.when(instance):
            return False
        if not self.transition:
            return True
        meta = self.method(instance)._django_fsm
        declared = meta.get_transition(meta.field.get_state(instance))
        return declared is not None and declared.has_perm(instance, user)

    def blockers(self, instance: Any, user: Any = None) -> list[Blocker]:
        """Why it can't be done now, by `user` where one is given; empty when it can."""
        found = blockers(self.method(instance)) if self.transition else []
        found = found + (self.allowed(instance) if self.allowed else [])
        return found or (self.allowed_for(instance, user) if self.allowed_for and user is not None else [])

    def permitted(self, instance: Any, user: Any) -> bool:
        """Whether the person holds the right, whatever the state: the transition's own, or `permission`."""
        if self.permission and not user.has_perm(self.permission):
            return False
        if not self.transition:
            return True
        steps = self.method(instance)._django_fsm.transitions.values()
        return any(step.has_perm(instance, user) for step in steps)


class ActionSet:
    """The actions of one model, by name, in the order of the page."""

    def __init__(self, *actions: Action) -> None:
        self._actions = {action.name: action for action in actions}

    def add(self, action: Action) -> Action:
        """An upper app adds its verb to a lower app's object."""
        self._actions[action.name] = action
        return action

    def get(self, name: str) -> Action | None:
        return self._actions.get(name)

    def __iter__(self) -> Any:
        return iter(self._actions.values())

    def offered(self, instance: Any, user: Any) -> list[Action]:
        """What this person may do with this object in its state, whether or not a guard blocks it now."""
        return [action for action in self._actions.values() if action.offered(instance, user)]
