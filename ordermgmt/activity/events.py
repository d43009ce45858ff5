"""The registry of what can happen: an event type that is not registered can't be recorded."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth import get_user_model
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

_PLACE = re.compile(r"\{\w+\}")
Audience = Callable[[Any], Iterable[Any]]


def nobody(_event: Any) -> list[Any]:
    """The audience of an event that only the timeline shows."""
    return []


@dataclass(frozen=True)
class EventType:
    """One kind of fact.

    `name` is "<app>.<what happened>", `message` a sentence that is formatted with the event's `data` and reads on after
    the actor's name ("placed the order"). `audience(event)` gives the users to notify, `channels` how ("bell", "mail").
    A sentence that not everybody who sees the object may read (it tells an amount) names the `permission` it needs;
    `secrets` does so for single keys of what is kept of before and after.
    What only counts for the machinery is `quiet`: the audit keeps it, timelines leave it out.
    Data keeps codes, never words of one language: `words(data)` puts them into the reader's when the sentence is shown.
    """

    name: str
    message: str | Promise
    audience: Audience = nobody
    channels: tuple[str, ...] = ("bell",)
    icon: str = "point"
    permission: str = ""
    secrets: Mapping[str, str] = field(default_factory=dict, hash=False)
    words: Callable[[dict[str, Any]], dict[str, Any]] = dict
    quiet: bool = False

    @property
    def plain_message(self) -> str:
        """The sentence without the data of any one event, for lists of types."""
        return _PLACE.sub("…", str(self.message))


_registered: dict[str, EventType] = {}


def register(event_type: EventType) -> EventType:
    """Makes an event type known. Called at import of `<app>/events.py`. Raises ValueError for a name taken."""
    if _registered.setdefault(event_type.name, event_type) != event_type:
        raise ValueError(f"two event types are called {event_type.name}")
    return event_type


def by_name(name: str) -> EventType:
    """The registered type. Raises KeyError where there is none."""
    return _registered[name]


def secrets_of(name: str) -> Mapping[str, str]:
    """Permission by key of before and after; empty for a type that the code no longer has."""
    return _registered[name].secrets if name in _registered else {}


def all_types() -> list[EventType]:
    """Every registered type, by name."""
    return [_registered[name] for name in sorted(_registered)]


def _requester(event: Any) -> list[Any]:
    """Whoever asked for the job."""
    return [event.root.requested_by] if event.root is not None else []


def _administrators(_event: Any) -> Iterable[Any]:
    """Who hears of work that is dead."""
    people: Any = get_user_model().objects  # accounts stands above: its manager is used, not named
    return list(people.active().with_role("admin"))


def _commented(event: Any) -> Iterable[Any]:
    """Whoever is mentioned, and the people of the object."""
    comment = event.subject
    return [*comment.mentioned.all(), *event.root_audience] if comment is not None else []


def _assignee(event: Any) -> list[Any]:
    return [event.subject.assignee] if event.subject is not None else []


def _task_giver(event: Any) -> list[Any]:
    return [event.subject.created_by] if event.subject is not None else []


DENIED = register(EventType("activity.denied", _("was refused: {what}"), icon="lock"))
JOB_DONE = register(EventType("activity.job_done", _("finished: {title}"), audience=_requester, icon="check"))
JOB_FAILED = register(
    EventType("activity.job_failed", _("could not finish: {title}"), audience=_requester, icon="alert-triangle")
)
DELIVERY_DIED = register(
    EventType(
        "activity.delivery_died",
        _("could not deliver {effect}: {error}"),
        audience=_administrators,
        icon="alert-triangle",
    )
)
WORK_RETRIED = register(EventType("activity.work_retried", _("tried again: {what}"), icon="refresh"))
COMMENTED = register(EventType("activity.commented", _("wrote a comment"), audience=_commented, icon="message"))
COMMENT_REMOVED = register(EventType("activity.comment_removed", _("took a comment back"), icon="message-off"))
FOLLOWUP_CREATED = register(
    EventType("activity.followup_created", _("asked {assignee}: {title}"), audience=_assignee, icon="checklist")
)
FOLLOWUP_DUE = register(
    EventType(
        "activity.followup_due", _("is due: {title}"), audience=_assignee, channels=("bell", "mail"), icon="calendar"
    )
)
FOLLOWUP_DONE = register(EventType("activity.followup_done", _("did: {title}"), audience=_task_giver, icon="check"))
FOLLOWUP_REOPENED = register(
    EventType("activity.followup_reopened", _("reopened: {title}"), audience=_assignee, icon="refresh")
)
