"""What the command palette and the global search look through: providers that the apps register."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise


@dataclass(frozen=True)
class Hit:
    """One thing that was found."""

    title: str
    url: str
    hint: str = ""


Search = Callable[[Any, str, int], Iterable[Hit]]


@dataclass(frozen=True)
class Command:
    """Something to do or a page to open, offered to holders of `permission`."""

    label: str | Promise
    url: str
    permission: str = ""
    keywords: str = ""


@dataclass
class _Registry:
    providers: dict[str, tuple[str | Promise, Search, str]] = field(default_factory=dict)
    commands: dict[str, Command] = field(default_factory=dict)


_registry = _Registry()


def provider(key: str, label: str | Promise, search: Search, permission: str = "") -> None:
    """Registers a search: `search(user, text, limit)` over what the user may see, one or two indexed queries."""
    _registry.providers[key] = (label, search, permission)


def command(label: str | Promise, url: str, permission: str = "", keywords: str = "") -> None:
    """Registers an entry of the palette; keywords (in any language) find it too."""
    _registry.commands[url] = Command(label, url, permission, keywords)


def quick_commands(user: Any, most: int = 3) -> list[Command]:
    """What this person may make anew, for the buttons of the start page: commands that lead to a `…/new/`.

    Those of upper floors first: orders are entered more often than customers, and those more often than products.
    """
    found = [one for one in reversed(_registry.commands.values()) if one.url.endswith("/new/")]
    return [one for one in found if not one.permission or user.has_perm(one.permission)][:most]


def _rank(one: Command) -> int:
    """What is made anew first, then the main pages, then the rest."""
    if one.url.endswith("/new/"):
        return 0
    return 1 if one.url.count("/") == 2 and "?" not in one.url else 2


def find(user: Any, text: str, limit: int = 6) -> list[dict[str, Any]]:
    """Groups of hits for what was typed: commands first, then each provider's findings (none for an empty text)."""
    from django.utils.translation import gettext as _

    wanted = text.strip().lower()
    commands = [
        Hit(str(one.label), one.url)
        for one in sorted(_registry.commands.values(), key=_rank)
        if (not one.permission or user.has_perm(one.permission))
        and (not wanted or wanted in f"{one.label} {one.keywords}".lower())
    ]
    groups = [{"label": _("Go to"), "hits": commands[: 12 if not wanted else limit]}] if commands else []
    if not wanted:
        return groups
    for label, search, permission in _registry.providers.values():
        if permission and not user.has_perm(permission):
            continue
        if hits := list(search(user, text.strip(), limit)):
            groups.append({"label": str(label), "hits": hits})
    return groups
