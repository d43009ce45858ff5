"""Every address is closed to who is not signed in, except a listed few."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.converters import IntConverter, SlugConverter, StringConverter, UUIDConverter

#: Open on purpose: health, what one needs in order to sign in, and what customers answer by a private link.
OPEN = {
    *("operations:healthz", "operations:readyz"),
    *("accounts:sign-in", "accounts:two-factor", "accounts:accept-invitation"),
    *("accounts:forgot-password", "accounts:reset-password"),
    "fulfilment:feed",  # a private address that its owner makes and revokes
    *("fulfilment:feedback-say", "fulfilment:feedback-thanks"),
}
SAMPLES: dict[type, Any] = {
    IntConverter: 999_999,
    UUIDConverter: uuid.UUID(int=7),
    SlugConverter: "nothing",
    StringConverter: "nothing",
}


def _routes(resolver: URLResolver, before: str = "/", spaces: tuple[str, ...] = ()) -> Iterator[tuple[str, str, Any]]:
    for entry in resolver.url_patterns:
        path = before + str(entry.pattern)
        if isinstance(entry, URLPattern):
            for name, converter in entry.pattern.converters.items():
                sample = next((SAMPLES[kind] for kind in type(converter).__mro__ if kind in SAMPLES), "nothing")
                path = path.replace(f"<{name}>", f"<x:{name}>")
                start = path.index(f":{name}>")
                path = path[: path.rindex("<", 0, start)] + str(sample) + path[start + len(name) + 2 :]
            yield ":".join([*spaces, entry.name or "?"]), path, entry.callback
        else:
            more = (*spaces, entry.namespace) if entry.namespace else spaces
            yield from _routes(entry, path, more)


ROUTES = sorted({(name, path) for name, path, _view in _routes(get_resolver())})


def test_every_route_has_a_name() -> None:
    assert [path for name, path in ROUTES if name.endswith("?")] == []


def test_the_open_ones_are_those_listed() -> None:
    # LoginRequiredMiddleware closes a view unless it says otherwise.
    found = {name for name, _path, view in _routes(get_resolver()) if not getattr(view, "login_required", True)}
    assert found - OPEN == set()


@pytest.mark.parametrize(("name", "path"), [route for route in ROUTES if route[0] not in OPEN])
@pytest.mark.parametrize("method", ["get", "post"])
def test_who_is_not_signed_in_is_sent_to_sign_in(db: None, name: str, path: str, method: str) -> None:
    response = getattr(Client(), method)(path)
    assert response.status_code in (302, 401, 403, 404, 405)
    if response.status_code == 302:
        assert response["Location"].startswith("/login/")
