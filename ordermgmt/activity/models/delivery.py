"""The outbox: what still has to follow from an event."""

from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.db import models
from django.db.models import Q

from .event import Event
from .work import Work, WorkQuerySet, WorkState

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


class DeliveryQuerySet(WorkQuerySet):
    """Reads over deliveries."""

    def visible_to(self, user: "User") -> Self:
        """Whoever watches operations sees all, nobody else any."""
        return self if user.has_perm("activity.view_operations") else self.none()


class Delivery(Work):
    """One effect of one event, made in the event's own transaction. The pair is unique: no effect happens twice."""

    event = models.ForeignKey(Event, models.PROTECT, related_name="deliveries")
    effect = models.CharField(max_length=120, help_text='"notify", "mail:<user>" or the name of a subscriber')

    objects: ClassVar[Any] = DeliveryQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["event", "effect"], name="delivery_once_per_effect")]
        indexes = [
            models.Index(
                fields=["nudged_at"],
                condition=Q(state__in=[WorkState.QUEUED, WorkState.RUNNING]),
                name="delivery_open",
            ),
            models.Index(fields=["-id"], condition=Q(state=WorkState.FAILED), name="delivery_dead"),
        ]

    def __str__(self) -> str:
        return f"{self.effect} of event {self.event_id}: {self.state}"
