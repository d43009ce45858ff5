"""What a reader sees of events: timelines, and the audit with its differences."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils.translation import gettext as _

from ordermgmt.activity import events
from ordermgmt.activity.models import Comment, Event

from .recording import type_of

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

PAGE = 20
KINDS = ("all", "comments", "changes")


@dataclass(frozen=True)
class Difference:
    """One field that a deed changed."""

    label: str
    before: str
    after: str


@dataclass(frozen=True)
class Entry:
    """One line of a timeline."""

    event: Event
    comment: Comment | None
    differences: list[Difference]
    own: bool


@dataclass(frozen=True)
class Timeline:
    """One page of a timeline, newest first; `older` is the key of the next page, None on the last."""

    entries: list[Entry]
    older: int | None


def hidden_types(user: "User") -> list[str]:
    """Event types whose sentence says what this reader has no right to know (amounts, for instance)."""
    return [one.name for one in events.all_types() if one.permission and not user.has_perm(one.permission)]


def quiet_types() -> list[str]:
    """Event types that no timeline shows: another event beside them says in people's words what happened."""
    return [one.name for one in events.all_types() if one.quiet]


def timeline_of(root: models.Model, *, user: "User", kind: str = "all", before: int | None = None) -> Timeline:
    """A page of the events of `root`, in a fixed number of queries. Whether `user` may see `root` is asked before."""
    found = Event.objects.filter(root_type=type_of(root), root_id=root.pk).select_related("actor")
    if hidden := hidden_types(user) + quiet_types():
        found = found.exclude(type__in=hidden)
    if kind == "comments":
        found = found.filter(type=events.COMMENTED.name)
    elif kind == "changes":
        found = found.exclude(type__in=[events.COMMENTED.name, events.COMMENT_REMOVED.name])
    if before is not None:
        found = found.filter(pk__lt=before)
    rows = list(found.order_by("-pk")[: PAGE + 1])
    comments = _comments(rows)
    shows_differences = user.has_perm("activity.view_audit")
    entries = [
        Entry(
            event=event,
            comment=comments.get(event.subject_id) if event.type == events.COMMENTED.name else None,
            differences=differences(event, user=user) if shows_differences else [],
            own=event.actor_id == user.pk,
        )
        for event in rows[:PAGE]
    ]
    return Timeline(entries, rows[PAGE - 1].pk if len(rows) > PAGE else None)


def _comments(rows: list[Event]) -> dict[int | None, Comment]:
    wanted = [event.subject_id for event in rows if event.type == events.COMMENTED.name and event.subject_id]
    return {comment.pk: comment for comment in Comment.objects.filter(pk__in=wanted)} if wanted else {}


def differences(event: Event, *, user: "User") -> list[Difference]:
    """What the deed changed, field by field, with the fields' own names; without what this reader may not know."""
    after, before = event.after or {}, event.before or {}
    secrets = events.secrets_of(event.type)
    keys = [key for key in dict.fromkeys([*before, *after]) if key not in secrets or user.has_perm(secrets[key])]
    return [Difference(_label(event, key), _shown(before.get(key)), _shown(after.get(key))) for key in keys]


def _label(event: Event, key: str) -> str:
    try:
        field = apps.get_model(event.subject_type)._meta.get_field(key)
    except (LookupError, ValueError, FieldDoesNotExist):
        return key
    return str(getattr(field, "verbose_name", key))


def _shown(value: Any) -> str:
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, list | dict):
        return ", ".join(f"{key}: {one}" for key, one in value.items()) if isinstance(value, dict) else _joined(value)
    return str(value)


def _joined(values: list[Any]) -> str:
    return ", ".join(str(value) for value in values)
