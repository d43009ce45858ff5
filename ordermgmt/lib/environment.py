"""Strict reading of the environment: a wrong value stops the start with one sentence that names the variable."""

import os
import zoneinfo
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, NoReturn, TypeVar
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

T = TypeVar("T")
_YES, _NO = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}


class Environment:
    """Reads variables once, remembers their names for the test that compares them with the documentation.

    An empty variable counts as absent. For secrets, `NAME_FILE` may name a file with the value (Docker secrets).
    Every method raises ImproperlyConfigured with a sentence when the value is not what it must be.
    """

    def __init__(self, source: Mapping[str, str] | None = None) -> None:
        self.source = os.environ if source is None else source
        self.names: set[str] = set()

    def _fail(self, name: str, sentence: str) -> NoReturn:
        raise ImproperlyConfigured(f"{name} {sentence}")

    def text(self, name: str, default: str = "") -> str:
        """Any text."""
        self.names.add(name)
        return self.source.get(name, "").strip() or default

    def secret(self, name: str, default: str = "") -> str:
        """A text that may also lie in the file named by `NAME_FILE`."""
        self.names.add(f"{name}_FILE")
        value, file = self.text(name), self.source.get(f"{name}_FILE", "").strip()
        if value or not file:
            return value or default
        try:
            return Path(file).read_text("utf-8").strip()
        except OSError as error:
            self._fail(f"{name}_FILE", f"names a file that can't be read: {error.strerror}.")

    def flag(self, name: str, default: bool = False) -> bool:
        """Yes or no, as 1/0, true/false, yes/no or on/off."""
        value = self.text(name).lower()
        if value and value not in _YES | _NO:
            self._fail(name, f"must be true or false, not {value!r}.")
        return value in _YES if value else default

    def number(self, name: str, default: int, minimum: int, maximum: int) -> int:
        """A whole number between two limits, both allowed."""
        value = self.text(name)
        if not value:
            return default
        if not value.isascii() or not value.isdigit() or not minimum <= int(value) <= maximum:
            self._fail(name, f"must be a whole number from {minimum} to {maximum}, not {value!r}.")
        return int(value)

    def decimal(self, name: str, default: str, minimum: int, maximum: int) -> Decimal:
        """An exact number between two limits, both allowed."""
        value = self.text(name, default)
        try:
            number = Decimal(value)
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite() or not minimum <= number <= maximum:
            self._fail(name, f"must be a number from {minimum} to {maximum}, not {value!r}.")
        return number

    def choice(self, name: str, default: str, choices: Sequence[str]) -> str:
        """One of a few words, whatever its case."""
        value = self.text(name, default)
        found = next((choice for choice in choices if choice.lower() == value.lower()), None)
        if found is None:
            self._fail(name, f"must be one of {', '.join(choices)}, not {value!r}.")
        return found

    def names_list(self, name: str, default: Sequence[str] = ()) -> list[str]:
        """Words separated by commas."""
        value = self.text(name)
        return [word.strip() for word in value.split(",") if word.strip()] if value else list(default)

    def origins(self, name: str, default: Sequence[str] = ()) -> list[str]:
        """Addresses like https://orders.example.com, separated by commas."""
        values = self.names_list(name, default)
        for value in values:
            self._web_address(name, value)
        return values

    def web_address(self, name: str, default: str) -> str:
        """One address like https://orders.example.com, without a slash at its end."""
        value = self.text(name, default).rstrip("/")
        self._web_address(name, value)
        return value

    def _web_address(self, name: str, value: str) -> None:
        parts = _parts(value)
        if not parts or parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
            self._fail(name, f"must look like https://orders.example.com, not {value!r}.")

    def database(self, name: str, default: str) -> dict[str, Any]:
        """A database as Django wants it; {} where there is none."""
        value = self.secret(name, default)
        if not value:
            return {}
        parts = _parts(value)
        scheme = parts.scheme if parts else ""
        if scheme not in ("sqlite", "postgres", "postgresql") or not parts or len(parts.path) < 2:
            self._fail(name, "must look like postgres://user:password@host:5432/name or sqlite:///path/to/file.")
        return self._guarded(name, lambda: dict(environ.Env.db_url_config(value)))

    def redis(self, name: str) -> str:
        """redis://, rediss:// or unix:// with a number of a database; "" where there is none."""
        value = self.secret(name)
        parts = _parts(value)
        if value and (not parts or parts.scheme not in ("redis", "rediss", "unix")):
            self._fail(name, "must look like redis://:password@host:6379/0.")
        return value

    def time_zone(self, name: str, default: str) -> str:
        """A name of the time zone database."""
        value = self.text(name, default)
        try:
            zoneinfo.ZoneInfo(value)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            self._fail(name, f"must be a time zone like Europe/Berlin or Asia/Shanghai, not {value!r}.")
        return value

    def folder(self, name: str, default: Path) -> Path:
        """An absolute path; made by whoever writes to it first."""
        path = Path(self.text(name, str(default)))
        if not path.is_absolute():
            self._fail(name, f"must be an absolute path, not {str(path)!r}.")
        return path

    def _guarded(self, name: str, read: Callable[[], T]) -> T:
        try:
            return read()
        except (ValueError, KeyError, environ.ImproperlyConfigured) as error:
            self._fail(name, f"can't be read: {error}.")


def _parts(value: str) -> Any:
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        return None
    return parts
