"""The bell and the mails: who hears of an event, and how."""

from typing import TYPE_CHECKING

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from ordermgmt.activity.events import EventType, all_types, nobody
from ordermgmt.activity.models import Delivery, Event, Notification, Preference
from ordermgmt.activity.models.roots import may_see, root_link

from .mailing import send_mail_effect
from .nudging import nudge_after_commit
from .recording import DELIVER

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

MAIL = "mail:"


def audience_of(event: Event) -> list["User"]:
    """The people an event is for: active, not the one who did it, and allowed to see the object it is about."""
    people = {person.pk: person for person in event.event_type.audience(event) if person is not None}
    people.pop(event.actor_id, None)
    return [
        person
        for person in people.values()  # an audience is a handful of people, and each has a scope of their own
        if person.is_active and not person.is_system and _may_hear(person, event)
    ]


def _may_hear(person: "User", event: Event) -> bool:
    needed = event.event_type.permission
    return (not needed or person.has_perm(needed)) and may_see(person, event.root_type, event.root_id)


def channels_for(people: list["User"], event_type: EventType) -> dict[int, tuple[bool, bool]]:
    """(bell, mail) of each person for this type of event: their own choice, else the type's default."""
    default = ("bell" in event_type.channels, "mail" in event_type.channels)
    chosen = {
        one.user_id: (one.bell, one.mail)
        for one in Preference.objects.filter(user__in=[person.pk for person in people], event_type=event_type.name)
    }
    return {person.pk: chosen.get(person.pk, default) for person in people}


def notify(event: Event) -> None:
    """Puts an event on the bells of its audience and lays out the mails. Runs inside its delivery's transaction."""
    people = audience_of(event)
    channels = channels_for(people, event.event_type)
    Notification.objects.bulk_create(
        [Notification(user_id=pk, event=event) for pk, (bell, _mail) in channels.items() if bell], ignore_conflicts=True
    )
    effects = [f"{MAIL}{pk}" for pk, (_bell, mail) in channels.items() if mail]
    Delivery.objects.bulk_create([Delivery(event=event, effect=effect) for effect in effects], ignore_conflicts=True)
    for delivery in Delivery.objects.filter(event=event, effect__in=effects):
        nudge_after_commit(DELIVER, delivery.pk)


def mail_event(event: Event, user_id: int) -> None:
    """Mails an event to one person, in their language. Whoever was disabled or lost the right meanwhile gets nothing."""
    user: User | None = get_user_model().objects.filter(pk=user_id, is_active=True).first()
    if user is None or not _may_hear(user, event):
        return
    label, link = root_link(event.root_type, event.root)
    send_mail_effect(
        key=f"event:{event.pk}:{user.pk}",
        to=user.email,
        language=user.language,
        template="activity/event",
        context={"event": event, "reader": user, "label": label, "link": link or "/activity/notifications/"},
    )


def optional_types() -> list[EventType]:
    """The event types that somebody may be told of: those with an audience."""
    return [one for one in all_types() if one.audience is not nobody]


@transaction.atomic
def set_preferences(choices: dict[str, tuple[bool, bool]], *, actor: "User") -> None:
    """Keeps how `actor` wants to hear: event type name → (bell, mail). Unknown names are left out."""
    known = {one.name for one in optional_types()}
    Preference.objects.bulk_create(
        [
            Preference(user=actor, event_type=name, bell=bell, mail=mail)
            for name, (bell, mail) in choices.items()
            if name in known
        ],
        update_conflicts=True,
        unique_fields=["user", "event_type"],
        update_fields=["bell", "mail"],
    )


@transaction.atomic
def mark_read(notifications: "QuerySet[Notification]", *, actor: "User") -> int:
    """Marks the actor's own notifications among these as read; gives how many were not before."""
    return notifications.filter(user=actor, read_at=None).update(read_at=timezone.now())
