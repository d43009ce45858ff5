"""Stale pages: somebody else changed the thing since the page was opened."""

from typing import Any


class StaleVersion(Exception):
    """`instance` is the present row; the page shows it beside what was typed."""

    def __init__(self, instance: Any) -> None:
        self.instance = instance
        super().__init__(f"{instance} is now at version {instance.version}")


def check_version(instance: Any, version: int | None) -> None:
    """Raises StaleVersion where `version` (None: not asked, as in imports) is not that of the locked `instance`."""
    if version is not None and instance.version != version:
        raise StaleVersion(instance)
