"""Boxes that an upper app shows on a lower app's page, so that the page needs no knowledge of the floors above it."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise

from ordermgmt.lib.http import Request


@dataclass(frozen=True)
class Panel:
    """One box on the page `place` (e.g. "orders.order"). `context(request, instance)` returns None to stay away.

    It is asked once per page and must cost a fixed number of queries. `slot` is "main", "side" or "tab".
    """

    place: str
    name: str
    title: str | Promise
    template: str
    context: Callable[[Request, Any], dict[str, Any] | None]
    slot: str = "main"
    order: int = 100
    permission: str = ""


@dataclass
class _Registry:
    panels: dict[str, list[Panel]] = field(default_factory=lambda: defaultdict(list))


_registry = _Registry()


def register(panel: Panel) -> Panel:
    """Adds a panel; called from an app's `panels.py`, which its AppConfig imports when it is ready."""
    known = _registry.panels[panel.place]
    if all(other.name != panel.name for other in known):
        known.append(panel)
        known.sort(key=lambda one: (one.order, one.name))
    return panel


def panels_for(request: Request, place: str, instance: Any) -> list[tuple[Panel, dict[str, Any]]]:
    """The panels of a page that this reader may see, with their contexts."""
    shown = []
    for panel in _registry.panels[place]:
        if panel.permission and not request.user.has_perm(panel.permission):
            continue
        context = panel.context(request, instance)
        if context is not None:
            shown.append((panel, context))
    return shown
