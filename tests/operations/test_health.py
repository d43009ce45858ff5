"""/healthz says that the process lives, /readyz whether it can work."""

import socket
import time
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from ordermgmt.activity.models import Heartbeat
from ordermgmt.activity.services import heartbeat


def test_healthz_needs_nobody_and_no_database(client: Client) -> None:
    response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok\n")


def test_readyz_needs_a_living_worker(client: Client, db: None) -> None:
    Heartbeat.objects.all().delete()
    assert client.get("/readyz").json() == {"ready": False, "database": "ok", "broker": "ok", "worker": "failed"}
    heartbeat()
    response = client.get("/readyz")
    assert (response.status_code, response.json()["ready"]) == (200, True)
    Heartbeat.objects.update(at=timezone.now() - timedelta(minutes=5))
    assert client.get("/readyz").status_code == 503


@pytest.mark.parametrize("address", ["/healthz", "/readyz"])
def test_post_is_refused(client: Client, address: str) -> None:
    assert client.post(address).status_code == 405


def test_readyz_does_not_wait_for_a_hung_broker(client: Client, db: None, settings) -> None:
    heartbeat()
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts and never answers
        settings.EMBEDDED = False
        settings.REDIS_URL = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        started = time.monotonic()
        response = client.get("/readyz")
    assert (response.status_code, response.json()["broker"]) == (503, "failed")
    assert time.monotonic() - started < 4
    assert "127.0.0.1" not in response.content.decode()


def test_every_answer_carries_the_request_id(client: Client) -> None:
    assert client.get("/healthz", headers={"X-Request-ID": "proxy-0123456789"})["X-Request-ID"] == "proxy-0123456789"
    assert client.get("/healthz", headers={"X-Request-ID": "no\u00e4!"})["X-Request-ID"] != "no\u00e4!"
