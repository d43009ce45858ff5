"""Effects that follow from events, after commit, in a worker: facts go up, to whoever subscribed."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from ordermgmt.activity.events import EventType
from ordermgmt.activity.models import Event

Effect = Callable[[Event], None]


@dataclass(frozen=True)
class Subscription:
    """One function that wants to know. `atomic` effects commit together with the note that they were done."""

    name: str
    effect: Effect
    atomic: bool = True


_by_event: dict[str, list[Subscription]] = defaultdict(list)
_by_name: dict[str, Subscription] = {}


def subscriber(*event_types: EventType, atomic: bool = True) -> Callable[[Effect], Effect]:
    """Decorates `function(event)` in `<app>/tasks.py`: it runs once after each of these events was committed.

    An effect that only writes to the database stays `atomic`: it is committed together with its delivery, so it
    happens exactly once. One that reaches outside (mail, files) says `atomic=False`, runs outside any transaction and
    must bear being run again (a deterministic Message-ID, a unique key). A failure is retried with growing pauses;
    after the last the delivery is dead, and the operations page shows it.
    """

    def wrap(effect: Effect) -> Effect:
        name = f"{effect.__module__}.{effect.__qualname__}"
        subscription = Subscription(name, effect, atomic)
        _by_name[name] = subscription
        for event_type in event_types:
            if all(known.name != name for known in _by_event[event_type.name]):
                _by_event[event_type.name].append(subscription)
        return effect

    return wrap


def subscriptions(event_type: str) -> list[Subscription]:
    """Who wants to know of this type of event."""
    return _by_event.get(event_type, [])


def subscription_named(name: str) -> Subscription | None:
    """The subscription with that name; None for one that the code no longer has."""
    return _by_name.get(name)
